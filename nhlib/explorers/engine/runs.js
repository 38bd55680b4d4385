// What the reader has had measured: rows that are kept, imported or being made, for one data set.
/** @import { Experiment, Row } from "./experiment.js" */
/** @import { Facts, Settings } from "./grid.js" */
/** @import { Store } from "./store.js" */
import { plural } from "../common/words.js";
import { experimentsOf, recipeOf } from "./grid.js";
import { Pool } from "./pool.js";
import { openStore } from "./store.js";
import { fromCsv, toCsv } from "./table_file.js";

/**
 * @typedef {"idle" | "interrupted" | "running" | "paused" | "done" | "cancelled" | "failed"} Stage
 */

const ASKED = "asked"; // the name of what was asked for last, while it is not done

const SLOWLY =
  "This browser has no WebAssembly with SIMD, or the page forbids it: training is several times slower.";

export class Runs {
  /**
   * @param {Facts} facts
   * @param {() => void} changed called whenever there is something new to show
   */
  constructor(facts, changed) {
    this.facts = facts;
    this.changed = changed;
    /** @type {Map<string, Row>} */
    this.rows = new Map(); // by the keys of a table
    /** @type {Stage} */
    this.stage = "idle";
    this.text = ""; // how it stands, in words
    this.note = ""; // what else the reader should know: that it is slow, or that nothing is kept
    this.done = 0;
    this.total = 0; // rows
    this.trouble = ""; // of networks that have no rows, or rows without measures
    /** @type {Settings} */
    this.asked = {};
    this.pool = new Pool({
      row: (row) => this.take(row),
      done: () => {
        if (!this.pool.busy) this.finish();
      },
      lost: ({ configuration }, why) => {
        this.trouble =
          ` The network of ${configuration.widths} units, seed ${configuration.seed}, was given ` +
          `up: its worker ended twice (${why}).`;
        if (!this.pool.busy) this.finish();
        this.changed();
      },
      blocked: (why) => {
        this.stage = "failed";
        this.text =
          `This browser starts no worker here (${why}), so nothing can be trained in the page. Open ` +
          "it from another place, or run the call below with PyTorch.";
        this.changed();
      },
      ready: (quick) => {
        if (!quick) this.note = SLOWLY;
      },
    });
    /** @type {Promise<Store>} */
    this.store = openStore((why) => {
      this.note = `This browser keeps nothing for the next visit (${why}): save a file instead.`;
      this.changed();
    });
    this.remember();
  }

  async remember() {
    for (const { name, row, asked } of await (await this.store).all()) {
      if (asked && this.stage === "idle") {
        this.asked = asked;
        this.stage = "interrupted";
        this.text = "Your last run here was not finished; what was measured is kept.";
      }
      // Others were measured under settings that nhlib had before.
      if (row && this.keptAs(row) === name && !this.known(row)) {
        this.rows.set(this.nameOf(row), row);
      }
    }
    this.changed();
  }

  /** @param {Row} row */
  nameOf(row) {
    return JSON.stringify(this.facts.keys.map((key) => row[key]));
  }

  /** @param {Row} row */
  keptAs(row) {
    const recipe = recipeOf(this.facts, /** @type {any} */ (row));
    return JSON.stringify([this.nameOf(row), recipe, this.facts.neighbours]);
  }

  /** @param {Row} row */
  known(row) {
    return this.rows.get(this.nameOf(row));
  }

  /** @param {Row} measured */
  take(measured) {
    /** @type {Row} */
    const row = {
      ...this.known(measured),
      ...measured,
      version: this.facts.version,
      device: "browser",
      date: new Date().toISOString().slice(0, 10),
    };
    this.rows.set(this.nameOf(row), row);
    if (row.failed) this.trouble = ` Some training failed: ${row.failed}.`;
    this.done++;
    this.keep(row);
    this.changed();
  }

  /** @param {Row} row */
  async keep(row) {
    await (await this.store).keep({ name: this.keptAs(row), row });
  }

  /**
   * Train what is not known of a grid; what is wrong with it is thrown as a sentence.
   * @param {Settings} settings
   */
  run(settings) {
    const found = experimentsOf(this.facts, settings, (row) => this.known(row));
    this.done = 0;
    this.total = found.reduce((sum, { epochs }) => sum + epochs.length, 0);
    this.trouble = "";
    this.stage = found.length ? "running" : "done";
    this.text = found.length
      ? `Training ${plural(found.length, "network")} in this page.`
      : "All of this has been measured already.";
    this.pool.add(found);
    this.changed();
    if (found.length) this.store.then((store) => store.keep({ name: ASKED, asked: settings }));
  }

  pause() {
    this.pool.pause();
    this.stage = "paused";
    this.changed();
  }

  goOn() {
    if (this.stage === "interrupted") {
      this.run(this.asked);
      return;
    }
    this.stage = "running";
    this.pool.goOn();
    this.changed();
  }

  cancel() {
    this.pool.cancel();
    this.forgetAsked();
    this.stage = "cancelled";
    this.text = `Cancelled. ${this.done} of ${plural(this.total, "row")} are measured and kept.`;
    this.changed();
  }

  forgetAsked() {
    this.store.then((store) => store.drop(ASKED));
  }

  finish() {
    this.forgetAsked();
    this.stage = "done";
    this.text = `Done: ${plural(this.done, "new row")}.${this.trouble}`;
    this.changed();
  }

  end() {
    this.pool.end();
  }

  async forget() {
    this.rows.clear();
    if (this.stage === "interrupted") this.stage = "idle";
    this.text = "";
    this.changed();
    await (await this.store).clear();
  }

  /**
   * Add the rows of a CSV file, and say how many; what is wrong with it is thrown as a sentence.
   * @param {string} text
   */
  fromFile(text) {
    const rows = fromCsv(text, this.facts);
    for (const { data, protocol } of rows) {
      if (data !== "digits") {
        throw new Error(`rows of the data set digits are needed, not of ${data}.`);
      }
      if (!(protocol in this.facts.recipes)) {
        throw new Error(
          `protocols are ${Object.keys(this.facts.recipes).join(" and ")}, not ${protocol}.`,
        );
      }
    }
    for (const row of rows) {
      const merged = { ...this.known(row), ...row };
      this.rows.set(this.nameOf(row), merged);
      this.keep(merged);
    }
    this.changed();
    return rows.length;
  }

  toFile() {
    return toCsv([...this.rows.values()], this.facts);
  }
}
