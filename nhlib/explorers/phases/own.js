// A phase chart's table with the reader's own networks: in the cells that the table lacks, or alone.
/** @import { Facts } from "../engine/grid.js" */
/** @import { Row } from "../engine/experiment.js" */
/** @import { Axis, Measures, Table } from "./view.js" */
import { callOfRows } from "../engine/python_call.js";
import { cellAt } from "./regimes.js";

/** @type {Axis[]} */
const AXES = ["width", "epoch", "train_size"];

/**
 * The reader's rows that a chart can show together: of one hidden layer, and alike in all that is no
 * axis. Beside those of a table, alike to these; alone, to the row that came last.
 * @type {(table: Table, rows: Row[], alone: boolean) => Row[]}
 */
const alike = ({ fixed }, rows, alone) => {
  const one = rows.filter(({ widths }) => !widths.includes("-"));
  const last = one[one.length - 1];
  const same = Object.keys(fixed);
  return one
    .filter((row) => same.every((name) => row[name] === (alone ? last : fixed)[name]))
    .map((row) => ({ ...row, width: Number(row.widths) }));
};

/**
 * @param {Table} table
 * @param {Row[]} given
 * @param {boolean} alone
 * @param {string[]} measures which a row must have
 * @param {Facts} facts
 * @returns {Table}
 */
export const withOwn = (table, given, alone, measures, facts) => {
  const rows = alike(table, given, alone).filter((row) =>
    measures.every((name) => row[name] !== undefined),
  );
  if (!rows.length) return table;
  /** @type {(axis: Axis) => number[]} */
  const values = (axis) =>
    [...new Set([...(alone ? [] : table[axis]), ...rows.map((row) => row[axis])])].sort(
      (a, b) => a - b,
    );
  const axes = { width: values("width"), epoch: values("epoch"), train_size: values("train_size") };
  const grid = { sizes: axes.width, times: axes.epoch, samples: axes.train_size };
  const n = grid.sizes.length * grid.times.length * grid.samples.length;
  /** @type {(places: number[]) => number} */
  const cell = ([width, epoch, size]) => cellAt({ ...grid, seeds: [] }, width, epoch, size);
  const kinds = alone
    ? {
        redundancy: table.kinds.redundancy.filter((name) => name in rows[0]),
        accuracy: Object.keys(rows[0]).filter((name) => name === "knn" || name === "kmeans"),
      }
    : table.kinds;
  const names = [...kinds.redundancy, ...kinds.accuracy];
  /** @type {(fill: () => Float64Array | Float32Array) => Measures<any>} */
  const empty = (fill) => Object.fromEntries(names.map((name) => [name, fill()]));
  const seeds = new Uint16Array(n);
  const means = empty(() => new Float64Array(n).fill(NaN));
  const [low, high] = [0, 1].map(() => empty(() => new Float32Array(n).fill(NaN)));
  if (!alone) {
    table.width.forEach((width, i) => {
      table.epoch.forEach((epoch, j) => {
        table.train_size.forEach((size, k) => {
          const from = cellAt(table, i, j, k);
          const to = cell([
            axes.width.indexOf(width),
            axes.epoch.indexOf(epoch),
            axes.train_size.indexOf(size),
          ]);
          seeds[to] = table.seeds[from];
          for (const name of names) {
            means[name][to] = table.means[name][from];
            low[name][to] = table.low[name][from];
            high[name][to] = table.high[name][from];
          }
        });
      });
    });
  }
  /** @type {Map<number, Row[]>} */
  const found = new Map();
  for (const row of rows) {
    const at = cell(AXES.map((axis) => axes[axis].indexOf(row[axis])));
    if (seeds[at]) continue; // it was measured for all readers
    found.set(at, [...(found.get(at) ?? []), row]);
  }
  for (const [at, some] of found) {
    seeds[at] = some.length;
    for (const name of names) {
      const known = some.map((row) => row[name]).filter((value) => value !== undefined);
      if (!known.length) continue;
      means[name][at] = known.reduce((sum, value) => sum + value, 0) / known.length;
      low[name][at] = Math.min(...known);
      high[name][at] = Math.max(...known);
    }
  }
  const shown = [...found.values()].flat();
  return {
    ...table,
    ...axes,
    ...grid,
    kinds,
    seeds,
    means,
    low,
    high,
    mine: new Set(found.keys()),
    source: [...(alone ? [] : table.source), ...(shown.length ? [callOfRows(shown, facts)] : [])],
  };
};
