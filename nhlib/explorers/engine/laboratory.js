// Where the reader has networks of her own trained: a grid to choose, experiments to start with, and
// files to save rows to and to open them from.
/** @import { Frame } from "../common/frame.js" */
/** @import { Request, Runner } from "../common/running.js" */
/** @import { Row } from "./experiment.js" */
/** @import { Facts } from "./grid.js" */
/** @import { Preset, Shown } from "./presets.js" */
import { h } from "../common/elements.js";
import { grouped, plural } from "../common/words.js";
import { configurationsOf } from "./grid.js";
import { presetsFor } from "./presets.js";

/** @typedef {"stored" | "both" | "mine"} Choice of whose networks are shown */

// Settings that can be chosen here, their names, and where a reader begins. The units of several
// layers are joined by dashes.
/** @type {{ [column: string]: [label: string, start: string] }} */
const FIELDS = {
  widths: ["Widths", "10, 20, 40, 80"],
  epoch: ["Measure at epochs", "0, 1, 3, 10, 30"],
  train_size: ["Training examples", "1437"],
  seed: ["Seeds", "0, 1, 2"],
  batch_size: ["Batch size", ""],
  learning_rate: ["Learning rate", ""],
  label_noise: ["Share of shuffled labels", "0"],
  l2: ["L2 penalty", ""],
};

/** @type {(column: string, text: string) => any[]} */
const valuesIn = (column, text) =>
  text
    .split(/[,;\s]+/)
    .filter(Boolean)
    .map((word) => {
      const layers = column === "widths" ? word.split("-").map(Number) : [Number(word)];
      if (layers.some(Number.isNaN)) {
        throw new Error(
          `${FIELDS[column][0]}: numbers with commas between them are needed, not ${word}.`,
        );
      }
      return layers.length > 1 ? layers : layers[0];
    });

export class Laboratory {
  /**
   * @param {Frame} ui
   * @param {Runner} runner
   * @param {Shown} shown
   * @param {(view: Preset["view"]) => void} show follows the settings that a preset brings along
   */
  constructor(ui, runner, shown, show) {
    this.ui = ui;
    this.runner = runner;
    this.show = show;
    /** @type {Facts} */
    this.facts = ui.get("_facts");
    /** @type {{ [column: string]: HTMLInputElement }} */
    this.inputs = {};
    for (const [column, [, start]] of Object.entries(FIELDS)) {
      if (!(column in this.facts.columns)) continue;
      this.inputs[column] = h("input", {
        type: "text",
        value: start,
        placeholder: start ? null : "as the protocol",
        autocomplete: "off",
        spellcheck: "false",
        oninput: () => this.form.refresh(),
      });
    }
    this.protocol = h(
      "select",
      { onchange: () => this.form.refresh() },
      ...Object.keys(this.facts.recipes).map((name) => h("option", { value: name }, name)),
    );
    this.kmeans = h("input", { type: "checkbox", onchange: () => this.form.refresh() });
    this.whose = h(
      "select",
      { "aria-label": "Networks that are shown", onchange: () => this.runner.runs.changed() },
      h("option", { value: "both" }, "stored ones and mine"),
      h("option", { value: "mine" }, "mine alone"),
      h("option", { value: "stored" }, "stored ones alone"),
    );
    this.form = runner.form([], () => this.request());
    this.file = h("input", {
      type: "file",
      accept: ".csv,text/csv",
      hidden: true,
      onchange: () => this.open(),
    });
    this.files = h("span", { role: "status", class: "nh-copied" });
    this.own = h(
      "div",
      { class: "nh-row" },
      h("label", { class: "nh-pair" }, "Show", this.whose),
      h("button", { type: "button", onclick: () => this.save() }, "Save mine as CSV"),
      h("button", { type: "button", onclick: () => this.file.click() }, "Open a CSV"),
      h("button", { type: "button", onclick: () => this.forget() }, "Forget mine"),
      this.file,
      this.files,
    );
    this.element = this.built(presetsFor(shown, this.facts.columns));
  }

