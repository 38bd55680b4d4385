// What PyTorch draws from a seed on the CPU: initial weights, orders and random inputs.
import { mersenne } from "../regions/mersenne.js";

/**
 * float32 numbers drawn uniformly from `low` to `high`.
 * @type {(random: () => number, low: number, high: number, n: number) => Float32Array}
 */
const uniform = (random, low, high, n) => {
  const [start, range] = [Math.fround(low), Math.fround(Math.fround(high) - Math.fround(low))];
  // 24 bits, scaled and shifted with one rounding, which storing does.
  return Float32Array.from({ length: n }, () => (random() & 0xffffff) * 2 ** -24 * range + start);
};

/**
 * The weights that nhlib.mlp(..., seed=seed) begins with, by layer: Glorot's, as rows of one unit
 * each. Biases begin at 0.
 * @type {(sizes: number[], seed: number) => Float32Array[]}
 */
export const glorot = (sizes, seed) => {
  const random = mersenne(seed);
  return sizes.slice(1).map((units, l) => {
    const bound = Math.sqrt(6 / (sizes[l] + units));
    return uniform(random, -bound, bound, sizes[l] * units);
  });
};

/**
 * torch.randperm(n), with a generator.
 * @type {(n: number, random: () => number) => Uint32Array}
 */
const randperm = (n, random) => {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < n - 1; i++) {
    const j = i + (random() % (n - i));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
};

/**
 * Labels of which a share is shuffled, as nhlib.data.with_label_noise does it.
 * @type {(labels: Uint8Array, share: number, seed: number) => Uint8Array}
 */
export const shuffledLabels = (labels, share, seed) => {
  const random = mersenne(seed);
  const chosen = randperm(labels.length, random).slice(0, halfToEven(share * labels.length));
  const shuffled = labels.slice();
  for (const [i, from] of randperm(chosen.length, random).entries()) {
    shuffled[chosen[i]] = labels[chosen[from]];
  }
  return shuffled;
};

/**
 * Rounded as Python does it.
 * @type {(value: number) => number}
 */
const halfToEven = (value) => {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 ? rounded - 1 : rounded;
};

/** @type {Float32Array} */
let inputs = new Float32Array(0); // that were drawn last

/**
 * `n` inputs of `size` numbers from 0 to 1, as nhlib.random_inputs draws them with seed 0.
 * @type {(n: number, size: number) => Float32Array}
 */
export const randomInputs = (n, size) => {
  if (inputs.length !== n * size) inputs = uniform(mersenne(0), 0, 1, n * size);
  return inputs;
};
