// The reader's own points: what a click adds, moves or deletes, starts, files, and the way back.
/** @import { Place } from "./partition.js" */
/** @import { State } from "./state.js" */
/** @import { Point } from "./csv.js" */
import { addSegments } from "../common/controls.js";
import { h } from "../common/elements.js";
import { plural } from "../common/words.js";
import { pointsOf, tableOf } from "./csv.js";
import { circle, gaussians, N, rounded, xor } from "./starts.js";

/** Larger files are not tables of points. */
const LARGEST = 1 << 20;
const FAR = "No point is near enough to the cursor.";

/** @type {[name: string, make: (state: State) => Point[]][]} */
const STARTS = [
  ["a circle", circle],
  ["XOR", xor],
  ["two Gaussians", gaussians],
  ["two moons", (state) => state.first("moons", N)],
  ["two spirals", (state) => state.first("spirals", N)],
];

/**
 * Let the browser save a file.
 * @type {(name: string, type: string, text: string) => void}
 */
const download = (name, type, text) => {
  const address = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
};

export class Editor {
  /**
   * @param {State} state
   * @param {HTMLElement} place below the picture
   * @param {() => string} picture as SVG
   */
  constructor(state, place, picture) {
    this.state = state;
    this.ui = state.ui;
    const { least, most } = this.ui.get("_allowed").points;
    this.least = least;
    this.most = most;
    this.told = h("span", { class: "nh-told", role: "status" });
    this.addControls(place, picture);
  }

  // Below the picture, what a click in it does; among the controls, starts and files.
  /** @type {(place: HTMLElement, picture: () => string) => void} */
  addControls(place, picture) {
    addSegments(this.ui, "tool", {
      label: "What a click in the picture, or Enter at the cursor, does",
      options: [
        ["look", "Pin"],
        ["add 0", "Add ●"],
        ["add 1", "Add ■"],
        ["move", "Move"],
        ["delete", "Delete"],
      ],
      into: place,
    });
    /** @type {(text: string, act: () => void) => HTMLElement} */
    const button = (text, act) => h("button", { type: "button", onclick: act }, text);
    place.append(
      h(
        "div",
        { class: "nh-row" },
        button("Undo", () => this.undo()),
        this.told,
      ),
    );
    const id = `${this.ui.id}-start`;
    const starts = h(
      "select",
      { id, onchange: () => this.begin(starts) },
      h("option", { value: "" }, "choose …"),
      ...STARTS.map(([name], i) => h("option", { value: i }, name)),
    );
    const file = h("input", {
      type: "file",
      accept: ".csv,.txt,text/csv,text/plain",
      hidden: true,
    });
    file.addEventListener("change", () => this.load(file));
    this.ui.panel.append(
      h("div", { class: "nh-control" }, h("label", { for: id }, "Start from"), starts),
      h(
        "div",
        { class: "nh-row" },
        button("Load points", () => file.click()),
        file,
        button("Save points", () => download("points.csv", "text/csv", tableOf(this.state.points))),
        button("Save picture", () => download("regions.svg", "image/svg+xml", picture())),
      ),
    );
  }

  /**
   * What a click does, or Enter: to the point within reach of a place, or to none.
   * @type {(place: Place, reach: number) => void}
   */
  act(place, reach) {
    const { state, ui } = this;
    const tool = ui.get("tool");
    if (tool === "look") ui.set("pinned", place.map(rounded));
    else if (tool.startsWith("add")) this.add(place, Number(tool.at(-1)));
    else if (tool === "delete") this.delete(state.nearest(place, reach));
    else if (state.carried) this.putDown();
    else if (!this.take(place, reach)) this.tell(FAR);
  }

  /** @type {(place: Place, label: number) => void} */
  add([x, y], label) {
    const { points } = this.state;
    if (points.length >= this.most) {
      this.tell(`There are ${this.most} points, and more are not possible.`);
      return;
    }
    this.state.edit([...points, [rounded(x), rounded(y), label]]);
    this.tell(`Added: ${plural(points.length + 1, "point")}.`);
  }

  /** @param {number} i */
  delete(i) {
    const { points } = this.state;
    if (i < 0) return this.tell(FAR);
    if (points.length <= this.least)
      return this.tell("One point has to stay: there is no network without.");
    this.state.edit(points.filter((_, k) => k !== i));
    this.tell(`Deleted: ${plural(points.length - 1, "point")}.`);
  }

  /**
   * Carry the nearest point along; whether there is one.
   * @type {(place: Place, reach: number) => boolean}
   */
  take(place, reach) {
    const i = this.state.nearest(place, reach);
    if (i < 0) return false;
    this.state.carried = { i, place };
    this.tell("Taken along: arrow keys move the point, Enter puts it down, Escape puts it back.");
    return true;
  }

  putDown() {
    const { carried, points } = this.state;
    if (!carried) return;
    const [x, y] = carried.place.map(rounded);
    this.state.carried = null;
    this.state.edit(points.map((point, i) => (i === carried.i ? [x, y, point[2]] : point)));
    this.tell("Moved.");
  }

  putBack() {
    if (this.state.carried) this.tell("Put back.");
    this.state.carried = null;
  }

  undo() {
    this.putBack();
    this.tell(this.state.undo() ? "Undone." : "There is nothing to undo.");
  }

  /** @param {HTMLSelectElement} starts */
  begin(starts) {
    const start = STARTS[Number(starts.value)];
    if (starts.value && start) {
      this.state.edit(start[1](this.state));
      this.tell(`Your own points: ${start[0]}. Add, move and delete as you like.`);
    }
    starts.value = "";
  }

  /** @param {HTMLInputElement} input */
  async load(input) {
    const file = input.files?.[0];
    input.value = ""; // the same file may be chosen again
    if (!file) return;
    try {
      if (file.size > LARGEST) throw new Error("This file is larger than a table of points.");
      const points = pointsOf(await file.text(), this.most);
      this.state.edit(points);
      this.tell(`Loaded: ${plural(points.length, "point")}.`);
    } catch (error) {
      this.tell(`${error instanceof Error ? error.message : error} Nothing was changed.`);
    }
  }

  /** @param {string} text */
  tell(text) {
    this.told.textContent = text;
  }
}
