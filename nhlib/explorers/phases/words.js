// What a PhaseExplorer shows, in words and as the Python that repeats it.
/** @import { Border } from "./borders.js" */
/** @import { Axis, Place, Table, View } from "./view.js" */
import { capital, grouped, plural, python } from "../common/words.js";
import {
  CRITICAL,
  criticalSize,
  REGIMES,
  SUFFICIENT,
  UNDER,
  UNDETERMINED,
  UNTRAINED,
} from "./regimes.js";
import { AXES, guessable, NAMES, valueAt } from "./view.js";

/**
 * Four digits, or as many more as it takes to be told apart from a threshold nearby.
 * @type {(value: number, threshold?: number) => string}
 */
export const share = (value, threshold) => {
  const enough = [4, 5, 6, 7, 8].find((digits) => Number(value.toFixed(digits)) !== threshold);
  return value.toFixed(enough ?? 4); // what differs less is equal, but for rounding
};

/** @type {(value: number, threshold: number) => string} */
export const gained = (value, threshold) =>
  (value < 0 ? "−" : "+") + share(Math.abs(value), threshold);

/** @type {(axis: Axis, value: number) => string} */
const phrase = (axis, value) =>
  axis === "train_size" ? plural(value, "training example") : `${NAMES[axis]} ${grouped(value)}`;

/** @type {(view: { table: Table }, at: Partial<Place>, axes?: Axis[]) => string} */
export const where = ({ table }, at, axes = AXES) =>
  axes.map((axis) => phrase(axis, table[axis][at[axis] ?? 0])).join(", ");

/** @type {(view: View) => string} */
export const heldWords = (view) => `${view.name}, ${where(view, view.at, [view.held])}`;

/**
 * What a cell has measured, which regime that makes, and why.
 * @type {(view: View, accuracyName: string) => string}
 */
export const whyWords = (view, accuracyName) => {
  const { chart, here, table, tau, delta, ratio, worth, at } = view;
  const regime = chart.regime[here];
  if (regime < 0) return `${capital(where(view, at))}: not measured.`;
  const said = share(ratio[here], tau);
  const past = `its redundancy ratio ${said} is not above τ = ${tau}`;
  const reason = {
    [UNDER]: `its redundancy ratio ${said} is above τ = ${tau}`,
    [CRITICAL]: `${past}, and accuracy still gains at least δ = ${delta}`,
    [SUFFICIENT]: `${past}, and no gain reaches δ = ${delta}`,
    [UNDETERMINED]: `${past}, no gain reaches δ = ${delta}, and a neighbour is missing`,
    [UNTRAINED]: `it is before training, whatever its redundancy ratio, ${said}`,
  }[regime];
  /** @type {(axis: Axis, none: string, next: number, gain: number) => string} */
  const step = (axis, none, next, gain) =>
    next < 0
      ? `no ${none} was measured`
      : `${gained(gain, delta)} at ${axis} ${grouped(valueAt(view, axis, next))}`;
  const yours = table.mine.has(here) ? ", measured by you" : "";
  const wider = step("width", "larger width", chart.larger[here], chart.gainSize[here]);
  const later = step("epoch", "later epoch", chart.longer[here], chart.gainTime[here]);
  return (
    `${capital(where(view, at))} (${plural(table.seeds[here], "seed")}${yours}): ${REGIMES[regime]}, since ` +
    `${reason}. ${accuracyName} ${share(worth[here])}; ${wider}; ${later}.`
  );
};

/** @type {(view: View) => string} */
export const criticalWords = (view) => {
  const { at, table, ratio, tau } = view;
  const { below, critical } = criticalSize(table, ratio, at.epoch, at.train_size, tau);
  if (below === null && critical === null) return "";
  const there = `At ${where(view, at, ["epoch", "train_size"])} `;
  if (below === null) return `${there}no width is above τ.`;
  if (critical === null) return `${there}the largest width, ${grouped(below)}, is above τ.`;
  return `${there}the border lies between widths ${grouped(below)} and ${grouped(critical)}.`;
};

/** @type {(view: View) => string} */
export const hintWords = (view) => {
  const { hints, table, ratio, inChart, right, trained } = view;
  const given = hints.map(
    ([row, column]) =>
      `width ${grouped(table.width[row])} has ${share(ratio[inChart(row, column)])}`,
  );
  const last = where(view, { [right]: trained[trained.length - 1] }, [right]);
  return `Redundancy ratios at ${last}: ${given.join(", ")}.`;
};

/** @type {(view: View, border: Border, column: number) => string} */
export const borderWords = (view, border, column) => {
  const below = border.below[column];
  const { table, right } = view;
  const between =
    below === 0
      ? "no width is under-expressive"
      : below === border.rows
        ? "all widths are under-expressive"
        : `between widths ${grouped(table.width[below - 1])} and ${grouped(table.width[below])}`;
  return `Your border at ${where(view, { [right]: column }, [right])}: ${between}.`;
};

/** @type {(view: View, border: Border) => string} */
export const scoreWords = (view, border) => {
  const cells = guessable(view);
  const { right, tooHigh, tooLow } = border.score(cells);
  /** @param {number} n */
  const are = (n) => (n === 1 ? "is" : "are");
  const wrong = [
    tooHigh && `${tooHigh} below it ${are(tooHigh)} not under-expressive`,
    tooLow && `${tooLow} above it ${are(tooLow)}`,
  ].filter(Boolean);
  return (
    `Your border is right in ${right} of ${cells.length} cells at τ = ${view.tau}` +
    `${wrong.length ? `: ${wrong.join(", ")} (✗)` : ""}.`
  );
};

// -- Python -----------------------------------------------------------------------------------

/** @type {(view: View) => string} */
export const callOf = (view) => {
  const { table, redundancy, accuracy, tau, delta, at, drawing, hints, right, trained } = view;
  const { source } = table;
  const parts = source.map((one) => `${one},`.replace(/^/gm, "        ")).join("\n");
  const from =
    source.length === 1
      ? source[0]
      : `pd.concat(\n    [\n${parts}\n    ],\n    ignore_index=True,\n)`;
  /** @type {(axes: Axis[], cell: Place) => string} */
  const query = (axes, cell) =>
    axes.map((axis) => `${axis} == ${table[axis][cell[axis]]}`).join(" and ");
  const columns = `samples="train_size", redundancy=${python(redundancy)}`;
  const lines = [
    from.includes("pd.") ? "import nhlib as nh\nimport pandas as pd\n" : "import nhlib as nh\n",
    `table = ${from}`,
    'table["width"] = table["widths"].astype(int)',
    "chart = nh.phase_chart(",
    `    table, ${columns},`,
    `    accuracy=${python(accuracy)}, tau=${tau}, delta=${delta},`,
    ")",
  ];
  /** @type {Axis[]} */
  const others = ["epoch", "train_size"];
  if (drawing) {
    const widths = python(hints.map(([row]) => table.width[row]));
    const column = query(others, { ...at, [right]: trained[trained.length - 1] });
    lines.push(
      `hints = chart.query("${column} and width in ${widths}")`,
      `print(hints[["width", ${python(redundancy)}]])`,
    );
  } else {
    lines.push(
      `cell = chart.query("${query(AXES, at)}")`,
      "border = nh.critical_size(",
      `    table, ${columns}, tau=${tau}`,
      `).query("${query(others, at)}")`,
      'print(cell.T, border.T, sep="\\n\\n")',
    );
  }
  return lines.join("\n");
};
