// NumPy's default generator, as far as it puts examples in order: SeedSequence, PCG64, and the
// permutation that numpy.random.default_rng(seeds).permutation(n) draws.

/**
 * A number as words of 32 bits, the lowest first.
 * @type {(seed: number) => number[]}
 */
const wordsOf = (seed) => {
  const words = [seed % 2 ** 32];
  for (let rest = Math.floor(seed / 2 ** 32); rest; rest = Math.floor(rest / 2 ** 32)) {
    words.push(rest % 2 ** 32);
  }
  return words;
};

/**
 * The first `n` words of the state that SeedSequence makes of several whole numbers.
 * @type {(seeds: number[], n: number) => Uint32Array}
 */
const seedSequence = (seeds, n) => {
  const entropy = seeds.flatMap(wordsOf);
  let constant = 0x43b0d7e5;
  /** @param {number} value */
  const hash = (value) => {
    value ^= constant;
    constant = Math.imul(constant, 0x931e8875);
    value = Math.imul(value, constant);
    return value ^ (value >>> 16);
  };
  /** @type {(one: number, other: number) => number} */
  const mix = (one, other) => {
    const mixed = Math.imul(0xca01f9dd, one) - Math.imul(0x4973f715, other);
    return mixed ^ ((mixed >>> 0) >>> 16);
  };
  const pool = new Uint32Array(4);
  for (let i = 0; i < 4; i++) pool[i] = hash(entropy[i] ?? 0);
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) {
      if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
    }
  }
  for (const word of entropy.slice(4)) {
    for (let to = 0; to < 4; to++) pool[to] = mix(pool[to], hash(word));
  }
  constant = 0x8b51f9dd;
  return Uint32Array.from({ length: n }, (_, i) => {
    let word = pool[i % 4] ^ constant;
    constant = Math.imul(constant, 0x58f38ded);
    word = Math.imul(word, constant);
    return word ^ (word >>> 16);
  });
};

// Numbers of 128 bits are eight limbs of 16, the lowest first: sums of products of limbs are exact.
const LIMBS = 8;
const MULTIPLIER = [0xf645, 0x9fcc, 0xdf64, 0x4385, 0x5da4, 0x1fc6, 0xed05, 0x2360];

/**
 * In place of `state`, state · multiplier + increment.
 * @type {(state: Float64Array, increment: Float64Array) => void}
 */
const step = (state, increment) => {
  // From the top, so that the limbs below are still those of before.
  for (let k = LIMBS - 1; k >= 0; k--) {
    let sum = increment[k];
    for (let i = 0; i <= k; i++) sum += state[i] * MULTIPLIER[k - i];
    state[k] = sum;
  }
  carryOver(state);
};

/** @param {Float64Array} limbs */
const carryOver = (limbs) => {
  let carry = 0;
  for (let i = 0; i < LIMBS; i++) {
    const sum = limbs[i] + carry;
    carry = Math.floor(sum / 65536);
    limbs[i] = sum - carry * 65536;
  }
};

/**
 * PCG64 as default_rng seeds it: a function that returns its next 32 bits.
 * @type {(seeds: number[]) => () => number}
 */
const pcg64 = (seeds) => {
  const words = seedSequence(seeds, 8);
  // Two numbers of 128 bits, each as two of 64, the higher first.
  /** @param {number} first */
  const number = (first) =>
    Float64Array.from({ length: LIMBS }, (_, limb) => {
      const word = words[first + [2, 3, 0, 1][limb >> 1]];
      return limb & 1 ? word >>> 16 : word & 0xffff;
    });
  const [start, sequence] = [number(0), number(4)];
  const increment = sequence.map((limb, i) => {
    const below = i ? sequence[i - 1] >>> 15 : 1;
    return ((limb << 1) & 0xffff) | below;
  });
  const state = new Float64Array(LIMBS);
  step(state, increment);
  for (let i = 0; i < LIMBS; i++) state[i] += start[i];
  carryOver(state);
  step(state, increment);
  let kept = -1; // the upper half of 64 bits, whose lower half was drawn
  return () => {
    if (kept >= 0) {
      const upper = kept;
      kept = -1;
      return upper;
    }
    step(state, increment);
    /** @param {number} limb */
    const folded = (limb) =>
      ((state[limb] | (state[limb + 1] << 16)) ^ (state[limb + 4] | (state[limb + 5] << 16))) >>> 0;
    const [low, high] = [folded(0), folded(2)];
    // Turned to the right by the six highest bits of the state.
    const turn = state[7] >>> 10;
    const [a, b] = turn & 32 ? [high, low] : [low, high];
    const by = turn & 31;
    kept = (by ? (b >>> by) | (a << (32 - by)) : b) >>> 0;
    return (by ? (a >>> by) | (b << (32 - by)) : a) >>> 0;
  };
};

/**
 * A whole number from 0 to `most`: as many bits as that has, drawn until they are no more.
 * @type {(random: () => number, most: number) => number}
 */
const bounded = (random, most) => {
  const shift = Math.clz32(most);
  let drawn = random() & (0xffffffff >>> shift);
  while (drawn > most) drawn = random() & (0xffffffff >>> shift);
  return drawn;
};

/**
 * numpy.random.default_rng(seeds).permutation(n).
 * @type {(n: number, seeds: number[]) => Uint32Array}
 */
export const permutation = (n, seeds) => {
  const random = pcg64(seeds);
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = bounded(random, i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
};
