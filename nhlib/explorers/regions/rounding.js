// What counts as zero: a pre-activation that rounding alone can have made. The bounds are those of
// nhlib.partition.
/** @import { Network } from "./network.js" */
import { preactivations, relu, sizesOf } from "./affine.js";

// Smaller than this, beside the numbers it is summed from, a sum counts as zero.
export const ROUNDING = 1e-13;
// A unit that is nowhere seen to be on may be so between the points that are looked at. The sizes of
// its summands bound it, and this part of the bound is expected.
const UNSEEN = 1 / 64;
// Points a side of the grid that is looked at.
const GRID = 17;

export class Rounding {
  /**
   * @param {Network} network
   * @param {number} wider bounds are multiplied by this
   */
  constructor(network, wider) {
    this.network = network;
    this.share = wider * ROUNDING;
    /** @type {number[][]} */
    this.near = []; // for every hidden layer: what counts as zero anywhere in the square
    let points = Array.from({ length: GRID ** 2 }, (_, i) => [
      2 * ((i % GRID) / (GRID - 1)) - 1,
      2 * (Math.floor(i / GRID) / (GRID - 1)) - 1,
    ]);
    let largest = [1, 1];
    for (let l = 0; l + 1 < network.depth; l++) {
      const sizes = sizesOf(network, l, largest);
      this.near.push(sizes.map((size) => this.share * size));
      points = points.map((below) => relu(preactivations(network, l, below)));
      largest = sizes.map((size) => UNSEEN * size);
      for (const values of points) {
        for (let u = 0; u < values.length; u++) largest[u] = Math.max(largest[u], values[u]);
      }
    }
  }

  /**
   * What counts as zero right at a point, for the units of layer l. A unit that is off adds nothing
   * to a sum, and no rounding.
   * @param {number} l
   * @param {number} x
   * @param {number} y
   */
  at(l, x, y) {
    const { network, share, near } = this;
    let values = [x, y];
    let largest = [1, 1];
    for (let i = 0; i < l; i++) {
      const sizes = sizesOf(network, i, largest);
      const z = preactivations(network, i, values);
      values = relu(z);
      largest = sizes.map((size, u) => (z[u] > share * size ? size : 0));
    }
    return sizesOf(network, l, largest).map((size, u) => Math.min(near[l][u], share * size));
  }

  /**
   * Set pre-activations of layer l at a point to zero, where that is what they are.
   * @param {number} l
   * @param {number} x
   * @param {number} y
   * @param {number[]} z
   */
  clear(l, x, y, z) {
    const near = this.near[l];
    let here = null;
    for (let u = 0; u < z.length; u++) {
      if (z[u] === 0 || Math.abs(z[u]) > near[u]) continue;
      here ??= this.at(l, x, y);
      if (Math.abs(z[u]) <= here[u]) z[u] = 0;
    }
  }
}
