// Charts as children of Frame.drawing: scales, axes, and curves with the spread of the seeds.
//
//   const area = { left: 46, right: width - 12, top: 26, bottom: height - 44 };
//   const x = logarithmic([0, 200], [area.left, area.right], 1);   // linear from 0 to 1
//   const y = linear([0, 0.5], [area.bottom, area.top]);           // rounded outwards to ticks
//   const children = [
//     ...axes({ area, x, y, xLabel: "epoch", yLabel: "redundancy ratio", colors }),
//     curve({ points: [{ x: 1, y: 0.3, low: 0.2, high: 0.4 }], x, y, color, sign: "■" }),
//   ];
//
// A scale is a function of a value that returns pixels, with `ticks` (values) and `show` (a
// value's text). Points whose y is null break a curve.
import { grouped, s } from "./parts.js";

// Marks that tell curves apart beside their colours; those of a legend are the same characters.
export const SIGNS = ["●", "■", "▲", "◆", "▼", "✚"];
export const DASHES = ["none", "7 3", "2 3", "9 3 2 3", "12 4", "5 2 1 2 1 2"];

// -- scales -----------------------------------------------------------------------------------

const scale = (place, ticks, show) => Object.assign(place, { ticks, show });
const span = ([from, to]) => Math.abs(to - from);

// Numbers as short as they can be told apart: 0.25, 48,000, 1e−5.
export const short = (value) => {
  if (value !== 0 && Math.abs(value) < 1e-3) return value.toExponential().replace("-", "−");
  return Math.abs(value) >= 1000 ? grouped(value) : String(Number(value.toPrecision(4)));
};

export const linear = ([low, high], pixels, room = 56) => {
  if (high === low) high = low + 1;
  const least = ((high - low) * room) / span(pixels);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= least * (1 - 1e-9));
  const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  const [from, to] = pixels;
  const place = (value) => from + ((value / step - first) / (last - first)) * (to - from);
  // Counted, not added up: 0.1 + 0.2 is not 0.3.
  const ticks = Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
  return scale(place, ticks, short);
};

// Logarithmic from `least` on and linear below, so that 0 has a place; a `low` above 0 needs none.
export const logarithmic = ([low, high], pixels, least = low, room = 44) => {
  const [from, to] = pixels;
  const below = low <= 0 ? 0.5 : 0; // what the linear part takes, in powers of ten
  const start = below ? least : low;
  const along = (value) =>
    value < start ? (below * value) / start : below + Math.log10(value / start);
  const end = along(high) || 1;
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
  const apart = (ticks) =>
    ticks.every((tick, i) => !i || Math.abs(place(tick) - place(ticks[i - 1])) >= room);
  return scale(place, choices.find(apart) ?? choices.at(-1), short);
};

// Names, or numbers that are no more than names, at equal distances.
export const ordinal = (values, [from, to], show = String) =>
  scale(
    (value) => from + ((values.indexOf(value) + 0.5) / values.length) * (to - from),
    values,
    show,
  );

// -- axes -------------------------------------------------------------------------------------

// Lines at the ticks of y, ticks of x, their texts, and what is measured: of y above its axis,
// where it can be read without turning the head.
export const axes = ({ area, x, y, xLabel, yLabel, colors }) => {
  const { left, right, top, bottom } = area;
  const rule = (x1, y1, x2, y2, stroke) => s("line", { x1, y1, x2, y2, stroke, "stroke-width": 1 });
  const text = (at, height, anchor, words) =>
    s("text", { x: at, y: height, "text-anchor": anchor }, words);
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
    xLabel && text(middle, bottom + 38, "middle", xLabel),
    yLabel && text(4, top - 12, "start", yLabel),
  ].filter(Boolean);
};

// -- curves -----------------------------------------------------------------------------------

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

// One mark; `hollow` is the colour inside, if it is not filled.
export const signAt = (sign, x, y, { color, size = 4, hollow }) =>
  s("path", {
    d: shapes[sign](size),
    transform: `translate(${x},${y})`,
    fill: hollow ?? color,
    stroke: color,
    "stroke-width": hollow ? 2 : 0,
  });

// A line through the points with a mark at each. What the seeds span, from `low` to `high`, is a
// band behind it, or whiskers: bands where points are dense, whiskers where few curves overlap.
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
  const known = points.filter((point) => point.y != null);
  const at = (point) => [x(point.x), y(point.y)];
  const spans = known.filter((point) => point.low != null && point.high > point.low);
  const parts = [];
  if (spread === "band" && spans.length > 1) {
    const upper = known.map((point) => `${x(point.x)},${y(point.high ?? point.y)}`);
    const lower = known.map((point) => `${x(point.x)},${y(point.low ?? point.y)}`).reverse();
    parts.push(
      s("polygon", { points: [...upper, ...lower].join(" "), fill: color, "fill-opacity": 0.16 }),
    );
  } else {
    for (const point of spans) {
      const [here, low, high] = [x(point.x), y(point.low), y(point.high)];
      parts.push(
        s("path", {
          d: `M${here},${low}V${high}M${here - 4},${low}h8M${here - 4},${high}h8`,
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
      if (point.y == null) {
        pen = "M";
        return "";
      }
      const step = `${pen}${at(point).join(",")}`;
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
  return s("g", {}, ...parts, ...known.map((point) => signAt(sign, ...at(point), { color, size })));
};
