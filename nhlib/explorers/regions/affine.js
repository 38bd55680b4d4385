// Layers of a network for one input, in float64. Weights are float32: no sum of a few layers of them
// overflows here, and each weight is a float64 as it is.
/** @import { Network } from "./network.js" */

// Values of a layer are plain arrays: there are many, each short, and typed ones take longer to make.

/**
 * Pre-activations of the units of layer l, from the activations below.
 * @type {(network: Network, l: number, below: number[]) => number[]}
 */
export const preactivations = ({ weights, biases }, l, below) => {
  const [rows, shifts, fan] = [weights[l], biases[l], below.length];
  const z = [];
  for (let u = 0, w = 0; u < shifts.length; u++) {
    let sum = shifts[u];
    for (let k = 0; k < fan; k++, w++) sum += rows[w] * below[k];
    z.push(sum);
  }
  return z;
};

/**
 * The sum of the sizes of what each pre-activation is summed from.
 * @type {(network: Network, l: number, largest: number[]) => number[]}
 */
export const sizesOf = ({ weights, biases }, l, largest) => {
  const fan = largest.length;
  return Array.from(biases[l], (bias, u) => {
    let sum = Math.abs(bias);
    for (let k = 0; k < fan; k++) sum += Math.abs(weights[l][u * fan + k]) * largest[k];
    return sum;
  });
};

/** @type {(z: number[]) => number[]} */
export const relu = (z) => {
  const values = [];
  for (const value of z) values.push(value > 0 ? value : 0);
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
