// Measures of codes as nhlib takes them, in the columns of a table of nhlib.sweep.
/** @import { Codes } from "../common/neighbours.js" */
/** @import { Examples } from "./digits.js" */
/** @import { Network } from "./network.js" */
/** @import { Machine } from "./products.js" */
import { groupsOf, redundancyRatio } from "../common/neighbours.js";
import { N_CLASSES } from "./digits.js";
import { kmeansAccuracy } from "./kmeans.js";
import { randomInputs } from "./random.js";

/** @typedef {{ [column: string]: number }} Found */

/**
 * What is measured of a network that has learnt `train`.
 * @param {Network} network
 * @param {{ train: Examples, test: Examples }} data
 * @param {{ measures: string[], k: number }} wanted
 * @returns {Found}
 */
export const measure = (network, { train, test }, { measures, k }) => {
  const [learnt, others] = [network.read(train.inputs), network.read(test.inputs)];
  const right = others.answers.reduce((n, answer, i) => n + Number(answer === test.labels[i]), 0);
  /** @type {Found} */
  let found = { test_accuracy: right / test.n };
  const codes = { train: learnt.codes, test: others.codes };
  if (measures.includes("redundancy")) {
    const n = Math.min(train.n, test.n);
    const random = network.read(randomInputs(n, network.sizes[0])).codes;
    found = { ...found, ...redundancies(codes, random, n) };
  }
  // Of classes that no training example has, nothing can be got right.
  const known = [...test.labels.keys()].filter((i) => train.labels.includes(test.labels[i]));
  const share = known.length / test.n;
  if (measures.includes("knn")) {
    found.knn = share * knnAccuracy(network.machine, codes, { train, test }, known, k);
  }
  if (measures.includes("kmeans")) {
    found.kmeans = share * kmeansAccuracy(codes, { train, test }, known).accuracy;
  }
  return found;
};

/**
 * @param {{ train: Codes, test: Codes }} codes
 * @param {Codes} random
 * @param {number} n
 * @returns {Found}
 */
const redundancies = ({ train, test }, random, n) => ({
  redundancy_train: redundancyAt(train, train.n),
  redundancy_train_n: redundancyAt(train, n),
  redundancy_test_n: redundancyAt(test, n),
  redundancy_test: redundancyAt(test, test.n),
  redundancy_random_n: redundancyAt(random, n),
  n,
});

/**
 * The redundancy ratio that `n` of the examples are expected to have, drawn without replacement.
 * @type {(codes: Codes, n: number) => number}
 */
export const redundancyAt = (codes, n) => {
  const groups = groupsOf(codes);
  const sizes = new Uint32Array(codes.n);
  for (const group of groups) sizes[group]++;
  const total = codes.n;
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
  if (n === total) return redundancyRatio(total, sizes.filter(Boolean).length);
  // How likely it is that no example of a group of m is drawn: a product over i < m.
  const undrawn = new Float64Array(largest + 1).fill(1);
  for (let m = 1; m <= largest; m++) {
    undrawn[m] = (undrawn[m - 1] * Math.max(total - n - (m - 1), 0)) / (total - (m - 1));
  }
  let redundant = 0;
  for (const m of sizes) if (m > 1) redundant += (m * n) / total - (1 - undrawn[m]);
  return Math.min(Math.max(redundant / n, 0), 1 - 1 / n);
};

/**
 * The accuracy of the vote of the k nearest training codes: neighbours by distance, then by index,
 * and among classes with equally many votes the smallest.
 * @param {Machine} machine
 * @param {{ train: Codes, test: Codes }} codes
 * @param {{ train: { labels: Uint8Array }, test: { labels: Uint8Array } }} examples
 * @param {number[]} among which test examples count
 * @param {number} k
 */
export const knnAccuracy = (machine, { train, test }, examples, among, k) => {
  const { n, length } = train;
  const apart = machine.distances(test, train);
  const [far, labels] = [new Int32Array(k), new Uint8Array(k)];
  let right = 0;
  for (const i of among) {
    far.fill(length + 1);
    for (let j = 0; j < n; j++) {
      const distance = apart[i * n + j];
      // Later ones at the same distance stay behind.
      if (distance >= far[k - 1]) continue;
      let place = k - 1;
      for (; place > 0 && far[place - 1] > distance; place--) {
        far[place] = far[place - 1];
        labels[place] = labels[place - 1];
      }
      far[place] = distance;
      labels[place] = examples.train.labels[j];
    }
    const votes = Array(N_CLASSES).fill(0);
    for (const label of labels) votes[label]++;
    if (votes.indexOf(Math.max(...votes)) === examples.test.labels[i]) right++;
  }
  return right / among.length;
};
