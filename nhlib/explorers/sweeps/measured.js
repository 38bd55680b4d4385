// A table of measured networks as it is embedded, its rows put together that differ in nothing but
// their seed.
import { bufferOf } from "../common/embedded.js";

/**
 * A table as it is embedded: of each key its values and, if there are several, the place of each
 * row's among them, in one byte or two; and the measures, in two.
 * @typedef {{
 *   rows: number,
 *   keys: { [name: string]: { values: any[], codes: DataView | null } },
 *   measures: { [name: string]: DataView },
 * }} Stored
 *
 * Rows that differ in nothing but their seed: their values of the factors.
 * @typedef {{ rows: number[], n: number, [factor: string]: any }} Cell
 *
 * Mean, least and greatest of a measure over the seeds of a cell.
 * @typedef {{ y: number, low: number, high: number, seeds: number[] }} Stats
 */

// The factors, in the order in which they are settled if not everything was measured with everything.
export const FACTORS = [
  "protocol",
  "depth",
  "width",
  "train_size",
  "epoch",
  "label_noise",
  "dropout",
  "batch_norm",
  "l2",
];
const MISSING = 65535;
const STEPS = 10000; // measures are stored in ten thousandths

/** @type {(view: DataView, bytes: number) => Uint8Array | Uint16Array} */
const numbers = (view, bytes) =>
  bytes === 1 ? new Uint8Array(bufferOf(view)) : new Uint16Array(bufferOf(view));

export class Measured {
  /** @param {Stored} stored */
  constructor({ rows, keys, measures }) {
    this.measures = Object.keys(measures);
    /** @type {{ [key: string]: any[] }} */
    this.values = {};
    /** @type {{ [key: string]: Uint8Array | Uint16Array }} */
    const columns = {};
    for (const [key, { values, codes }] of Object.entries(keys)) {
      this.values[key] = values;
      columns[key] = codes ? numbers(codes, codes.byteLength / rows) : new Uint8Array(rows);
    }
    this.found = Object.fromEntries(
      Object.entries(measures).map(([name, view]) => [name, numbers(view, 2)]),
    );
    /** @type {Map<number, Cell>} */
    const cells = new Map();
    for (let row = 0; row < rows; row++) {
      let key = 0;
      for (const factor of FACTORS) key = key * this.values[factor].length + columns[factor][row];
      const cell = cells.get(key);
      if (cell) {
        cell.rows.push(row);
        continue;
      }
      /** @param {string} name */
      const value = (name) => this.values[name][columns[name][row]];
      const factors = Object.fromEntries(FACTORS.map((factor) => [factor, value(factor)]));
      cells.set(key, { ...factors, rows: [row], n: value("n") });
    }
    /** @type {(row: number) => number} */
    this.seed = (row) => this.values.seed[columns.seed[row]];
    this.cells = [...cells.values()];
  }

  /**
   * What is known of a measure in a cell.
   * @type {(cell: Cell, measure: string) => Stats | null}
   */
  stats(cell, measure) {
    const all = this.found[measure];
    const rows = all ? cell.rows.filter((row) => all[row] !== MISSING) : [];
    if (!rows.length) return null;
    const values = rows.map((row) => all[row] / STEPS);
    return {
      y: values.reduce((sum, value) => sum + value) / values.length,
      low: Math.min(...values),
      high: Math.max(...values),
      seeds: rows.map(this.seed),
    };
  }

  /**
   * Cells in which all of the measures are known, of one network at least; if there are none, some.
   * @param {string[]} measures
   */
  having(measures) {
    /** @type {(row: number) => (name: string) => boolean} */
    const known = (row) => (name) => (this.found[name]?.[row] ?? MISSING) !== MISSING;
    const all = this.cells.filter(({ rows }) => rows.some((row) => measures.every(known(row))));
    if (all.length) return all;
    return this.cells.filter(({ rows }) => rows.some((row) => measures.some(known(row))));
  }
}
