// The two loops of a network of ReLU units, forward and backward through one layer. They take nearly
// all of the time, and look like it.

/** @typedef {Float32Array | Float64Array} Numbers */

/**
 * One layer for n examples. Two examples and four units at a time: each number that is read is
 * used several times.
 * @param {Numbers} before
 * @param {Numbers} after
 * @param {Numbers} weights
 * @param {Numbers} biases
 * @param {number} n
 * @param {number} fan how many values go into a unit
 * @param {number} units
 * @param {number} floor what values are cut off at: 0, where a ReLU is before this layer
 */
export const forwardLayer = (before, after, weights, biases, n, fan, units, floor) => {
  const one = new Float64Array(fan);
  const two = new Float64Array(fan);
  const blocks = units & ~3;
  for (let i = 0; i < n; i += 2) {
    const odd = i + 1 < n ? 1 : 0;
    const row = i * fan;
    for (let k = 0; k < fan; k++) {
      const value = before[row + k];
      const next = before[row + odd * fan + k];
      one[k] = value < floor ? floor : value;
      two[k] = next < floor ? floor : next;
    }
    let place = i * units;
    const step = odd * units;
    let u = 0;
    for (; u < blocks; u += 4) {
      let a0 = biases[u];
      let a1 = biases[u + 1];
      let a2 = biases[u + 2];
      let a3 = biases[u + 3];
      let b0 = a0;
      let b1 = a1;
      let b2 = a2;
      let b3 = a3;
      let w0 = u * fan;
      let w1 = w0 + fan;
      let w2 = w1 + fan;
      let w3 = w2 + fan;
      for (let k = 0; k < fan; k++) {
        const a = one[k];
        const b = two[k];
        const x0 = weights[w0++];
        const x1 = weights[w1++];
        const x2 = weights[w2++];
        const x3 = weights[w3++];
        a0 += x0 * a;
        b0 += x0 * b;
        a1 += x1 * a;
        b1 += x1 * b;
        a2 += x2 * a;
        b2 += x2 * b;
        a3 += x3 * a;
        b3 += x3 * b;
      }
      after[place + step] = b0;
      after[place + step + 1] = b1;
      after[place + step + 2] = b2;
      after[place + step + 3] = b3;
      after[place] = a0;
      after[place + 1] = a1;
      after[place + 2] = a2;
      after[place + 3] = a3;
      place += 4;
    }
    for (; u < units; u++, place++) {
      let a = biases[u];
      let b = a;
      let w = u * fan;
      for (let k = 0; k < fan; k++, w++) {
        a += weights[w] * one[k];
        b += weights[w] * two[k];
      }
      after[place + step] = b;
      after[place] = a;
    }
  }
};

/**
 * The slopes of one layer, from those of the layer above: of weights and biases, which are added
 * up, and, if it is not the first, of the values below, where units that are off pass nothing on.
 * @param {Numbers} before
 * @param {Numbers} above
 * @param {Numbers} below
 * @param {Numbers} weights
 * @param {Numbers} dWeights
 * @param {Numbers} dBiases
 * @param {number} n
 * @param {number} fan
 * @param {number} units
 * @param {number} floor
 */
export const backwardLayer = (
  before,
  above,
  below,
  weights,
  dWeights,
  dBiases,
  n,
  fan,
  units,
  floor,
) => {
  const one = new Float64Array(fan);
  const two = new Float64Array(fan);
  const downOne = new Float64Array(fan);
  const downTwo = new Float64Array(fan);
  const blocks = units & ~3;
  for (let i = 0; i < n; i += 2) {
    const odd = i + 1 < n ? 1 : 0; // a second example of slopes 0 changes nothing
    const row = i * fan;
    for (let k = 0; k < fan; k++) {
      const value = before[row + k];
      const next = before[row + odd * fan + k];
      one[k] = value < floor ? floor : value;
      two[k] = next < floor ? floor : next;
      downOne[k] = 0;
      downTwo[k] = 0;
    }
    let place = i * units;
    const step = odd * units;
    let u = 0;
    for (; u < blocks; u += 4, place += 4) {
      const a0 = above[place];
      const a1 = above[place + 1];
      const a2 = above[place + 2];
      const a3 = above[place + 3];
      const b0 = odd * above[place + step];
      const b1 = odd * above[place + step + 1];
      const b2 = odd * above[place + step + 2];
      const b3 = odd * above[place + step + 3];
      dBiases[u] += a0 + b0;
      dBiases[u + 1] += a1 + b1;
      dBiases[u + 2] += a2 + b2;
      dBiases[u + 3] += a3 + b3;
      let w0 = u * fan;
      let w1 = w0 + fan;
      let w2 = w1 + fan;
      let w3 = w2 + fan;
      for (let k = 0; k < fan; k++, w0++, w1++, w2++, w3++) {
        const a = one[k];
        const b = two[k];
        const x0 = weights[w0];
        const x1 = weights[w1];
        const x2 = weights[w2];
        const x3 = weights[w3];
        downOne[k] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3;
        downTwo[k] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3;
        dWeights[w0] += a0 * a + b0 * b;
        dWeights[w1] += a1 * a + b1 * b;
        dWeights[w2] += a2 * a + b2 * b;
        dWeights[w3] += a3 * a + b3 * b;
      }
    }
    for (; u < units; u++, place++) {
      const a0 = above[place];
      const b0 = odd * above[place + step];
      dBiases[u] += a0 + b0;
      let w = u * fan;
      for (let k = 0; k < fan; k++, w++) {
        const x0 = weights[w];
        downOne[k] += a0 * x0;
        downTwo[k] += b0 * x0;
        dWeights[w] += a0 * one[k] + b0 * two[k];
      }
    }
    if (floor === 0) {
      for (let k = 0; k < fan; k++) {
        below[row + odd * fan + k] = two[k] > 0 ? downTwo[k] : 0;
        below[row + k] = one[k] > 0 ? downOne[k] : 0;
      }
    }
  }
};
