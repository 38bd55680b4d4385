// A network as it is seen on a grid of nodes in the square, and on its data.
/** @import { State } from "./state.js" */
import { contextOf } from "../common/pictures.js";
import { groundOf } from "./colours.js";
import { borders, contour } from "./contours.js";
import { Network } from "./network.js";
import { numbered } from "./numbering.js";

/**
 * Regions are counted on the grid, whose side this is, distinct codes on the data. Paths are where
 * the units of each layer switch, and where the decision changes.
 * @typedef {{
 *   side: number, regions: number, codes: number, accuracy: number, loss: number,
 *   paths: Path2D[], boundary: Path2D, sheet: HTMLCanvasElement,
 * }} Seen
 */

export class Grid {
  /** @param {number} side */
  constructor(side) {
    this.side = side;
    this.sheet = document.createElement("canvas");
    this.sheet.width = side;
    this.sheet.height = side;
    this.network = new Network([2, 1, 2]);
  }

  /**
   * Look at the network, and paint the sheet.
   * @param {State} state
   * @returns {Seen}
   */
  see({ network, inputs, labels, n }) {
    const { side, sheet } = this;
    if (String(this.network.sizes) !== String(network.sizes)) {
      this.network = new Network(network.sizes);
    }
    const there = this.network.load(network.flat());
    const onNodes = there.forwardOnGrid(side);
    const words = Math.ceil(there.nUnits / 32);
    const { numbers, distinct } = numbered(onNodes, words);
    contextOf(sheet).putImageData(groundOf(there, numbers, distinct, side), 0, 0);
    const paths = there.sizes.slice(1, -1).map(() => new Path2D());
    borders(paths, there, onNodes, side);
    const boundary = new Path2D();
    contour(boundary, leadOf(there.values[there.depth]), side);

    const scores = network.forward(inputs, n);
    const right = network.decisions().filter((decided, i) => decided === labels[i]).length;
    const codes = numbered(network.codes(), words).distinct;
    const accuracy = right / n;
    const loss = lossOf(scores, labels);
    return { side, regions: distinct, codes, accuracy, loss, paths, boundary, sheet };
  }
}

/**
 * By how much the second score is above the first.
 * @param {Float32Array} scores
 */
const leadOf = (scores) => {
  const lead = new Float32Array(scores.length / 2);
  for (let i = 0; i < lead.length; i++) lead[i] = scores[2 * i + 1] - scores[2 * i];
  return lead;
};

/**
 * The mean cross-entropy of pairs of scores.
 * @type {(scores: Float32Array, labels: Uint8Array) => number}
 */
const lossOf = (scores, labels) => {
  let sum = 0;
  for (let i = 0; i < labels.length; i++) {
    const [a, b] = [scores[2 * i], scores[2 * i + 1]];
    const most = Math.max(a, b);
    sum += most + Math.log(Math.exp(a - most) + Math.exp(b - most)) - scores[2 * i + labels[i]];
  }
  return sum / labels.length;
};
