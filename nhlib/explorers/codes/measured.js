// What is measured on the codes that the settings name.
/** @import { Digits, Layered } from "../common/digits.js" */
/** @import { Frame } from "../common/frame.js" */
import { CLASSES, MOST } from "../common/digits.js";
import { bytesOf } from "../common/embedded.js";
import {
  accuracyOf,
  codesFrom,
  groupsOf,
  hammingDistances,
  nearestOthers,
  sharedCodes,
  votesOf,
} from "../common/neighbours.js";

export const LAYERS = ["all", "relu1", "relu2", "relu3"];

/**
 * Distances of all pairs of digits, the nearest of each, and what k of them vote for.
 * @typedef {{
 *   apart: Uint16Array, nearest: Uint16Array, k: number, votes: Uint8Array, accuracy: number,
 * }} Neighbours
 *
 * The names are those of the layers; shared are the digits of each code that several have.
 * @typedef {Layered & Neighbours & {
 *   names: string[], nDistinct: number, shared: number[][],
 * }} Measured
 */

/** @type {(apart: Uint16Array, n: number) => Neighbours} */
export const neighboursOf = (apart, n) => ({
  apart,
  nearest: nearestOthers(apart, n, MOST),
  k: 0,
  votes: new Uint8Array(n),
  accuracy: 0,
});

/**
 * Let k neighbours vote, unless they have.
 * @type {(neighbours: Neighbours, k: number, labels: Uint8Array) => void}
 */
export const vote = (neighbours, k, labels) => {
  if (neighbours.k === k) return;
  neighbours.k = k;
  neighbours.votes = votesOf(neighbours.nearest, MOST, k, labels, CLASSES);
  neighbours.accuracy = accuracyOf(neighbours.votes, labels);
};

/** @type {(ui: Frame, digits: Digits) => Measured} */
export const measure = (ui, digits) => {
  const { layers, columns } = ui.get("_networks")[ui.get("network")];
  const which = LAYERS.indexOf(ui.get("layer"));
  /** @type {number[]} */
  const sizes = which > 0 ? [layers[which - 1]] : layers;
  /** @type {(some: number[]) => number} */
  const sum = (some) => some.reduce((total, size) => total + size, 0);
  const before = which > 0 ? sum(layers.slice(0, which - 1)) : 0;
  const table = bytesOf(ui.get("_bits"));
  const first = columns[ui.get("protocol")][ui.get("epoch")] + before;
  const codes = codesFrom(table, table.length / digits.n, first, sum(sizes));
  const groups = groupsOf(codes);
  return {
    codes,
    names: which > 0 ? [LAYERS[which]] : sizes.map((_, l) => LAYERS[l + 1]),
    sizes,
    ...neighboursOf(hammingDistances(codes), digits.n),
    nDistinct: Math.max(...groups) + 1,
    shared: sharedCodes(groups),
  };
};
