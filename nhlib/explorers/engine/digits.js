// The digits as nhlib.load("digits") splits them, embedded with five bits a pixel, and what a network
// learns of them.
import { bytesFrom, fivesOf } from "../common/embedded.js";
import binary from "./digits.bin";
import { shuffledLabels } from "./random.js";

/**
 * Inputs, one after another, in float32, and their labels.
 * @typedef {{ n: number, inputs: Float32Array, labels: Uint8Array }} Examples
 */

export const N_INPUTS = 64;
export const N_CLASSES = 10;
const N_TEST = 360;

/** @type {{ train: Examples, test: Examples } | null} */
let digits = null;

// Both splits: labels of training and test, a byte each, then their pixels.
export const loadDigits = () => {
  if (digits) return digits;
  const bytes = bytesFrom(binary);
  const n = bytes.length / (1 + (5 * N_INPUTS) / 8);
  const labels = bytes.subarray(0, n);
  const pixels = fivesOf(bytes.subarray(n), n * N_INPUTS);
  const inputs = Float32Array.from(pixels, (pixel) => pixel / 16);
  /** @type {(from: number, to: number) => Examples} */
  const split = (from, to) => ({
    n: to - from,
    inputs: inputs.subarray(from * N_INPUTS, to * N_INPUTS),
    labels: labels.subarray(from, to),
  });
  digits = { train: split(0, n - N_TEST), test: split(n - N_TEST, n) };
  return digits;
};

/**
 * The first training examples, with a share of their labels shuffled, and how often an epoch shows
 * each: as often as fits into all of them.
 * @param {{ train_size: number, label_noise: number, seed: number }} configuration
 */
export const learnt = ({ train_size, label_noise, seed }) => {
  const { train } = loadDigits();
  const labels = train.labels.subarray(0, train_size);
  /** @type {Examples} */
  const examples = {
    n: train_size,
    inputs: train.inputs.subarray(0, train_size * N_INPUTS),
    labels: label_noise ? shuffledLabels(labels, label_noise, seed) : labels,
  };
  return { examples, times: Math.floor(train.n / train_size) };
};
