// Points to start from.
/** @import { Point } from "./csv.js" */
import { mersenne } from "./mersenne.js";

export const N = 60;

/** A place is written with three decimals: about a fifth of a pixel. @param {number} value */
export const rounded = (value) => Math.round(1000 * Math.min(1, Math.max(-1, value))) / 1000 || 0;

/**
 * Draw points, classes in turns: a place for a class, from numbers between 0 and 1.
 * @param {(label: number, random: () => number) => [x: number, y: number]} place
 * @returns {Point[]}
 */
const drawn = (place) => {
  const bits = mersenne(0);
  const random = () => (bits() + 0.5) / 2 ** 32;
  return Array.from({ length: N }, (_, i) => {
    const [x, y] = place(i % 2, random);
    return [rounded(x), rounded(y), i % 2];
  });
};

/** @type {(radius: number, angle: number) => [number, number]} */
const polar = (radius, angle) => [radius * Math.cos(angle), radius * Math.sin(angle)];

/** A disc, and a ring round it. */
export const circle = () =>
  drawn((label, random) => {
    const radius = label ? 0.6 + 0.25 * random() : 0.4 * Math.sqrt(random());
    return polar(radius, 2 * Math.PI * random());
  });

/** Four quarters, those across from each other of one class. */
export const xor = () =>
  drawn((label, random) => {
    const [x, y] = [0.1 + 0.75 * random(), 0.1 + 0.75 * random()];
    const side = random() < 0.5 ? -1 : 1;
    return [side * x, label ? -side * y : side * y];
  });

/** Two clouds, each normally distributed. */
export const gaussians = () =>
  drawn((label, random) => {
    const side = label ? 1 : -1;
    // Box and Muller: the radius of a normal point in the plane, and its angle.
    const [x, y] = polar(0.22 * Math.sqrt(-2 * Math.log(random())), 2 * Math.PI * random());
    return [0.35 * side + x, 0.3 * side + y];
  });
