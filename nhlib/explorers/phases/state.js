// What a PhaseExplorer shows, and how far its reader has come with the border.
/** @import { Frame } from "../common/frame.js" */
/** @import { Row } from "../engine/experiment.js" */
/** @import { Axes } from "./borders.js" */
/** @import { Table, View } from "./view.js" */
import { Border } from "./borders.js";
import { withOwn } from "./own.js";
import { unpack, viewOf } from "./view.js";

export class State {
  /** @param {Frame} ui */
  constructor(ui) {
    this.ui = ui;
    /** @type {WeakMap<object, Table>} */
    this.unpacked = new WeakMap(); // by what is embedded
    /** @type {Map<string, { border: Border, axes: Axes }>} */
    this.borders = new Map(); // by what they are drawn on
    /** @type {Row[]} */
    this.own = []; // the reader's rows that are shown
    this.alone = false; // whether they stand alone
    /** @type {{ raw: object, own: Row[], alone: boolean, measures: string, table: Table } | null} */
    this.mixed = null; // the last table with such rows
    /** @type {[row: number, column: number] | null} */
    this.pointed = null; // the cell under the pointer
    this.column = -1; // whose border the arrow keys move
    this.view = this.look();
    this.border = this.borderOf(this.view);
  }

  // Follow the settings, and what is pointed at.
  update() {
    this.view = this.look();
    this.border = this.borderOf(this.view);
    const { trained } = this.view;
    if (!trained.includes(this.column)) this.column = trained[0] ?? -1;
  }

  // Let the reader draw the border once more.
  forgetBorder() {
    this.borders.delete(placeOf(this.view));
    this.column = -1;
  }

  // Whether there is a border of the reader's own to show.
  get drawn() {
    return this.border.drawn && this.view.up === "width" && this.view.trained.length > 0;
  }

  get accuracyName() {
    return `${this.ui.get("_words").accuracy[this.view.accuracy]} accuracy`;
  }

  // As it is stored.
  get stored() {
    const raw = this.ui.get("_grids")[this.ui.get("table")];
    const table = this.unpacked.get(raw) ?? unpack(raw);
    this.unpacked.set(raw, table);
    return table;
  }

  get table() {
    const table = this.stored;
    const { own, alone, ui } = this;
    if (!own.length) return table;
    /** @type {("redundancy" | "accuracy")[]} */
    const both = ["redundancy", "accuracy"];
    const chosen = both.map((kind) => {
      const known = alone ? Object.keys(ui.get("_words")[kind]) : table.kinds[kind];
      return known.includes(ui.get(kind)) ? ui.get(kind) : known[0];
    });
    const measures = chosen.join();
    const last = this.mixed;
    if (
      last?.raw === table &&
      last.own === own &&
      last.alone === alone &&
      last.measures === measures
    ) {
      return last.table;
    }
    const mixed = withOwn(table, own, alone, chosen, ui.get("_facts"));
    this.mixed = { raw: table, own, alone, measures, table: mixed };
    return mixed;
  }

  look() {
    const name = this.ui.get("table");
    return viewOf(this.table, name, (setting) => this.ui.get(setting), this.pointed);
  }

  /** @param {View} view */
  borderOf(view) {
    const { table, up, right } = view;
    const axes = { up: table[up], right: table[right] };
    const kept = this.borders.get(placeOf(view));
    if (JSON.stringify(kept?.axes) === JSON.stringify(axes) && kept) return kept.border;
    // What was drawn stays when the reader's networks add rows and columns.
    const border = kept?.border.drawn
      ? kept.border.onto(kept.axes, axes)
      : new Border(axes.up.length, axes.right.length);
    this.borders.set(placeOf(view), { border, axes });
    return border;
  }
}

/** @type {(view: View) => string} */
const placeOf = ({ name, held }) => `${name} ${held}`;
