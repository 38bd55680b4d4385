// The settings of a frame in the page's address: #region-explorer?width=8&seed=3 sets width and
// seed, and every change is written back. Only in the page: in JupyterLab the address is its own.
/** @import { Frame } from "./frame.js" */

/**
 * What a setting takes: one of some values, a number, a row of numbers, or rows of them.
 * @typedef {{ min: number, max: number, whole: boolean }} Limits
 * @typedef {any[] | Limits | { row: Limits[] } | { rows: Limits[], least: number, most: number }}
 *   Allowed
 */

/** @type {(one: any, other: any) => boolean} */
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** @type {(limits: Limits, value: any) => boolean} */
const within = ({ min, max, whole }, value) =>
  typeof value === "number" && value >= min && value <= max && (!whole || Number.isInteger(value));

/** @type {(row: Limits[], value: any) => boolean} */
const fits = (row, value) =>
  Array.isArray(value) &&
  value.length === row.length &&
  row.every((one, i) => within(one, value[i]));

/** @type {(allowed: Allowed, value: any) => boolean} */
const takes = (allowed, value) => {
  if (Array.isArray(allowed)) return allowed.some((one) => same(one, value));
  if ("row" in allowed) return fits(allowed.row, value);
  if (!("rows" in allowed)) return within(allowed, value);
  const { rows, least, most } = allowed;
  return (
    value.length >= least &&
    value.length <= most &&
    value.every((/** @type {any} */ row) => fits(rows, row))
  );
};

// Rows of numbers are written with signs that no address has to encode: 0.5_-1_0~0.25_1_1.

/** @param {string} text */
const rowOf = (text) => text.split("_").map((number) => (number ? Number(number) : Number.NaN));

/** @type {(allowed: Allowed, text: string, like: any) => any} */
const readingOf = (allowed, text, like) => {
  if (!Array.isArray(allowed)) {
    if ("row" in allowed) return rowOf(text);
    if ("rows" in allowed) return text.split("~").map(rowOf);
  }
  if (typeof like === "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** @param {any} value */
const textOf = (value) => {
  if (typeof value === "string") return encodeURIComponent(value);
  if (!Array.isArray(value)) return JSON.stringify(value);
  return value
    .map((row) => (Array.isArray(row) ? row.join("_") : row))
    .join(Array.isArray(value[0]) ? "~" : "_");
};

/**
 * Name and settings behind the sign #, whatever stands there: a link may have been cut off, or
 * encoded as a whole.
 * @param {string} hash
 */
const partsOf = (hash) => {
  const text = hash.slice(1);
  const at = text.search(/\?|%3f/i);
  if (at < 0) return { name: text, query: "" };
  if (text[at] === "?") return { name: text.slice(0, at), query: text.slice(at + 1) };
  // URLSearchParams decodes what it can, and leaves the rest as it is.
  const [[query = ""] = []] = new URLSearchParams(text.slice(at + 3).replaceAll("+", "%2B"));
  return { name: text.slice(0, at), query };
};

export class Address {
  /** @param {Frame} ui */
  constructor(ui) {
    this.ui = ui;
    /** @type {string[]} */
    this.names = ui.get("_settings");
    this.start = Object.fromEntries(this.names.map((name) => [name, ui.get(name)]));
    // After a reload, or on the way back, the reader is where she was.
    const [visit] = performance.getEntriesByType("navigation");
    const arrives = visit instanceof PerformanceNavigationTiming && visit.type === "navigate";
    if (this.read() && arrives) {
      requestAnimationFrame(() => ui.root.scrollIntoView({ block: "start" }));
    }
    addEventListener("hashchange", () => this.read(), { signal: ui.ended.signal });
    let due = 0;
    const write = () => {
      clearTimeout(due);
      // Browsers allow only so many changes of the address in a while.
      due = setTimeout(() => {
        try {
          history.replaceState(null, "", this.link());
        } catch {
          // Not in every frame of another page: there the link is copied by its button.
        }
      }, 400);
    };
    for (const name of this.names) ui.model.on(`change:${name}`, write);
  }

  // Whether the address is of this frame, whose settings it then sets: what it leaves out, or what
  // Python would refuse, is as it was at the start.
  read() {
    const { name, query } = partsOf(location.hash);
    if (name !== this.ui.name) return false;
    const given = new URLSearchParams(query);
    for (const setting of this.names) {
      const allowed = this.ui.get("_allowed")[setting];
      const text = given.get(setting);
      const value = text === null ? undefined : readingOf(allowed, text, this.start[setting]);
      const taken = value !== undefined && takes(allowed, value);
      this.ui.set(setting, taken ? value : this.start[setting]);
    }
    return true;
  }

  // All settings, so that the link means the same where an explorer starts with others.
  link() {
    const settings = this.names.map((name) => `${name}=${textOf(this.ui.get(name))}`);
    return `${location.href.split("#")[0]}#${this.ui.name}?${settings.join("&")}`;
  }
}
