// The activation hash phase chart, as nhlib/phases/chart.py has it: the same regimes from the same
// means, to the last bit.

/**
 * The values of the axes in ascending order, and how many networks each cell has, cells in the order
 * of size, time and sample size. A cell without networks was not measured. Measures are arrays of
 * means over seeds, in that order.
 * @typedef {{
 *   sizes: number[], times: number[], samples: number[], seeds: ArrayLike<number>,
 * }} Grid
 *
 * Of every cell its regime, the cells that it is compared with, and what these gain; -1 and NaN
 * where there is none.
 * @typedef {{
 *   regime: Int8Array, larger: Int32Array, longer: Int32Array,
 *   gainSize: Float64Array, gainTime: Float64Array,
 * }} Chart
 */

export const UNDER = 0;
export const CRITICAL = 1;
export const SUFFICIENT = 2;
export const UNDETERMINED = 3;
export const UNTRAINED = 4;
// By these numbers.
export const REGIMES = [
  "under-expressive",
  "critically-expressive",
  "sufficiently-expressive",
  "undetermined",
  "untrained",
];

// Of a threshold: 0.15 - 0.14 is a gain of 0.01, although its nearest floats say a little less.
const ROUNDING = 1e-9;

/** @type {(ratio: number, tau: number) => boolean} */
export const isAbove = (ratio, tau) => ratio > tau * (1 + ROUNDING);

/** @type {(gain: number, delta: number) => boolean} */
export const isGain = (gain, delta) => gain >= delta * (1 - ROUNDING);

/** @type {(grid: Grid, size: number, time: number, sample: number) => number} */
export const cellAt = (grid, size, time, sample) =>
  (size * grid.times.length + time) * grid.samples.length + sample;

/**
 * The next larger size that was measured at the same time and sample size, or the next longer
 * training at the same size and sample size, as a cell; -1 where there is none.
 * @type {(grid: Grid, steps: number, at: (step: number) => number) => number}
 */
const nextCell = (grid, steps, at) => {
  for (let next = 1; next < steps; next++) {
    if (grid.seeds[at(next)]) return at(next);
  }
  return -1;
};

/**
 * @param {Grid} grid
 * @param {ArrayLike<number>} redundancy
 * @param {ArrayLike<number>} accuracy
 * @param {number} tau
 * @param {number} delta
 * @returns {Chart}
 */
export const phaseChart = (grid, redundancy, accuracy, tau, delta) => {
  const n = grid.seeds.length;
  const chart = {
    regime: new Int8Array(n).fill(-1),
    larger: new Int32Array(n).fill(-1),
    longer: new Int32Array(n).fill(-1),
    gainSize: new Float64Array(n).fill(NaN),
    gainTime: new Float64Array(n).fill(NaN),
  };
  for (let size = 0; size < grid.sizes.length; size++) {
    for (let time = 0; time < grid.times.length; time++) {
      for (let sample = 0; sample < grid.samples.length; sample++) {
        const cell = cellAt(grid, size, time, sample);
        if (!grid.seeds[cell]) continue;
        const larger = nextCell(grid, grid.sizes.length - size, (step) =>
          cellAt(grid, size + step, time, sample),
        );
        const longer = nextCell(grid, grid.times.length - time, (step) =>
          cellAt(grid, size, time + step, sample),
        );
        const gains = [larger, longer].map((next) =>
          next < 0 ? NaN : accuracy[next] - accuracy[cell],
        );
        [chart.larger[cell], chart.longer[cell]] = [larger, longer];
        [chart.gainSize[cell], chart.gainTime[cell]] = gains;
        chart.regime[cell] =
          grid.times[time] === 0 ? UNTRAINED : regimeOf(redundancy[cell], gains, tau, delta);
      }
    }
  }
  return chart;
};

/** @type {(ratio: number, gains: number[], tau: number, delta: number) => number} */
const regimeOf = (ratio, gains, tau, delta) => {
  if (isAbove(ratio, tau)) return UNDER;
  if (gains.some((gain) => isGain(gain, delta))) return CRITICAL;
  return gains.some(Number.isNaN) ? UNDETERMINED : SUFFICIENT;
};

/**
 * At a time and sample size: `below`, the largest size whose ratio is above tau, and `critical`,
 * the next larger one that was measured; null where there is none.
 * @param {Grid} grid
 * @param {ArrayLike<number>} redundancy
 * @param {number} time
 * @param {number} sample
 * @param {number} tau
 */
export const criticalSize = (grid, redundancy, time, sample, tau) => {
  /** @type {number | null} */
  let below = null;
  /** @type {number | null} */
  let critical = null;
  for (const [i, size] of grid.sizes.entries()) {
    const cell = cellAt(grid, i, time, sample);
    if (!grid.seeds[cell]) continue;
    if (isAbove(redundancy[cell], tau)) [below, critical] = [size, null];
    else critical ??= size;
  }
  return { below, critical };
};
