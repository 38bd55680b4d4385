// The network of a RegionExplorer, what it learns, and what its reader points at.
/** @import { Frame } from "../common/frame.js" */
/** @import { Trained } from "./trainer.js" */
import { bufferOf, bytesOf } from "../common/embedded.js";
import { Network } from "./network.js";

/** @typedef {[x: number, y: number]} Place in the square from -1 to 1 */

export class State {
  /** @param {Frame} ui */
  constructor(ui) {
    this.ui = ui;
    this.playing = false; // until somebody stops it
    this.going = false; // more weights are on their way
    /** @type {Place} */
    this.cursor = [0.35, 0.1];
    /** @type {Place} */
    this.pinned = [-0.35, -0.1];
    this.version = 0; // another for other weights
    this.steps = 0;
    const { network, single, inputs, labels } = this.start();
    this.network = network; // of the weights last heard
    this.single = single; // the same, asked about single points
    this.inputs = inputs;
    this.labels = labels;
  }

  get sizes() {
    return [2, ...this.hidden, 2];
  }

  /** @returns {number[]} */
  get hidden() {
    return Array(this.ui.get("depth")).fill(this.ui.get("width"));
  }

  get n() {
    return this.labels.length;
  }

  // The network before training, and its data, as the settings have them.
  start() {
    const [name, n] = [this.ui.get("data"), this.ui.get("sample_size")];
    const network = Network.glorot(this.sizes, this.ui.get("seed"));
    return {
      network,
      single: new Network(this.sizes).load(network.flat()),
      inputs: new Float32Array(bufferOf(this.ui.get("_points")[name])).slice(0, 2 * n),
      labels: bytesOf(this.ui.get("_labels")[name][`${n} ${this.ui.get("label_noise")}`]),
    };
  }

  restart() {
    Object.assign(this, this.start());
    this.steps = 0;
    this.version++;
  }

  /** @param {Trained} trained */
  take({ weights, steps }) {
    this.network.load(weights);
    this.single.load(weights);
    this.steps = steps;
    this.version++;
  }

  /**
   * Whether each unit is on, at a point.
   * @param {Place} point
   */
  codeAt(point) {
    const { single } = this;
    single.forward(Float32Array.from(point), 1);
    return this.hidden.flatMap((_, l) => Array.from(single.values[l + 1], (value) => value > 0));
  }
}
