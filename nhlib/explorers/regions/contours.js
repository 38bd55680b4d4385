// Where a value on a grid is 0, as line segments: marching squares with straight interpolation.
// Segments are added to a path in units of the square's width.
/** @import { Network } from "./network.js" */

/** @typedef {Pick<Path2D, "moveTo" | "lineTo">} Path */

/**
 * Through one cell, whose upper left corner is at (x, y), from the values at its corners.
 * @param {Path} path
 * @param {number} x
 * @param {number} y
 * @param {number} step
 * @param {number} left
 * @param {number} right
 * @param {number} diagonal
 * @param {number} below
 */
const cross = (path, x, y, step, left, right, diagonal, below) => {
  const kind =
    (left > 0 ? 1 : 0) + (right > 0 ? 2 : 0) + (diagonal > 0 ? 4 : 0) + (below > 0 ? 8 : 0);
  const top = x + (step * left) / (left - right);
  const bottom = x + (step * below) / (below - diagonal);
  const west = y + (step * left) / (left - below);
  const east = y + (step * right) / (right - diagonal);
  /** @type {(x1: number, y1: number, x2: number, y2: number) => void} */
  const line = (x1, y1, x2, y2) => {
    path.moveTo(x1, y1);
    path.lineTo(x2, y2);
  };
  const saddle = kind === 5 || kind === 10; // two corners across from each other: two lines
  if (kind === 1 || kind === 14 || kind === 10) line(x, west, top, y);
  if (kind === 2 || kind === 13 || kind === 5) line(top, y, x + step, east);
  if (kind === 4 || kind === 11 || kind === 10) line(x + step, east, bottom, y + step);
  if (kind === 8 || kind === 7 || kind === 5) line(bottom, y + step, x, west);
  if (saddle) return;
  if (kind === 3 || kind === 12) line(x, west, x + step, east);
  if (kind === 6 || kind === 9) line(top, y, bottom, y + step);
};

/**
 * From values[row * side + column] at the nodes of a square grid.
 * @param {Path} path
 * @param {Float32Array} values
 * @param {number} side
 */
export const contour = (path, values, side) => {
  const step = 1 / (side - 1);
  for (let row = 0; row + 1 < side; row++) {
    for (let column = 0, at = row * side; column + 1 < side; column++, at++) {
      const [left, right] = [values[at], values[at + 1]];
      const [below, diagonal] = [values[at + side], values[at + side + 1]];
      if (left > 0 === right > 0 && left > 0 === below > 0 && left > 0 === diagonal > 0) continue;
      cross(path, column * step, row * step, step, left, right, diagonal, below);
    }
  }
};

/**
 * The lines of all units of a network that has seen the grid, a path for each hidden layer. Where
 * the corners of a cell have one code no line passes, and that is nearly everywhere.
 * @param {Path[]} paths
 * @param {Pick<Network, "sizes" | "values">} network
 * @param {Uint32Array} codes
 * @param {number} side
 */
export const borders = (paths, network, codes, side) => {
  const words = codes.length / (side * side);
  const step = 1 / (side - 1);
  // Of each bit the layer and the unit.
  const places = paths.flatMap((_, l) =>
    Array.from({ length: network.sizes[l + 1] }, (_, unit) => [l, unit]),
  );
  for (let row = 0; row + 1 < side; row++) {
    for (let column = 0; column + 1 < side; column++) {
      const at = row * side + column;
      for (let w = 0; w < words; w++) {
        const a = codes[at * words + w];
        const b = codes[(at + 1) * words + w];
        const c = codes[(at + side) * words + w];
        const d = codes[(at + side + 1) * words + w];
        let bits = (a | b | c | d) & ~(a & b & c & d);
        while (bits) {
          const bit = 31 - Math.clz32(bits);
          bits &= ~(1 << bit);
          const [l, unit] = places[32 * w + bit];
          const [values, units] = [network.values[l + 1], network.sizes[l + 1]];
          /** @param {number} node */
          const of = (node) => values[node * units + unit];
          cross(
            paths[l],
            column * step,
            row * step,
            step,
            of(at),
            of(at + 1),
            of(at + side + 1),
            of(at + side),
          );
        }
      }
    }
  }
};
