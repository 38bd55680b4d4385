// What the reader of a phase chart is asked to do or can do, the summary, and the legend.
/** @import { Colors, Entry } from "../common/frame.js" */
/** @import { State } from "./state.js" */
import { h } from "../common/elements.js";
import { swatch } from "./cells.js";
import { RATIO, WORTH } from "./curves.js";
import { REGIMES, UNDETERMINED, UNTRAINED } from "./regimes.js";
import { borderWords, criticalWords, heldWords, hintWords, scoreWords, whyWords } from "./words.js";

/** @type {(state: State) => (Node | string)[]} */
export const taskOf = ({ ui, view, border, drawn }) => {
  /** @param {string} text */
  const bold = (text) => h("strong", {}, text);
  if (view.drawing) {
    return [
      bold("Predict first. "),
      `Every square is a kind of network on ${heldWords(view)}; some tell their redundancy ` +
        `ratio. Those with more than τ = ${view.tau} are under-expressive. Where do they end? Drag ` +
        "the line (or focus the chart and use the arrow keys), then reveal.",
    ];
  }
  const help = drawn
    ? scoreWords(view, border)
    : ui.get("revealed")
      ? "Point at a cell, or focus the chart and use the arrow keys."
      : view.up === "width"
        ? "Before training there is no border to draw: move the slider to a later epoch."
        : "A border can be drawn where the width is an axis.";
  return [bold(`Regimes on ${heldWords(view)}. `), help];
};

/** @type {(state: State) => string} */
export const summaryOf = ({ view, border, column, accuracyName }) =>
  view.drawing
    ? `${hintWords(view)} ${borderWords(view, border, column)}`
    : `${whyWords(view, accuracyName)} ${criticalWords(view)}`.trim();

/** @type {(state: State, colors: Colors) => Entry[]} */
export const legendOf = ({ ui, view, drawn, accuracyName }, colors) => {
  const { rows, columns, chart, inChart, drawing } = view;
  const inView = new Set(rows.flatMap((row) => columns.map((i) => chart.regime[inChart(row, i)])));
  /** @type {(regime: number, text?: string) => Entry} */
  const named = (regime, text = REGIMES[regime]) => ({
    mark: swatch(regime, ui.id, colors),
    text,
  });
  const line = { color: colors.ink, mark: "line", text: "your border" };
  const ratio = { color: colors.series[RATIO], mark: "●", text: "redundancy ratio" };
  const mine = view.table.mine.size
    ? [{ mark: h("span", { class: "nh-mine", "aria-hidden": "true" }), text: "measured by you" }]
    : [];
  if (drawing) {
    const expected = swatch(UNDETERMINED, ui.id, colors, true);
    return [
      named(UNDETERMINED, "measured, not told yet"),
      { mark: expected, text: "expected to be under-expressive" },
      ...(inView.has(UNTRAINED) ? [named(UNTRAINED)] : []),
      ...mine,
      line,
      ratio,
    ];
  }
  return [
    ...[...REGIMES.keys()].filter((regime) => inView.has(regime)).map((regime) => named(regime)),
    ...mine,
    ...(drawn ? [line, { color: colors.ink, mark: "✗", text: "where it is wrong" }] : []),
    ratio,
    { color: colors.series[WORTH], mark: "■", text: accuracyName },
    { color: colors.ink, mark: "line", text: "gain of the next step" },
  ];
};
