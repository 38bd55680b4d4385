// Cells of a phase chart and a border drawn on them, as children of Frame.drawing. The looks of
// the regimes are those of nhlib/plots/phases.py: hatches tell them apart beside the colours.
import { s } from "../common/parts.js";
import { CRITICAL, SUFFICIENT, UNDER, UNDETERMINED, UNTRAINED } from "./regimes.js";

const LOOKS = {
  [UNDER]: { series: 1, hatch: "cross" },
  [CRITICAL]: { series: 3, hatch: "stroke" },
  [SUFFICIENT]: { series: 0 },
  [UNDETERMINED]: {},
  [UNTRAINED]: { hatch: "dots" },
};
const HATCHES = { cross: "M0,0L8,8M8,0L0,8", stroke: "M-2,10L10,-2M-2,2L2,-2M6,10L10,6", dots: "" };
const GAP = 2;

// Hatches by name, for elements in the same page; `id` keeps them apart from those of others.
export const hatches = (id, colors) => {
  const dark = colors.dark ? colors.paper : colors.ink; // the fills are the same on both
  const pattern = (name, color, ...children) =>
    s(
      "pattern",
      { id: `${id}-${name}`, width: 8, height: 8, patternUnits: "userSpaceOnUse" },
      s("path", {
        d: HATCHES[name] ?? HATCHES.cross,
        stroke: color,
        "stroke-width": 1.1,
        fill: "none",
      }),
      ...children,
    );
  return s(
    "defs",
    {},
    pattern("cross", dark),
    pattern("stroke", dark),
    pattern(
      "dots",
      colors.muted,
      s("circle", { cx: 2, cy: 2, r: 1, fill: colors.muted }),
      s("circle", { cx: 6, cy: 6, r: 1, fill: colors.muted }),
    ),
    pattern("guess", colors.series[1]),
  );
};

// Rectangles in the look of a regime, or of none.
export const tile = (regime, { id, colors, x, y, width, height }) => {
  const { series, hatch } = LOOKS[regime] ?? {};
  const filled = series !== undefined;
  const place = { x, y, width, height };
  return [
    s("rect", {
      ...place,
      fill: filled ? colors.series[series] : "none",
      stroke: filled ? "none" : colors.muted,
      "stroke-width": 1,
    }),
    hatch && s("rect", { ...place, fill: `url(#${id}-${hatch})` }),
  ].filter(Boolean);
};

// What the reader takes for under-expressive.
export const guess = (id, { x, y, width, height }) =>
  s("rect", { x, y, width, height, fill: `url(#${id}-guess)` });

// The same for a legend, which has no hatches of its own.
export const swatch = (regime, id, colors, guessed = false) => {
  const box = { id, colors, x: 0.5, y: 0.5, width: 21, height: 14 };
  return s(
    "svg",
    { width: 22, height: 15, "aria-hidden": "true" },
    ...tile(regime, box),
    guessed ? guess(id, box) : "",
  );
};

// Where cells stand in a picture of a width. `place.column(x)` and `place.row(y)` find them, and
// `place.below(y)` how many rows lie below a height; rows are counted from the bottom.
export const placeCells = (width, rows, columns, labels) => {
  const left = 12 + 7.3 * Math.max(...labels.map((label) => label.length));
  const [top, right, bottom] = [26, 6, 44];
  const w = (width - left - right) / columns;
  const h = Math.max(22, Math.min(40, 330 / rows));
  const clamp = (value, most) => Math.max(0, Math.min(most, value));
  return {
    left,
    top,
    w,
    h,
    rows,
    columns,
    floor: top + rows * h,
    height: top + rows * h + bottom,
    x: (column) => left + column * w,
    y: (row) => top + (rows - 1 - row) * h,
    column: (x) => clamp(Math.floor((x - left) / w), columns - 1),
    row: (y) => clamp(rows - 1 - Math.floor((y - top) / h), rows - 1),
    below: (y) => clamp(rows - Math.round((y - top) / h), rows),
    inside: (x, y) => x >= left && x < left + columns * w && y >= top && y < top + rows * h,
  };
};

// What a cell of the chart covers.
export const spot = (place, row, column) => ({
  x: place.x(column) + GAP / 2,
  y: place.y(row) + GAP / 2,
  width: place.w - GAP,
  height: place.h - GAP,
});

export const cellLabels = (place, upLabels, rightLabels, upName, rightName, colors) => {
  const text = (x, y, anchor, words) => s("text", { x, y, "text-anchor": anchor }, words);
  const widest = 7.3 * Math.max(...rightLabels.map((label) => label.length)) + 6;
  const every = Math.max(1, Math.ceil(widest / place.w));
  return [
    s("path", {
      d: `M${place.left},${place.top}V${place.floor}H${place.x(place.columns)}`,
      stroke: colors.muted,
      fill: "none",
    }),
    ...upLabels.map((label, row) =>
      text(place.left - 7, place.y(row) + place.h / 2 + 4.5, "end", label),
    ),
    // Counted from the last, which is where the eye begins.
    ...rightLabels.map((label, column) =>
      (rightLabels.length - 1 - column) % every
        ? null
        : text(place.x(column) + place.w / 2, place.floor + 18, "middle", label),
    ),
    text(4, 14, "start", `${upName} ↑`),
    text(place.x(place.columns), place.floor + 37, "end", `${rightName} →`),
  ];
};

// A border as a stair over the columns that have one.
export const stair = (place, below, columns, colors) => {
  const height = (column) => place.floor - below[column] * place.h;
  const d = columns
    .map(
      (column, i) => `${i ? "L" : "M"}${place.x(column)},${height(column)}H${place.x(column + 1)}`,
    )
    .join("");
  return ["halo", "line"].map((part) =>
    s("path", {
      d,
      class: `nh-border-${part}`,
      fill: "none",
      "stroke-linejoin": "round",
      "stroke-linecap": "round",
      stroke: part === "halo" ? colors.paper : colors.ink,
      "stroke-width": part === "halo" ? 8 : 3.5,
    }),
  );
};

// Where the arrow keys, or the pen, hold the border.
export const grip = (place, below, column, colors) => {
  const [x, y] = [place.x(column) + place.w / 2, place.floor - below[column] * place.h];
  const stroke = { stroke: colors.ink, "stroke-linecap": "round" };
  return [
    s("circle", { cx: x, cy: y, r: 9, fill: colors.paper, ...stroke, "stroke-width": 2.5 }),
    s("path", {
      d: `M${x - 3.5},${y - 2}l3.5,-3.5l3.5,3.5M${x - 3.5},${y + 2}l3.5,3.5l3.5,-3.5`,
      ...stroke,
      "stroke-width": 1.6,
      fill: "none",
    }),
  ];
};

// A frame round the cell that is looked at.
export const cursor = (place, row, column, colors) => {
  const { x, y, width, height } = spot(place, row, column);
  return [
    [colors.paper, 5],
    [colors.ink, 2.5],
  ].map(([stroke, thick]) =>
    s("rect", { x, y, width, height, rx: 2, fill: "none", stroke, "stroke-width": thick }),
  );
};

// A text, or a cross, on paper in the middle of a cell.
export const note = (place, row, column, words, colors) => {
  const [x, y] = [place.x(column) + place.w / 2, place.y(row) + place.h / 2];
  const width = Math.min(place.w - 4, 7.2 * words.length + 8);
  return [
    s("rect", { x: x - width / 2, y: y - 9, width, height: 18, rx: 4, fill: colors.paper }),
    s("text", { x, y: y + 4.5, "text-anchor": "middle" }, words),
  ];
};
