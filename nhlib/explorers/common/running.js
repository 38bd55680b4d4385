// Training on request: in the page by the engine, or in Python where there is one. For explorers
// whose Python side is running.Running.
/** @import { Frame } from "./frame.js" */
import { Runs } from "../engine/runs.js";
import { h } from "./elements.js";
import { Kernel } from "./kernel.js";
import { grouped } from "./words.js";

/**
 * What is asked for, as arguments of nh.sweep by name, and what they mean in words; `sent` is called
 * once it has been asked. Only the text, if there is nothing to ask: it says why.
 * @typedef {{
 *   text: string,
 *   table?: string,
 *   settings?: { [name: string]: any[] },
 *   sent?: () => void,
 * }} Request
 *
 * How what was asked for stands.
 * @typedef {{
 *   stage: string, text: string, done: number, total: number, note?: string,
 * }} Standing
 */

// Milliseconds between two pictures of a table that grows.
const BEAT = 250;

export class Runner {
  /**
   * @param {Frame} ui
   * @param {() => void} changed called when the reader has other rows than before
   */
  constructor(ui, changed) {
    this.ui = ui;
    this.kernel = ui.inPage ? null : new Kernel(ui);
    this.silent = ""; // why Python does not answer; what it was at is lost, for all we know
    let due = 0;
    this.runs = new Runs(ui.get("_facts"), () => {
      this.refresh();
      if (due) return;
      due = setTimeout(() => {
        due = 0;
        if (!ui.ended.signal.aborted) changed();
      }, BEAT);
    });
    ui.ended.signal.addEventListener("abort", () => this.runs.end());
    this.where = h(
      "select",
      {
        "aria-label": "Where to train",
        onchange: () => {
          this.refresh();
          changed();
        },
      },
      h("option", { value: "here" }, "in this page"),
      h("option", { value: "python" }, "in Python, with PyTorch"),
    );
    if (this.kernel) this.where.value = "python";
    this.hold = h("button", { type: "button", onclick: () => this.toggle() }, "Pause");
    this.stop = h("button", { type: "button", onclick: () => this.cancel() }, "Cancel");
    this.bar = h("progress", { "aria-label": "Rows measured" });
    this.count = h("span", { class: "nh-copied" });
    this.status = h("span", { role: "status" });
    /** @type {(() => void)[]} */
    this.forms = []; // what to call when something else can be asked for
    const standing = h(
      "div",
      { class: "nh-row nh-standing" },
      this.kernel ? h("label", { class: "nh-pair" }, "Train", this.where) : null,
      this.bar,
      this.count,
      this.hold,
      this.stop,
      this.status,
    );
    this.element = h("div", { class: "nh-run" }, standing);
    if (this.kernel) ui.follow(["_run"], () => this.answered());
    this.refresh();
  }

  get here() {
    return !this.kernel || this.where.value === "here";
  }

  /** @returns {Standing} */
  get standing() {
    if (this.here) return this.runs;
    const { state, ...others } = this.ui.get("_run");
    return this.silent
      ? { stage: "failed", text: this.silent, done: 0, total: 0 }
      : { stage: state, ...others };
  }

  /** @param {Request} request */
  ask({ table, settings, sent, text }) {
    if (!settings) {
      this.say(text);
      return;
    }
    if (this.here) {
      try {
        this.runs.run(settings);
      } catch (error) {
        this.say(error instanceof Error ? error.message : String(error));
        return;
      }
    } else {
      this.say("Asking Python …");
      this.send({ kind: "run", table, settings });
    }
    sent?.();
  }

  cancel() {
    if (this.here) this.runs.cancel();
    else this.send({ kind: "cancel" });
  }

  toggle() {
    if (this.runs.stage === "running") this.runs.pause();
    else this.runs.goOn();
  }

  /** @param {{ kind: string, [name: string]: any }} message */
  send(message) {
    this.kernel?.ask(message, (text) => {
      this.silent = `${text} What has been measured stays here.`;
      this.refresh();
    });
  }

  answered() {
    this.kernel?.answered();
    this.silent = "";
    this.refresh();
  }

  /** @param {string} text */
  say(text) {
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  refresh() {
    const { stage, text, done, total, note } = this.standing;
    const going = stage === "running" || stage === "paused";
    this.bar.hidden = !going || !total;
    this.bar.max = total || 1;
    this.bar.value = done;
    // Not in the status, which is spoken: that would be a message for each row.
    this.count.textContent =
      going && total ? `${grouped(done)} of ${grouped(total)} rows are measured.` : "";
    this.hold.hidden = !this.here || !(going || stage === "interrupted");
    this.hold.textContent = stage === "running" ? "Pause" : "Go on";
    this.stop.hidden = !going;
    // Whoever trains nothing need not know that it would be slow.
    const also = stage === "idle" ? "" : note;
    this.say([stage === "paused" ? "Paused." : text, also].filter(Boolean).join(" "));
    for (const form of this.forms) form();
  }

  /**
   * A row of inputs with a button that asks for what they say; what to call after the request may
   * have changed; and what hears the keys of inputs elsewhere, since Enter asks, too.
   * @param {HTMLElement[]} inputs
   * @param {() => Request} request
   */
  form(inputs, request) {
    const ask = () => {
      if (!button.disabled) this.ask(request());
    };
    const button = h("button", { type: "button", onclick: ask }, "Run");
    const what = h("span", { class: "nh-copied" });
    // No form: a page in a sandbox may send none, and is then not even told that one is sent.
    const element = h("div", { class: "nh-row" }, ...inputs, button, what);
    /** @param {KeyboardEvent} event */
    const enter = ({ key, target }) => {
      if (key === "Enter" && target instanceof HTMLInputElement) ask();
    };
    element.addEventListener("keydown", enter);
    const refresh = () => {
      const going = ["running", "paused"].includes(this.standing.stage);
      const { settings, text } = request();
      button.disabled = going;
      what.textContent = going ? "" : text;
      what.classList.toggle("nh-wrong", !settings);
    };
    this.forms.push(refresh);
    return { element, refresh, enter };
  }
}
