// A grid of networks as nhlib.sweep takes it: its product of settings, and what is wrong with one.
/** @import { Configuration, Experiment, Row } from "./experiment.js" */
/** @import { Recipe } from "./network.js" */
import { short } from "../common/words.js";
import { loadDigits, N_CLASSES } from "./digits.js";
import { layersOf } from "./experiment.js";

/**
 * What Python tells the engine. Of each setting of nhlib.sweep its argument, its column, and what it
 * is where nobody says, for all protocols or by their names; the columns of a table with their types
 * in SQL, and the values of keys that older tables lack; of each measure which columns show that it
 * was taken; which measures the page takes; how many neighbours vote; and the version of nhlib.
 * @typedef {{
 *   recipes: { [protocol: string]: Recipe },
 *   factors: { argument: string, column: string, usual: any }[],
 *   columns: { [column: string]: string },
 *   keys: string[],
 *   before: { [column: string]: number },
 *   shown_by: { [measure: string]: string[] },
 *   measures: string[],
 *   neighbours: number,
 *   version: string,
 * }} Facts
 *
 * Arguments of nhlib.sweep, by their names, each with its values.
 * @typedef {{ [argument: string]: any[] }} Settings
 */

// A page that trains wider networks would take minutes for one.
const WIDEST = 1024;
const LONGEST = 2000;

/** @type {(name: string, values: any[], least: number, most: number) => void} */
const wholeNumbers = (name, values, least, most) => {
  for (const value of values) {
    if (!(Number.isInteger(value) && value >= least && value <= most)) {
      throw new RangeError(
        `${name}: whole numbers from ${short(least)} to ${short(most)} are needed, not ${value}.`,
      );
    }
  }
};

/** @type {(settings: Settings) => void} */
const checkSettings = ({ widths, epochs, train_sizes, seeds, dropout, measures }) => {
  const all = loadDigits().train.n;
  wholeNumbers("widths", (widths ?? []).flat(), 1, WIDEST);
  wholeNumbers("epochs", epochs ?? [], 0, LONGEST);
  wholeNumbers("train_sizes", train_sizes ?? [], 1, all);
  wholeNumbers("seeds", seeds ?? [], 0, Number.MAX_SAFE_INTEGER);
  if (dropout?.some(Boolean)) {
    throw new RangeError("dropout: the page trains without; with PyTorch there is dropout.");
  }
  const { labels } = loadDigits().train;
  for (const n of measures?.some((name) => name !== "redundancy") ? (train_sizes ?? []) : []) {
    if (n < N_CLASSES || new Set(labels.subarray(0, n)).size < 2) {
      throw new RangeError(
        `train_sizes: ${n} examples are too few to be categorized; take ${N_CLASSES} or more, or ` +
          "measure the redundancy ratio alone.",
      );
    }
  }
};

/**
 * The networks of a grid, as many as there are combinations of its settings.
 * @param {Facts} facts
 * @param {Settings} settings
 * @returns {Configuration[]}
 * @throws {RangeError} which says what is wrong with a setting, and what would work
 */
export const configurationsOf = (facts, settings) => {
  checkSettings(settings);
  const all = loadDigits().train.n;
  /** @type {Configuration[]} */
  let found = [];
  for (const protocol of settings.protocols ?? ["A"]) {
    /** @type {any[]} */
    let some = [{}];
    for (const { argument, column, usual } of facts.factors) {
      if (column === "epoch") continue;
      const own = usual !== null && typeof usual === "object" ? usual[protocol] : usual;
      let values = settings[argument] ?? [column === "train_size" ? all : own];
      if (column === "data") values = ["digits"];
      if (column === "protocol") values = [protocol];
      if (column === "widths") values = values.map((one) => [one].flat().join("-"));
      some = some.flatMap((one) => values.map((value) => ({ ...one, [column]: value })));
    }
    found = found.concat(some);
  }
  for (const configuration of found) checkMinibatches(facts, configuration);
  return found;
};

/** @type {(facts: Facts, configuration: Configuration) => void} */
const checkMinibatches = (facts, configuration) => {
  const { batch_norm, batch_size } = recipeOf(facts, configuration);
  const { train_size } = configuration;
  const n = Math.floor(loadDigits().train.n / train_size) * train_size;
  if (batch_norm && n % batch_size === 1) {
    throw new RangeError(
      `train_sizes: of ${n} examples minibatches of ${batch_size} leave one by itself, which batch ` +
        "normalization cannot normalize; take another size.",
    );
  }
};

/**
 * How a network is trained: as its protocol has it, but for what its own settings say.
 * @type {(facts: Facts, configuration: Configuration) => Recipe}
 */
export const recipeOf = ({ recipes }, configuration) => {
  const recipe = recipes[configuration.protocol];
  const own = Object.keys(recipe).filter((name) => name in configuration);
  return { ...recipe, ...Object.fromEntries(own.map((name) => [name, configuration[name]])) };
};

/**
 * Places in a list from coarse to fine: its ends, its middle, then the middles between.
 * @type {(n: number) => number[]}
 */
export const coarseToFine = (n) => {
  const found = new Set([0, n - 1]);
  for (let step = n; step > 1; ) {
    step = Math.ceil(step / 2);
    for (let at = step; at < n - 1; at += step) found.add(at);
  }
  return [...found].filter((at) => at >= 0 && at < n);
};

/**
 * What is to be trained of a grid, so that a chart fills from coarse to fine: one seed of all
 * networks, then the next.
 * @param {Facts} facts
 * @param {Settings} settings
 * @param {(row: Row) => Row | undefined} known finds a row that was measured before
 * @returns {Experiment[]}
 */
export const experimentsOf = (facts, settings, known) => {
  const { epochs = [], measures = [] } = settings;
  const taken = measures.filter((name) => facts.measures.includes(name));
  if (!taken.length) {
    throw new RangeError(
      `measures: the page takes ${facts.measures.join(", ")}, not ${measures.join(", ")}; with ` +
        "PyTorch there are all.",
    );
  }
  const shown = taken.flatMap((name) => facts.shown_by[name]);
  const configurations = configurationsOf(facts, settings);
  const seeds = [...new Set(configurations.map(({ seed }) => seed))];
  return seeds.flatMap((seed) => {
    const some = configurations
      .filter((one) => one.seed === seed)
      .sort((a, b) => sizeOf(a) - sizeOf(b));
    return coarseToFine(some.length).flatMap((place) => {
      const configuration = some[place];
      const late = epochs.filter((epoch) => {
        const row = known({ ...configuration, epoch });
        return !row || (!row.failed && shown.some((column) => row[column] === undefined));
      });
      if (!late.length) return [];
      const recipe = recipeOf(facts, configuration);
      return [{ configuration, recipe, epochs: late, measures: taken, k: facts.neighbours }];
    });
  });
};

/** @type {(configuration: Configuration) => number} */
const sizeOf = ({ widths }) => layersOf(widths).reduce((sum, units) => sum + units, 0);
