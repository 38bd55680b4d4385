// What a PhaseExplorer shows, as data: the chart of a table at its settings, and the cell that is
// looked at.
/** @import { Chart, Grid } from "./regimes.js" */
import { nearest } from "../common/controls.js";
import { bufferOf } from "../common/embedded.js";
import { cellAt, phaseChart, UNDER } from "./regimes.js";

/** @typedef {"width" | "epoch" | "train_size"} Axis */

/** @type {Axis[]} */
export const AXES = ["width", "epoch", "train_size"];
/** @type {{ [axis in Axis]: string }} */
export const NAMES = { width: "width", epoch: "epoch", train_size: "training examples" };
/**
 * Widths stand upwards and epochs to the right, whichever axis is held.
 * @type {{ [axis in Axis]: [up: Axis, right: Axis] }}
 */
const SHOWN = {
  train_size: ["width", "epoch"],
  epoch: ["width", "train_size"],
  width: ["train_size", "epoch"],
};

/**
 * What is measured, by its column in the table.
 * @template Numbers
 * @typedef {{ [measure: string]: Numbers }} Measures
 */

/**
 * A table: its axes; means of each measure, and what the seeds span; which measures are of which
 * kind; the cell to begin at, for each measure of redundancy; the lines of Python that give it;
 * arguments of nh.sweep for more of the same, if that has its data; and in what its networks are
 * alike, by column.
 * @typedef {{ [axis in Axis]: number[] } & {
 *   kinds: { redundancy: string[], accuracy: string[] },
 *   start: Measures<[width: number, epoch: number, train_size: number]>,
 *   source: string[],
 *   asked: { seeds: number[], [name: string]: any } | null,
 *   fixed: { [column: string]: any },
 * }} About
 *
 * @typedef {About & Grid & {
 *   means: Measures<Float64Array>, low: Measures<Float32Array>, high: Measures<Float32Array>,
 *   mine: Set<number>,
 * }} Table
 */

/**
 * A cell by its places on the axes.
 * @typedef {{ [axis in Axis]: number }} Place
 *
 * A table at its settings. The chart has an axis upwards and one to the right, the third is held;
 * `rows` and `columns` are places on the former, `trained` are columns that a border can be drawn
 * through, `hints` are cells whose ratio is told while it is.
 * @typedef {{
 *   table: Table, name: string, redundancy: string, accuracy: string,
 *   ratio: Float64Array, worth: Float64Array, tau: number, delta: number,
 *   held: Axis, up: Axis, right: Axis, rows: number[], columns: number[], trained: number[],
 *   at: Place, here: number, chart: Chart, drawing: boolean, hints: [row: number, column: number][],
 *   cell: (changed?: Partial<Place>) => number,
 *   inChart: (row: number, column: number) => number,
 * }} View
 */

/**
 * @template One, Other
 * @param {Measures<One>} measures
 * @param {(one: One) => Other} change
 * @returns {Measures<Other>}
 */
const each = (measures, change) =>
  Object.fromEntries(Object.entries(measures).map(([name, one]) => [name, change(one)]));

/**
 * A table as it is embedded, with its arrays.
 * @param {About & {
 *   seeds: DataView,
 *   means: Measures<DataView>, low: Measures<DataView>, high: Measures<DataView>,
 * }} raw
 * @returns {Table}
 */
export const unpack = (raw) => ({
  ...raw,
  sizes: raw.width,
  times: raw.epoch,
  samples: raw.train_size,
  seeds: new Uint16Array(bufferOf(raw.seeds)),
  means: each(raw.means, (view) => new Float64Array(bufferOf(view))),
  low: each(raw.low, (view) => new Float32Array(bufferOf(view))),
  high: each(raw.high, (view) => new Float32Array(bufferOf(view))),
  mine: new Set(), // cells that the reader has had measured
});

/**
 * @param {Table} table
 * @param {string} name
 * @param {(setting: string) => any} get
 * @param {[row: number, column: number] | null} pointed what is looked at instead of the cell that
 *   the settings name
 * @returns {View}
 */
export const viewOf = (table, name, get, pointed) => {
  /** @type {(kind: "redundancy" | "accuracy") => string} */
  const of = (kind) => (table.kinds[kind].includes(get(kind)) ? get(kind) : table.kinds[kind][0]);
  const [redundancy, accuracy] = [of("redundancy"), of("accuracy")];
  const [ratio, worth] = [table.means[redundancy], table.means[accuracy]];
  /** @type {[tau: number, delta: number, held: Axis]} */
  const [tau, delta, held] = [get("tau"), get("delta"), get("held")];
  const [up, right] = SHOWN[held];
  const [rows, columns] = [up, right].map((axis) => [...table[axis].keys()]);
  /** @type {(axis: Axis) => number} */
  const place = (axis) => nearest(table[axis], get(axis));
  /** @type {Place} */
  const at = { width: place("width"), epoch: place("epoch"), train_size: place("train_size") };
  if (pointed) [at[up], at[right]] = pointed;
  /** @type {View["cell"]} */
  const cell = (changed) => {
    const { width, epoch, train_size } = { ...at, ...changed };
    return cellAt(table, width, epoch, train_size);
  };
  /** @type {View["inChart"]} */
  const inChart = (row, column) => cell({ [up]: row, [right]: column });
  // Columns that a border can be drawn through: what is untrained has no regime.
  const trained = columns.filter((i) => table.epoch[right === "epoch" ? i : at.epoch]);
  const drawing = !get("revealed") && up === "width" && trained.length > 0;
  /** @type {View} */
  const view = {
    table,
    name,
    redundancy,
    accuracy,
    ratio,
    worth,
    tau,
    delta,
    held,
    up,
    right,
    rows,
    columns,
    trained,
    at,
    here: cell(),
    chart: phaseChart(table, ratio, worth, tau, delta),
    drawing,
    hints: [],
    cell,
    inChart,
  };
  if (drawing) view.hints = hintsOf(view);
  return view;
};

/**
 * Three networks whose ratio is told: of the last column the first, a middle and the last.
 * @type {(view: View) => View["hints"]}
 */
const hintsOf = ({ table, inChart, rows, trained }) => {
  const last = trained[trained.length - 1];
  const measured = rows.filter((row) => table.seeds[inChart(row, last)]);
  const places = new Set([0, Math.floor((measured.length - 1) / 2), measured.length - 1]);
  return [...places].filter((i) => i in measured).map((i) => [measured[i], last]);
};

/**
 * Cells that a border is right or wrong about, and whether they are under-expressive.
 * @type {(view: View) => [row: number, column: number, isUnder: boolean][]}
 */
export const guessable = ({ rows, trained, inChart, chart }) =>
  trained.flatMap((column) =>
    rows
      .map((row) => ({ row, regime: chart.regime[inChart(row, column)] }))
      .filter(({ regime }) => regime >= 0)
      .map(({ row, regime }) => /** @type {const} */ ([row, column, regime === UNDER])),
  );

/**
 * The value on an axis of a cell that differs from the one looked at along this axis only.
 * @type {(view: View, axis: Axis, one: number) => number}
 */
export const valueAt = ({ table, cell }, axis, one) =>
  table[axis][table[axis].findIndex((_, i) => cell({ [axis]: i }) === one)];
