// Cells of a phase chart and a border drawn on them, as children of a drawing. The looks of the
// regimes are those of nhlib/plots/phase_chart.py: hatches tell them apart beside the colours.
/** @import { Colors } from "../common/frame.js" */
import { s } from "../common/elements.js";
import { CRITICAL, SUFFICIENT, UNDER, UNDETERMINED, UNTRAINED } from "./regimes.js";

/**
 * Where a rectangle stands; for the name of its hatch, of which explorer, and in which colours.
 * @typedef {{ x: number, y: number, width: number, height: number }} Box
 * @typedef {Box & { id: string, colors: Colors }} Tile
 */

/** @type {{ [regime: number]: { series?: number, hatch?: string } }} */
const LOOKS = {
  [UNDER]: { series: 1, hatch: "cross" },
  [CRITICAL]: { series: 3, hatch: "stroke" },
  [SUFFICIENT]: { series: 0 },
  [UNDETERMINED]: {},
  [UNTRAINED]: { hatch: "dots" },
};
/** @type {{ [name: string]: string }} */
const HATCHES = { cross: "M0,0L8,8M8,0L0,8", stroke: "M-2,10L10,-2M-2,2L2,-2M6,10L10,6", dots: "" };
const GAP = 2;

/**
 * Hatches by name, for elements in the same page; `id` keeps them apart from those of others.
 * @param {string} id
 * @param {Colors} colors
 */
export const hatches = (id, colors) => {
  const dark = colors.dark ? colors.paper : colors.ink; // the fills are the same on both
  /** @type {(name: string, color: string, ...children: Node[]) => SVGElement} */
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

/**
 * Rectangles in the look of a regime, or of none.
 * @type {(regime: number, box: Tile) => SVGElement[]}
 */
export const tile = (regime, { id, colors, x, y, width, height }) => {
  const { series, hatch } = LOOKS[regime] ?? {};
  const filled = series !== undefined;
  const place = { x, y, width, height };
  const ground = s("rect", {
    ...place,
    fill: filled ? colors.series[series] : "none",
    stroke: filled ? "none" : colors.muted,
    "stroke-width": 1,
  });
  return hatch ? [ground, s("rect", { ...place, fill: `url(#${id}-${hatch})` })] : [ground];
};

/**
 * The mark of a cell that the reader has had measured.
 * @type {(box: Tile) => SVGElement}
 */
export const mineMark = ({ colors, x, y, width }) =>
  s("circle", {
    cx: x + width - 5.5,
    cy: y + 5.5,
    r: 3,
    fill: colors.paper,
    stroke: colors.dark ? colors.muted : colors.ink,
    "stroke-width": 1.5,
  });

/**
 * What the reader takes for under-expressive.
 * @type {(id: string, box: Box) => SVGElement}
 */
export const guess = (id, { x, y, width, height }) =>
  s("rect", { x, y, width, height, fill: `url(#${id}-guess)` });

/**
 * The same for a legend, which has no hatches of its own.
 * @type {(regime: number, id: string, colors: Colors, guessed?: boolean) => SVGElement}
 */
export const swatch = (regime, id, colors, guessed = false) => {
  const box = { id, colors, x: 0.5, y: 0.5, width: 21, height: 14 };
  return s(
    "svg",
    { width: 22, height: 15, "aria-hidden": "true" },
    ...tile(regime, box),
    guessed ? guess(id, box) : "",
  );
};

/** @typedef {ReturnType<typeof placeCells>} Cells */

/**
 * Where cells stand in a picture of a width. `cells.column(x)` and `cells.row(y)` find them, and
 * `cells.below(y)` how many rows lie below a height; rows are counted from the bottom.
 * @param {number} width
 * @param {number} rows
 * @param {number} columns
 * @param {string[]} labels of the rows
 */
export const placeCells = (width, rows, columns, labels) => {
  const left = 12 + 7.3 * Math.max(...labels.map((label) => label.length));
  const [top, right, bottom] = [26, 6, 44];
  const w = (width - left - right) / columns;
  const h = Math.max(22, Math.min(40, 330 / rows));
  /** @type {(value: number, most: number) => number} */
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
    /** @param {number} column */
    x: (column) => left + column * w,
    /** @param {number} row */
    y: (row) => top + (rows - 1 - row) * h,
    /** @param {number} x */
    column: (x) => clamp(Math.floor((x - left) / w), columns - 1),
    /** @param {number} y */
    row: (y) => clamp(rows - 1 - Math.floor((y - top) / h), rows - 1),
    /** @param {number} y */
    below: (y) => clamp(rows - Math.round((y - top) / h), rows),
    /** @type {(x: number, y: number) => boolean} */
    inside: (x, y) => x >= left && x < left + columns * w && y >= top && y < top + rows * h,
  };
};

