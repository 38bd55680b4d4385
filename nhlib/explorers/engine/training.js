// Training as nhlib.fit does it: the same examples in the same order, and the same steps of Adam.
/** @import { Examples } from "./digits.js" */
/** @import { Network, Recipe } from "./network.js" */
import { permutation } from "./permutation.js";
import { padded } from "./products.js";

export class Training {
  /**
   * @param {Network} network
   * @param {Examples} examples
   * @param {number} times how often an epoch shows each
   * @param {number} seed of the order
   */
  constructor(network, examples, times, seed) {
    this.network = network;
    this.examples = examples;
    this.n = times * examples.n; // in an epoch
    this.seed = seed;
    this.epochs = 0;
    this.steps = 0;
    /** @type {Uint32Array} */
    this.batch = new Uint32Array(0); // which examples are learnt at the moment
  }

  /**
   * Learn for one epoch; returns its mean loss, the share of right answers meanwhile, and whether
   * loss and weights are finite.
   * @param {() => void} [breathe] called after every minibatch
   */
  epoch(breathe) {
    const { network, n } = this;
    const size = network.recipe.batch_size;
    this.epochs++;
    const rate = rateIn(network.recipe, this.epochs);
    const order = orderOf(n, this.seed, this.epochs);
    let [loss, right] = [0, 0];
    for (let start = 0; start < n; start += size) {
      this.batch = order.subarray(start, start + size);
      const found = this.step(rate);
      loss += found.loss * this.batch.length;
      right += found.right;
      breathe?.();
    }
    let sum = loss;
    for (const vector of network.vectors[0]) for (const weight of vector) sum += weight;
    return { loss: loss / n, accuracy: right / n, finite: Number.isFinite(sum) };
  }

  /**
   * One step on the batch; the loss before it, with its penalty, and how many answers were right.
   * @param {number} rate
   */
  step(rate) {
    const { network, batch, examples } = this;
    const { l2, beta1, beta2, epsilon } = network.recipe;
    const [size, wide] = [network.sizes[0], network.wide[0]];
    for (let i = 0; i < batch.length; i++) {
      const from = (batch[i] % examples.n) * size;
      network.values[0].set(examples.inputs.subarray(from, from + size), i * wide);
    }
    network.forward(batch.length, true);
    const found = this.topSlopes();
    this.backward();
    const [weights, slopes, firsts, seconds] = network.vectors;
    let penalty = 0;
    if (l2) for (const weight of weights[0]) penalty += weight * weight;
    this.steps++;
    const step = {
      beta1,
      beta2,
      epsilon,
      size: rate / (1 - beta1 ** this.steps),
      root: Math.sqrt(1 - beta2 ** this.steps),
    };
    for (const [part, share] of [2 * l2, 0].entries()) {
      network.machine.adam(weights[part], slopes[part], firsts[part], seconds[part], {
        ...step,
        penalty: share,
      });
    }
    return { loss: found.loss + l2 * penalty, right: found.right };
  }

  // The mean cross-entropy of the batch, and its slopes by the scores.
  topSlopes() {
    const { network, batch, examples } = this;
    const { depth, sizes, wide } = network;
    const [scores, slopes] = [network.values[depth], network.slopes[depth]];
    const n = batch.length;
    let [loss, right] = [0, 0];
    for (let i = 0; i < n; i++) {
      const label = examples.labels[batch[i] % examples.n];
      const row = i * wide[depth];
      const answer = network.answer(i);
      const most = scores[row + answer];
      let sum = 0;
      for (let c = 0; c < sizes[depth]; c++) {
        slopes[row + c] = Math.exp(scores[row + c] - most);
        sum += slopes[row + c];
      }
      for (let c = 0; c < sizes[depth]; c++) slopes[row + c] /= sum * n;
      slopes[row + label] -= 1 / n;
      loss += Math.log(sum) + most - scores[row + label];
      if (answer === label) right++;
    }
    return { loss: loss / n, right };
  }

  // From the slopes by the scores, those by all weights.
  backward() {
    const { machine, sizes, wide, values, slopes, layers, gradient, norms, zeros, turned, depth } =
      this.network;
    const n = this.batch.length;
    for (let l = depth - 1; l >= 0; l--) {
      const [above, below] = [slopes[l + 1], slopes[l]];
      const [units, inputs] = [wide[l + 1], wide[l]];
      const transposed = { numbers: values[l], rowStep: 1, innerStep: inputs };
      machine.product(transposed, above, zeros, gradient[l].weights, inputs, n, units);
      machine.sumColumns(above, gradient[l].biases, n);
      if (!l) break;
      transpose(layers[l].weights, turned, inputs, units);
      const first = { numbers: above, rowStep: units, innerStep: 1 };
      machine.product(first, turned, zeros, below, padded(n), sizes[l + 1], inputs);
      machine.switchOff(below, values[l], n * inputs);
      norms[l - 1]?.backward(below, n);
    }
  }
}

// Networks of one seed come one after another, and see the same orders.
/** @type {Map<string, Uint32Array>} */
const orders = new Map();
const MOST_ORDERS = 500;

/** @type {(n: number, seed: number, epoch: number) => Uint32Array} */
const orderOf = (n, seed, epoch) => {
  const name = [n, seed, epoch].join();
  const order = orders.get(name) ?? permutation(n, [seed, epoch]);
  if (orders.size > MOST_ORDERS) orders.clear();
  orders.set(name, order);
  return order;
};

/**
 * The learning rate in an epoch, the first of which is 1, as nhlib.Recipe.learning_rate_in has it.
 * @type {(recipe: Recipe, epoch: number) => number}
 */
const rateIn = ({ learning_rate, decay, decay_every }, epoch) =>
  learning_rate * decay ** (decay_every ? Math.floor((epoch - 1) / decay_every) : 0);

/** @type {(matrix: Float32Array, to: Float32Array, rows: number, columns: number) => void} */
const transpose = (matrix, to, rows, columns) => {
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, at++) to[j * rows + i] = matrix[at];
  }
};
