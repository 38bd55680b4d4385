// The code at the cursor, bit by bit, beside that of the pinned point; and the affine map there.
import { h } from "../common/elements.js";

export class Bits {
  constructor() {
    this.code = h("div", { class: "nh-code" });
    this.map = h("div", { class: "nh-map" });
    this.element = h("div", { "aria-hidden": "true" }, this.code, this.map);
    /** @type {HTMLElement[]} */
    this.cells = [];
  }

  /**
   * Make room for layers of these widths.
   * @param {number[]} widths
   */
  layOut(widths) {
    this.cells = [];
    this.code.replaceChildren(
      ...widths.map((width, l) => {
        const row = Array.from({ length: width }, () => h("span", { class: "nh-bit" }));
        this.cells.push(...row);
        return h("div", {}, h("span", { class: "nh-layer" }, `layer ${l + 1}`), ...row);
      }),
    );
  }

  /** @type {(here: Uint8Array, there: Uint8Array, facts: string[]) => void} */
  show(here, there, facts) {
    here.forEach((bit, i) => {
      const digit = String(bit);
      if (this.cells[i].textContent !== digit) this.cells[i].textContent = digit;
      this.cells[i].classList.toggle("nh-on", bit > 0);
      this.cells[i].classList.toggle("nh-differs", bit !== there[i]);
    });
    this.map.replaceChildren(...facts.map((fact) => h("div", {}, fact)));
  }
}
