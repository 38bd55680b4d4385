// The code at the cursor, bit by bit, beside that of the pinned point.
import { h } from "../common/elements.js";

export class Bits {
  constructor() {
    this.element = h("div", { class: "nh-code", "aria-hidden": "true" });
    /** @type {HTMLElement[]} */
    this.cells = [];
  }

  /**
   * Make room for layers of these widths.
   * @param {number[]} widths
   */
  layOut(widths) {
    this.cells = [];
    this.element.replaceChildren(
      ...widths.map((width, l) => {
        const row = Array.from({ length: width }, () => h("span", { class: "nh-bit" }));
        this.cells.push(...row);
        return h("div", {}, h("span", { class: "nh-layer" }, `layer ${l + 1}`), ...row);
      }),
    );
  }

  /** @type {(here: boolean[], there: boolean[]) => void} */
  show(here, there) {
    here.forEach((bit, i) => {
      const digit = bit ? "1" : "0";
      if (this.cells[i].textContent !== digit) this.cells[i].textContent = digit;
      this.cells[i].classList.toggle("nh-on", bit);
      this.cells[i].classList.toggle("nh-differs", bit !== there[i]);
    });
  }
}
