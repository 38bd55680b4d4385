// A table of measured networks as it is embedded, and rows of the reader's own; those are put
// together that differ in nothing but their seed.
/** @import { Row } from "../engine/experiment.js" */
import { bufferOf } from "../common/embedded.js";

/**
 * A table as it is embedded: of each key its values and, if there are several, the place of each
 * row's among them, in one byte or two; and the measures, in two, or null if none was taken.
 * @typedef {{
 *   rows: number,
 *   keys: { [name: string]: { values: any[], codes: DataView | null } },
 *   measures: { [name: string]: DataView | null },
 * }} Stored
 *
 * Rows that differ in nothing but their seed: their values of the factors.
 * @typedef {{ rows: number[], n: number, [factor: string]: any }} Cell
 *
 * Mean, least and greatest of a measure over the seeds of a cell, some of which are the reader's.
 * @typedef {{ y: number, low: number, high: number, seeds: number[], mine: number[] }} Stats
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
  "batch_size",
  "l2",
];
const MISSING = 65535;
const STEPS = 10000; // measures are stored in ten thousandths

/** @type {(view: DataView, bytes: number) => Uint8Array | Uint16Array} */
const numbers = (view, bytes) =>
  bytes === 1 ? new Uint8Array(bufferOf(view)) : new Uint16Array(bufferOf(view));

/** @type {(values: Iterable<any>) => any[]} */
export const increasing = (values) => [...values].sort((a, b) => (a < b ? -1 : Number(a > b)));

const COLUMNS = [...FACTORS, "seed"];

/**
 * Values of the columns of a stored table, row by row.
 * @type {(stored: Stored) => { [name: string]: any[] }}
 */
const columnsOf = ({ rows, keys }) =>
  Object.fromEntries(
    Object.entries(keys).map(([name, { values, codes }]) => {
      const places = codes ? numbers(codes, codes.byteLength / rows) : new Uint8Array(rows);
      return [name, Array.from(places, (place) => values[place])];
    }),
  );

/**
 * A row of nh.sweep's with width and depth, if its layers are equally wide.
 * @type {(row: Row) => Row | null}
 */
const withFactors = (row) => {
  const layers = row.widths.split("-").map(Number);
  if (layers.some((/** @type {number} */ width) => width !== layers[0])) return null;
  return { n: 0, ...row, width: layers[0], depth: layers.length };
};

export class Measured {
  /**
   * @param {Stored} stored
   * @param {Row[]} own rows of the reader's, of which those stay away that the table has, too
   */
  constructor(stored, own = []) {
    const columns = columnsOf(stored);
    /** @type {{ [name: string]: number[] }} */
    this.found = Object.fromEntries(
      Object.entries(stored.measures).map(([name, view]) => [
        name,
        view ? [...numbers(view, 2)] : Array(stored.rows).fill(MISSING),
      ]),
    );
    /** @type {(row: number, names: string[]) => string} */
    const nameOf = (row, names) => names.map((name) => columns[name][row]).join();
    let n = stored.rows;
    const there = new Set(Array.from({ length: own.length ? n : 0 }, (_, i) => nameOf(i, COLUMNS)));
    for (const row of own.map(withFactors)) {
      if (!row || there.has(COLUMNS.map((name) => row[name]).join())) continue;
      for (const name of Object.keys(columns)) columns[name].push(row[name]);
      for (const name of Object.keys(this.found)) {
        this.found[name].push(name in row ? Math.round(row[name] * STEPS) : MISSING);
      }
      n++;
    }
    this.measures = Object.keys(this.found).filter((name) =>
      this.found[name].some((value) => value !== MISSING),
    );
    this.values = Object.fromEntries(
      Object.entries(columns).map(([name, column]) => [name, increasing(new Set(column))]),
    );
    /** @type {Map<string, Cell>} */
    const cells = new Map();
    for (let row = 0; row < n; row++) {
      const key = nameOf(row, FACTORS);
      const cell = cells.get(key);
      if (cell) {
        cell.rows.push(row);
        continue;
      }
      const factors = Object.fromEntries(FACTORS.map((factor) => [factor, columns[factor][row]]));
      cells.set(key, { ...factors, rows: [row], n: columns.n[row] });
    }
    /** @type {(row: number) => number} */
    this.seed = (row) => columns.seed[row];
    /** @type {(row: number) => boolean} */
    this.isMine = (row) => row >= stored.rows;
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
      mine: rows.filter(this.isMine).map(this.seed),
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
