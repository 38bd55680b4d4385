// A network with one hidden layer along a straight line. Its pre-activations are affine in the
// length of the step and its outputs between two flips, so that everything is found exactly, where
// sampling would miss what happens between two samples. Nothing here draws.

/**
 * Weights row by row, a row for each unit that they lead to.
 * @typedef {{
 *   inputs: number, hidden: number, outputs: number,
 *   weights: Float64Array, biases: Float64Array, readout: Float64Array, offsets: Float64Array,
 * }} Network
 */

/**
 * The network at one place of a row of them. `sizes` counts inputs, hidden units and outputs; of
 * each stand weights and biases of the hidden layer, then those of the outputs.
 * @type {(numbers: Float64Array, sizes: number[], place: number) => Network}
 */
export const networkAt = (numbers, [inputs, hidden, outputs], place) => {
  const lengths = [hidden * inputs, hidden, outputs * hidden, outputs];
  let from = place * lengths.reduce((sum, length) => sum + length);
  const [weights, biases, readout, offsets] = lengths.map((length) => {
    from += length;
    return numbers.subarray(from - length, from);
  });
  return { inputs, hidden, outputs, weights, biases, readout, offsets };
};

/** @typedef {Float64Array} Vector */

/** @type {(a: Vector, b: Vector) => number} */
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
/** @type {(vector: Vector) => number} */
const lengthOf = (vector) => Math.sqrt(dot(vector, vector));
/** @type {(matrix: Vector, row: number, size: number) => Vector} */
const rowOf = (matrix, row, size) => matrix.subarray(row * size, (row + 1) * size);
/** @type {(matrix: Vector, vector: Vector, rows: number) => Vector} */
const product = (matrix, vector, rows) =>
  Float64Array.from({ length: rows }, (_, r) => dot(rowOf(matrix, r, vector.length), vector));
/** @type {(a: Vector, b: Vector) => Vector} */
const plus = (a, b) => a.map((value, i) => value + b[i]);
/** @type {(values: Vector) => number} */
const largest = (values) => values.indexOf(Math.max(...values));

/** @type {(vector: Vector) => Vector} */
export const unit = (vector) => {
  const length = lengthOf(vector);
  return vector.map((value) => value / length);
};

/** @type {(network: Network, x: Vector) => Vector} */
const preactivations = ({ weights, biases, hidden }, x) =>
  plus(product(weights, x, hidden), biases);

/**
 * Euclidean distances to the borders of all units.
 * @type {(network: Network, x: Vector) => Vector}
 */
export const borderDistances = (network, x) =>
  preactivations(network, x).map(
    (z, j) => Math.abs(z) / lengthOf(rowOf(network.weights, j, network.inputs)),
  );

/**
 * The direction in which the cross-entropy loss of a class grows fastest at x: of length 1.
 * @type {(network: Network, x: Vector, label: number) => Vector}
 */
export const against = (network, x, label) => {
  const { weights, readout, offsets, inputs, hidden, outputs } = network;
  const z = preactivations(network, x);
  const active = z.map((value) => Math.max(0, value));
  const logits = plus(product(readout, active, outputs), offsets);
  const top = Math.max(...logits);
  const powers = logits.map((value) => Math.exp(value - top));
  const total = powers.reduce((sum, value) => sum + value);
  const slopes = powers.map((value) => value / total);
  // The class's own probability minus 1, without the rounding where that is nearly 0.
  slopes[label] = 0;
  slopes[label] = -slopes.reduce((sum, value) => sum + value);
  const gradient = new Float64Array(inputs);
  for (let j = 0; j < hidden; j++) {
    if (z[j] <= 0) continue;
    let slope = 0;
    for (let c = 0; c < outputs; c++) slope += slopes[c] * readout[c * hidden + j];
    for (let p = 0; p < inputs; p++) gradient[p] += slope * weights[j * inputs + p];
  }
  return unit(gradient);
};

/**
 * The nearest of the points that has another label; the first of several that are as near.
 * @type {(points: Uint8Array, labels: Uint8Array, i: number, size: number) => number}
 */
export const nearestOther = (points, labels, i, size) => {
  let [best, least] = [-1, Infinity];
  labels.forEach((label, j) => {
    if (label === labels[i]) return;
    let square = 0;
    for (let p = 0; p < size; p++) square += (points[i * size + p] - points[j * size + p]) ** 2;
    if (square < least) [best, least] = [j, square];
  });
  return best;
};

/**
 * What happens on a line: the units that flip, in order, with one hidden layer no unit twice; the
 * answers, in order; and the bits at a length.
 * @typedef {{
 *   flips: { at: number, unit: number }[],
 *   answers: { from: number, answer: number }[],
 *   bits: (length: number) => number[],
 * }} Line
 */

/**
 * What happens from x on, in a direction of length 1, as far as `longest`.
 * @type {(network: Network, x: Vector, direction: Vector, longest: number) => Line}
 */
export const along = (network, x, direction, longest) => {
  const { weights, readout, offsets, hidden, outputs } = network;
  const start = preactivations(network, x);
  const slopes = product(weights, direction, hidden);
  /** @param {number} length */
  const bits = (length) => Array.from(start, (z, j) => Number(z + length * slopes[j] > 0));
  const flips = Array.from(start, (z, j) => ({ at: -z / slopes[j], unit: j, on: z > 0 }))
    .filter(({ at, unit, on }) => (on ? slopes[unit] < 0 : slopes[unit] > 0) && at < longest)
    .map(({ at, unit }) => ({ at, unit }))
    .sort((a, b) => a.at - b.at);

  /** @type {Line["answers"]} */
  const answers = [];
  const ends = [0, ...flips.map(({ at }) => at), longest];
  for (let piece = 0; piece + 1 < ends.length; piece++) {
    const [from, to] = [ends[piece], ends[piece + 1]];
    const on = bits((from + to) / 2);
    /** @param {Vector} values */
    const masked = (values) => values.map((value, j) => value * on[j]);
    const level = plus(product(readout, masked(start), outputs), offsets);
    const growth = product(readout, masked(slopes), outputs);
    if (!answers.length) answers.push({ from: 0, answer: largest(level) });
    // Whichever class first overtakes the answer is the next one; it grows faster, so this ends.
    for (let at = from; at < to; ) {
      const { answer } = answers[answers.length - 1];
      let next = { from: to, answer };
      for (let c = 0; c < outputs; c++) {
        if (growth[c] <= growth[answer]) continue;
        const meets = Math.max(at, (level[answer] - level[c]) / (growth[c] - growth[answer]));
        if (meets < next.from) next = { from: meets, answer: c };
      }
      if (next.from < to) answers.push(next);
      at = next.from;
    }
  }
  return { flips, answers, bits };
};
