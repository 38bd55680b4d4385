// Training of a network by Adam's steps, the same as those of nhlib.Recipe: ε = 1e-7.
/** @import { Network } from "./network.js" */
import { backwardLayer } from "./layers.js";

export class Adam {
  /** @param {Network} network which it changes */
  constructor(network) {
    const zeros = () =>
      [network.weights, network.biases].map((kind) =>
        kind.map((part) => new Float64Array(part.length)),
      );
    this.network = network;
    this.steps = 0;
    /** @type {Float32Array[]} */
    this.slopes = []; // by the values of every layer
    this.gradient = zeros(); // by weights and biases
    this.moments = [zeros(), zeros()];
  }

  /**
   * The mean cross-entropy of the batch that the network has seen last, and its slopes by all
   * weights and biases.
   * @param {ArrayLike<number>} labels
   * @param {number} n
   */
  backward(labels, n) {
    const { sizes, depth, values, wide } = this.network;
    const classes = sizes[depth];
    if (this.slopes[0]?.length !== n * sizes[0]) {
      this.slopes = sizes.map((size) => new Float32Array(n * size));
    }
    const [outputs, top] = [values[depth], this.slopes[depth]];
    let loss = 0;
    for (let i = 0; i < n; i++) {
      const row = i * classes;
      let largest = -Infinity;
      for (let c = 0; c < classes; c++) largest = Math.max(largest, outputs[row + c]);
      let sum = 0;
      for (let c = 0; c < classes; c++) {
        top[row + c] = Math.exp(outputs[row + c] - largest);
        sum += top[row + c];
      }
      loss += Math.log(sum) + largest - outputs[row + labels[i]];
      for (let c = 0; c < classes; c++) {
        top[row + c] = (top[row + c] / sum - (c === labels[i] ? 1 : 0)) / n;
      }
    }
    for (let l = depth - 1; l >= 0; l--) {
      backwardLayer(
        values[l],
        this.slopes[l + 1],
        this.slopes[l],
        wide[l],
        this.gradient[0][l].fill(0),
        this.gradient[1][l].fill(0),
        n,
        sizes[l],
        sizes[l + 1],
        l ? 0 : -Infinity,
      );
    }
    return loss / n;
  }

  /**
   * One step on a batch; returns the loss before it.
   * @param {Float32Array} inputs
   * @param {ArrayLike<number>} labels
   * @param {number} n
   * @param {number} rate
   */
  step(inputs, labels, n, rate) {
    this.network.forward(inputs, n);
    const loss = this.backward(labels, n);
    this.steps++;
    const size = rate / (1 - 0.9 ** this.steps);
    const root = Math.sqrt(1 - 0.999 ** this.steps);
    [this.network.weights, this.network.biases].forEach((kind, j) => {
      kind.forEach((part, l) => {
        const slopes = this.gradient[j][l];
        const [first, second] = [this.moments[0][j][l], this.moments[1][j][l]];
        for (let i = 0; i < part.length; i++) {
          const slope = slopes[i];
          first[i] += 0.1 * (slope - first[i]);
          second[i] = 0.999 * second[i] + 0.001 * slope * slope;
          part[i] -= (size * first[i]) / (Math.sqrt(second[i]) / root + 1e-7);
        }
      });
    });
    return loss;
  }
}
