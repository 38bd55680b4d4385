// Networks of ReLU units as nhlib has them: the same weights from the same seed, the same steps of
// Adam, the same codes. All of it in one function, so that a worker can be made of its text.
// Two loops, of a layer forward and backward, take nearly all of the time, and look like it.

export function makeEngine() {
  // PyTorch's generator of random numbers on the CPU: MT19937, 32 bits at a time.
  const mersenne = (seed) => {
    const state = new Uint32Array(624);
    state[0] = seed;
    for (let i = 1; i < 624; i++) {
      state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    }
    let at = 624;
    return () => {
      if (at === 624) {
        for (let k = 0; k < 624; k++) {
          const y = (state[k] & 0x80000000) | (state[(k + 1) % 624] & 0x7fffffff);
          state[k] = state[(k + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
        }
        at = 0;
      }
      let y = state[at++];
      y ^= y >>> 11;
      y ^= (y << 7) & 0x9d2c5680;
      y ^= (y << 15) & 0xefc60000;
      return (y ^ (y >>> 18)) >>> 0;
    };
  };

  // One layer for n examples. Two examples and four units at a time: each number that is read is
  // used several times.
  const forwardLayer = (before, after, weights, biases, n, fan, units, floor) => {
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

  // The slopes of one layer, from those of the layer above: of weights and biases, which are added
  // up, and, if it is not the first, of the values below, where units that are off pass nothing on.
  const backwardLayer = (
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

  // An MLP; sizes are those of inputs, hidden layers and classes. The weights of layer l are rows
  // of one unit each, as in PyTorch: weights[l][unit * inputs + input].
  class Network {
    constructor(sizes) {
      this.sizes = sizes;
      this.weights = [];
      this.biases = [];
      for (let l = 0; l + 1 < sizes.length; l++) {
        const [inputs, units] = [sizes[l], sizes[l + 1]];
        this.weights.push(new Float32Array(inputs * units));
        this.biases.push(new Float32Array(units));
      }
      // Copies that need no conversion where they are used again and again.
      this.wide = this.weights.map((weights) => new Float64Array(weights.length));
      this.depth = this.weights.length;
      this.nUnits = sizes.slice(1, -1).reduce((sum, width) => sum + width, 0);
      this.steps = 0;
    }

    // What nhlib.mlp(..., seed=seed) starts with: Glorot's uniform weights, biases of 0.
    static glorot(sizes, seed) {
      const network = new Network(sizes);
      const random = mersenne(seed);
      network.weights.forEach((weights, l) => {
        const bound = Math.sqrt(6 / (sizes[l] + sizes[l + 1]));
        const [low, range] = [Math.fround(-bound), Math.fround(Math.fround(bound) * 2)];
        // 24 bits, scaled and shifted with one rounding, which storing does.
        for (let i = 0; i < weights.length; i++) {
          weights[i] = (random() & 0xffffff) * 2 ** -24 * range + low;
        }
      });
      return network;
    }

    // All weights and biases in one vector, to send them, and back.
    flat() {
      const parts = this.weights.flatMap((weights, l) => [weights, this.biases[l]]);
      const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of parts) {
        all.set(part, at);
        at += part.length;
      }
      return all;
    }

    load(all) {
      let at = 0;
      for (let l = 0; l < this.depth; l++) {
        for (const part of [this.weights[l], this.biases[l]]) {
          part.set(all.subarray(at, at + part.length));
          at += part.length;
        }
      }
      return this;
    }

    // Room for n examples in every layer, kept for the next batch of the same size.
    room(n) {
      if (this.n === n) return;
      this.n = n;
      this.values = this.sizes.map((size) => new Float32Array(n * size));
      this.slopes = null;
    }

    // Values of all layers for n examples, which stand one after another in `inputs`: what goes into
    // the ReLUs, which are taken where a value is read. A unit is on where its value is above 0.
    forward(inputs, n) {
      this.room(n);
      this.values[0] = inputs;
      for (let l = 0; l < this.depth; l++) {
        this.wide[l].set(this.weights[l]);
        forwardLayer(
          this.values[l],
          this.values[l + 1],
          this.wide[l],
          this.biases[l],
          n,
          this.sizes[l],
          this.sizes[l + 1],
          l ? 0 : -Infinity,
        );
      }
      return this.values[this.depth];
    }

    // The same for the nodes of a grid over the square from -1 to 1, edges included, row by row from
    // the top. Inside a region all layers are affine: a step to the right adds to each value what the
    // last step added. Only behind a unit that has switched are sums taken anew. Returns the codes.
    forwardOnGrid(side) {
      this.room(side * side);
      const step = 2 / (side - 1);
      // At a node: all values, and what a step to the right adds to them.
      const [values, slopes] = [0, 1].map(() => this.sizes.map((size) => new Float64Array(size)));
      slopes[0][0] = step;
      const words = Math.ceil(this.nUnits / 32);
      const codes = new Uint32Array(side * side * words);
      const code = new Uint32Array(words);
      const flip = (bit) => {
        if (bit < this.nUnits) code[bit >>> 5] ^= 1 << (bit & 31); // outputs have none
        return true;
      };
      for (let i = 0; i < side * side; i++) {
        const column = i % side;
        values[0][0] = column * step - 1;
        values[0][1] = 1 - ((i - column) / side) * step;
        let anew = column === 0;
        for (let l = 0, first = 0; l < this.depth; first += this.sizes[++l]) {
          const [value, slope, out] = [values[l + 1], slopes[l + 1], this.values[l + 1]];
          const units = value.length;
          const place = i * units;
          let switched = false;
          if (anew) {
            const [below, rise] = [values[l], slopes[l]];
            const [weights, biases] = [this.weights[l], this.biases[l]];
            const fan = below.length;
            for (let u = 0, w = 0; u < units; u++) {
              let [now, change] = [biases[u], 0];
              for (let k = 0; k < fan; k++, w++) {
                if (l && !(below[k] > 0)) continue; // inputs have no ReLU
                now += weights[w] * below[k];
                change += weights[w] * rise[k];
              }
              if (now > 0 !== value[u] > 0) switched = flip(first + u);
              out[place + u] = value[u] = now;
              slope[u] = change;
            }
          } else {
            for (let u = 0; u < units; u++) {
              const now = value[u] + slope[u];
              if (now > 0 !== value[u] > 0) switched = flip(first + u);
              out[place + u] = value[u] = now;
            }
          }
          anew ||= switched;
        }
        for (let w = 0; w < words; w++) codes[i * words + w] = code[w];
      }
      return codes;
    }

    // The mean cross-entropy of a batch, and its slopes by all weights and biases.
    backward(labels, n) {
      const last = this.depth;
      const classes = this.sizes[last];
      this.slopes ??= this.sizes.map((size) => new Float32Array(n * size));
      const [outputs, top] = [this.values[last], this.slopes[last]];
      let loss = 0;
      for (let i = 0; i < n; i++) {
        const row = i * classes;
        let largest = -Infinity;
        for (let c = 0; c < classes; c++) largest = Math.max(largest, outputs[row + c]);
        let sum = 0;
        for (let c = 0; c < classes; c++) {
          top[row + c] = Math.exp(outputs[row + c] - largest);
          sum += top[row + c];
        }
        loss += Math.log(sum) + largest - outputs[row + labels[i]];
        for (let c = 0; c < classes; c++) {
          top[row + c] = (top[row + c] / sum - (c === labels[i] ? 1 : 0)) / n;
        }
      }
      this.gradient ??= [
        this.weights.map((weights) => new Float64Array(weights.length)),
        this.biases.map((biases) => new Float64Array(biases.length)),
      ];
      for (let l = last - 1; l >= 0; l--) {
        backwardLayer(
          this.values[l],
          this.slopes[l + 1],
          this.slopes[l],
          this.wide[l],
          this.gradient[0][l].fill(0),
          this.gradient[1][l].fill(0),
          n,
          this.sizes[l],
          this.sizes[l + 1],
          l ? 0 : -Infinity,
        );
      }
      return loss / n;
    }

    // One step of Adam on a batch, as nhlib.Recipe has it: ε = 1e-7. Returns the loss before it.
    step(inputs, labels, n, rate) {
      this.forward(inputs, n);
      const loss = this.backward(labels, n);
      this.moments ??= [0, 1].map(() =>
        this.gradient.map((kind) => kind.map((part) => part.slice().fill(0))),
      );
      this.steps++;
      const size = rate / (1 - 0.9 ** this.steps);
      const root = Math.sqrt(1 - 0.999 ** this.steps);
      [this.weights, this.biases].forEach((kind, j) =>
        kind.forEach((part, l) => {
          const slopes = this.gradient[j][l];
          const [first, second] = [this.moments[0][j][l], this.moments[1][j][l]];
          for (let i = 0; i < part.length; i++) {
            const slope = slopes[i];
            first[i] += 0.1 * (slope - first[i]);
            second[i] = 0.999 * second[i] + 0.001 * slope * slope;
            part[i] -= (size * first[i]) / (Math.sqrt(second[i]) / root + 1e-7);
          }
        }),
      );
      return loss;
    }

    // Codes of the examples of the last forward pass: one bit a hidden unit, 32 in a word, the
    // first unit lowest: codes[example * words + word].
    codes() {
      const words = Math.ceil(this.nUnits / 32);
      const codes = new Uint32Array(this.n * words);
      for (let l = 1, first = 0; l < this.depth; first += this.sizes[l++]) {
        const [values, units] = [this.values[l], this.sizes[l]];
        for (let i = 0, at = 0; i < this.n; i++) {
          for (let bit = first; bit < first + units; bit++, at++) {
            if (values[at] > 0) codes[i * words + (bit >>> 5)] |= 1 << (bit & 31);
          }
        }
      }
      return codes;
    }

    // The class of each example of the last forward pass: the first of the largest scores.
    decisions() {
      const classes = this.sizes[this.depth];
      const [outputs, decided] = [this.values[this.depth], new Uint8Array(this.n)];
      for (let i = 0; i < this.n; i++) {
        let best = 0;
        for (let c = 1; c < classes; c++) {
          if (outputs[i * classes + c] > outputs[i * classes + best]) best = c;
        }
        decided[i] = best;
      }
      return decided;
    }
  }

  return { Network };
}
