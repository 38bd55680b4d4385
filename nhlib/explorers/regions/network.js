// A network of ReLU units as nhlib has it: the same weights from the same seed, the same codes.
import { forwardLayer } from "./layers.js";
import { mersenne } from "./mersenne.js";

// An MLP. The weights of layer l are rows of one unit each, as in PyTorch:
// weights[l][unit * inputs + input].
export class Network {
  /** @param {number[]} sizes of the inputs, the hidden layers and the classes */
  constructor(sizes) {
    this.sizes = sizes;
    /** @type {Float32Array[]} */
    this.weights = [];
    /** @type {Float32Array[]} */
    this.biases = [];
    for (let l = 0; l + 1 < sizes.length; l++) {
      const [inputs, units] = [sizes[l], sizes[l + 1]];
      this.weights.push(new Float32Array(inputs * units));
      this.biases.push(new Float32Array(units));
    }
    // Copies that need no conversion where they are used again and again.
    this.wide = this.weights.map((weights) => new Float64Array(weights.length));
    this.depth = this.weights.length;
    this.nUnits = sizes.slice(1, -1).reduce((sum, width) => sum + width, 0);
    this.n = 0;
    /** @type {Float32Array[]} */
    this.values = []; // of n examples in every layer
  }

  /**
   * What nhlib.mlp(..., seed=seed) starts with: Glorot's uniform weights, biases of 0.
   * @param {number[]} sizes
   * @param {number} seed
   */
  static glorot(sizes, seed) {
    const network = new Network(sizes);
    const random = mersenne(seed);
    network.weights.forEach((weights, l) => {
      const bound = Math.sqrt(6 / (sizes[l] + sizes[l + 1]));
      const [low, range] = [Math.fround(-bound), Math.fround(Math.fround(bound) * 2)];
      // 24 bits, scaled and shifted with one rounding, which storing does.
      for (let i = 0; i < weights.length; i++) {
        weights[i] = (random() & 0xffffff) * 2 ** -24 * range + low;
      }
    });
    return network;
  }

  // All weights and biases in one vector, to send them, and back.
  flat() {
    const parts = this.weights.flatMap((weights, l) => [weights, this.biases[l]]);
    const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  /** @param {Float32Array} all */
  load(all) {
    let at = 0;
    for (let l = 0; l < this.depth; l++) {
      for (const part of [this.weights[l], this.biases[l]]) {
        part.set(all.subarray(at, at + part.length));
        at += part.length;
      }
    }
    return this;
  }

  /**
   * Make room for n examples in every layer, kept for the next batch of the same size.
   * @param {number} n
   */
  room(n) {
    if (this.n === n) return;
    this.n = n;
    this.values = this.sizes.map((size) => new Float32Array(n * size));
  }

  /**
   * Values of all layers for n examples, which stand one after another in `inputs`: what goes into
   * the ReLUs, which are taken where a value is read. A unit is on where its value is above 0.
   * @param {Float32Array} inputs
   * @param {number} n
   */
  forward(inputs, n) {
    this.room(n);
    this.values[0] = inputs;
    for (let l = 0; l < this.depth; l++) {
      this.wide[l].set(this.weights[l]);
      forwardLayer(
        this.values[l],
        this.values[l + 1],
        this.wide[l],
        this.biases[l],
        n,
        this.sizes[l],
        this.sizes[l + 1],
        l ? 0 : -Infinity,
      );
    }
    return this.values[this.depth];
  }

  // Codes of the examples of the last forward pass: one bit a hidden unit, 32 in a word, the
  // first unit lowest: codes[example * words + word].
  codes() {
    const words = Math.ceil(this.nUnits / 32);
    const codes = new Uint32Array(this.n * words);
    for (let l = 1, first = 0; l < this.depth; first += this.sizes[l++]) {
      const [values, units] = [this.values[l], this.sizes[l]];
      for (let i = 0, at = 0; i < this.n; i++) {
        for (let bit = first; bit < first + units; bit++, at++) {
          if (values[at] > 0) codes[i * words + (bit >>> 5)] |= 1 << (bit & 31);
        }
      }
    }
    return codes;
  }

  // The class of each example of the last forward pass: the first of the largest scores.
  decisions() {
    const classes = this.sizes[this.depth];
    const [outputs, decided] = [this.values[this.depth], new Uint8Array(this.n)];
    for (let i = 0; i < this.n; i++) {
      let best = 0;
      for (let c = 1; c < classes; c++) {
        if (outputs[i * classes + c] > outputs[i * classes + best]) best = c;
      }
      decided[i] = best;
    }
    return decided;
  }
}
