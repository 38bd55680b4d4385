// What a SweepExplorer shows of its tables at its settings.
/** @import { Ends } from "../common/charts.js" */
/** @import { Frame } from "../common/frame.js" */
/** @import { Row } from "../engine/experiment.js" */
/** @import { Cell, Stats, Stored } from "./measured.js" */
/** @import { Protocols, Slice } from "./slices.js" */
import { FACTORS, increasing } from "./measured.js";
import { Slices } from "./slices.js";
import { phraseOf } from "./words.js";

/**
 * A point of a curve, which is of a value of the factor that tells curves apart, or of a measure.
 * @typedef {Stats & { x: any, cell: Cell }} Point
 * @typedef {{ name: string, line: any, column: string, points: Point[] }} Curve
 *
 * The columns are those of one measure, or `several`; the span is that of the axis.
 * @typedef {Slice & {
 *   columns: string[], several: boolean, curves: Curve[], label: string, span: Ends, xs: any[],
 * }} View
 */

export class State {
  /** @param {Frame} ui */
  constructor(ui) {
    this.ui = ui;
    const { measures, together, factors } = ui.get("_words");
    /** @type {{ [column: string]: [name: string, measure: string] }} */
    this.measures = measures; // what a column counts in words, and nhlib's measure of it
    /** @type {{ [name: string]: string[] }} */
    this.together = together; // columns that one choice shows
    /** @type {{ [factor: string]: string }} */
    this.factors = factors; // what it counts in words
    /** @type {Protocols} */
    this.protocols = ui.get("_protocols");
    /** @type {WeakMap<Stored, Slices>} */
    this.tables = new WeakMap();
    /** @type {{ stored: Stored, slices: Slices } | null} */
    this.mixed = null; // a stored table with the reader's rows, or these alone
    /** @type {View | null} */
    this.view = null; // what the settings show
    /** @type {{ at: any, line: any } | null} */
    this.pointed = null; // the place under the mouse
  }

  /** @returns {{ [name: string]: Stored & { data: string, trainable: boolean } }} */
  get stored() {
    return this.ui.get("_stored");
  }

  get slices() {
    const stored = this.stored[this.ui.get("table")];
    if (this.mixed?.stored === stored) return this.mixed.slices;
    const slices = this.tables.get(stored) ?? new Slices(stored, this.protocols);
    this.tables.set(stored, slices);
    return slices;
  }

  /**
   * Show rows of the reader's beside those of the table, or alone.
   * @param {Row[]} own
   * @param {boolean} alone
   */
  mix(own, alone) {
    const stored = this.stored[this.ui.get("table")];
    /** @type {{ [column: string]: null }} */
    const none = Object.fromEntries(Object.keys(this.measures).map((column) => [column, null]));
    const keys = Object.fromEntries(
      Object.keys(stored.keys).map((name) => [name, { values: [], codes: null }]),
    );
    const shown = alone
      ? { rows: 0, keys, measures: none }
      : { ...stored, measures: { ...none, ...stored.measures } };
    this.mixed = own.length ? { stored, slices: new Slices(shown, this.protocols, own) } : null;
  }

  // Follow the settings.
  update() {
    const { ui, slices } = this;
    const columns = this.columnsOf(ui.get("measure"));
    const several = columns.length > 1;
    const wanted = Object.fromEntries(FACTORS.map((factor) => [factor, ui.get(factor)]));
    const asked = several ? "none" : ui.get("lines");
    const slice = slices.slice(columns, ui.get("along"), asked, wanted);
    this.view = slice && {
      ...slice,
      columns,
      several,
      // Of several measures not all need have been measured here.
      curves: this.curvesOf(slice, columns).filter(({ points }) => points.length),
      label: !several
        ? this.measures[columns[0]][0]
        : columns[0].startsWith("redundancy")
          ? "redundancy ratio"
          : "accuracy",
      span: slices.span(slice, columns),
      xs: increasing(new Set(slice.points.map((cell) => cell[slice.along]))),
    };
    return this.view;
  }

  /**
   * The columns that a measure stands for, of those that the table has.
   * @param {string} name
   */
  columnsOf(name) {
    const known = this.slices.table.measures;
    const columns = (this.together[name] ?? [name]).filter((column) => known.includes(column));
    return columns.length ? columns : known.slice(0, 1);
  }

  /** @type {(slice: Slice, columns: string[]) => Curve[]} */
  curvesOf({ along, lines, drawn, points }, columns) {
    /** @type {(column: string, cells: Cell[]) => Point[]} */
    const pointsOf = (column, cells) =>
      cells
        .flatMap((cell) => {
          const stats = this.slices.table.stats(cell, column);
          return stats ? [{ x: cell[along], cell, ...stats }] : [];
        })
        .sort((a, b) => (a.x < b.x ? -1 : 1));
    if (lines === "none") {
      return columns.map((column) => ({
        name: this.measures[column][0],
        line: column,
        column,
        points: pointsOf(column, points),
      }));
    }
    return drawn.map((line) => ({
      name: phraseOf(lines, line),
      line,
      column: columns[0],
      points: pointsOf(
        columns[0],
        points.filter((cell) => cell[lines] === line),
      ),
    }));
  }

  /**
   * The curve and the point that are read out: under the mouse, or those of the settings.
   * @param {View} view
   */
  placeIn({ along, lines, held, curves }) {
    const wanted = this.pointed ?? { at: held[along], line: held[lines] };
    const curve = curves.find((one) => one.line === wanted.line) ?? curves[0];
    const point = curve.points.find((one) => one.x === wanted.at) ?? curve.points[0];
    return { curve, point };
  }
}
