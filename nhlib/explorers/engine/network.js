// An MLP in the memory of a machine: its weights, what they make of a batch, and codes.
//
// Of every layer the weights stand as inputs times units, both padded with zeros to multiples of
// four: what is padded stays zero, since nothing that reaches it ever is anything else.
/** @import { Codes } from "../common/neighbours.js" */
/** @import { Machine } from "./products.js" */
import { Norm } from "./normalization.js";
import { padded } from "./products.js";

/**
 * How a network is built and trained: nhlib's Recipe and what nhlib.mlp and PyTorch's Adam have.
 * @typedef {{
 *   batch_size: number, learning_rate: number, decay: number, decay_every: number | null,
 *   l2: number, epsilon: number, beta1: number, beta2: number, batch_norm: boolean,
 *   norm_epsilon: number, norm_momentum: number,
 * }} Recipe
 *
 * The parameters of a layer; those of batch norm only where there is one.
 * @typedef {{ weights: Float32Array, biases: Float32Array, scales: Float32Array,
 *   shifts: Float32Array }} Layer
 */

// Examples that are shown at once where nothing is learnt.
const AT_ONCE = 256;

export class Network {
  /**
   * @param {Machine} machine whose memory it takes
   * @param {number[]} sizes of the inputs, the hidden layers and the classes
   * @param {Recipe} recipe
   * @param {Float32Array[]} initial weights of every layer, as rows of one unit each
   */
  constructor(machine, sizes, recipe, initial) {
    this.machine = machine;
    this.sizes = sizes;
    this.recipe = recipe;
    this.depth = sizes.length - 1;
    this.wide = sizes.map(padded);
    this.rows = padded(Math.max(recipe.batch_size, AT_ONCE));
    const { wide, rows, depth } = this;
    const widest = Math.max(...wide);
    const normed = recipe.batch_norm ? wide.slice(1, -1) : [];
    const products = wide.slice(1).map((units, l) => wide[l] * units);
    const nHidden = products.slice(0, -1).reduce((sum, one) => sum + one, 0);
    /** @type {(numbers: number[]) => number} */
    const total = (numbers) => numbers.reduce((sum, one) => sum + one, 0);
    const nRest = products[depth - 1] + total(wide.slice(1)) + 2 * total(normed);
    const vectors = Array(4).fill([nHidden, nRest]).flat();
    const perBatch = [...wide, ...wide, ...normed].map((units) => rows * units);
    const [zeros, turned, ...taken] = machine.take([
      widest,
      Math.max(...products),
      ...vectors,
      ...perBatch,
    ]);
    this.zeros = zeros;
    this.turned = turned; // for the weights of one layer, transposed
    // Of weights, their slopes, and Adam's two moments: what the penalty runs over, and the rest.
    this.vectors = [0, 2, 4, 6].map((i) => taken.slice(i, i + 2));
    this.layers = this.parts(this.vectors[0]);
    this.gradient = this.parts(this.vectors[1]);
    this.values = taken.slice(8, 8 + wide.length); // of a batch in every layer, after the ReLU
    this.slopes = taken.slice(8 + wide.length, 8 + 2 * wide.length); // of the loss by these
    this.norms = normed.map((units, l) => {
      const normalized = taken[8 + 2 * wide.length + l];
      return new Norm(units, recipe, this.layers[l], this.gradient[l], normalized);
    });
    initial.forEach((rowsOfUnits, l) => {
      for (let unit = 0, i = 0; unit < sizes[l + 1]; unit++) {
        for (let input = 0; input < sizes[l]; input++, i++) {
          this.layers[l].weights[input * wide[l + 1] + unit] = rowsOfUnits[i];
        }
      }
      this.layers[l].scales.fill(1, 0, sizes[l + 1]);
    });
  }

