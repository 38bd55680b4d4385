// The picture of a network's regions, on a canvas or in a file: what draws it may be either.
/** @import { Place } from "./partition.js" */
/** @import { Seen } from "./seen.js" */

/**
 * @typedef {Pick<
 *   CanvasRenderingContext2D,
 *   | "beginPath" | "moveTo" | "lineTo" | "closePath" | "arc" | "rect" | "fill" | "stroke"
 *   | "fillStyle" | "strokeStyle" | "lineWidth" | "lineCap" | "globalAlpha"
 * >} Pen
 */

// Borders on coloured ground keep their colour on a dark page, as the ground does.
const BORDER = "#303a48";
const INK = "#1f2733";
const PAPER = "#fefefe";
export const CLASSES = ["#0072b2", "#d55e00"];

/** @type {(place: Place, width: number) => Place} */
export const pixelOf = ([x, y], width) => [((x + 1) / 2) * width, ((1 - y) / 2) * width];

/**
 * Add the line through some places to the path.
 * @type {(pen: Pen, places: Place[], width: number) => void}
 */
const trace = (pen, places, width) => {
  places.forEach((place, i) => {
    const [x, y] = pixelOf(place, width);
    if (i) pen.lineTo(x, y);
    else pen.moveTo(x, y);
  });
};

/** Where polygons meet, a border hides the seam. @type {(pen: Pen, width: number, seen: Seen) => void} */
const paintGround = (pen, width, { regions, colours }) => {
  const { x, y } = regions;
  regions.polygons.forEach((corners, region) => {
    pen.beginPath();
    trace(
      pen,
      corners.map((i) => [x[i], y[i]]),
      width,
    );
    pen.closePath();
    pen.fillStyle = colours[region];
    pen.fill();
  });
};

/**
 * Where units of each layer switch: the first layer's lines are the thickest.
 * @type {(pen: Pen, width: number, seen: Seen, widths: number[]) => void}
 */
const paintBorders = (pen, width, { regions }, widths) => {
  const { x, y, start, end, units } = regions;
  pen.strokeStyle = BORDER;
  pen.lineCap = "butt";
  let first = 0;
  widths.forEach((n, l) => {
    pen.beginPath();
    units.forEach((unit, e) => {
      if (unit < first || unit >= first + n) return;
      const [from, to] = [start[e], end[e]];
      trace(
        pen,
        [
          [x[from], y[from]],
          [x[to], y[to]],
        ],
        width,
      );
    });
    pen.lineWidth = 1.7 * 0.62 ** l;
    pen.stroke();
    first += n;
  });
};

/** @type {(pen: Pen, width: number, seen: Seen) => void} */
const paintBoundary = (pen, width, { boundary }) => {
  pen.lineCap = "round";
  for (const [colour, thickness] of /** @type {[string, number][]} */ ([
    [PAPER, 6],
    [INK, 3],
  ])) {
    pen.beginPath();
    for (const segment of boundary) trace(pen, segment, width);
    pen.strokeStyle = colour;
    pen.lineWidth = thickness;
    pen.stroke();
  }
};

/**
 * A dot inside each region, and a line between the dots of any two that share a side.
 * @type {(pen: Pen, width: number, seen: Seen) => void}
 */
const paintGraph = (pen, width, { regions, colours }) => {
  const dots = regions.codes.map((_, region) => regions.centroid(region));
  pen.beginPath();
  for (const [one, other] of regions.pairs) trace(pen, [dots[one], dots[other]], width);
  pen.lineCap = "butt";
  pen.lineWidth = 1.2;
  pen.strokeStyle = INK;
  pen.stroke();
  const size = dots.length > 300 ? 2.5 : 4;
  dots.forEach((dot, region) => {
    const [x, y] = pixelOf(dot, width);
    pen.beginPath();
    pen.arc(x, y, size, 0, 2 * Math.PI);
    pen.fillStyle = colours[region];
    pen.fill();
    pen.stroke();
  });
};

/** @type {(pen: Pen, width: number, inputs: Float32Array, labels: Uint8Array) => void} */
const paintPoints = (pen, width, inputs, labels) => {
  const size = labels.length > 200 ? 2.6 : 3.6;
  pen.strokeStyle = PAPER;
  pen.lineWidth = 1;
  labels.forEach((label, i) => {
    const [x, y] = pixelOf([inputs[2 * i], inputs[2 * i + 1]], width);
    pen.beginPath();
    if (label) pen.rect(x - size, y - size, 2 * size, 2 * size);
    else pen.arc(x, y, 1.1 * size, 0, 2 * Math.PI);
    pen.fillStyle = CLASSES[label];
    pen.fill();
    pen.stroke();
  });
};

/**
 * Regions and points, or the graph of the regions.
 * @typedef {{
 *   seen: Seen, hidden: number[], view: string, inputs: Float32Array, labels: Uint8Array,
 * }} Scene
 * @type {(pen: Pen, width: number, scene: Scene) => void}
 */
export const paintScene = (pen, width, { seen, hidden, view, inputs, labels }) => {
  const graph = view === "graph";
  pen.beginPath();
  pen.rect(0, 0, width, width);
  pen.fillStyle = PAPER;
  pen.fill();
  pen.globalAlpha = graph ? 0.4 : 1;
  paintGround(pen, width, seen);
  paintBorders(pen, width, seen, hidden);
  pen.globalAlpha = 1;
  paintBoundary(pen, width, seen);
  if (graph) paintGraph(pen, width, seen);
  else paintPoints(pen, width, inputs, labels);
};

/**
 * Stroke a path in ink on paper.
 * @type {(pen: Pen, draw: () => void) => void}
 */
const stroke = (pen, draw) => {
  pen.beginPath();
  draw();
  pen.strokeStyle = PAPER;
  pen.lineWidth = 5;
  pen.stroke();
  pen.strokeStyle = INK;
  pen.lineWidth = 2;
  pen.stroke();
};

/** @type {(pen: Pen, width: number, place: Place) => void} */
export const paintPin = (pen, width, place) => {
  const [x, y] = pixelOf(place, width);
  stroke(pen, () => {
    pen.moveTo(x, y - 9);
    pen.lineTo(x + 9, y);
    pen.lineTo(x, y + 9);
    pen.lineTo(x - 9, y);
    pen.closePath();
  });
};

/** @type {(pen: Pen, width: number, place: Place) => void} */
export const paintCursor = (pen, width, place) => {
  const [x, y] = pixelOf(place, width);
  stroke(pen, () => {
    for (const [dx, dy] of [
      [-1, 0],
      [1, 0],
      [0, 1],
      [0, -1],
    ]) {
      pen.moveTo(x + 4 * dx, y + 4 * dy);
      pen.lineTo(x + 13 * dx, y + 13 * dy);
    }
  });
};
