// A row in which a reader asks for new points: for a value of a factor that was not measured.
/** @import { Request, Runner } from "../common/running.js" */
/** @import { Settings } from "./call.js" */
/** @import { State } from "./state.js" */
import { h } from "../common/elements.js";
import { grouped, plural, short } from "../common/words.js";
import { OF_PROTOCOLS, settingsOf } from "./call.js";
import { FACTORS } from "./measured.js";
import { BRIEF } from "./words.js";

/**
 * What may be added.
 * @type {{ [factor: string]: [least: number, most: number, whole: boolean] }}
 */
const ADDED = {
  width: [1, 10000, true],
  epoch: [0, 10000, true],
  train_size: [1, 10 ** 6, true],
  depth: [1, 20, true],
  label_noise: [0, 1, false],
  dropout: [0, 0.99, false],
  batch_size: [1, 10000, true],
  l2: [0, 1, false],
};
// What tells networks apart, among the arguments of nh.sweep.
const NETWORKS = [
  "widths",
  "train_sizes",
  "protocols",
  "batch_norm",
  "batch_sizes",
  "l2",
  "dropout",
  "label_noise",
  "seeds",
];

/**
 * Add the row, and return what to call when another view is shown.
 * @type {(state: State, runner: Runner) => () => void}
 */
export const addAdding = (state, runner) => {
  const { ui } = state;
  const what = h("select", { "aria-label": "Factor to add a value of" });
  const value = h("input", { type: "number", step: "any", "aria-label": "Value to add" });
  const seeds = h("input", {
    type: "number",
    min: 1,
    max: 100,
    value: 3,
    "aria-label": "How many seeds",
  });

  /**
   * The number that is written, or what is wrong with it.
   * @type {(factor: string) => { one: number } | { text: string }}
   */
  const written = (factor) => {
    const [least, most, whole] = ADDED[factor];
    const kind = `${whole ? "a whole number" : "a number"} from ${short(least)} to ${short(most)}`;
    if (value.value === "") return { text: `Write ${kind}.` };
    const one = Number(value.value);
    const right = one >= least && one <= most && (!whole || Number.isInteger(one));
    return right ? { one } : { text: `${BRIEF[factor]}: ${kind} is needed, not ${value.value}.` };
  };

  /** @returns {Request} */
  const request = () => {
    const { view } = state;
    if (!view) return { text: "Nothing is shown that could be added to." };
    const factor = what.value;
    /** @type {any} */
    let one;
    if (factor in ADDED) {
      const found = written(factor);
      if ("text" in found) return found;
      one = found.one;
    } else {
      one = factor === "protocol" ? otherProtocol(view.held) : !view.held.batch_norm;
    }
    const many = Number(seeds.value);
    if (!(Number.isInteger(many) && many >= 1 && many <= 100)) {
      return {
        text: `Seeds: a whole number from 1 to 100 is needed, not ${seeds.value || "nothing"}.`,
      };
    }
    /** @type {Settings} */
    const settings = {
      ...settingsOf(state, view, { [factor]: [one] }),
      seeds: Array.from({ length: many }, (_, i) => i),
    };
    // Another protocol comes with its own of these.
    if (factor === "protocol") for (const [, name] of OF_PROTOCOLS) delete settings[name];
    const networks = NETWORKS.reduce((n, name) => n * (settings[name]?.length ?? 1), 1);
    return {
      table: ui.get("table"),
      settings,
      text: `${plural(networks, "network")}, up to epoch ${grouped(Math.max(...settings.epochs))}.`,
      sent: () => ui.set(factor, one),
    };
  };

  /** @type {(text: string, input: HTMLElement) => HTMLElement} */
  const labelled = (text, input) => h("label", { class: "nh-pair" }, text, input);
  const inputs = [labelled("Add", what), value, labelled("for seeds", seeds)];
  const run = runner.form(inputs, request);
  runner.element.prepend(run.element);

  const refresh = () => {
    const { view } = state;
    if (!view) return;
    const { along, lines, held } = view;
    const can = FACTORS.filter(
      (factor) => factor in ADDED || (factor in held && factor !== along && factor !== lines),
    );
    const names = [...new Set([along, lines, ...can])].filter((factor) => can.includes(factor));
    const before = names.includes(what.value) ? what.value : names[0];
    /** @param {string} factor */
    const nameOf = (factor) => {
      if (factor === "l2") return BRIEF[factor];
      if (factor in ADDED) return BRIEF[factor].toLowerCase();
      if (factor === "protocol") return `protocol ${otherProtocol(held)}`;
      return held.batch_norm ? "no batch norm" : "batch norm";
    };
    what.replaceChildren(...names.map((factor) => h("option", { value: factor }, nameOf(factor))));
    what.value = before;
    value.hidden = !(before in ADDED);
    const { data, trainable } = state.stored[ui.get("table")];
    run.element.hidden = runner.here ? data !== "digits" : !trainable;
    run.refresh();
  };
  for (const input of [what, value, seeds]) input.addEventListener("input", refresh);
  return refresh;
};

/** @type {(held: { [factor: string]: any }) => string} */
const otherProtocol = ({ protocol }) => (protocol === "A" ? "B" : "A");
