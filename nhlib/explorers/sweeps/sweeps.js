// SweepExplorer: measured sweeps along any two factors, with all others held, and new points on
// request where there is a Python.
/** @import { Model } from "../common/frame.js" */
import { SIGNS } from "../common/charts.js";
import { h } from "../common/elements.js";
import { Frame } from "../common/frame.js";
import { Runner } from "../common/running.js";
import { Laboratory } from "../engine/laboratory.js";
import { addAdding } from "./adding.js";
import { callOf } from "./call.js";
import { addChart } from "./chart.js";
import { addPanel } from "./panel.js";
import { State } from "./state.js";
import { BRIEF, summaryOf } from "./words.js";

export default {
  /** @param {{ model: Model, el: HTMLElement }} given */
  render({ model, el }) {
    const ui = new Frame(model, el, {
      name: "sweep-explorer",
      title: "Sweep explorer: what shapes the code",
      version: 1,
    });
    if (!ui.usable) return ui.end;
    const state = new State(ui);

    const tell = () => {
      if (!state.view) return;
      chart.repaint();
      ui.say(summaryOf(state, state.view));
      ui.call(callOf(state, state.view));
    };
    const show = () => {
      state.pointed = null;
      const stored = state.stored[ui.get("table")];
      const own = laboratory.rows(stored);
      const alone = laboratory.choice === "mine" && stored.data === "digits";
      state.mix(own, alone);
      laboratory.element.hidden = stored.data !== "digits";
      runner.element.hidden = runner.here && stored.data !== "digits";
      let view = state.update();
      if (!view && alone) {
        // One network alone makes no curve; until there are more, it stands beside the stored ones.
        state.mix(own, false);
        view = state.update();
      }
      if (!view) {
        ui.stop("Nothing in this table was measured at two values of a factor.");
        return;
      }
      ui.goOn();
      showControls(view);
      const { lines, curves, several, choices, drawn } = view;
      const colors = ui.colors();
      const entries = curves.map(({ name }, i) => {
        return { color: colors.series[i], mark: SIGNS[i], text: name };
      });
      ui.legend(curves.length > 1 || several ? entries : []);
      if (curves.some(({ points }) => points.some(({ mine }) => mine.length))) {
        const mark = h("span", { class: "nh-mark nh-ring", "aria-hidden": "true" });
        ui.key.append(h("li", {}, mark, "with seeds of yours"));
      }
      const left = lines === "none" ? 0 : choices[lines].length - drawn.length;
      if (left > 0) ui.key.append(h("li", {}, `${left} more with the control ${BRIEF[lines]}`));
      refreshAdding();
      tell();
    };

    ui.legend([]); // above the chart
    const chart = addChart(state, tell, ({ at, line }) => {
      if (!state.view) return;
      const { along, lines } = state.view;
      ui.set(along, at);
      if (lines !== "none") ui.set(lines, line);
      show(); // also if the settings were these
    });
    const showControls = addPanel(state);
    const runner = new Runner(ui, () => show());
    const refreshAdding = addAdding(state, runner);
    const laboratory = new Laboratory(ui, runner, "curves", (view) => {
      for (const [setting, value] of Object.entries(view)) ui.set(setting, value);
    });
    ui.panel.append(laboratory.element, runner.element);

    ui.follow([...ui.get("_settings"), "_stored"], show);
    return ui.end;
  },
};
