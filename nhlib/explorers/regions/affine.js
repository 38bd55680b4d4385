// Layers of a network for one input, in float64. Weights are float32: no sum of a few layers of them
// overflows here, and each weight is a float64 as it is.
/** @import { Network } from "./network.js" */

/** @typedef {Float32Array | Float64Array | number[]} Values */

/**
 * Pre-activations of the units of layer l, from the activations below.
 * @type {(network: Network, l: number, below: Values) => Float64Array}
 */
export const preactivations = ({ weights, biases }, l, below) => {
  const [rows, fan] = [weights[l], below.length];
  const z = Float64Array.from(biases[l]);
  for (let u = 0, w = 0; u < z.length; u++) {
    for (let k = 0; k < fan; k++, w++) z[u] += rows[w] * below[k];
  }
  return z;
};

/**
 * The sum of the sizes of what each pre-activation is summed from.
 * @type {(network: Network, l: number, largest: Values) => Float64Array}
 */
export const sizesOf = ({ weights, biases }, l, largest) => {
  const [rows, fan] = [weights[l], largest.length];
  const sizes = Float64Array.from(biases[l], Math.abs);
  for (let u = 0, w = 0; u < sizes.length; u++) {
    for (let k = 0; k < fan; k++, w++) sizes[u] += Math.abs(rows[w]) * largest[k];
  }
  return sizes;
};

/** @type {(z: Float64Array) => Float64Array} */
export const relu = (z) => {
  const values = new Float64Array(z.length);
  for (let u = 0; u < z.length; u++) if (z[u] > 0) values[u] = z[u];
  return values;
};

/**
 * The affine map of a code: a row [slope along x, slope along y, offset] for each output.
 * @type {(network: Network, code: Uint8Array) => [number, number, number][]}
 */
export const affineMapOf = (network, code) => {
  // Each unit as such a row; the inputs are x and y themselves.
  /** @type {[number, number, number][]} */
  let rows = [
    [1, 0, 0],
    [0, 1, 0],
  ];
  for (let l = 0, first = 0; l < network.depth; first += network.sizes[++l]) {
    const [weights, fan, below] = [network.weights[l], rows.length, rows];
    const [last, start] = [l + 1 === network.depth, first];
    rows = Array.from(network.biases[l], (bias, u) => {
      if (!last && !code[start + u]) return [0, 0, 0];
      /** @type {[number, number, number]} */
      const row = [0, 0, bias];
      for (let k = 0; k < fan; k++) {
        for (let i = 0; i < 3; i++) row[i] += weights[u * fan + k] * below[k][i];
      }
      return row;
    });
  }
  return rows;
};
