// Colours for regions, from their codes.

/**
 * A colour of Oklab (Ottosson 2020), in which equal steps look equal.
 * @type {(lightness: number, a: number, b: number) => string}
 */
const oklab = (lightness, a, b) => {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  /** @param {number} linear */
  const byte = (linear) => {
    const clipped = Math.min(1, Math.max(0, linear));
    return Math.round(
      255 * (clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055),
    );
  };
  const red = byte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
  const green = byte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
  const blue = byte(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s);
  return `rgb(${red},${green},${blue})`;
};

/**
 * A colour for a code of layers of these widths: every unit pulls its hue some way, so that codes
 * which differ in few bits look alike; parity makes it light or dark, so that neighbours never look
 * the same.
 * @type {(code: Uint8Array, widths: number[]) => string}
 */
export const colourOf = (code, widths) => {
  let [a, b, on, unit] = [0, 0, 0, 0];
  widths.forEach((width, l) => {
    for (let u = 0; u < width; u++, unit++) {
      on += code[unit];
      const angle = unit * 2.399963; // the golden angle
      const pull = (code[unit] ? 1 : -1) / ((l + 1) * Math.sqrt(width));
      a += pull * Math.cos(angle);
      b += pull * Math.sin(angle);
    }
  });
  const size = Math.max(1, Math.hypot(a, b));
  return oklab(0.88 - 0.075 * (on % 2), (0.085 * a) / size, (0.085 * b) / size);
};
