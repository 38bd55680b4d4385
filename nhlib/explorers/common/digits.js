// The digits as pictures and buttons, and their codes as bars.
/** @import { Frame } from "./frame.js" */
/** @import { Codes } from "./neighbours.js" */
import { h, s } from "./elements.js";
import { bytesOf, fivesOf } from "./embedded.js";
import { bitOf } from "./neighbours.js";
import { contextOf } from "./pictures.js";
import { capital } from "./words.js";

export const CLASSES = 10;
export const SIDE = 8; // pixels of a picture
export const MOST = 25; // neighbours known of each digit: what k may reach

/**
 * Pixels are 0 to 16, digit by digit, row by row.
 * @typedef {{ n: number, labels: Uint8Array, pixels: Uint8Array }} Digits
 *
 * Codes, and how many units each of their layers has.
 * @typedef {{ codes: Codes, sizes: number[] }} Layered
 */

/** @type {(ui: Frame) => Digits} */
export const digitsOf = (ui) => {
  const labels = bytesOf(ui.get("_labels"));
  return {
    n: labels.length,
    labels,
    pixels: fivesOf(bytesOf(ui.get("_pixels")), labels.length * SIDE * SIDE),
  };
};

/**
 * Black ink; a style turns it white on a dark page.
 * @param {HTMLCanvasElement} canvas
 * @param {{ pixels: ArrayLike<number> }} digits
 * @param {number} i
 */
export const paintDigit = (canvas, { pixels }, i) => {
  const image = new ImageData(SIDE, SIDE);
  for (let p = 0; p < SIDE * SIDE; p++) {
    image.data[4 * p + 3] = (pixels[i * SIDE * SIDE + p] * 255) / 16;
  }
  contextOf(canvas).putImageData(image, 0, 0);
};

export const emptyPicture = () =>
  h("canvas", { class: "nh-picture", width: SIDE, height: SIDE, "aria-hidden": "true" });

/** @type {(label: number) => string} */
const aClass = (label) => (label === 8 ? "an 8" : `a ${label}`);

/** @type {(digits: Digits, i: number) => string} */
export const named = (digits, i) => `digit ${i}, ${aClass(digits.labels[i])}`;

/**
 * A button with a digit's picture, which chooses it. `other` frames the picture as one of another
 * class than it should be.
 * @param {Frame} ui
 * @param {Digits} digits
 */
export const digitButton = (ui, digits) => {
  const picture = emptyPicture();
  const button = h("button", { type: "button", class: "nh-digit" }, picture);
  let shown = 0;
  button.addEventListener("click", () => ui.set("digit", shown));
  return {
    button,
    /** @type {(i: number, other: boolean, more?: string) => void} */
    show(i, other, more = "") {
      shown = i;
      paintDigit(picture, digits, i);
      button.setAttribute("aria-label", `${capital(named(digits, i))}${more}`);
      button.title = capital(named(digits, i));
      button.classList.toggle("nh-other", other);
      button.setAttribute("aria-pressed", String(i === ui.get("digit")));
    },
  };
};

/**
 * Many buttons are one stop of the tab key; arrows lead from one to the next, and up and down past
 * `columns` of them. Call what is returned when there are other buttons than before.
 * @param {HTMLElement} place
 * @param {number} [columns]
 */
export const rove = (place, columns = 1) => {
  const buttons = () =>
    [...place.querySelectorAll("button")].filter((one) => !one.closest("[hidden]"));
  /** @param {EventTarget | null} at */
  const stop = (at) => {
    for (const one of buttons()) one.tabIndex = one === at ? 0 : -1;
  };
  place.addEventListener("focusin", (event) => stop(event.target));
  place.addEventListener("keydown", (event) => {
    const all = buttons();
    const here = all.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    /** @type {{ [key: string]: number }} */
    const places = {
      ArrowRight: here + 1,
      ArrowLeft: here - 1,
      ArrowDown: here + columns,
      ArrowUp: here - columns,
      Home: 0,
      End: all.length - 1,
    };
    if (here < 0 || !(event.key in places)) return;
    event.preventDefault();
    all[places[event.key]]?.focus();
  });
  return () => {
    const all = buttons();
    if (all.filter((one) => one.tabIndex === 0).length !== 1) stop(all[0]);
  };
};

/**
 * Where in a row of bits each bit stands, in widths of a bit: layers stand apart.
 * @type {(sizes: number[], gap: number) => number[]}
 */
export const placesOf = (sizes, gap) =>
  sizes.flatMap((size, l) => {
    const start = sizes.slice(0, l).reduce((sum, one) => sum + one + gap, 0);
    return Array.from({ length: size }, (_, b) => start + b);
  });

/**
 * A code as a row of bars, filled for units that are on, with a tick below each bit in which it
 * differs from that of `other`.
 * @type {(layered: Layered, i: number, other?: number) => SVGSVGElement}
 */
export const barcode = ({ codes, sizes }, i, other = i) => {
  const places = placesOf(sizes, 1);
  /** @param {number[]} some */
  const bars = (some) => some.map((x) => `M${x + 0.08} 0h.84v7h-.84z`).join("");
  /** @param {number[]} some */
  const ticks = (some) => some.map((x) => `M${x + 0.08} 7.8h.84v2.2h-.84z`).join("");
  const on = places.filter((_, b) => bitOf(codes, i, b));
  const differ = places.filter((_, b) => bitOf(codes, i, b) !== bitOf(codes, other, b));
  return s(
    "svg",
    {
      class: "nh-code-bars",
      viewBox: `0 0 ${places[places.length - 1] + 1} 10`,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    },
    s("path", { class: "nh-off", d: bars(places) }),
    s("path", { class: "nh-on", d: bars(on) }),
    s("path", { class: "nh-differs", d: ticks(differ) }),
  );
};
