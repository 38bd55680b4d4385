// Redundancy and accuracy of one network of a phase chart, against time and against its width, as
// children of a drawing.
/** @import { Point, Scale } from "../common/charts.js" */
/** @import { Colors } from "../common/frame.js" */
/** @import { Axis, View } from "./view.js" */
import { axes, curve, linear, ordinal, signAt } from "../common/charts.js";
import { s } from "../common/elements.js";
import { grouped } from "../common/words.js";
import { isGain } from "./regimes.js";
import { AXES, NAMES, valueAt } from "./view.js";
import { gained, where } from "./words.js";

// Series of the book: those of the regimes are left out.
export const RATIO = 4;
export const WORTH = 2;

/**
 * While a border is drawn, only the networks that are told, and only against the width.
 * @param {View} view
 * @param {number} width
 * @param {Colors} colors
 */
export const curvesOf = (view, width, colors) => {
  if (view.drawing) return oneChart(view, "width", 0, 300, width, colors);
  const first = oneChart(view, "epoch", 0, 124, width, colors);
  const { children, height } = oneChart(view, "width", 212, 124, width, colors);
  return { children: [...first.children, ...children], height };
};

/**
 * @param {View} view
 * @param {Axis} axis
 * @param {number} top
 * @param {number} tall
 * @param {number} width
 * @param {Colors} colors
 */
const oneChart = (view, axis, top, tall, width, colors) => {
  const { table, at, cell, here, hints, drawing, inChart, right, tau } = view;
  const area = { left: 36, right: width - 12, top: top + 42, bottom: top + 42 + tall };
  const x = ordinal(table[axis], [area.left, area.right], grouped);
  const room = (area.right - area.left) / table[axis].length;
  const longest = Math.max(...table[axis].map((value) => grouped(value).length));
  const every = Math.ceil((7.3 * longest + 5) / room);
  x.ticks = table[axis].filter((_, i) => (table[axis].length - 1 - i) % every === 0);
  const y = linear([0, 1], [area.bottom, area.top], 28);
  const told = new Set(hints.map(([row, column]) => inChart(row, column)));
  const fixed = drawing ? { ...at, [right]: view.trained[view.trained.length - 1] } : at;
  /** @type {(measure: string) => Point[]} */
  const points = (measure) =>
    table[axis].map((value, i) => {
      const one = cell({ ...fixed, [axis]: i });
      if (!table.seeds[one] || (drawing && !told.has(one))) return { x: value, y: null };
      const [middle, low, high] = [table.means, table.low, table.high].map((m) => m[measure][one]);
      return { x: value, y: middle, low, high };
    });
  const marked = { x, y, spread: "whiskers", size: 3.5 };
  const others = AXES.filter((other) => other !== axis);
  const title = where(view, fixed, others);
  /** @type {SVGElement[]} */
  const children = [
    s("text", { x: 4, y: top + 14, "font-weight": 600 }, title),
    ...axes({ area, x, y, colors }),
    s("text", { x: area.right, y: area.bottom + 36, "text-anchor": "end" }, `${NAMES[axis]} →`),
    s("line", {
      x1: area.left,
      x2: area.right,
      y1: y(tau),
      y2: y(tau),
      stroke: colors.ink,
      "stroke-width": 1.5,
      "stroke-dasharray": "2 3",
    }),
    s("text", { x: area.right + 3, y: y(tau) + 4 }, "τ"),
    curve({
      ...marked,
      points: points(view.redundancy),
      color: colors.series[RATIO],
      join: !drawing,
    }),
  ];
  if (!drawing) {
    const color = colors.series[WORTH];
    children.push(
      curve({ ...marked, points: points(view.accuracy), color, sign: "■", dashes: "7 3" }),
      ...(table.seeds[here] ? stepOf(view, axis, x, y, colors) : []),
    );
  }
  return { children, height: area.bottom + 44 };
};

/**
 * The cell that is looked at, and what accuracy gains with the next.
 * @param {View} view
 * @param {Axis} axis
 * @param {Scale} x
 * @param {Scale} y
 * @param {Colors} colors
 */
const stepOf = (view, axis, x, y, colors) => {
  const { table, chart, here, at, ratio, worth, delta } = view;
  const now = x(table[axis][at[axis]]);
  /** @type {SVGElement[]} */
  const children = [];
  const [next, gain] =
    axis === "width"
      ? [chart.larger[here], chart.gainSize[here]]
      : [chart.longer[here], chart.gainTime[here]];
  if (next >= 0) {
    const after = x(valueAt(view, axis, next));
    const [from, to] = [y(worth[here]), y(worth[next])];
    const enough = isGain(gain, delta);
    children.push(
      s("line", { x1: now, y1: from, x2: after, y2: to, stroke: colors.ink, "stroke-width": 3.5 }),
      s(
        "text",
        {
          x: (now + after) / 2,
          y: Math.min(from, to) - 11,
          "text-anchor": "middle",
          "font-weight": enough ? 700 : 400,
        },
        gained(gain, delta) + (enough ? " ≥ δ" : ""),
      ),
    );
  }
  /** @type {(sign: string, value: number, series: number) => SVGElement} */
  const mark = (sign, value, series) =>
    signAt(sign, now, y(value), { color: colors.series[series], size: 5.5, hollow: colors.paper });
  return [...children, mark("●", ratio[here], RATIO), mark("■", worth[here], WORTH)];
};
