// What a SweepExplorer shows in words.
/** @import { Point, State, View } from "./state.js" */
import { grouped, plural, short } from "../common/words.js";
import { FACTORS } from "./measured.js";

/**
 * What a factor is called in a control; beside an axis the words of Python stand.
 * @type {{ [factor: string]: string }}
 */
export const BRIEF = {
  protocol: "Protocol",
  depth: "Layers",
  width: "Width",
  train_size: "Training examples",
  epoch: "Epoch",
  label_noise: "Label noise",
  dropout: "Dropout",
  batch_norm: "Batch norm",
  batch_size: "Batch size",
  l2: "L2 penalty",
};

/** @type {(factor: string, value: any) => string} */
export const phraseOf = (factor, value) => {
  switch (factor) {
    case "protocol":
      return `protocol ${value}`;
    case "depth":
      return value === 1 ? "one hidden layer" : `${value} hidden layers`;
    case "width":
      return plural(value, "unit");
    case "train_size":
      return plural(value, "training example");
    case "epoch":
      return value ? `epoch ${grouped(value)}` : "untrained";
    case "label_noise":
      return value ? `${short(value)} of the labels shuffled` : "true labels";
    case "dropout":
      return value ? `dropout ${short(value)}` : "no dropout";
    case "batch_size":
      return `minibatches of ${grouped(value)}`;
    case "batch_norm":
      return value ? "with batch norm" : "no batch norm";
    default:
      return value ? `L2 penalty ${short(value)}` : "no L2 penalty";
  }
};

/** @type {(value: number) => string} */
export const three = (value) => value.toFixed(3);

/** @type {(point: Point) => string} */
const seedWords = ({ seeds }) =>
  seeds.length > 1 ? `Means of ${seeds.length} seeds, with what they span.` : "One seed.";

/** @type {(point: Point) => string} */
const mineWords = ({ mine }) => {
  if (!mine.length) return "";
  return mine.length === 1 ? ` Seed ${mine[0]} is yours.` : ` Seeds ${mine.join(", ")} are yours.`;
};

/** @type {(state: State, view: View) => string} */
export const summaryOf = (state, view) => {
  const { along, lines, held, choices, several, curves } = view;
  const { curve, point } = state.placeIn(view);
  const fixed = FACTORS.filter(
    (factor) =>
      factor in held && factor !== along && factor !== lines && choices[factor].length > 1,
  ).map((factor) => `, ${phraseOf(factor, held[factor])}`);
  const from = `${state.ui.get("table")}${fixed.join("")}. `;
  const line = lines === "none" ? "" : `, ${phraseOf(lines, curve.line)}`;
  const where = `${phraseOf(along, point.x)}${line}`;
  if (several) {
    const all = curves.flatMap(({ name, points }) => {
      const found = points.find(({ x }) => x === point.x);
      if (!found) return [];
      const { y, low, high, seeds } = found;
      const spread = seeds.length > 1 ? ` (${three(low)} to ${three(high)})` : "";
      return [`${name} ${three(y)}${spread}`];
    });
    return `${from}At ${where}: ${all.join("; ")}. ${seedWords(point)}${mineWords(point)}`;
  }
  const counted =
    curve.column === "redundancy_train"
      ? `, counted on ${grouped(point.cell.train_size)}`
      : curve.column.endsWith("_n")
        ? `, at n = ${grouped(point.cell.n)}`
        : "";
  const [first, last] = [curve.points[0], curve.points[curve.points.length - 1]];
  const spread =
    point.seeds.length > 1
      ? `the mean of ${point.seeds.length} seeds, which span ${three(point.low)} to ${three(point.high)}`
      : "of one seed";
  return (
    `${from}At ${where} the ${state.measures[curve.column][0]}${counted} is ` +
    `${three(point.y)}, ${spread}. Along this curve it goes from ${three(first.y)} ` +
    `(${phraseOf(along, first.x)}) to ${three(last.y)} (${phraseOf(along, last.x)}).` +
    mineWords(point)
  );
};
