// One network of a grid, from its settings to the rows that a table of nhlib.sweep has of it.
/** @import { Recipe } from "./network.js" */
/** @import { Machine } from "./products.js" */
import { learnt, loadDigits, N_CLASSES, N_INPUTS } from "./digits.js";
import { measure } from "./measures.js";
import { Network } from "./network.js";
import { glorot } from "./random.js";
import { Training } from "./training.js";

/**
 * The keys of a network in a table, but for the epoch. `widths` are joined by dashes.
 * @typedef {{
 *   data: string, train_size: number, widths: string, protocol: string, batch_norm: boolean,
 *   l2: number, dropout: number, label_noise: number, seed: number, [key: string]: any,
 * }} Configuration
 *
 * A network, when it is measured, and what of it.
 * @typedef {{
 *   configuration: Configuration, recipe: Recipe, epochs: number[], measures: string[], k: number,
 * }} Experiment
 *
 * @typedef {{ [column: string]: any }} Row
 */

/** @type {(widths: string) => number[]} */
export const layersOf = (widths) => widths.split("-").map(Number);

/**
 * Train a network, and yield its state after every epoch: null, or a row where it is measured.
 * @param {Machine} machine
 * @param {Experiment} experiment
 * @param {() => void} breathe called after every minibatch
 * @returns {Generator<Row | null>}
 */
export function* rowsOf(machine, { configuration, recipe, epochs, measures, k }, breathe) {
  const { widths, seed } = configuration;
  const { test } = loadDigits();
  const { examples, times } = learnt(configuration);
  const sizes = [N_INPUTS, ...layersOf(widths), N_CLASSES];
  const network = new Network(machine, sizes, recipe, glorot(sizes, seed));
  const training = new Training(network, examples, times, seed);
  const last = Math.max(...epochs);
  /** @type {Row} */
  let learning = {};
  for (let epoch = 0; epoch <= last; epoch++) {
    if (epoch) {
      const { loss, accuracy, finite } = training.epoch(breathe);
      learning = { train_loss: loss, train_accuracy: accuracy };
      if (!finite) {
        const failed = `the loss or the weights are not finite in epoch ${epoch}`;
        for (const late of epochs)
          if (late >= epoch) yield { ...configuration, epoch: late, failed };
        return;
      }
    }
    if (!epochs.includes(epoch)) {
      yield null;
      continue;
    }
    const { test_accuracy, ...found } = measure(
      network,
      { train: examples, test },
      { measures, k },
    );
    yield {
      ...configuration,
      epoch,
      ...(epoch ? { ...learning, test_accuracy } : {}),
      ...found,
    };
  }
}