/**
 * What a cell of the chart covers.
 * @type {(cells: Cells, row: number, column: number) => Box}
 */
export const spot = (cells, row, column) => ({
  x: cells.x(column) + GAP / 2,
  y: cells.y(row) + GAP / 2,
  width: cells.w - GAP,
  height: cells.h - GAP,
});

/**
 * @param {Cells} cells
 * @param {string[]} upLabels
 * @param {string[]} rightLabels
 * @param {string} upName
 * @param {string} rightName
 * @param {Colors} colors
 */
export const cellLabels = (cells, upLabels, rightLabels, upName, rightName, colors) => {
  /** @type {(x: number, y: number, anchor: string, words: string) => SVGElement} */
  const text = (x, y, anchor, words) => s("text", { x, y, "text-anchor": anchor }, words);
  const widest = 7.3 * Math.max(...rightLabels.map((label) => label.length)) + 6;
  const every = Math.max(1, Math.ceil(widest / cells.w));
  return [
    s("path", {
      d: `M${cells.left},${cells.top}V${cells.floor}H${cells.x(cells.columns)}`,
      stroke: colors.muted,
      fill: "none",
    }),
    ...upLabels.map((label, row) =>
      text(cells.left - 7, cells.y(row) + cells.h / 2 + 4.5, "end", label),
    ),
    // Counted from the last, which is where the eye begins.
    ...rightLabels.map((label, column) =>
      (rightLabels.length - 1 - column) % every
        ? null
        : text(cells.x(column) + cells.w / 2, cells.floor + 18, "middle", label),
    ),
    text(4, 14, "start", `${upName} ↑`),
    text(cells.x(cells.columns), cells.floor + 37, "end", `${rightName} →`),
  ];
};

/**
 * A border as a stair over the columns that have one.
 * @type {(cells: Cells, below: number[], columns: number[], colors: Colors) => SVGElement[]}
 */
export const stair = (cells, below, columns, colors) => {
  /** @param {number} column */
  const height = (column) => cells.floor - below[column] * cells.h;
  const d = columns
    .map(
      (column, i) => `${i ? "L" : "M"}${cells.x(column)},${height(column)}H${cells.x(column + 1)}`,
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

/**
 * Where the arrow keys, or the pen, hold the border.
 * @type {(cells: Cells, below: number[], column: number, colors: Colors) => SVGElement[]}
 */
export const grip = (cells, below, column, colors) => {
  const [x, y] = [cells.x(column) + cells.w / 2, cells.floor - below[column] * cells.h];
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

/**
 * A frame round the cell that is looked at.
 * @type {(cells: Cells, row: number, column: number, colors: Colors) => SVGElement[]}
 */
export const cursor = (cells, row, column, colors) => {
  const { x, y, width, height } = spot(cells, row, column);
  return [
    [colors.paper, 5],
    [colors.ink, 2.5],
  ].map(([stroke, thick]) =>
    s("rect", { x, y, width, height, rx: 2, fill: "none", stroke, "stroke-width": thick }),
  );
};

/**
 * A text, or a cross, on paper in the middle of a cell.
 * @type {(cells: Cells, row: number, column: number, words: string, colors: Colors) => SVGElement[]}
 */
export const note = (cells, row, column, words, colors) => {
  const [x, y] = [cells.x(column) + cells.w / 2, cells.y(row) + cells.h / 2];
  const width = Math.min(cells.w - 4, 7.2 * words.length + 8);
  return [
    s("rect", { x: x - width / 2, y: y - 9, width, height: 18, rx: 4, fill: colors.paper }),
    s("text", { x, y: y + 4.5, "text-anchor": "middle" }, words),
  ];
};
