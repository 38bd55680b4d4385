// The controls of a SweepExplorer: what is shown, where it is read out, and what is held.
/** @import { Option } from "../common/controls.js" */
/** @import { Frame } from "../common/frame.js" */
/** @import { State, View } from "./state.js" */
import { listOf, rangeOf } from "../common/controls.js";
import { h } from "../common/elements.js";
import { short } from "../common/words.js";
import { FACTORS } from "./measured.js";
import { BRIEF, phraseOf } from "./words.js";

/** @type {{ [name: string]: string }} */
const TOGETHER = { categorization: "all accuracies", redundancies: "all redundancy ratios" };

/**
 * A control that is there if there is something to choose.
 * @typedef {{ element: HTMLElement, show: (values: any[], value: any) => void }} Knob
 */

/** @type {(ui: Frame, setting: string, label: string) => Knob} */
const list = (ui, setting, label) => {
  const { element, show } = listOf(ui, setting, label);
  return {
    element,
    /** @type {(options: Option[], value: any) => void} */
    show(options, value) {
      show(options, value);
      element.hidden = options.length < 2;
    },
  };
};

/**
 * Of a factor: a range over the values that were measured, or a list if these are names.
 * @type {(ui: Frame, factor: string) => Knob}
 */
const knob = (ui, factor) => {
  if (factor === "protocol" || factor === "batch_norm") {
    const { element, show } = list(ui, factor, BRIEF[factor]);
    return {
      element,
      show(values, value) {
        const options = values.map((one) => [one, phraseOf(factor, one)]);
        show(options, value);
      },
    };
  }
  const { element, show } = rangeOf(ui, factor, BRIEF[factor]);
  return {
    element,
    show(values, value) {
      show(values, values.indexOf(value), short(value), phraseOf(factor, value));
      element.hidden = values.length < 2;
    },
  };
};

/** @type {(name: string) => HTMLElement} */
const fields = (name) => h("fieldset", { class: "nh-fields" }, h("legend", {}, name));

/**
 * Add the controls, and return what shows a view in them.
 * @type {(state: State) => (view: View) => void}
 */
export const addPanel = (state) => {
  const { ui, together, factors } = state;
  const lists = {
    table: list(ui, "table", "Data"),
    measure: list(ui, "measure", "Measure"),
    along: list(ui, "along", "Along"),
    lines: list(ui, "lines", "A curve for each"),
  };
  const knobs = new Map(FACTORS.map((factor) => [factor, knob(ui, factor)]));
  const [read, holding] = [fields("Read out at"), fields("Held at")];
  const constant = h("p", { class: "nh-constant" });
  ui.panel.append(...Object.values(lists).map(({ element }) => element), read, holding);

  /** @param {View} view */
  const showLists = ({ columns, several, along, lines }) => {
    const { measures } = state.slices.table;
    const pairs = state.slices.pairs(columns);
    const tables = Object.keys(state.stored);
    lists.table.show(
      tables.map((name) => [name, name]),
      ui.get("table"),
    );
    const sets = Object.keys(together).filter(
      (name) => together[name].filter((column) => measures.includes(column)).length > 1,
    );
    lists.measure.show(
      [
        ...measures.map((name) => [name, state.measures[name][0]]),
        ...sets.map((name) => [name, TOGETHER[name]]),
      ],
      several ? ui.get("measure") : columns[0],
    );
    const axes = [...new Set(pairs.map(([axis]) => axis))];
    lists.along.show(
      axes.map((factor) => [factor, factors[factor]]),
      along,
    );
    const others = pairs.filter(([axis]) => axis === along).map(([, other]) => other);
    lists.lines.show(
      several ? [] : others.map((factor) => [factor, factors[factor] ?? "nothing: one curve"]),
      lines,
    );
  };

  return (view) => {
    showLists(view);
    const { along, lines, held, choices } = view;
    const rest = FACTORS.filter((factor) => factor !== along && factor !== lines);
    const fixed = [];
    for (const factor of [along, lines, ...rest]) {
      const control = knobs.get(factor);
      if (!control) continue; // there is one curve
      const values = choices[factor] ?? [];
      if (values.length) control.show(values, held[factor]);
      control.element.hidden = values.length < 2;
      const into = factor === along || factor === lines ? read : holding;
      if (control.element.parentNode !== into) into.append(control.element);
      if (values.length === 1) fixed.push(phraseOf(factor, values[0]));
    }
    const own = along === "protocol" || lines === "protocol";
    const also = own ? " Batch norm, batch size and L2 penalty are those of each protocol." : "";
    constant.textContent = fixed.length ? `Always here: ${fixed.join(", ")}.${also}` : also;
    holding.append(constant);
  };
};
