// The call of nh.sweep that measures what a SweepExplorer shows.
/** @import { Point, State, View } from "./state.js" */
import { python } from "../common/words.js";

/**
 * Arguments of nh.sweep, by their names.
 * @typedef {{ [name: string]: any[] }} Settings
 */

/**
 * What a protocol brings along: factors, and the arguments that say something else.
 * @type {[factor: string, argument: string][]}
 */
export const OF_PROTOCOLS = [
  ["batch_norm", "batch_norm"],
  ["batch_size", "batch_sizes"],
  ["l2", "l2"],
];

/**
 * Arguments for what is shown, with some values in the place of others.
 * @type {(state: State, view: View, instead?: Settings) => Settings}
 */
export const settingsOf = (state, view, instead = {}) => {
  const { along, lines, held, drawn, xs, columns } = view;
  /** @type {(factor: string) => any[]} */
  const values = (factor) =>
    instead[factor] ?? (factor === along ? xs : factor === lines ? drawn : [held[factor]]);
  /** @type {Settings} */
  const settings = {
    widths: values("depth").flatMap((depth) =>
      values("width").map((width) => (depth === 1 ? width : Array(depth).fill(width))),
    ),
    epochs: values("epoch"),
    train_sizes: values("train_size"),
    protocols: values("protocol"),
    measures: [...new Set(columns.map((column) => state.measures[column][1]))],
  };
  for (const [factor, argument] of OF_PROTOCOLS) {
    // As its protocol has it, wherever nothing else is held.
    if (factor in held || factor in instead) settings[argument] = values(factor);
  }
  for (const factor of ["dropout", "label_noise"]) settings[factor] = values(factor);
  return settings;
};

/**
 * Python's range where the numbers are one, else the list.
 * @type {(values: number[]) => string}
 */
const asRange = (values) =>
  values.length > 1 && values.every((value, i) => value === i)
    ? `range(${values.length})`
    : python(values.length === 1 ? values[0] : values);

/** @type {(factor: string, value: any, point: Point) => string} */
const termOf = (factor, value, { cell }) => {
  if (factor === "width" || factor === "depth") {
    return `widths == '${Array(cell.depth).fill(cell.width).join("-")}'`;
  }
  return `${factor} == ${typeof value === "string" ? `'${value}'` : python(value)}`;
};

/** @type {(state: State, view: View) => string} */
export const callOf = (state, view) => {
  const { along, lines, held, columns } = view;
  const { curve, point } = state.placeIn(view);
  const { measures, ...others } = settingsOf(state, view);
  /** @type {(name: string, usual: any) => void} */
  const leaveOut = (name, usual) => {
    if (others[name]?.length === 1 && others[name][0] === usual) delete others[name];
  };
  for (const [factor, argument] of OF_PROTOCOLS) {
    leaveOut(argument, state.protocols[held.protocol]?.[factor]);
  }
  for (const factor of ["dropout", "label_noise"]) leaveOut(factor, 0);
  const written = Object.entries(others).map(([name, values]) => {
    // One width of several layers would be taken for several widths.
    const single = values.length === 1 && !Array.isArray(values[0]);
    return `    ${name}=${python(single ? values[0] : values)},`;
  });
  const terms = [
    termOf(along, point.x, point),
    ...(lines === "none" ? [] : [termOf(lines, curve.line, point)]),
  ];
  const shown = python(columns.length > 1 ? columns : columns[0]);
  const { data, trainable } = state.stored[state.ui.get("table")];
  return [
    "import nhlib as nh",
    "",
    ...(trainable ? [] : ["# nh.load does not have these images: put in a data set of your own."]),
    "table = nh.sweep(",
    `    ${python(data)},`,
    ...written,
    `    seeds=${asRange(point.seeds)},`,
    `    measures=${python(measures.length === 1 ? measures[0] : measures)},`,
    ")",
    `point = table.query(${python([...new Set(terms)].join(" and "))})`,
    `print(point[${shown}].agg(["mean", "min", "max"]))`,
  ].join("\n");
};
