// What a PhaseExplorer shows, and how far its reader has come with the border.
/** @import { Frame } from "../common/frame.js" */
/** @import { Table, View } from "./view.js" */
import { Border } from "./borders.js";
import { unpack, viewOf } from "./view.js";

export class State {
  /** @param {Frame} ui */
  constructor(ui) {
    this.ui = ui;
    /** @type {WeakMap<object, Table>} */
    this.unpacked = new WeakMap(); // by what is embedded
    /** @type {Map<string, Border>} */
    this.borders = new Map(); // by what they are drawn on
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

  get table() {
    const raw = this.ui.get("_grids")[this.ui.get("table")];
    const table = this.unpacked.get(raw) ?? unpack(raw);
    this.unpacked.set(raw, table);
    return table;
  }

  look() {
    const name = this.ui.get("table");
    return viewOf(this.table, name, (setting) => this.ui.get(setting), this.pointed);
  }

  /** @param {View} view */
  borderOf(view) {
    const place = placeOf(view);
    const border = this.borders.get(place) ?? new Border(view.rows.length, view.columns.length);
    this.borders.set(place, border);
    return border;
  }
}

/** @type {(view: View) => string} */
const placeOf = ({ name, held, rows, columns }) =>
  [name, held, rows.length, columns.length].join(" ");
