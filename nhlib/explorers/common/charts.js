// Charts as children of a drawing: scales, axes, and curves with the spread of the seeds.
//
//   const area = { left: 46, right: width - 12, top: 26, bottom: height - 44 };
//   const x = logarithmic([0, 200], [area.left, area.right], 1);   // linear from 0 to 1
//   const y = linear([0, 0.5], [area.bottom, area.top]);           // rounded outwards to ticks
//   const children = [
//     ...axes({ area, x, y, xLabel: "epoch", yLabel: "redundancy ratio", colors }),
//     curve({ points: [{ x: 1, y: 0.3, low: 0.2, high: 0.4 }], x, y, color, sign: "■" }),
//   ];
/** @import { Colors } from "./frame.js" */
import { s } from "./elements.js";
import { short } from "./words.js";

/**
 * A function of a value that returns pixels, with the values at its ticks and their texts.
 * @template [Value=number]
 * @typedef {((value: Value) => number) & { ticks: Value[], show: (value: Value) => string }} Scale
 *
 * @typedef {{ left: number, right: number, top: number, bottom: number }} Area
 *
 * A point of a curve and what the seeds span, or a gap in the curve.
 * @typedef {{ x: any, y: number, low?: number, high?: number } | { x: any, y: null }} Point
 */

// Marks that tell curves apart beside their colours; those of a legend are the same characters.
export const SIGNS = ["●", "■", "▲", "◆", "▼", "✚"];
export const DASHES = ["none", "7 3", "2 3", "9 3 2 3", "12 4", "5 2 1 2 1 2"];

// -- scales -----------------------------------------------------------------------------------

/**
 * @template Value
 * @param {(value: Value) => number} place
 * @param {Value[]} ticks
 * @param {(value: Value) => string} show
 * @returns {Scale<Value>}
 */
const scale = (place, ticks, show) => Object.assign(place, { ticks, show });

/** @typedef {[from: number, to: number]} Ends */

/**
 * From the least value to the greatest, rounded outwards to ticks that are `room` pixels apart.
 * @param {Ends} values
 * @param {Ends} pixels
 * @param {number} [room]
 */
export const linear = ([low, high], pixels, room = 56) => {
  if (high === low) high = low + 1;
  const [from, to] = pixels;
  const least = ((high - low) * room) / Math.abs(to - from);
  const power = 10 ** Math.floor(Math.log10(least));
  const times = [1, 2, 5].find((one) => one * power >= least * (1 - 1e-9)) ?? 10;
  const step = times * power;
  const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  /** @param {number} value */
  const place = (value) => from + ((value / step - first) / (last - first)) * (to - from);
  // Counted, not added up: 0.1 + 0.2 is not 0.3.
  const ticks = Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
  return scale(place, ticks, short);
};

/**
 * Logarithmic from `least` on and linear below, so that 0 has a place; a low above 0 needs none.
 * @param {Ends} values
 * @param {Ends} pixels
 * @param {number} [least]
 * @param {number} [room]
 */
export const logarithmic = ([low, high], pixels, least = low, room = 44) => {
  const [from, to] = pixels;
  const below = low <= 0 ? 0.5 : 0; // what the linear part takes, in powers of ten
  const start = below ? least : low;
  /** @param {number} value */
  const along = (value) =>
    value < start ? (below * value) / start : below + Math.log10(value / start);
  const end = along(high) || 1;
  /** @param {number} value */
  const place = (value) => from + (along(value) / end) * (to - from);
  const choices = [[1, 2, 5], [1, 3], [1]].map((steps) => {
    const ticks = below ? [0] : [];
    for (let power = Math.floor(Math.log10(start)); power <= Math.log10(high); power++) {
      for (const times of steps) {
        const value = Number((times * 10 ** power).toPrecision(6));
        if (value >= start * (1 - 1e-9) && value <= high * (1 + 1e-9)) ticks.push(value);
      }
    }
    return ticks;
  });
  /** @param {number[]} ticks */
  const apart = (ticks) =>
    ticks.every((tick, i) => !i || Math.abs(place(tick) - place(ticks[i - 1])) >= room);
  return scale(place, choices.find(apart) ?? choices[2], short);
};

/**
 * Names, or numbers that are no more than names, at equal distances.
 * @template Value
 * @param {Value[]} values
 * @param {Ends} pixels
 * @param {(value: Value) => string} [show]
 */
export const ordinal = (values, [from, to], show = String) =>
  scale(
    (value) => from + ((values.indexOf(value) + 0.5) / values.length) * (to - from),
    values,
    show,
  );

// -- axes -------------------------------------------------------------------------------------

/**
 * Lines at the ticks of y, ticks of x, their texts, and what is measured: of y above its axis,
 * where it can be read without turning the head.
 * @param {{
 *   area: Area, x: Scale<any>, y: Scale, xLabel?: string, yLabel?: string, colors: Colors,
 * }} chart
 * @returns {SVGElement[]}
 */