  /**
   * The parameters of the layers as parts of two vectors.
   * @param {Float32Array[]} vectors
   * @returns {Layer[]}
   */
  parts([hidden, rest]) {
    const { wide, depth, recipe } = this;
    const places = new Map([
      [hidden, 0],
      [rest, 0],
    ]);
    /** @type {(vector: Float32Array, length: number) => Float32Array} */
    const part = (vector, length) => {
      const at = places.get(vector) ?? 0;
      places.set(vector, at + length);
      return vector.subarray(at, at + length);
    };
    return wide.slice(1).map((units, l) => {
      const last = l === depth - 1;
      const normed = recipe.batch_norm && !last ? units : 0;
      return {
        weights: part(last ? rest : hidden, wide[l] * units),
        biases: part(rest, units),
        scales: part(rest, normed),
        shifts: part(rest, normed),
      };
    });
  }

  /**
   * Show the `n` examples whose inputs stand in `values[0]`; in train mode batch norm takes the
   * averages of these.
   * @param {number} n
   * @param {boolean} train
   */
  forward(n, train) {
    const { machine, sizes, wide, values, layers, norms, depth } = this;
    for (let l = 0; l < depth; l++) {
      const [inputs, outputs] = [values[l], values[l + 1]];
      const { weights, biases } = layers[l];
      const first = { numbers: inputs, rowStep: wide[l], innerStep: 1 };
      machine.product(first, weights, biases, outputs, padded(n), sizes[l], wide[l + 1]);
      if (l === depth - 1) break;
      norms[l]?.forward(outputs, n, train);
      machine.rectify(outputs, n * wide[l + 1]);
    }
    return values[depth];
  }

  /**
   * Show all of `inputs`, and call `see` after each block with its first example and their number.
   * @param {Float32Array} inputs
   * @param {(first: number, n: number) => void} see
   */
  show(inputs, see) {
    const size = this.sizes[0];
    const total = inputs.length / size;
    for (let first = 0; first < total; first += AT_ONCE) {
      const n = Math.min(AT_ONCE, total - first);
      for (let i = 0; i < n; i++) {
        const from = (first + i) * size;
        this.values[0].set(inputs.subarray(from, from + size), i * this.wide[0]);
      }
      this.forward(n, false);
      see(first, n);
    }
  }

  /**
   * Neural codes, and the class that the network answers for each.
   * @param {Float32Array} inputs
   */
  read(inputs) {
    const { sizes, wide, values, depth } = this;
    const n = inputs.length / sizes[0];
    const length = sizes.slice(1, -1).reduce((sum, units) => sum + units, 0);
    const width = Math.ceil(length / 32);
    /** @type {Codes} */
    const codes = { n, length, width, words: new Int32Array(n * width) };
    const answers = new Uint8Array(n);
    this.show(inputs, (first, many) => {
      for (let i = 0; i < many; i++) {
        const at = (first + i) * width;
        for (let l = 1, bit = 0; l < depth; l++) {
          const row = i * wide[l];
          for (let unit = 0; unit < sizes[l]; unit++, bit++) {
            if (values[l][row + unit] > 0) codes.words[at + (bit >> 5)] |= 1 << (bit & 31);
          }
        }
        answers[first + i] = this.answer(i);
      }
    });
    return { codes, answers };
  }

  /**
   * The class of the i-th example of the batch: the first of the largest scores.
   * @param {number} i
   */
  answer(i) {
    const [scores, row] = [this.values[this.depth], i * this.wide[this.depth]];
    let best = 0;
    for (let c = 1; c < this.sizes[this.depth]; c++) {
      if (scores[row + c] > scores[row + best]) best = c;
    }
    return best;
  }

  // Weights as rows of one unit each, and biases, layer by layer, as PyTorch has them.
  parameters() {
    const { sizes, wide, layers } = this;
    return layers.map(({ weights, biases }, l) => ({
      weights: Float32Array.from({ length: sizes[l] * sizes[l + 1] }, (_, i) => {
        const [unit, input] = [Math.floor(i / sizes[l]), i % sizes[l]];
        return weights[input * wide[l + 1] + unit];
      }),
      biases: biases.slice(0, sizes[l + 1]),
    }));
  }
}
