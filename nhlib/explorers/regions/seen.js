// A network as it is seen: its regions in the square, and what it makes of its data.
/** @import { Partition, Place } from "./partition.js" */
/** @import { State } from "./state.js" */
import { colourOf } from "./colours.js";
import { numbered } from "./numbering.js";
import { partition } from "./partition.js";

/**
 * Regions with their colours; how many linear regions they make; where the decision changes; and of
 * the data how many codes are distinct, the share that is decided right, and the loss.
 * @typedef {{
 *   regions: Partition, colours: string[], linear: number, boundary: [Place, Place][],
 *   codes: number, accuracy: number, loss: number,
 * }} Seen
 */

/** @type {(state: State) => Seen} */
export const see = ({ network, hidden, inputs, labels, n }) => {
  const regions = partition(network);
  const scores = network.forward(inputs, n);
  const right = network.decisions().filter((decided, i) => decided === labels[i]).length;
  return {
    regions,
    colours: regions.codes.map((code) => colourOf(code, hidden)),
    linear: regions.nLinearRegions,
    boundary: regions.boundary,
    codes: numbered(network.codes(), Math.ceil(network.nUnits / 32)).distinct,
    accuracy: right / n,
    loss: lossOf(scores, labels),
  };
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
