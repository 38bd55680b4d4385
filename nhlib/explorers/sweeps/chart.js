// The chart of a sweep as a picture, on which the reader points at, or moves along, its curves.
/** @import { Area, Ends, Scale } from "../common/charts.js" */
/** @import { Colors } from "../common/frame.js" */
/** @import { State, View } from "./state.js" */
import {
  axes,
  curve,
  DASHES,
  linear,
  logarithmic,
  ordinal,
  SIGNS,
  signAt,
} from "../common/charts.js";
import { s } from "../common/elements.js";
import { addDrawing } from "../common/pictures.js";
import { short } from "../common/words.js";
import { three } from "./words.js";

/** @typedef {{ at: any, line: any }} Place of a point: its value along the axis, and its curve */

// Factors whose values are names, or few.
const NAMED = ["protocol", "batch_norm", "depth"];
const LOGARITHMIC = ["epoch", "train_size", "batch_size", "l2"];

/** @type {(view: View, pixels: Ends) => Scale<any>} */
const scaleOf = ({ along, xs }, pixels) => {
  /** @param {any} value */
  const show = (value) => {
    if (typeof value === "number") return short(value);
    return along === "batch_norm" ? (value ? "with" : "without") : value;
  };
  if (NAMED.includes(along)) return ordinal(xs, pixels, show);
  /** @type {Ends} */
  const ends = [xs[0], xs[xs.length - 1]];
  if (!LOGARITHMIC.includes(along)) return linear(ends, pixels);
  return logarithmic(
    ends,
    pixels,
    xs.find((value) => value > 0),
  );
};

/**
 * @param {State} state
 * @param {View} view
 * @param {Area} area
 * @param {Scale<any>} x
 * @param {Scale} y
 * @param {Colors} colors
 */
const paintChart = (state, view, area, x, y, colors) => {
  const { along, curves, label, several } = view;
  const own = state.placeIn(view);
  const here = x(own.point.x);
  const shown = several ? curves : [own.curve];
  const logs = ["epoch", "batch_size", "l2"].includes(along) ? ", logarithmic" : "";
  const children = [
    ...axes({ area, x, y, xLabel: state.factors[along] + logs, yLabel: label, colors }),
    s("path", {
      d: `M${here},${area.top}V${area.bottom}`,
      stroke: colors.muted,
      "stroke-dasharray": "3 3",
    }),
    ...curves.map((one, i) =>
      curve({
        points: one.points,
        x,
        y,
        color: colors.series[i],
        sign: SIGNS[i],
        dashes: DASHES[i],
        spread: NAMED.includes(along) ? "whiskers" : "band",
        width: shown.includes(one) ? 3 : 1.75,
        size: shown.includes(one) ? 4.5 : 3.5,
      }),
    ),
    // A ring around what has seeds of the reader's own.
    ...curves.flatMap((one, i) =>
      one.points
        .filter(({ mine }) => mine.length)
        .map(({ x: at, y: value }) =>
          s("circle", {
            cx: x(at),
            cy: y(value),
            r: 7.5,
            fill: "none",
            stroke: colors.series[i],
            "stroke-width": 1.5,
          }),
        ),
    ),
    ...curves.flatMap((one, i) => {
      const found = shown.includes(one) && one.points.find((point) => point.x === own.point.x);
      if (!found) return [];
      return [
        signAt("●", here, y(found.y), { color: colors.ink, size: 9, hollow: colors.paper }),
        signAt(SIGNS[i], here, y(found.y), { color: colors.series[i], size: 4.5 }),
      ];
    }),
  ];
  if (several) return children;
  // On the side where there is room.
  const right = here < (area.left + area.right) / 2;
  const value = s(
    "text",
    {
      x: here + (right ? 14 : -14),
      y: Math.max(area.top + 12, y(own.point.y) - 10),
      "text-anchor": right ? "start" : "end",
      style: `font-weight: 600; paint-order: stroke; stroke: ${colors.paper}; stroke-width: 4px`,
    },
    three(own.point.y),
  );
  return [...children, value];
};

/**
 * The place that an arrow key leads to, from that of the settings: along the curve, or to the next
 * one above or below. Undefined if there is none, null if the key is no arrow.
 * @type {(state: State, view: View, key: string) => Place | undefined | null}
 */
const nextPlace = (state, view, key) => {
  const { curve, point } = state.placeIn(view);
  const i = curve.points.indexOf(point);
  /** @type {{ [key: string]: number }} */
  const along = { ArrowLeft: i - 1, ArrowRight: i + 1, Home: 0, End: curve.points.length - 1 };
  if (key in along) {
    const next = curve.points[along[key]];
    return next && { at: next.x, line: curve.line };
  }
  if (key !== "ArrowUp" && key !== "ArrowDown") return null;
  if (view.several) return undefined;
  const sign = key === "ArrowUp" ? 1 : -1;
  const [nearest] = view.curves
    .flatMap(({ line, points }) =>
      points.filter(({ x }) => x === point.x).map(({ y }) => ({ line, far: sign * (y - point.y) })),
    )
    .filter(({ far }) => far > 0)
    .sort((a, b) => a.far - b.far);
  return nearest && { at: point.x, line: nearest.line };
};

/**
 * @param {State} state
 * @param {() => void} tell what to do once another place is pointed at
 * @param {(place: Place) => void} pin what to do with a chosen place
 */
export const addChart = (state, tell, pin) => {
  /** @type {{ x: Scale<any>, y: Scale } | null} */
  let scales = null;
  const chart = addDrawing(state.ui, {
    label: "Chart of the sweep. Left and right move along the curve, up and down to others.",
    paint: (width, colors) => {
      const height = Math.round(Math.min(400, Math.max(270, width * 0.56)));
      const { view } = state;
      if (!view) return { children: [], height };
      const area = { left: 44, right: width - 16, top: 32, bottom: height - 46 };
      const x = scaleOf(view, [area.left, area.right]);
      const y = linear(view.span, [area.bottom, area.top], 40);
      scales = { x, y };
      return { children: paintChart(state, view, area, x, y, colors), height };
    },
  });
  const svg = chart.element;
  svg.setAttribute("role", "application");
  svg.setAttribute("tabindex", "0");
  svg.setAttribute("style", "touch-action: pan-y pinch-zoom; cursor: crosshair");

  /** @type {(event: MouseEvent) => Place | null} */
  const under = (event) => {
    if (!state.view || !scales) return null;
    const box = svg.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    /** @type {Place | null} */
    let best = null;
    let least = Infinity;
    for (const { points, line } of state.view.curves) {
      for (const { x, y } of points) {
        // The column first, then the curve.
        const far = 3 * Math.abs(scales.x(x) - left) + Math.abs(scales.y(y) - top);
        if (far < least) [best, least] = [{ at: x, line }, far];
      }
    }
    return best;
  };
  /** @param {Place | null} now */
  const point = (now) => {
    if (JSON.stringify(now) === JSON.stringify(state.pointed)) return;
    state.pointed = now;
    if (state.view) tell();
  };
  svg.addEventListener("pointermove", (event) => point(under(event)));
  svg.addEventListener("pointerleave", () => point(null));
  svg.addEventListener("click", (event) => {
    const place = under(event);
    if (place) pin(place);
  });
  svg.addEventListener("keydown", (event) => {
    const next = state.view && nextPlace(state, state.view, event.key);
    if (next === null) return;
    event.preventDefault();
    if (next) pin(next);
  });
  return chart;
};