export const axes = ({ area, x, y, xLabel, yLabel, colors }) => {
  const { left, right, top, bottom } = area;
  /** @type {(x1: number, y1: number, x2: number, y2: number, stroke: string) => SVGElement} */
  const rule = (x1, y1, x2, y2, stroke) => s("line", { x1, y1, x2, y2, stroke, "stroke-width": 1 });
  /** @type {(x: number, y: number, anchor: string, words: string) => SVGElement} */
  const text = (x, y, anchor, words) => s("text", { x, y, "text-anchor": anchor }, words);
  const middle = (left + right) / 2;
  return [
    ...y.ticks.flatMap((tick) => [
      rule(left, y(tick), right, y(tick), colors.grid),
      text(left - 7, y(tick) + 4, "end", y.show(tick)),
    ]),
    rule(left, bottom, right, bottom, colors.muted),
    ...x.ticks.flatMap((tick) => [
      rule(x(tick), bottom, x(tick), bottom + 5, colors.muted),
      text(x(tick), bottom + 19, "middle", x.show(tick)),
    ]),
    ...(xLabel ? [text(middle, bottom + 38, "middle", xLabel)] : []),
    ...(yLabel ? [text(4, top - 12, "start", yLabel)] : []),
  ];
};

// -- curves -----------------------------------------------------------------------------------

/** @type {{ [sign: string]: (size: number) => string }} */
const shapes = {
  "●": (r) => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0z`,
  "■": (r) => `M${-r},${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
  "▲": (r) => `M0,${-1.25 * r}L${1.2 * r},${r}H${-1.2 * r}z`,
  "◆": (r) => `M0,${-1.35 * r}L${1.35 * r},0L0,${1.35 * r}L${-1.35 * r},0z`,
  "▼": (r) => `M0,${1.25 * r}L${1.2 * r},${-r}H${-1.2 * r}z`,
  "✚": (r) => {
    const t = r / 2.2;
    return `M${-t},${-r * 1.2}h${2 * t}V${-t}H${r * 1.2}V${t}H${t}V${r * 1.2}h${-2 * t}V${t}H${-r * 1.2}V${-t}H${-t}z`;
  },
};

/**
 * One mark; `hollow` is the colour inside, if it is not filled.
 * @param {string} sign
 * @param {number} x
 * @param {number} y
 * @param {{ color: string, size?: number, hollow?: string }} look
 */
export const signAt = (sign, x, y, { color, size = 4, hollow }) =>
  s("path", {
    d: shapes[sign](size),
    transform: `translate(${x},${y})`,
    fill: hollow ?? color,
    stroke: color,
    "stroke-width": hollow ? 2 : 0,
  });

/**
 * A line through the points with a mark at each. What the seeds span, from `low` to `high`, is a
 * band behind it, or whiskers: bands where points are dense, whiskers where few curves overlap.
 * @param {{
 *   points: Point[], x: Scale<any>, y: Scale, color: string, sign?: string, dashes?: string,
 *   spread?: string, width?: number, size?: number, join?: boolean,
 * }} what
 */
export const curve = ({
  points,
  x,
  y,
  color,
  sign = "●",
  dashes = "none",
  spread = "band",
  width = 2,
  size = 4,
  join = true,
}) => {
  const known = points
    .filter((point) => point.y !== null)
    .map((point) => ({
      at: x(point.x),
      y: y(point.y),
      low: y(point.low ?? point.y),
      high: y(point.high ?? point.y),
    }));
  const spans = known.filter(({ low, high }) => low !== high);
  const parts = [];
  if (spread === "band" && spans.length > 1) {
    const upper = known.map(({ at, high }) => `${at},${high}`);
    const lower = known.map(({ at, low }) => `${at},${low}`).reverse();
    parts.push(
      s("polygon", { points: [...upper, ...lower].join(" "), fill: color, "fill-opacity": 0.16 }),
    );
  } else {
    for (const { at, low, high } of spans) {
      parts.push(
        s("path", {
          d: `M${at},${low}V${high}M${at - 4},${low}h8M${at - 4},${high}h8`,
          stroke: color,
          "stroke-width": 1.5,
          fill: "none",
        }),
      );
    }
  }
  if (join) {
    let pen = "M";
    const d = points.map((point) => {
      if (point.y === null) {
        pen = "M";
        return "";
      }
      const step = `${pen}${x(point.x)},${y(point.y)}`;
      pen = "L";
      return step;
    });
    parts.push(
      s("path", {
        d: d.join(""),
        stroke: color,
        "stroke-width": width,
        "stroke-dasharray": dashes,
        fill: "none",
      }),
    );
  }
  return s("g", {}, ...parts, ...known.map((one) => signAt(sign, one.at, one.y, { color, size })));
};
