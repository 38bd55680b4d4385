// The digits as pictures and buttons, and their codes as bars.

import { bitOf } from "./neighbours.js";
import { h, s } from "./parts.js";

export const CLASSES = 10;
export const SIDE = 8; // pixels of a picture
export const MOST = 25; // neighbours known of each digit: what k may reach

export const bytesOf = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

export const digitsOf = (ui) => {
  const labels = bytesOf(ui.get("_labels"));
  const packed = bytesOf(ui.get("_pixels"));
  const pixels = new Uint8Array(labels.length * SIDE * SIDE);
  for (let p = 0; p < pixels.length; p++) {
    const [byte, shift] = [(5 * p) >> 3, (5 * p) & 7];
    pixels[p] = (((packed[byte] << 8) | (packed[byte + 1] ?? 0)) >> (11 - shift)) & 31;
  }
  return { n: labels.length, labels, pixels };
};

// Black ink; a style turns it white on a dark page.
export const paintDigit = (canvas, { pixels }, i) => {
  const image = new ImageData(SIDE, SIDE);
  for (let p = 0; p < SIDE * SIDE; p++) {
    image.data[4 * p + 3] = (pixels[i * SIDE * SIDE + p] * 255) / 16;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
};

export const emptyPicture = () =>
  h("canvas", { class: "nh-picture", width: SIDE, height: SIDE, "aria-hidden": "true" });

const aClass = (label) => (label === 8 ? "an 8" : `a ${label}`);
export const named = (digits, i) => `digit ${i}, ${aClass(digits.labels[i])}`;
export const capital = (text) => text[0].toUpperCase() + text.slice(1);

// A button with a digit's picture, which chooses it. `other` frames the picture as one of another
// class than it should be.
export const digitButton = (ui, digits) => {
  const picture = emptyPicture();
  const button = h("button", { type: "button", class: "nh-digit" }, picture);
  let shown = 0;
  button.addEventListener("click", () => ui.set("digit", shown));
  return {
    button,
    show(i, other, more = "") {
      shown = i;
      paintDigit(picture, digits, i);
      button.setAttribute("aria-label", `${capital(named(digits, i))}${more}`);
      button.title = capital(named(digits, i));
      button.classList.toggle("nh-other", other);
      button.setAttribute("aria-pressed", i === ui.get("digit"));
    },
    get shown() {
      return shown;
    },
  };
};

// Many buttons are one stop of the tab key; arrows lead from one to the next, and up and down past
// `columns` of them. Call what is returned when there are other buttons than before.
export const rove = (place, columns = 1) => {
  const buttons = () => [...place.querySelectorAll("button:not([hidden] *)")];
  const stop = (at) => buttons().forEach((one) => (one.tabIndex = one === at ? 0 : -1));
  place.addEventListener("focusin", (event) => stop(event.target));
  place.addEventListener("keydown", (event) => {
    const all = buttons();
    const here = all.indexOf(document.activeElement);
    const to = {
      ArrowRight: here + 1,
      ArrowLeft: here - 1,
      ArrowDown: here + columns,
      ArrowUp: here - columns,
      Home: 0,
      End: all.length - 1,
    }[event.key];
    if (here < 0 || to === undefined) return;
    event.preventDefault();
    all[to]?.focus();
  });
  return () => {
    const all = buttons();
    if (all.filter((one) => one.tabIndex === 0).length !== 1) stop(all[0]);
  };
};

// Where in a row of bits a bit stands, in widths of a bit: layers stand apart.
export const placesOf = (sizes, gap) =>
  sizes.flatMap((size, l) => {
    const start = sizes.slice(0, l).reduce((sum, one) => sum + one + gap, 0);
    return Array.from({ length: size }, (_, b) => start + b);
  });

// A code as a row of bars, filled for units that are on, with a tick below each bit in which it
// differs from that of `other`.
export const barcode = ({ codes, sizes }, i, other = i) => {
  const places = placesOf(sizes, 1);
  const [on, differs] = [[], []];
  places.forEach((x, b) => {
    if (bitOf(codes, i, b)) on.push(`M${x + 0.08} 0h.84v7h-.84z`);
    if (bitOf(codes, i, b) !== bitOf(codes, other, b))
      differs.push(`M${x + 0.08} 7.8h.84v2.2h-.84z`);
  });
  return s(
    "svg",
    {
      class: "nh-code-bars",
      viewBox: `0 0 ${places.at(-1) + 1} 10`,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    },
    s("path", { class: "nh-off", d: places.map((x) => `M${x + 0.08} 0h.84v7h-.84z`).join("") }),
    s("path", { class: "nh-on", d: on.join("") }),
    s("path", { class: "nh-differs", d: differs.join("") }),
  );
};
