// K-Means on codes as points of 0 and 1, by Lloyd's algorithm from greedy k-means++ starts, as
// nhlib and scikit-learn have it. The starts are drawn by a generator of its own: clusters may be
// others than in Python, and are compared by their inertia.
/** @import { Codes } from "../common/neighbours.js" */
import { bitOf } from "../common/neighbours.js";
import { mersenne } from "../regions/mersenne.js";
import { N_CLASSES } from "./digits.js";

const RUNS = 10;
const MOST_STEPS = 300;
const TOLERANCE = 1e-4; // of the mean variance of a bit
const SEED = 9;

/** @type {(codes: Codes) => Float32Array} */
const pointsOf = (codes) =>
  Float32Array.from({ length: codes.n * codes.length }, (_, at) =>
    bitOf(codes, Math.floor(at / codes.length), at % codes.length),
  );

/**
 * The nearest of k centres of each point, ties by the smaller index, and its squared distance.
 * @param {Float32Array} points
 * @param {Float64Array} centres
 * @param {number} size numbers in a point
 */
const nearest = (points, centres, size) => {
  const [n, k] = [points.length / size, centres.length / size];
  const [clusters, far] = [new Uint16Array(n), new Float64Array(n)];
  for (let i = 0; i < n; i++) {
    far[i] = Infinity;
    for (let c = 0; c < k; c++) {
      let sum = 0;
      for (let b = 0; b < size && sum < far[i]; b++) {
        const apart = points[i * size + b] - centres[c * size + b];
        sum += apart * apart;
      }
      if (sum < far[i]) [far[i], clusters[i]] = [sum, c];
    }
  }
  return { clusters, far };
};

/** @type {(far: ArrayLike<number>) => number} */
const sumOf = (far) => {
  let sum = 0;
  for (let i = 0; i < far.length; i++) sum += far[i];
  return sum;
};

/**
 * Greedy k-means++: of some candidates that are drawn by their squared distance, the best.
 * @param {Float32Array} points
 * @param {number} size
 * @param {number} k
 * @param {() => number} random from 0 to 1
 */
const starts = (points, size, k, random) => {
  const n = points.length / size;
  const centres = new Float64Array(k * size);
  /** @type {(i: number) => Float32Array} */
  const point = (i) => points.subarray(i * size, (i + 1) * size);
  centres.set(point(Math.floor(random() * n)));
  let { far } = nearest(points, centres.subarray(0, size), size);
  for (let c = 1; c < k; c++) {
    const total = sumOf(far);
    let best = { far, sum: Infinity, i: 0 };
    for (let candidate = 0; candidate < 2 + Math.floor(Math.log(k)); candidate++) {
      let rest = random() * total;
      let i = 0;
      while (i < n - 1 && rest >= far[i]) rest -= far[i++];
      const after = nearest(points, Float64Array.from(point(i)), size).far;
      after.forEach((one, j) => {
        after[j] = Math.min(one, far[j]);
      });
      const sum = sumOf(after);
      if (sum < best.sum) best = { far: after, sum, i };
    }
    centres.set(point(best.i), c * size);
    far = best.far;
  }
  return centres;
};

/**
 * One run: centres that do not move any more.
 * @param {Float32Array} points
 * @param {number} size
 * @param {Float64Array} centres
 * @param {number} least squared shift of all centres that counts
 */
const lloyd = (points, size, centres, least) => {
  const k = centres.length / size;
  for (let step = 0, before = ""; step < MOST_STEPS; step++) {
    const { clusters, far } = nearest(points, centres, size);
    const counts = new Uint32Array(k);
    for (const cluster of clusters) counts[cluster]++;
    // Empty clusters get the points that are farthest from their centres.
    for (let c = 0; c < k; c++) {
      if (counts[c]) continue;
      const i = far.indexOf(Math.max(...far));
      counts[clusters[i]]--;
      counts[c]++;
      clusters[i] = c;
      far[i] = 0;
    }
    const moved = new Float64Array(k * size);
    for (let at = 0; at < points.length; at++) {
      moved[clusters[Math.floor(at / size)] * size + (at % size)] += points[at];
    }
    let shift = 0;
    for (let at = 0; at < moved.length; at++) {
      const count = counts[Math.floor(at / size)];
      moved[at] = count ? moved[at] / count : centres[at];
      shift += (moved[at] - centres[at]) ** 2;
    }
    centres = moved;
    const now = clusters.join();
    if (now === before || shift <= least) break;
    before = now;
  }
  const { clusters, far } = nearest(points, centres, size);
  return { centres, clusters, inertia: sumOf(far) };
};

/**
 * The accuracy of clusters of the training codes, each named after its most frequent class, on test
 * codes; and the sum of squared distances of the training codes from their centres.
 * @param {{ train: Codes, test: Codes }} codes
 * @param {{ train: { labels: Uint8Array }, test: { labels: Uint8Array } }} examples
 * @param {number[]} among which test examples count
 */
export const kmeansAccuracy = (codes, { train, test }, among) => {
  const size = codes.train.length;
  const points = pointsOf(codes.train);
  const word = mersenne(SEED);
  const random = () => (word() >>> 5) / 2 ** 27;
  const distinct = new Set(
    Array.from({ length: codes.train.n }, (_, i) =>
      codes.train.words.subarray(i * codes.train.width, (i + 1) * codes.train.width).join(),
    ),
  ).size;
  const k = Math.min(new Set(train.labels).size, distinct);
  const runs = Array.from({ length: RUNS }, () =>
    lloyd(points, size, starts(points, size, k, random), TOLERANCE * varianceOf(points, size)),
  );
  const { centres, clusters, inertia } = runs.reduce((best, run) =>
    run.inertia < best.inertia ? run : best,
  );
  const counts = Array.from({ length: k }, () => Array(N_CLASSES).fill(0));
  clusters.forEach((cluster, i) => {
    counts[cluster][train.labels[i]]++;
  });
  const names = counts.map((ofClasses) => ofClasses.indexOf(Math.max(...ofClasses)));
  const others = nearest(pointsOf(codes.test), centres, size).clusters;
  const right = among.filter((i) => names[others[i]] === test.labels[i]).length;
  return { accuracy: right / among.length, inertia };
};

/**
 * The mean variance of a bit.
 * @type {(points: Float32Array, size: number) => number}
 */
const varianceOf = (points, size) => {
  const n = points.length / size;
  let sum = 0;
  for (let b = 0; b < size; b++) {
    let on = 0;
    for (let i = 0; i < n; i++) on += points[i * size + b];
    sum += (on / n) * (1 - on / n);
  }
  return sum / size;
};
