// The matrix of bits: digits as rows, sorted by class, units as columns.
/** @import { Digits } from "../common/digits.js" */
/** @import { Colors, Frame } from "../common/frame.js" */
/** @import { View } from "./codes.js" */
/** @import { Measured } from "./measured.js" */
import { CLASSES, emptyPicture, named, paintDigit, placesOf } from "../common/digits.js";
import { h } from "../common/elements.js";
import { bitOf } from "../common/neighbours.js";
import { addCanvas } from "../common/pictures.js";
import { capital, grouped, percent, plural } from "../common/words.js";

const ROWS = 16; // digits of a class
const MATRIX = { height: 590, left: 20, top: 18, gap: 4, strip: 34, bottom: 20 };

/** @type {(ui: Frame, digits: Digits) => View} */
export const matrixView = (ui, digits) => {
  const place = h("div", { class: "nh-view" });
  const rows = Array.from({ length: CLASSES }, (_, c) =>
    [...digits.labels.keys()].filter((i) => digits.labels[i] === c).slice(0, ROWS),
  ).flat();
  const classSizes = new Array(CLASSES).fill(0);
  for (const label of digits.labels) classSizes[label]++;
  /** @type {Measured} */
  let measured;
  const cursor = { row: Math.max(0, rows.indexOf(ui.get("digit"))), unit: 0 };
  const { height, left, top, gap, strip, bottom } = MATRIX;
  const tall = (height - top - strip - bottom - gap * CLASSES) / rows.length;
  /** @param {number} row */
  const yOf = (row) => top + row * tall + gap * Math.floor(row / ROWS);
  /** @type {number[]} */
  let places = [];
  let wide = 1;

  /** @type {(context: CanvasRenderingContext2D, width: number, _: number, colors: Colors) => void} */
  const paint = (context, width, _, colors) => {
    const { codes, sizes, names } = measured;
    places = placesOf(sizes, 1);
    wide = (width - left - 2) / (places[places.length - 1] + 1);
    const thin = wide > 4 ? 1 : 0;
    context.clearRect(0, 0, width, height);
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    context.fillStyle = colors.surface;
    for (let c = 0; c < CLASSES; c++) {
      for (const x of places) {
        context.fillRect(left + x * wide, yOf(c * ROWS), wide - thin, tall * ROWS);
      }
    }
    context.fillStyle = colors.series[0];
    rows.forEach((i, row) => {
      places.forEach((x, b) => {
        if (bitOf(codes, i, b))
          context.fillRect(left + x * wide, yOf(row), wide - thin, tall - 0.4);
      });
    });
    // Below, how many of all digits switch each unit on.
    const base = height - bottom;
    context.fillStyle = colors.muted;
    places.forEach((x, b) => {
      const share = sharesOn()[b];
      context.fillRect(left + x * wide, base - share * strip, wide - thin, share * strip);
    });
    context.fillRect(left, base, width - left, 1);
    context.fillStyle = colors.ink;
    context.textAlign = "center";
    for (let c = 0; c < CLASSES; c++)
      context.fillText(String(c), left / 2, yOf((c + 0.5) * ROWS) - gap / 2);
    context.textAlign = "left";
    let first = 0;
    sizes.forEach((size, l) => {
      const text = size * wide > 130 ? `${names[l]}, ${plural(size, "unit")}` : names[l];
      context.fillText(text, left + places[first] * wide, top / 2 - 1);
      first += size;
    });
    context.fillText(
      "bars: share of all digits that switch the unit on",
      left,
      base + bottom / 2 + 2,
    );
    const chosen = rows.indexOf(ui.get("digit"));
    if (chosen >= 0) {
      context.fillStyle = colors.series[1];
      context.beginPath();
      context.moveTo(left - 1, yOf(chosen) + tall / 2);
      context.lineTo(left - 9, yOf(chosen) + tall / 2 - 5);
      context.lineTo(left - 9, yOf(chosen) + tall / 2 + 5);
      context.fill();
    }
    context.strokeStyle = colors.ink;
    context.lineWidth = 1.5;
    context.strokeRect(left - 1, yOf(cursor.row) - 1.5, width - left, tall + 2.6);
    const x = left + places[cursor.unit] * wide;
    context.strokeRect(x - 1, top - 1, wide - thin + 2, base - top + 1);
  };

  /** @type {number[] | null} */
  let shares = null;
  const sharesOn = () => {
    const { codes } = measured;
    shares ??= Array.from({ length: codes.length }, (_, b) => {
      let on = 0;
      for (let i = 0; i < digits.n; i++) on += bitOf(codes, i, b);
      return on / digits.n;
    });
    return shares;
  };

  const picture = emptyPicture();
  const text = h("p", { "aria-live": "polite" });
  const describe = () => {
    const i = rows[cursor.row];
    const label = digits.labels[i];
    paintDigit(picture, digits, i);
    const { codes, names, sizes } = measured;
    let [unit, layer] = [cursor.unit, 0];
    while (unit >= sizes[layer]) unit -= sizes[layer++];
    let inClass = 0;
    for (let j = 0; j < digits.n; j++) {
      if (digits.labels[j] === label) inClass += bitOf(codes, j, cursor.unit);
    }
    text.textContent =
      `${capital(named(digits, i))}: unit ${unit} of ${names[layer]} is ` +
      `${bitOf(codes, i, cursor.unit) ? "on" : "off"}. It is on for ` +
      `${percent(inClass / classSizes[label], 0)} of the ${label}s, and for ` +
      `${percent(sharesOn()[cursor.unit], 0)} of all digits.`;
  };

  /** @type {(row: number, unit: number) => void} */
  const go = (row, unit) => {
    cursor.row = Math.min(rows.length - 1, Math.max(0, row));
    cursor.unit = Math.min(measured.codes.length - 1, Math.max(0, unit));
    describe();
    canvas.repaint();
  };
  /** @param {KeyboardEvent} event */
  const keys = (event) => {
    const { row, unit } = cursor;
    /** @type {{ [key: string]: [row: number, unit: number] }} */
    const places = {
      ArrowUp: [row - 1, unit],
      ArrowDown: [row + 1, unit],
      ArrowLeft: [row, unit - 1],
      ArrowRight: [row, unit + 1],
      PageUp: [row - ROWS, unit],
      PageDown: [row + ROWS, unit],
      Home: [row, 0],
      End: [row, Infinity],
    };
    if (event.key in places) go(...places[event.key]);
    else if (event.key === "Enter" || event.key === " ") ui.set("digit", rows[row]);
    else return;
    event.preventDefault();
  };
  const label =
    "Matrix of bits: digits as rows, sorted by class, units as columns. Arrow keys move a cursor, " +
    "Enter chooses its digit.";
  const canvas = addCanvas(ui, { label, height, paint, keys, into: place });
  /** @param {MouseEvent} event */
  const pointed = (event) => {
    const box = canvas.element.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const row = rows.findIndex((_, r) => y < yOf(r) + tall);
    const unit = places.findLastIndex((one) => x >= left + one * wide);
    go(row < 0 ? rows.length - 1 : row, unit);
  };
  canvas.element.addEventListener("pointermove", pointed);
  canvas.element.addEventListener("click", (event) => {
    pointed(event);
    ui.set("digit", rows[cursor.row]);
  });
  place.append(h("div", { class: "nh-lens" }, picture, text));

  return {
    place,
    legend: (colors) => [
      { color: colors.series[0], mark: "■", text: "unit on" },
      { color: colors.muted, mark: "□", text: "unit off" },
      { color: colors.series[1], mark: "▶", text: "the chosen digit" },
    ],
    words: () => {
      const never = sharesOn().filter((share) => share === 0).length;
      const always = sharesOn().filter((share) => share === 1).length;
      return (
        `${plural(never, "unit")} of ${grouped(measured.codes.length)} ${never === 1 ? "is" : "are"} ` +
        `off for every digit, ${grouped(always)} on for every one. The rows are the first ${ROWS} ` +
        "digits of each class."
      );
    },
    call: () => [
      `rows = np.concatenate([np.flatnonzero(labels == c)[:${ROWS}] for c in range(${CLASSES})])`,
      "nh.plot_codes(codes[rows], labels[rows])",
      "print(nh.unit_activity(codes))",
    ],
    show(now) {
      if (measured !== now) shares = null;
      measured = now;
      go(cursor.row, cursor.unit);
    },
  };
};
