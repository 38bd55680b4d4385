// The linear regions of a network in the square from -1 to 1, exactly: what nhlib.partition finds,
// with its conventions. Everything is computed in float64. A unit that is 0 all over a region,
// within rounding, is off there; lines that meet within rounding meet in one point.
/** @import { Network } from "./network.js" */
import { affineMapOf, preactivations, relu } from "./affine.js";
import { boundaryOf } from "./boundary.js";
import { linearRegionsOf } from "./linear_regions.js";
import { Rounding } from "./rounding.js";
import { Contradiction, Subdivision } from "./subdivision.js";

// Where rounding contradicts itself, what counts as zero is widened so many times, fourfold each.
const ATTEMPTS = 8;

/** @typedef {[x: number, y: number]} Place in the square from -1 to 1 */

export class Partition {
  /**
   * @param {Network} network
   * @param {Subdivision} faces
   * @param {number[][]} outputs of the network at the vertices
   */
  constructor(network, faces, outputs) {
    this.network = network;
    this.codes = faces.codes;
    this.x = faces.x;
    this.y = faces.y;
    /** The unit that switches at each edge: its place in the code, and -1 for the frame. */
    this.units = faces.units;
    this.start = faces.start;
    this.end = faces.end;
    this.left = faces.left;
    this.right = faces.right;
    this.outputs = outputs;
    this.polygons = polygonsOf(faces);
  }

  get nRegions() {
    return this.codes.length;
  }

  /** The two regions beside each inner edge. */
  get pairs() {
    /** @type {[left: number, right: number][]} */
    const pairs = [];
    this.left.forEach((left, e) => {
      if (left >= 0 && this.right[e] >= 0) pairs.push([left, this.right[e]]);
    });
    return pairs;
  }

  /** How many maximal connected pieces with one affine map there are. */
  get nLinearRegions() {
    return linearRegionsOf(this.network, this.codes, this.pairs);
  }

  /** The segments on which the decision changes. */
  get boundary() {
    return boundaryOf(this);
  }

  /**
   * By the shoelace formula, seen from a corner: thin regions keep their digits.
   * @param {number} region
   */
  area(region) {
    const { x, y } = this;
    const corners = this.polygons[region];
    const [x0, y0] = [x[corners[0]], y[corners[0]]];
    let twice = 0;
    for (let k = 2; k < corners.length; k++) {
      const [a, b] = [corners[k - 1], corners[k]];
      twice += (x[a] - x0) * (y[b] - y0) - (x[b] - x0) * (y[a] - y0);
    }
    return twice / 2;
  }

  /**
   * The mean of a region's corners: a point inside.
   * @param {number} region
   * @returns {Place}
   */
  centroid(region) {
    const corners = this.polygons[region];
    let [x, y] = [0, 0];
    for (const corner of corners) {
      x += this.x[corner];
      y += this.y[corner];
    }
    return [x / corners.length, y / corners.length];
  }

  /**
   * A row [slope along x, slope along y, offset] for each output.
   * @param {number} region
   */
  affineMap(region) {
    return affineMapOf(this.network, this.codes[region]);
  }

  /**
   * The region in which a point lies: the polygon that it is least outside of. Of a point on a
   * border, a region beside it.
   * @param {Place} place
   */
  locate([px, py]) {
    const { x, y } = this;
    let [best, most] = [0, -Infinity];
    this.polygons.forEach((corners, region) => {
      let least = Infinity;
      let before = corners[corners.length - 1];
      for (const corner of corners) {
        const [ax, ay] = [x[corner] - x[before], y[corner] - y[before]];
        const side = ax * (py - y[before]) - ay * (px - x[before]);
        least = Math.min(least, side / Math.hypot(ax, ay));
        if (least <= most) return;
        before = corner;
      }
      [best, most] = [region, least];
    });
    return best;
  }
}

/**
 * The corners of every face, counterclockwise. A vertex of a neighbour that lies within a side is
 * one of them.
 * @type {(faces: Subdivision) => number[][]}
 */
const polygonsOf = ({ x, start, end, left, right, codes }) => {
  /** @type {number[][]} */
  const sides = codes.map(() => []); // from which point to which, one after the other
  start.forEach((from, e) => {
    sides[left[e]]?.push(from, end[e]);
    sides[right[e]]?.push(end[e], from);
  });
  const next = new Int32Array(x.length);
  return sides.map((ends) => {
    for (let k = 0; k < ends.length; k += 2) next[ends[k]] = ends[k + 1];
    const corners = [ends[0]];
    for (let at = next[ends[0]]; at !== ends[0]; at = next[at]) {
      if (corners.push(at) > ends.length / 2) throw new Contradiction();
    }
    if (corners.length < 3 || corners.length !== ends.length / 2) throw new Contradiction();
    return corners;
  });
};

/** @type {(network: Network, rounding: Rounding) => Partition} */
const cutUp = (network, rounding) => {
  const faces = new Subdivision(network.nUnits);
  const { x, y } = faces;
  /** @type {number[][]} */
  let below = x.map((_, i) => [x[i], y[i]]); // activations at every point
  let unit = 0;
  for (let l = 0; l + 1 < network.depth; l++) {
    const z = below.map((values, i) => {
      const row = preactivations(network, l, values);
      rounding.clear(l, x[i], y[i], row);
      return row;
    });
    for (let u = 0; u < network.sizes[l + 1]; u++, unit++) {
      faces.cutBy(z, u, unit, (x, y, row) => rounding.clear(l, x, y, row));
    }
    below = z.map(relu);
  }
  if (x.length - faces.start.length + faces.codes.length !== 1) throw new Contradiction(); // Euler
  const outputs = below.map((values) => preactivations(network, network.depth - 1, values));
  return new Partition(network, faces, outputs);
};

/**
 * Cut the square by the lines of all units of a network of two inputs.
 * @param {Network} network which must not change as long as the result is used
 */
export const partition = (network) => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      return cutUp(network, new Rounding(network, 4 ** attempt));
    } catch (error) {
      if (!(error instanceof Contradiction)) throw error;
    }
  }
  throw new Error("Lines of the units lie too close to each other: float64 does not part them.");
};