  /** @param {Preset[]} presets */
  built(presets) {
    /** @type {(label: string, input: HTMLElement) => HTMLElement} */
    const field = (label, input) => h("label", { class: "nh-field" }, h("span", {}, label), input);
    return h(
      "details",
      { class: "nh-laboratory" },
      h("summary", {}, "Train networks of your own on the digits"),
      h(
        "p",
        {},
        "They are trained in this page, by your computer, to the weights that nhlib gives for the " +
          "same settings and seed, but for rounding. Nothing is sent anywhere. Predict first what " +
          "you will see.",
      ),
      presets.length
        ? h(
            "div",
            { class: "nh-row" },
            h("span", {}, "Two minutes for a class:"),
            ...presets.map((preset) =>
              h("button", { type: "button", onclick: () => this.prepare(preset) }, preset.question),
            ),
          )
        : null,
      h(
        "div",
        { class: "nh-grid", onkeydown: this.form.enter },
        ...Object.entries(this.inputs).map(([column, input]) => field(FIELDS[column][0], input)),
        field("Protocol", this.protocol),
      ),
      h("label", { class: "nh-pair" }, this.kmeans, "K-Means, too (slow)"),
      this.form.element,
      this.own,
    );
  }

  /** @returns {Request} */
  request() {
    try {
      const settings = this.settings();
      const n = configurationsOf(this.facts, settings).length;
      const last = Math.max(...settings.epochs);
      return {
        table: this.ui.get("table"),
        settings,
        text: `${plural(n, "network")}, up to epoch ${grouped(last)}.`,
        sent: () => {
          if (this.runner.here) this.whose.value = "mine";
        },
      };
    } catch (error) {
      return { text: error instanceof Error ? error.message : String(error) };
    }
  }

  settings() {
    /** @type {{ [argument: string]: any[] }} */
    const settings = {
      protocols: [this.protocol.value],
      measures: ["redundancy", "knn", ...(this.kmeans.checked ? ["kmeans"] : [])],
    };
    for (const { argument, column } of this.facts.factors) {
      const input = this.inputs[column];
      if (!input) continue;
      const values = valuesIn(column, input.value);
      if (values.length) settings[argument] = values;
      else if (FIELDS[column][1]) throw new Error(`${FIELDS[column][0]}: write at least one.`);
    }
    return settings;
  }

  /**
   * Write a preset into the form, for the reader to think about before she runs it.
   * @param {Preset} preset
   */
  prepare({ question, grid, view }) {
    for (const [column, input] of Object.entries(this.inputs)) {
      input.value = (grid[column] ?? [FIELDS[column][1]]).join(", ");
    }
    this.protocol.value = "A";
    this.form.refresh();
    this.show(view);
    this.files.textContent = `${question} Predict the answer, then press Run.`;
  }

  /**
   * The rows to show of a table, apart from those that it has.
   * @param {{ data: string }} table
   * @returns {Row[]}
   */
  rows({ data }) {
    if (data !== "digits" || this.choice === "stored") return [];
    return [...this.runner.runs.rows.values()];
  }

  /** @returns {Choice} */
  get choice() {
    const some = this.runner.runs.rows.size > 0;
    return some ? /** @type {Choice} */ (this.whose.value) : "stored";
  }

  save() {
    const address = URL.createObjectURL(
      new Blob([this.runner.runs.toFile()], { type: "text/csv" }),
    );
    h("a", { href: address, download: "digits-mine.csv" }).click();
    URL.revokeObjectURL(address);
  }

  async open() {
    const file = this.file.files?.[0];
    if (!file) return;
    try {
      const n = this.runner.runs.fromFile(await file.text());
      this.files.textContent = `${plural(n, "row")} of ${file.name} are shown as yours.`;
    } catch (error) {
      this.files.textContent = `${file.name} is not opened: ${error instanceof Error ? error.message : error}`;
    }
    this.file.value = "";
  }

  async forget() {
    await this.runner.runs.forget();
    this.files.textContent = "Your rows are deleted, here and in what this browser keeps.";
  }
}
