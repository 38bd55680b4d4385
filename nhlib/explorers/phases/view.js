// What a PhaseExplorer shows, as data and in words, without a picture: the chart of a table at its
// settings, the cell that is looked at, why it has its regime, and the Python that repeats it.
import { grouped, nearest, plural, python } from "../common/parts.js";
import {
  CRITICAL,
  cellAt,
  criticalSize,
  phaseChart,
  REGIMES,
  SUFFICIENT,
  UNDER,
  UNDETERMINED,
  UNTRAINED,
} from "./regimes.js";

export const AXES = ["width", "epoch", "train_size"];
export const NAMES = { width: "width", epoch: "epoch", train_size: "training examples" };
// Widths stand upwards and epochs to the right, whichever axis is held.
const SHOWN = {
  train_size: ["width", "epoch"],
  epoch: ["width", "train_size"],
  width: ["train_size", "epoch"],
};

// A table as it is embedded, with its arrays.
export const unpack = (raw) => {
  const array = (view, Kind) =>
    new Kind(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
  const arrays = (views, Kind) =>
    Object.fromEntries(Object.entries(views).map(([name, view]) => [name, array(view, Kind)]));
  return {
    ...raw,
    sizes: raw.width,
    times: raw.epoch,
    samples: raw.train_size,
    seeds: array(raw.seeds, Uint16Array),
    means: arrays(raw.means, Float64Array),
    low: arrays(raw.low, Float32Array),
    high: arrays(raw.high, Float32Array),
  };
};

// The view of a table of a name at settings (`get` returns them); `pointed` is a place [row, column]
// of the chart that is looked at instead of the cell that the settings name.
export const viewOf = (table, name, get, pointed) => {
  const of = (kind) => (table.kinds[kind].includes(get(kind)) ? get(kind) : table.kinds[kind][0]);
  const [redundancy, accuracy] = [of("redundancy"), of("accuracy")];
  const [ratio, worth] = [table.means[redundancy], table.means[accuracy]];
  const [tau, delta, held] = [get("tau"), get("delta"), get("held")];
  const [up, right] = SHOWN[held];
  const [rows, columns] = [up, right].map((axis) => [...table[axis].keys()]);
  const at = Object.fromEntries(AXES.map((axis) => [axis, nearest(table[axis], get(axis))]));
  if (pointed) [at[up], at[right]] = pointed;
  const cell = (changed) => {
    const { width, epoch, train_size } = { ...at, ...changed };
    return cellAt(table, width, epoch, train_size);
  };
  const inChart = (row, column) => cell({ [up]: row, [right]: column });
  // Columns that a border can be drawn through: what is untrained has no regime.
  const trained = columns.filter((i) => table.epoch[right === "epoch" ? i : at.epoch]);
  const drawing = !get("revealed") && up === "width" && trained.length > 0;
  const view = {
    table,
    name,
    redundancy,
    accuracy,
    ratio,
    worth,
    tau,
    delta,
    held,
    up,
    right,
    rows,
    columns,
    at,
    cell,
    inChart,
    trained,
    drawing,
    here: cell(),
    chart: phaseChart(table, ratio, worth, tau, delta),
  };
  return { ...view, hints: drawing ? hintsOf(view) : [] };
};

// Three networks whose ratio is told: of the last column the first, a middle and the last.
const hintsOf = ({ table, inChart, rows, trained }) => {
  const last = trained.at(-1);
  const measured = rows.filter((row) => table.seeds[inChart(row, last)]);
  const places = new Set([0, Math.floor((measured.length - 1) / 2), measured.length - 1]);
  return [...places].filter((i) => i in measured).map((i) => [measured[i], last]);
};

// Cells that a border is right or wrong about: [row, column, is it under-expressive].
export const guessable = ({ rows, trained, inChart, chart }) =>
  trained.flatMap((column) =>
    rows
      .map((row) => [row, column, chart.regime[inChart(row, column)]])
      .filter(([, , regime]) => regime >= 0)
      .map(([row, , regime]) => [row, column, regime === UNDER]),
  );

// -- words ------------------------------------------------------------------------------------

// Four digits are enough to see on which side of a threshold a number is.
export const share = (value) => value.toFixed(4);
export const gained = (value) => (value < 0 ? "−" : "+") + share(Math.abs(value));

const phrase = (axis, value) =>
  axis === "train_size" ? plural(value, "training example") : `${NAMES[axis]} ${grouped(value)}`;
export const where = ({ table }, at, axes = AXES) =>
  axes.map((axis) => phrase(axis, table[axis][at[axis]])).join(", ");
export const heldWords = (view) => `${view.name}, ${where(view, view.at, [view.held])}`;

const capital = (text) => text[0].toUpperCase() + text.slice(1);

// What a cell has measured, which regime that makes, and why.
export const whyWords = (view, accuracyName) => {
  const { chart, here, table, tau, delta, ratio, worth, at } = view;
  const regime = chart.regime[here];
  if (regime < 0) return `${capital(where(view, at))}: not measured.`;
  const past = `its redundancy ratio ${share(ratio[here])} is not above τ = ${tau}`;
  const reason = {
    [UNDER]: `its redundancy ratio ${share(ratio[here])} is above τ = ${tau}`,
    [CRITICAL]: `${past}, and accuracy still gains at least δ = ${delta}`,
    [SUFFICIENT]: `${past}, and no gain reaches δ = ${delta}`,
    [UNDETERMINED]: `${past}, no gain reaches δ = ${delta}, and a neighbour is missing`,
    [UNTRAINED]: `it is before training, whatever its redundancy ratio, ${share(ratio[here])}`,
  }[regime];
  const steps = [
    ["width", chart.larger[here], chart.gainSize[here]],
    ["epoch", chart.longer[here], chart.gainTime[here]],
  ].map(([axis, next, gain]) =>
    next < 0
      ? `no ${axis === "width" ? "larger width" : "later epoch"} was measured`
      : `${gained(gain)} at ${axis} ${grouped(valueOf(view, axis, next))}`,
  );
  return (
    `${capital(where(view, at))} (${plural(table.seeds[here], "seed")}): ${REGIMES[regime]}, since ` +
    `${reason}. ${accuracyName} ${share(worth[here])}; ${steps.join("; ")}.`
  );
};

// The value on an axis of a cell that differs from the one looked at along this axis only.
export const valueOf = ({ table, cell }, axis, one) =>
  table[axis].find((_, i) => cell({ [axis]: i }) === one);

export const criticalWords = (view) => {
  const { at, table, ratio, tau } = view;
  const { below, critical } = criticalSize(table, ratio, at.epoch, at.train_size, tau);
  if (below === null && critical === null) return "";
  const there = `At ${where(view, at, ["epoch", "train_size"])} `;
  if (below === null) return `${there}no width is above τ.`;
  if (critical === null) return `${there}the largest width, ${grouped(below)}, is above τ.`;
  return `${there}the border lies between widths ${grouped(below)} and ${grouped(critical)}.`;
};

export const hintWords = (view) => {
  const { hints, table, ratio, inChart, right, trained } = view;
  const given = hints.map(
    ([row, column]) =>
      `width ${grouped(table.width[row])} has ${share(ratio[inChart(row, column)])}`,
  );
  return `Redundancy ratios at ${where(view, { [right]: trained.at(-1) }, [right])}: ${given.join(", ")}.`;
};

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

export const scoreWords = (view, border) => {
  const cells = guessable(view);
  const { right, tooHigh, tooLow } = border.score(cells);
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

export const callOf = (view) => {
  const { table, redundancy, accuracy, tau, delta, at, drawing, hints, right, trained } = view;
  const { source } = table;
  const parts = source.map((one) => `${one},`.replace(/^/gm, "        ")).join("\n");
  const from =
    source.length === 1
      ? source[0]
      : `pd.concat(\n    [\n${parts}\n    ],\n    ignore_index=True,\n)`;
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
  const others = ["epoch", "train_size"];
  if (drawing) {
    const widths = python(hints.map(([row]) => table.width[row]));
    const column = query(others, { ...at, [right]: trained.at(-1) });
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
