// The network of a RegionExplorer, what it learns, and what its reader points at.
/** @import { Frame } from "../common/frame.js" */
/** @import { Point } from "./csv.js" */
/** @import { Place } from "./partition.js" */
/** @import { Trained } from "./trainer.js" */
import { bufferOf, bytesOf } from "../common/embedded.js";
import { Network } from "./network.js";
import { rounded } from "./starts.js";

/** @type {(inputs: Float32Array, labels: Uint8Array) => Point[]} */
const pointsOf = (inputs, labels) =>
  Array.from(labels, (label, i) => [rounded(inputs[2 * i]), rounded(inputs[2 * i + 1]), label]);

export class State {
  /** @param {Frame} ui */
  constructor(ui) {
    this.ui = ui;
    this.playing = false; // until somebody stops it
    this.going = false; // more weights are on their way
    this.version = 0; // another for other weights
    this.steps = 0;
    /** Points as they were before each change, the last at the end. @type {object[]} */
    this.past = [];
    /** The point that is being moved, and where it is now. @type {{ i: number, place: Place }?} */
    this.carried = null;
    const { network, inputs, labels } = this.start();
    this.network = network; // of the weights last heard
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

  /** @returns {Place} */
  get cursor() {
    return this.ui.get("cursor");
  }

  /** @param {Place} place */
  set cursor([x, y]) {
    this.ui.set("cursor", [rounded(x), rounded(y)]);
  }

  /** @returns {Place} */
  get pinned() {
    return this.ui.get("pinned");
  }

  // -- training ----------------------------------------------------------------------------------

  // The network before training, and its data, as the settings have them.
  start() {
    const network = Network.glorot(this.sizes, this.ui.get("seed"));
    const name = this.ui.get("data");
    if (name === "own") {
      /** @type {Point[]} */
      const points = this.ui.get("points");
      const inputs = Float32Array.from(points.flatMap((point) => point.slice(0, 2)));
      return { network, inputs, labels: Uint8Array.from(points, ([, , label]) => label) };
    }
    const n = this.ui.get("sample_size");
    return {
      network,
      inputs: this.embedded(name, n),
      labels: bytesOf(this.ui.get("_labels")[name][`${n} ${this.ui.get("label_noise")}`]),
    };
  }

  /** @type {(name: string, n: number) => Float32Array} */
  embedded(name, n) {
    return new Float32Array(bufferOf(this.ui.get("_points")[name])).slice(0, 2 * n);
  }

  restart() {
    Object.assign(this, this.start());
    this.steps = 0;
    this.version++;
    this.carried = null;
  }

  /** @param {Trained} trained */
  take({ weights, steps }) {
    this.network.load(weights);
    this.steps = steps;
    this.version++;
  }

  // -- points ------------------------------------------------------------------------------------

  /** The points that are shown, as a reader may change them. @returns {Point[]} */
  get points() {
    if (this.ui.get("data") === "own") return this.ui.get("points");
    return pointsOf(this.inputs, this.labels);
  }

  /**
   * The first points of a data set, as a reader may change them.
   * @type {(name: string, n: number) => Point[]}
   */
  first(name, n) {
    const labels = bytesOf(this.ui.get("_labels")[name]["100 0"]);
    return pointsOf(this.embedded(name, n), labels.slice(0, n));
  }

  /**
   * The point that is nearest to a place, and within reach of it; -1 if there is none.
   * @type {(place: Place, reach: number) => number}
   */
  nearest([x, y], reach) {
    let [best, least] = [-1, reach];
    for (let i = 0; i < this.n; i++) {
      const distance = Math.hypot(this.inputs[2 * i] - x, this.inputs[2 * i + 1] - y);
      if (distance <= least) [best, least] = [i, distance];
    }
    return best;
  }

  /**
   * Learn other points from now on.
   * @param {Point[]} points
   */
  edit(points) {
    this.past.push({ data: this.ui.get("data"), points: this.ui.get("points") });
    this.ui.set("points", points);
    this.ui.set("data", "own");
  }

  /** Take back the last change of points; whether there was one. */
  undo() {
    const before = this.past.pop();
    for (const [setting, value] of Object.entries(before ?? {})) this.ui.set(setting, value);
    return Boolean(before);
  }
}
