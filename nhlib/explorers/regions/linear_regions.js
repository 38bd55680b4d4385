// When are the affine maps of two neighbouring regions the same? Exactly, not nearly: as
// nhlib.partition decides it.
/** @import { Network } from "./network.js" */
import { affineMapOf, sizesOf } from "./affine.js";

// A sum this small beside its terms may be zero or rounding; whole numbers tell.
const DOUBTFUL = 1e-9;
// Every float32 is a whole number of such parts.
const PARTS = 2 ** 149;

/**
 * How many pieces are left when neighbours with one affine map are joined.
 * @type {(network: Network, codes: Uint8Array[], pairs: [number, number][]) => number}
 */
export const linearRegionsOf = (network, codes, pairs) => {
  const piece = codes.map((_, region) => region);
  /** @param {number} region */
  const root = (region) => {
    while (piece[region] !== region) region = piece[region];
    return region;
  };
  /** @type {Map<number, string>} */
  const maps = new Map();
  /** @param {number} region */
  const exact = (region) => {
    const map = maps.get(region) ?? exactMap(network, codes[region]);
    maps.set(region, map);
    return map;
  };
  let pieces = codes.length;
  for (const [one, other] of pairs) {
    const [first, second] = [root(one), root(other)];
    if (first === second) continue;
    const bent =
      bends(network, codes[one], codes[other]) ??
      (apart(network, codes[one], codes[other]) || exact(one) !== exact(other));
    if (bent) continue;
    piece[second] = first;
    pieces--;
  }
  return pieces;
};

/**
 * Whether the map changes between two regions, or null where rounding leaves a doubt. Where one
 * unit switches, it does if one more of that unit's activation changes an output.
 * @type {(network: Network, one: Uint8Array, other: Uint8Array) => boolean | null}
 */
const bends = ({ sizes, weights, depth }, one, other) => {
  let unit = -1;
  for (let i = 0; i < one.length; i++) {
    if (one[i] === other[i]) continue;
    if (unit >= 0) return null; // several switch at once
    unit = i;
  }
  let [l, first] = [1, 0]; // the layer of the unit, and its first unit
  while (unit >= first + sizes[l]) first += sizes[l++];
  // What comes of it in the layers behind, as sums over the units that pass something on; also of
  // absolute values.
  let [passed, column, size] = [[unit - first], [1], [1]];
  for (; l < depth; first += sizes[l++]) {
    const [rows, fan, behind] = [weights[l], sizes[l], first + sizes[l]];
    /** @type {number[][]} */
    const [next, nextColumn, nextSize] = [[], [], []];
    for (let u = 0; u < sizes[l + 1]; u++) {
      if (l + 1 < depth && !one[behind + u]) continue;
      let [sum, sumOfSizes] = [0, 0];
      for (let i = 0; i < passed.length; i++) {
        const weight = rows[u * fan + passed[i]];
        sum += weight * column[i];
        sumOfSizes += Math.abs(weight) * size[i];
      }
      if (sumOfSizes === 0) continue;
      next.push(u);
      nextColumn.push(sum);
      nextSize.push(sumOfSizes);
    }
    passed = next;
    column = nextColumn;
    size = nextSize;
  }
  if (!passed.length) return false; // no path leads on
  return column.some((sum, i) => Math.abs(sum) > DOUBTFUL * size[i]) || null;
};

/**
 * Whether two maps are plainly different numbers.
 * @type {(network: Network, one: Uint8Array, other: Uint8Array) => boolean}
 */
const apart = (network, one, other) => {
  // No partial sum of any code is larger than this.
  let largest = [1, 1];
  for (let l = 0; l < network.depth; l++) largest = sizesOf(network, l, largest);
  const [ours, theirs] = [affineMapOf(network, one), affineMapOf(network, other)];
  return ours.some((row, o) =>
    row.some((value, i) => Math.abs(value - theirs[o][i]) > DOUBTFUL * largest[o]),
  );
};

/**
 * The affine map of a code in whole numbers of parts, written down to compare it. After l layers
 * each number is a sum of products of l weights, so that all have the same unit.
 * @type {(network: Network, code: Uint8Array) => string}
 */
const exactMap = (network, code) => {
  const one = BigInt(PARTS);
  let rows = [
    [1n, 0n, 0n],
    [0n, 1n, 0n],
  ];
  let unit = 0;
  let scale = 1n; // of offsets below
  for (let l = 0; l < network.depth; l++) {
    const [weights, fan, below] = [network.weights[l], rows.length, rows];
    const hidden = l + 1 < network.depth;
    const shift = scale;
    rows = Array.from(network.biases[l], (bias, u) => {
      const row = [0n, 0n, 0n];
      if (hidden && !code[unit++]) return row;
      row[2] = BigInt(bias * PARTS) * shift;
      for (let k = 0; k < fan; k++) {
        const weight = BigInt(weights[u * fan + k] * PARTS);
        for (let i = 0; i < 3; i++) row[i] += weight * below[k][i];
      }
      return row;
    });
    scale *= one;
  }
  return rows.join();
};
