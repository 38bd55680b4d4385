// Codes and their neighbours, measured as nhlib measures them: distances are whole numbers, so
// ties are common, and every rule for them is nhlib's. Nothing here draws.

/**
 * Codes of n examples, of `length` bits each: in 32-bit words, `width` a code.
 * @typedef {{ n: number, length: number, width: number, words: Int32Array }} Codes
 */

/**
 * The codes that are `length` columns from `first` on of a table of bits, which has `stride` bytes a
 * row as np.packbits writes them.
 * @type {(table: Uint8Array, stride: number, first: number, length: number) => Codes}
 */
export const codesFrom = (table, stride, first, length) => {
  const n = table.length / stride;
  const width = Math.ceil(length / 32);
  const words = new Int32Array(n * width);
  for (let i = 0; i < n; i++) {
    for (let b = 0; b < length; b++) {
      const column = first + b;
      const bit = (table[i * stride + (column >> 3)] >> (7 - (column & 7))) & 1;
      words[i * width + (b >> 5)] |= bit << (b & 31);
    }
  }
  return { n, length, width, words };
};

/** @type {(codes: Codes, i: number, b: number) => number} */
export const bitOf = (codes, i, b) => (codes.words[i * codes.width + (b >> 5)] >>> (b & 31)) & 1;

/**
 * How many bits of a word are set.
 * @type {(word: number) => number}
 */
export const ones = (word) => {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
};

/**
 * Bits in which two codes differ, for every pair: a matrix, row by row.
 * @type {(codes: Codes) => Uint16Array}
 */
export const hammingDistances = ({ n, width, words }) => {
  const apart = new Uint16Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let bits = 0;
      for (let w = 0; w < width; w++) bits += ones(words[i * width + w] ^ words[j * width + w]);
      apart[i * n + j] = bits;
    }
  }
  return apart;
};

/**
 * Squared Euclidean distances of points with `size` small whole numbers each.
 * @type {(points: Uint8Array, size: number) => Uint16Array}
 */
export const squaredDistances = (points, size) => {
  const n = points.length / size;
  const apart = new Uint16Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let p = 0; p < size; p++) {
        const difference = points[i * size + p] - points[j * size + p];
        sum += difference * difference;
      }
      apart[i * n + j] = sum;
      apart[j * n + i] = sum;
    }
  }
  return apart;
};

/**
 * The k nearest others of every example, by distance, then by index, as nhlib.nearest_codes
 * orders them once the example itself is left out.
 * @type {(apart: Uint16Array, n: number, k: number) => Uint16Array}
 */
export const nearestOthers = (apart, n, k) => {
  const nearest = new Uint16Array(n * k);
  const far = new Uint16Array(k);
  for (let i = 0; i < n; i++) {
    const start = i * k;
    far.fill(65535);
    let limit = 65535;
    for (let j = 0; j < n; j++) {
      const distance = apart[i * n + j];
      // Later ones at the same distance stay behind.
      if (distance >= limit || j === i) continue;
      let place = k - 1;
      while (place > 0 && far[place - 1] > distance) {
        far[place] = far[place - 1];
        nearest[start + place] = nearest[start + place - 1];
        place--;
      }
      far[place] = distance;
      nearest[start + place] = j;
      limit = far[k - 1];
    }
  }
  return nearest;
};

/**
 * The class that the first k of every example's neighbours vote for, of `kept` that are known; among
 * equals the smallest, as in nhlib.knn_accuracy.
 * @param {Uint16Array} nearest
 * @param {number} kept
 * @param {number} k
 * @param {Uint8Array} labels
 * @param {number} nClasses
 */
export const votesOf = (nearest, kept, k, labels, nClasses) =>
  Uint8Array.from(labels, (_, i) => {
    const votes = new Uint16Array(nClasses);
    for (let r = 0; r < k; r++) votes[labels[nearest[i * kept + r]]]++;
    return votes.indexOf(Math.max(...votes));
  });

/** @type {(votes: Uint8Array, labels: Uint8Array) => number} */
export const accuracyOf = (votes, labels) =>
  votes.reduce((right, vote, i) => right + Number(vote === labels[i]), 0) / labels.length;

/**
 * Equal numbers for equal codes, from 0 on, in the order in which codes first appear.
 * @type {(codes: Codes) => Int32Array}
 */
export const groupsOf = ({ n, width, words }) => {
  const numbers = new Map();
  return Int32Array.from({ length: n }, (_, i) => {
    const code = words.subarray(i * width, (i + 1) * width).join();
    if (!numbers.has(code)) numbers.set(code, numbers.size);
    return numbers.get(code);
  });
};

/**
 * The examples of every code that more than one has: most of them first, then by the first.
 * @type {(groups: Int32Array) => number[][]}
 */
export const sharedCodes = (groups) => {
  /** @type {number[][]} */
  const members = [];
  groups.forEach((group, i) => {
    members[group] ??= [];
    members[group].push(i);
  });
  return members.filter((group) => group.length > 1).sort((a, b) => b.length - a.length);
};

/** @type {(n: number, nDistinct: number) => number} */
export const redundancyRatio = (n, nDistinct) => (n - nDistinct) / n;
