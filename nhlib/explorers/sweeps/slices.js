// What a table has along one or two of its factors, with all others held: slices.py, on the
// numbers that are embedded, and without a page.
import { FACTORS, increasing, Measured } from "./measured.js";

/** @import { Row } from "../engine/experiment.js" */
/** @import { Cell, Stored } from "./measured.js" */

/**
 * What each protocol brings along: values of factors.
 * @typedef {{ [protocol: string]: { [factor: string]: any } }} Protocols
 *
 * Two factors, the value at which each other is held or which is read out, the values there are to
 * choose from, those of the curves that are drawn, their cells, and cells of all that can be held.
 * @typedef {{
 *   along: string, lines: string,
 *   held: { [factor: string]: any }, choices: { [factor: string]: any[] },
 *   drawn: any[], points: Cell[], all: Cell[],
 * }} Slice
 */

// More curves than there are colours can't be told apart.
const CURVES = 6;

/**
 * The value next to the wanted one, the smaller of two; of names, itself or the first.
 * @type {(values: any[], wanted: any) => any}
 */
const nextTo = (values, wanted) => {
  if (typeof values[0] === "string") return values.includes(wanted) ? wanted : values[0];
  let best = values[0];
  for (const value of values) {
    if (Math.abs(value - wanted) < Math.abs(best - wanted)) best = value;
  }
  return best;
};

/**
 * The curves to draw: the ends, what is farthest from those, and the one in focus.
 * @type {(values: any[], focus: any) => any[]}
 */
const pick = (values, focus) => {
  let places = values.map((_, i) => i);
  if (values.length > CURVES) {
    places = [0, values.length - 1];
    while (places.length < CURVES) {
      const gaps = values.map((_, i) => Math.min(...places.map((place) => Math.abs(i - place))));
      places.push(gaps.indexOf(Math.max(...gaps)));
    }
  }
  let drawn = increasing(places.map((place) => values[place]));
  if (!drawn.includes(focus)) {
    if (drawn.length === CURVES) {
      const away = nextTo(drawn.slice(1, -1), focus); // the ends stay
      drawn = drawn.filter((value) => value !== away);
    }
    drawn = increasing([...drawn, focus]);
  }
  return drawn;
};

export class Slices {
  /**
   * @param {Stored} stored
   * @param {Protocols} protocols
   * @param {Row[]} [own]
   */
  constructor(stored, protocols, own) {
    this.table = new Measured(stored, own);
    this.protocols = protocols;
    this.ofProtocols = [...new Set(Object.values(protocols).flatMap(Object.keys))];
    /** @type {Map<string, [along: string, lines: string][]>} */
    this.offers = new Map();
    /** @type {Map<string, [low: number, high: number]>} */
    this.spans = new Map();
  }

  /**
   * The cells that make a chart: two points along the axis, on two curves if asked for.
   * @param {Cell[]} cells
   * @param {string} along
   * @param {string} lines
   */
  contexts(cells, along, lines) {
    if (along === lines) return [];
    let others = FACTORS.filter((factor) => factor !== along && factor !== lines);
    if (along === "protocol" || lines === "protocol") {
      /** @type {string[]} */
      const usual = others.filter((factor) => this.ofProtocols.includes(factor));
      cells = cells.filter((cell) =>
        usual.every((factor) => cell[factor] === this.protocols[cell.protocol][factor]),
      );
      others = others.filter((factor) => !usual.includes(factor));
    }
    others = others.filter((factor) => this.table.values[factor].length > 1);
    /** @type {(by: string[], factor: string) => void} */
    const several = (by, factor) => {
      /** @type {Map<string, Set<any>>} */
      const groups = new Map();
      /** @param {Cell} cell */
      const group = (cell) => {
        const key = by.map((name) => cell[name]).join();
        const found = groups.get(key) ?? new Set();
        groups.set(key, found);
        return found;
      };
      for (const cell of cells) group(cell).add(cell[factor]);
      cells = cells.filter((cell) => group(cell).size >= 2);
    };
    several(lines === "none" ? others : [...others, lines], along);
    if (lines !== "none") several(others, lines);
    return cells;
  }

  /**
   * The pairs of factors that there is a chart for.
   * @param {string[]} measures
   */
  pairs(measures) {
    const name = measures.join();
    const known = this.offers.get(name);
    if (known) return known;
    const cells = this.table.having(measures);
    const varied = FACTORS.filter((factor) => this.table.values[factor].length > 1);
    const pairs = varied.flatMap((along) =>
      ["none", ...varied]
        .filter((lines) => this.contexts(cells, along, lines).length)
        .map((lines) => /** @type {[along: string, lines: string]} */ ([along, lines])),
    );
    this.offers.set(name, pairs);
    return pairs;
  }

  /**
   * From the least to the greatest of all that can be held, so that an axis stays while a reader
   * moves what is held.
   * @type {(slice: Slice, measures: string[]) => [low: number, high: number]}
   */
  span({ along, lines, all }, measures) {
    const name = [measures, along, lines].join();
    const known = this.spans.get(name);
    if (known) return known;
    const stats = measures
      .flatMap((measure) => all.map((cell) => this.table.stats(cell, measure)))
      .filter((one) => one !== null);
    const low = Math.min(...stats.map((one) => one.low));
    const high = Math.max(...stats.map((one) => one.high));
    /** @type {[low: number, high: number]} */
    const span = measures[0].startsWith("redundancy") ? [0, high] : [low, high];
    this.spans.set(name, span);
    return span;
  }

  /**
   * The points that a choice shows, or those next to it that were measured; null if there are none.
   * @param {string[]} measures
   * @param {string} along
   * @param {string} lines
   * @param {{ [factor: string]: any }} wanted
   * @returns {Slice | null}
   */
  slice(measures, along, lines, wanted) {
    const cells = this.table.having(measures);
    const pairs = [[along, lines], [along, "none"], ...FACTORS.map((factor) => [factor, "none"])];
    /** @type {Cell[]} */
    let found = [];
    for ([along, lines] of pairs) {
      found = this.contexts(cells, along, lines);
      if (found.length) break;
    }
    if (!found.length) return null;
    const all = found;
    const own = along === "protocol" || lines === "protocol" ? this.ofProtocols : [];
    /** @type {Slice["held"]} */
    const held = {};
    /** @type {Slice["choices"]} */
    const choices = {};
    /** @type {(factor: string, among: Cell[]) => void} */
    const settle = (factor, among) => {
      choices[factor] = increasing(new Set(among.map((cell) => cell[factor])));
      held[factor] = nextTo(choices[factor], wanted[factor]);
    };
    for (const factor of FACTORS) {
      if (factor === along || factor === lines || own.includes(factor)) continue;
      settle(factor, found);
      found = found.filter((cell) => cell[factor] === held[factor]);
    }
    /** @type {any[]} */
    let drawn = [];
    let here = found;
    if (lines !== "none") {
      settle(lines, found);
      /** @param {any} value */
      const length = (value) =>
        new Set(found.filter((cell) => cell[lines] === value).map((cell) => cell[along])).size;
      const lengths = choices[lines].map(length);
      // Of long curves, as far as nobody asks for another; one alone compares nothing.
      const long = choices[lines].filter((_, i) => 2 * lengths[i] >= Math.max(...lengths));
      drawn = pick(long.length > 1 ? long : choices[lines], held[lines]);
      here = found.filter((cell) => cell[lines] === held[lines]);
      found = found.filter((cell) => drawn.includes(cell[lines]));
    }
    settle(along, here);
    const points = found;
    return { along, lines, held, choices, drawn, points, all };
  }
}
