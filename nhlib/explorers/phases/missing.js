// A row in which a reader asks for a cell of the phase chart that is missing.
/** @import { Request, Runner } from "../common/running.js" */
/** @import { State } from "./state.js" */
import { h } from "../common/elements.js";
import { plural } from "../common/words.js";
import { cellAt } from "./regimes.js";
import { AXES, NAMES } from "./view.js";

/**
 * Add the row, and return what writes a cell into it.
 * @type {(state: State, runner: Runner) => (row: number, column: number) => void}
 */
export const addMissing = (state, runner) => {
  const { ui } = state;
  const inputs = AXES.map((axis) => {
    const min = axis === "epoch" ? 0 : 1;
    return h("input", { type: "number", min, step: 1, class: "nh-number" });
  });

  /** @returns {Request} */
  const request = () => {
    const { table } = state;
    const { asked, fixed } = table;
    run.element.hidden = runner.here && fixed.data !== "digits";
    if (!asked) return { text: `nh.load does not have the data set of ${ui.get("table")}.` };
    const values = inputs.map((input) => input.valueAsNumber);
    const bad = inputs.findIndex(
      (input, i) => !Number.isInteger(values[i]) || values[i] < Number(input.min),
    );
    if (bad >= 0) {
      const least = inputs[bad].min;
      return { text: `${NAMES[AXES[bad]]}: a whole number from ${least} on is needed.` };
    }
    const [size, time, sample] = AXES.map((axis, i) => table[axis].indexOf(values[i]));
    const known = size >= 0 && time >= 0 && sample >= 0;
    const measured = known ? table.seeds[cellAt(table, size, time, sample)] : 0;
    if (measured >= asked.seeds.length) return { text: "This cell has been measured." };
    const [width, epoch, trainSize] = values;
    return {
      table: ui.get("table"),
      settings: { ...asked, widths: [width], epochs: [epoch], train_sizes: [trainSize] },
      text: `trains ${plural(asked.seeds.length, "network")} like those of the table`,
      sent: () => {
        for (const [i, axis] of AXES.entries()) ui.set(axis, values[i]);
      },
    };
  };

  const run = runner.form(
    [
      h("span", {}, "Fill in a missing cell:"),
      ...AXES.map((axis, i) => h("label", {}, `${NAMES[axis]} `, inputs[i])),
    ],
    request,
  );
  runner.element.prepend(run.element);
  for (const input of inputs) input.addEventListener("input", run.refresh);
  return (row, column) => {
    const { at, up, right, table } = state.view;
    const place = { ...at, [up]: row, [right]: column };
    for (const [i, axis] of AXES.entries()) inputs[i].value = String(table[axis][place[axis]]);
    run.refresh();
  };
};
