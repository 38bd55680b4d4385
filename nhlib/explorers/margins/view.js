// A digit that is moved: its pictures, its code before and after, and the flips along the line.
/** @import { Area } from "../common/charts.js" */
/** @import { Colors } from "../common/frame.js" */
/** @import { Vector } from "./line.js" */
/** @import { Move } from "./move.js" */
import { axes, linear, signAt } from "../common/charts.js";
import { barcode, emptyPicture, named, paintDigit, SIDE } from "../common/digits.js";
import { h, s } from "../common/elements.js";
import { capital } from "../common/words.js";
import { LONGEST } from "./move.js";
import { three } from "./words.js";

// -- pictures ---------------------------------------------------------------------------------

/**
 * What is added, as squares whose areas are the amounts: filled where ink is added, hollow where
 * it is taken away.
 * @type {(picture: SVGElement, added: Vector) => void}
 */
const paintAdded = (picture, added) => {
  const most = Math.max(...added.map(Math.abs));
  /** @type {string[]} */
  const more = [];
  /** @type {string[]} */
  const less = [];
  added.forEach((value, p) => {
    const side = 0.86 * Math.sqrt(Math.abs(value) / most);
    if (!(side > 0.04)) return; // nothing to see, or nothing is added
    const [x, y] = [(p % SIDE) + (1 - side) / 2, Math.floor(p / SIDE) + (1 - side) / 2];
    (value > 0 ? more : less).push(`M${x.toFixed(3)} ${y.toFixed(3)}h${side}v${side}h${-side}z`);
  });
  picture.replaceChildren(
    s("path", { class: "nh-more", d: more.join("") }),
    s("path", { class: "nh-less", d: less.join("") }),
  );
};

export const movesView = () => {
  const [digit, moved, towards] = [emptyPicture(), emptyPicture(), emptyPicture()];
  const added = s("svg", {
    class: "nh-picture nh-added",
    viewBox: `0 0 ${SIDE} ${SIDE}`,
    "aria-hidden": "true",
  });
  const parts = [digit, added, moved, towards].map((picture) => {
    const text = h("figcaption");
    return { text, element: h("figure", {}, picture, text) };
  });
  const place = h("div", { class: "nh-moves" }, ...parts.map(({ element }) => element));
  return {
    place,
    /** @param {Move} move */
    show({ digits, i, x, moved: sum, added: step, outside, other }) {
      paintDigit(digit, digits, i);
      paintAdded(added, step);
      // Beyond 0 and 1 there is no lighter or darker; the network gets the numbers themselves.
      paintDigit(moved, { pixels: sum.map((value) => 16 * value) }, 0);
      if (other !== null) paintDigit(towards, digits, other);
      const most = Math.max(...step.map(Math.abs));
      const texts = [
        capital(named(digits, i)),
        most ? `+ at most ${three(most)} a pixel` : "+ nothing yet",
        outside ? `= moved; ${outside} of ${x.length} pixels beyond 0 to 1` : "= moved",
        other === null ? "" : `towards ${named(digits, other)}`,
      ];
      parts.forEach(({ text }, p) => {
        text.textContent = texts[p];
      });
      parts[3].element.hidden = other === null;
    },
  };
};

// -- codes ------------------------------------------------------------------------------------

export const codesView = () => {
  const [before, after] = [h("div"), h("div")];
  const flipped = h("p", { class: "nh-constant" });
  const place = h(
    "div",
    { class: "nh-twocodes" },
    h("span", {}, "before"),
    before,
    h("span", {}, "after"),
    after,
    flipped,
  );
  return {
    place,
    /** @param {Move} move */
    show({ code, movedCode }) {
      const length = code.length;
      const width = Math.ceil(length / 32);
      const words = new Int32Array(2 * width);
      for (let b = 0; b < length; b++) {
        words[b >> 5] |= code[b] << (b & 31);
        words[width + (b >> 5)] |= movedCode[b] << (b & 31);
      }
      const codes = { codes: { n: 2, length, width, words }, sizes: [length] };
      before.replaceChildren(barcode(codes, 0));
      after.replaceChildren(barcode(codes, 1, 0));
      const which = [...code.keys()].filter((b) => code[b] !== movedCode[b]);
      flipped.textContent = which.length
        ? `Flipped, counted from 0: ${which.join(", ")}`
        : "No bit has flipped.";
    },
  };
};

// -- the chart --------------------------------------------------------------------------------

/**
 * Places on the line, each with a sign and a kind of line of its own.
 * @type {{ [place: string]: { sign: string, series: number, dashes: string, text: string } }}
 */
export const PLACES = {
  margin: { sign: "◆", series: 2, dashes: "2 3", text: "margin: nearest border in any direction" },
  first: { sign: "▲", series: 3, dashes: "7 3", text: "first flip on this line" },
  change: { sign: "▼", series: 5, dashes: "9 3 2 3", text: "the answer changes" },
  other: { sign: "✚", series: 2, dashes: "none", text: "the other digit" },
};

/**
 * The answers as a strip, and below it the staircase, whose area is for the pointer.
 * @param {Move} move
 * @param {number} width
 * @param {Colors} colors
 */
export const chartOf = ({ flips, answers, length, nFlipped, places }, width, colors) => {
  const height = Math.round(Math.min(330, Math.max(270, width * 0.45)));
  /** @type {Area} */
  const area = { left: 34, right: width - 14, top: 84, bottom: height - 46 };
  const x = linear([0, LONGEST], [area.left, area.right]);
  const y = linear([0, Math.max(4, flips.length)], [area.bottom, area.top], 30);
  const ends = [...answers.slice(1).map(({ from }) => from), LONGEST];
  const strip = answers.flatMap(({ from, answer }, i) => {
    const [left, wide] = [x(from), x(ends[i]) - x(from)];
    const same = answer === answers[0].answer;
    const box = s("rect", {
      x: left,
      y: 22,
      width: wide,
      height: 22,
      stroke: colors.muted,
      fill: same ? colors.surface : colors.series[5],
      "fill-opacity": same ? 1 : 0.2,
    });
    if (wide <= 12) return [box];
    const look = { "text-anchor": "middle", "font-weight": same ? 400 : 700 };
    return [box, s("text", { x: left + wide / 2, y: 37.5, ...look }, String(answer))];
  });
  const stairs = flips.map(({ at }, i) => `H${x(at)}V${y(i + 1)}`).join("");
  const marks = Object.entries(places).flatMap(([name, at], i) => {
    const { sign, series, dashes } = PLACES[name];
    const color = colors.series[series];
    return [
      s("path", {
        d: `M${x(at)},${area.top}V${area.bottom}`,
        stroke: color,
        "stroke-width": 1.75,
        "stroke-dasharray": dashes,
      }),
      // At heights of their own, for the first two are often close together.
      signAt(sign, x(at), area.top + 4 + 17 * i, { color, size: 5 }),
    ];
  });
  const children = [
    s("text", { x: 4, y: 13 }, "answer"),
    ...strip,
    ...axes({ area, x, y, xLabel: "length of the step", yLabel: "flipped bits", colors }),
    ...marks,
    s("path", {
      d: `M${x(0)},${y(0)}${stairs}H${x(LONGEST)}`,
      fill: "none",
      stroke: colors.series[4],
      "stroke-width": 2.5,
    }),
    s("path", { d: `M${x(length)},22V${area.bottom}`, stroke: colors.ink, "stroke-width": 1.25 }),
    signAt("●", x(length), y(nFlipped), { color: colors.ink, size: 5.5, hollow: colors.paper }),
  ];
  return { children, height, area };
};
