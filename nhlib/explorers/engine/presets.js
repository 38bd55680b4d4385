// Experiments of two minutes for a class: a question, a grid of networks that answers it, and what of
// an explorer's settings shows the answer.

/**
 * Values by the columns of a table; `view` are settings of the explorer.
 * @typedef {{
 *   question: string, grid: { [column: string]: any[] }, view: { [setting: string]: any },
 * }} Preset
 */

/** @type {Preset[]} */
const ON_CURVES = [
  {
    question: "Does a larger batch destroy more codes?",
    grid: {
      widths: [40, 80],
      epoch: [0, 1, 3, 10, 30],
      batch_size: [16, 64, 256],
      seed: [0, 1, 2],
    },
    view: { along: "epoch", lines: "batch_size", measure: "redundancy_train", width: 40 },
  },
  {
    question: "Do wrong labels destroy codes?",
    grid: {
      widths: [20, 40, 80],
      epoch: [0, 1, 3, 10, 30, 60],
      label_noise: [0, 0.5, 1],
      seed: [0, 1, 2],
    },
    view: { along: "epoch", lines: "label_noise", measure: "redundancy_train", width: 40 },
  },
];

/** @type {Preset[]} */
const ON_CHARTS = [
  {
    question: "Which of three factors moves the border?",
    grid: {
      widths: [5, 10, 20, 30, 40, 60, 80, 120],
      epoch: [0, 1, 3, 10, 30, 60],
      train_size: [179, 718, 1437],
      seed: [0],
    },
    view: { held: "train_size", train_size: 1437, epoch: 60, width: 60 },
  },
];

/** @typedef {"curves" | "charts"} Shown */

/**
 * Those of which nhlib has all settings.
 * @type {(shown: Shown, columns: { [column: string]: string }) => Preset[]}
 */
export const presetsFor = (shown, columns) =>
  (shown === "curves" ? ON_CURVES : ON_CHARTS).filter(({ grid }) =>
    Object.keys(grid).every((column) => column in columns),
  );
