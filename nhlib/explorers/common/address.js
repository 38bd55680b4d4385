// The settings of a frame in the page's address: #region-explorer?width=8&seed=3 sets width and
// seed, and every change is written back. Only in the page: in JupyterLab the address is its own.
/** @import { Frame } from "./frame.js" */

/** @type {(one: any, other: any) => boolean} */
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

export class Address {
  /** @param {Frame} ui */
  constructor(ui) {
    this.ui = ui;
    /** @type {string[]} */
    this.names = ui.get("_settings");
    this.start = Object.fromEntries(this.names.map((name) => [name, ui.get(name)]));
    if (this.read()) requestAnimationFrame(() => ui.root.scrollIntoView({ block: "start" }));
    addEventListener("hashchange", () => this.read(), { signal: ui.ended.signal });
    let due = 0;
    const write = () => {
      clearTimeout(due);
      // Browsers allow only so many changes of the address in a while.
      due = setTimeout(() => history.replaceState(null, "", this.link()), 400);
    };
    for (const name of this.names) ui.model.on(`change:${name}`, write);
  }

  // Whether the address is of this frame, whose settings it then sets.
  read() {
    const [name, query] = decodeURIComponent(location.hash.slice(1)).split("?");
    if (name !== this.ui.name) return false;
    for (const [setting, text] of new URLSearchParams(query)) {
      if (this.names.includes(setting)) this.offer(setting, text);
    }
    return true;
  }

  /**
   * Take a setting from text if it is one that Python would take too.
   * @param {string} setting
   * @param {string} text
   */
  offer(setting, text) {
    /** @type {any} */
    let value = text;
    if (typeof this.start[setting] !== "string") {
      try {
        value = JSON.parse(text);
      } catch {
        return;
      }
    }
    const allowed = this.ui.get("_allowed")[setting];
    const inside = Array.isArray(allowed)
      ? allowed.some((one) => same(one, value))
      : typeof value === "number" &&
        value >= allowed.min &&
        value <= allowed.max &&
        (!allowed.whole || Number.isInteger(value));
    if (inside) this.ui.set(setting, value);
  }

  link() {
    const changed = this.names
      .filter((name) => !same(this.ui.get(name), this.start[name]))
      .map((name) => {
        const value = this.ui.get(name);
        const text = typeof value === "string" ? value : JSON.stringify(value);
        return `${name}=${encodeURIComponent(text)}`;
      });
    const page = location.href.split("#")[0];
    return `${page}#${this.ui.name}${changed.length ? "?" : ""}${changed.join("&")}`;
  }
}
