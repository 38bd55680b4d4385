// PhaseExplorer: the reader draws where under-expressive networks end, then sees the regimes of
// all cells, why each has its own, and how thresholds move the borders.
/** @import { Model } from "../common/frame.js" */
import { addButtons, addChoice, addValueSlider } from "../common/controls.js";
import { h } from "../common/elements.js";
import { Frame } from "../common/frame.js";
import { addDrawing } from "../common/pictures.js";
import { Runner } from "../common/running.js";
import { grouped } from "../common/words.js";
import { Laboratory } from "../engine/laboratory.js";
import { addBoard } from "./board.js";
import { curvesOf } from "./curves.js";
import { addMissing } from "./missing.js";
import { State } from "./state.js";
import { legendOf, summaryOf, taskOf } from "./task.js";
import { AXES, NAMES } from "./view.js";
import { callOf, heldWords, where } from "./words.js";

const TAUS = [
  0, 0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1, 0.12, 0.15,
  0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1,
];
const DELTAS = [0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1];

export default {
  /** @param {{ model: Model, el: HTMLElement }} given */
  render({ model, el }) {
    const ui = new Frame(model, el, {
      name: "phase-explorer",
      title: "Phase explorer: draw the border, then see the regimes",
      version: 1,
    });
    if (!ui.usable) return ui.end;
    const state = new State(ui);

    const update = () => {
      const { fixed } = state.stored;
      state.own = laboratory.rows(/** @type {any} */ (fixed));
      state.alone = laboratory.choice === "mine";
      laboratory.element.hidden = fixed.data !== "digits";
      runner.element.hidden = runner.here && fixed.data !== "digits";
      state.update();
      const { view } = state;
      refreshControls();
      describePictures();
      task.replaceChildren(...taskOf(state));
      ui.say(summaryOf(state));
      explain();
      ui.call(callOf(view));
      chart.repaint();
      curves.repaint();
    };
    const explain = () => ui.legend(legendOf(state, ui.colors()));

    // -- pictures --------------------------------------------------------------------------------

    const task = h("p", { class: "nh-task", "aria-live": "polite" });
    const [left, side] = [h("div"), h("div")];
    ui.stage.append(task, h("div", { class: "nh-beside" }, left, side));
    const chart = addBoard(state, left, update, (row, column) => {
      const { up, right, table, inChart } = state.view;
      state.pointed = null;
      ui.set(up, table[up][row]);
      ui.set(right, table[right][column]);
      if (!table.seeds[inChart(row, column)]) askFor(row, column);
      update();
    });
    const curves = addDrawing(ui, {
      label: "Curves",
      into: side,
      paint: (width, colors) => curvesOf(state.view, width, colors),
    });
    const describePictures = () => {
      const { view } = state;
      // A finger that draws does not scroll.
      chart.element.style.touchAction = view.drawing ? "none" : "pan-y pinch-zoom";
      const shown = `${NAMES[view.up]} against ${NAMES[view.right]}, ${heldWords(view)}`;
      chart.element.setAttribute(
        "aria-label",
        view.drawing
          ? `Chart of ${shown}: draw the border. Left and right choose a column, up and down move ` +
              "its border."
          : `Phase chart, ${shown}. Arrow keys move from cell to cell.`,
      );
      curves.element.setAttribute(
        "aria-label",
        view.drawing
          ? "Redundancy ratios that are told, against the width."
          : `Redundancy ratio and ${state.accuracyName} against epoch and width, of ` +
              `${where(view, view.at)}.`,
      );
    };

    // -- controls --------------------------------------------------------------------------------

    const { buttons } = addButtons(ui, [
      "",
      () => {
        if (ui.get("revealed")) state.forgetBorder();
        ui.set("revealed", !ui.get("revealed"));
      },
    ]);
    const [reveal] = buttons;
    const names = Object.keys(ui.get("_grids"));
    if (names.length > 1) {
      const options = names.map((name) => /** @type {[string, string]} */ ([name, name]));
      const { select } = addChoice(ui, "table", { label: "Data", options });
      // Another table has other cells: begin at its own.
      select.addEventListener("change", () => {
        const { start, kinds } = state.table;
        const place = start[ui.get("redundancy")] ?? start[kinds.redundancy[0]];
        for (const [i, value] of place.entries()) ui.set(AXES[i], value);
      });
    }
    addChoice(ui, "held", {
      label: "Slider moves",
      options: AXES.toReversed().map((axis) => [axis, NAMES[axis]]),
    });
    const sliders = ["Width", "Epoch", "Examples"].map((label, i) =>
      addValueSlider(ui, AXES[i], {
        label,
        values: () => state.table[AXES[i]],
        also: ["table", "_grids"],
        show: grouped,
      }),
    );
    addValueSlider(ui, "tau", { label: "Threshold τ", values: TAUS });
    const delta = addValueSlider(ui, "delta", { label: "Threshold δ", values: DELTAS });
    const kinds = ["redundancy", "accuracy"].map((kind) => {
      /** @type {[measure: string, name: string][]} */
      const known = Object.entries(ui.get("_words")[kind]);
      const options = known.filter(([measure]) =>
        names.some((name) => ui.get("_grids")[name].kinds[kind].includes(measure)),
      );
      const label = kind === "accuracy" ? "Accuracy by" : "Redundancy of";
      const { element, select } = addChoice(ui, kind, { label, options });
      return { kind, element, select, measures: options.map(([measure]) => measure) };
    });
    const refreshControls = () => {
      const { drawing, held, table, up, trained } = state.view;
      reveal.textContent = !ui.get("revealed")
        ? "Reveal the regimes"
        : state.border.drawn
          ? "Draw again"
          : "Draw the border first";
      reveal.hidden = up !== "width" || !trained.length;
      for (const [i, slider] of sliders.entries()) slider.hidden = AXES[i] !== held;
      delta.hidden = drawing;
      for (const { kind, element, select, measures } of kinds) {
        const accuracy = kind === "accuracy";
        element.hidden = measures.length < 2 || (accuracy && drawing);
        const known = accuracy ? table.kinds.accuracy : table.kinds.redundancy;
        const shown = accuracy ? state.view.accuracy : state.view.redundancy;
        for (const [i, option] of [...select.options].entries()) {
          option.disabled = !known.includes(measures[i]);
          option.selected = measures[i] === shown;
        }
      }
    };
    const runner = new Runner(ui, () => update());
    const askFor = addMissing(state, runner);
    const laboratory = new Laboratory(ui, runner, "charts", (view) => {
      for (const [setting, value] of Object.entries(view)) ui.set(setting, value);
    });
    ui.panel.append(laboratory.element, runner.element);

    ui.painters.push(explain);
    ui.follow([...ui.get("_settings"), "_grids"], update);
    askFor(state.view.at[state.view.up], state.view.at[state.view.right]);
    return ui.end;
  },
};
