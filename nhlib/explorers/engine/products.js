// Products of matrices and what else takes long in training: by WebAssembly, four numbers at a time, or by typed arrays
// where a browser has none or a page forbids it. Matrices stand row by row in float32; their rows
// and columns are padded to multiples of four.
/** @import { Codes } from "../common/neighbours.js" */
import { bytesFrom } from "../common/embedded.js";
import { ones } from "../common/neighbours.js";
import binary from "./kernels.wasm";

/**
 * A matrix of which both steps are told, from row to row and from column to column: transposed or
 * not.
 * @typedef {{ numbers: Float32Array, rowStep: number, innerStep: number }} Strided
 *
 * What Adam does in one step, see kernels.ts.
 * @typedef {{
 *   penalty: number, beta1: number, beta2: number, size: number, root: number, epsilon: number,
 * }} Step
 *
 * A memory and what computes in it. `take` frees all that was taken before, and gives arrays of
 * zeros of these lengths. `product` writes rows · inner times inner · columns into `result`, each of
 * whose rows begins as `start`. `rectify` is the ReLU on the first `n` values, and `switchOff` is 0
 * for the slopes of units that are off. `sumColumns` adds up the first rows. `adam` takes a step on
 * arrays of one length. `distances` are Hamming distances of codes from others, row by row, until
 * it is called again.
 * @typedef {{
 *   quick: boolean,
 *   take(lengths: number[]): Float32Array[],
 *   product(
 *     first: Strided, second: Float32Array, start: Float32Array, result: Float32Array,
 *     rows: number, inner: number, columns: number,
 *   ): void,
 *   rectify(values: Float32Array, n: number): void,
 *   switchOff(slopes: Float32Array, values: Float32Array, n: number): void,
 *   sumColumns(matrix: Float32Array, sums: Float32Array, rows: number): void,
 *   adam(
 *     weights: Float32Array, slopes: Float32Array, firsts: Float32Array, seconds: Float32Array,
 *     step: Step,
 *   ): void,
 *   distances(codes: Codes, others: Codes): Int32Array,
 * }} Machine
 */

/** @type {(n: number) => number} */
export const padded = (n) => Math.ceil(n / 4) * 4;

const PAGE = 65536; // bytes by which the memory grows
const FIRST = 64; // bytes before what is taken

/**
 * Make sure that a memory has so many bytes.
 * @type {(memory: WebAssembly.Memory, bytes: number) => void}
 */
const reach = (memory, bytes) => {
  const more = Math.ceil((bytes - memory.buffer.byteLength) / PAGE);
  if (more > 0) memory.grow(more);
};

/** @returns {Machine} */
const compiled = () => {
  const module = new WebAssembly.Module(bytesFrom(binary));
  /** @type {any} */
  const kernels = new WebAssembly.Instance(module, {}).exports;
  const { memory, product, adam } = kernels;
  // Codes are compared in a memory of their own: the network, which goes on learning, has this one.
  /** @type {any} */
  const comparing = new WebAssembly.Instance(module, {}).exports;
  return {
    quick: true,
    take(lengths) {
      const bytes = lengths.map((length) => 16 * Math.ceil(length / 4));
      const end = bytes.reduce((sum, one) => sum + one, FIRST);
      reach(memory, end);
      new Uint8Array(memory.buffer, 0, end).fill(0);
      let at = FIRST;
      return lengths.map((length, i) => {
        const array = new Float32Array(memory.buffer, at, length);
        at += bytes[i];
        return array;
      });
    },
    product({ numbers, rowStep, innerStep }, second, start, result, rows, inner, columns) {
      product(
        numbers.byteOffset,
        4 * rowStep,
        4 * innerStep,
        second.byteOffset,
        start.byteOffset,
        result.byteOffset,
        rows,
        inner,
        columns,
      );
    },
    rectify: (values, n) => kernels.rectify(values.byteOffset, n),
    switchOff: (slopes, values, n) => kernels.switchOff(slopes.byteOffset, values.byteOffset, n),
    sumColumns: (matrix, sums, rows) =>
      kernels.sumColumns(matrix.byteOffset, sums.byteOffset, rows, sums.length),
    adam(weights, slopes, firsts, seconds, { penalty, beta1, beta2, size, root, epsilon }) {
      adam(
        ...[weights, slopes, firsts, seconds].map((one) => one.byteOffset),
        weights.length,
        ...[penalty, beta1, beta2, size, root, epsilon],
      );
    },
    distances(codes, others) {
      const [n, m] = [codes.n, others.n];
      const second = FIRST + 4 * codes.words.length;
      const result = second + 4 * others.words.length;
      reach(comparing.memory, result + 4 * n * m);
      const { buffer } = comparing.memory;
      new Int32Array(buffer, FIRST).set(codes.words);
      new Int32Array(buffer, second).set(others.words);
      comparing.hamming(FIRST, second, result, n, m, codes.width);
      return new Int32Array(buffer, result, n * m);
    },
  };
};

/** @type {Machine} */
const plain = {
  quick: false,
  take: (lengths) => lengths.map((length) => new Float32Array(length)),
  product({ numbers, rowStep, innerStep }, second, start, result, rows, inner, columns) {
    for (let row = 0; row < rows; row++) {
      const to = row * columns;
      for (let j = 0; j < columns; j++) result[to + j] = start[j];
      for (let k = 0; k < inner; k++) {
        const factor = numbers[row * rowStep + k * innerStep];
        if (factor === 0) continue; // half of what a ReLU gives
        const from = k * columns;
        for (let j = 0; j < columns; j++) result[to + j] += factor * second[from + j];
      }
    }
  },
  rectify(values, n) {
    for (let i = 0; i < n; i++) values[i] = values[i] < 0 ? 0 : values[i];
  },
  switchOff(slopes, values, n) {
    for (let i = 0; i < n; i++) slopes[i] = values[i] > 0 ? slopes[i] : 0;
  },
  sumColumns(matrix, sums, rows) {
    sums.fill(0);
    for (let i = 0, at = 0; i < rows; i++) {
      for (let j = 0; j < sums.length; j++, at++) sums[j] += matrix[at];
    }
  },
  adam(weights, slopes, firsts, seconds, { penalty, beta1, beta2, size, root, epsilon }) {
    for (let i = 0; i < weights.length; i++) {
      const slope = slopes[i] + penalty * weights[i];
      firsts[i] += (1 - beta1) * (slope - firsts[i]);
      seconds[i] = beta2 * seconds[i] + (1 - beta2) * slope * slope;
      weights[i] -= (size * firsts[i]) / (Math.sqrt(seconds[i]) / root + epsilon);
    }
  },
  distances(codes, others) {
    const { width } = codes;
    return Int32Array.from({ length: codes.n * others.n }, (_, at) => {
      const [i, j] = [Math.floor(at / others.n) * width, (at % others.n) * width];
      let bits = 0;
      for (let w = 0; w < width; w++) bits += ones(codes.words[i + w] ^ others.words[j + w]);
      return bits;
    });
  },
};

/**
 * The quickest machine that there is here, or the one that is asked for.
 * @param {boolean} [quick]
 */
export const openMachine = (quick = true) => {
  try {
    if (quick) return compiled();
  } catch {
    // An old browser, or a page whose policy forbids WebAssembly.
  }
  return plain;
};
