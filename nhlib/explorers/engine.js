// Networks of ReLU units as nhlib has them: the same weights from the same seed, the same steps of
// Adam, the same codes. All of it in one function, so that a worker can be made of its text.

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
        const [before, after] = [this.values[l], this.values[l + 1]];
        const [weights, biases] = [this.weights[l], this.biases[l]];
        const [fan, units] = [this.sizes[l], this.sizes[l + 1]];
        const floor = l ? 0 : -Infinity; // inputs have no ReLU
        // Four units at a time: each value is read once for all of them.
        const blocks = units & ~3;
        for (let i = 0, place = 0; i < n; i++) {
          const row = i * fan;
          let u = 0;
          for (; u < blocks; u += 4, place += 4) {
            let sum0 = biases[u];
            let sum1 = biases[u + 1];
            let sum2 = biases[u + 2];
            let sum3 = biases[u + 3];
            let w0 = u * fan;
            let w1 = w0 + fan;
            let w2 = w1 + fan;
            let w3 = w2 + fan;
            for (let k = row; k < row + fan; k++) {
              const value = before[k] < floor ? floor : before[k];
              sum0 += weights[w0++] * value;
              sum1 += weights[w1++] * value;
              sum2 += weights[w2++] * value;
              sum3 += weights[w3++] * value;
            }
            after[place] = sum0;
            after[place + 1] = sum1;
            after[place + 2] = sum2;
            after[place + 3] = sum3;
          }
          for (; u < units; u++, place++) {
            let sum = biases[u];
            for (let k = 0; k < fan; k++) {
              const value = before[row + k];
              sum += weights[u * fan + k] * (value < floor ? floor : value);
            }
            after[place] = sum;
          }
        }
      }
      return this.values[this.depth];
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
        this.weights.map((weights) => new Float32Array(weights.length)),
        this.biases.map((biases) => new Float32Array(biases.length)),
      ];
      for (let l = last - 1; l >= 0; l--) {
        const [before, above, below] = [this.values[l], this.slopes[l + 1], this.slopes[l]];
        const [fan, units] = [this.sizes[l], this.sizes[l + 1]];
        const weights = this.weights[l];
        const floor = l ? 0 : -Infinity;
        const [dWeights, dBiases] = [this.gradient[0][l].fill(0), this.gradient[1][l].fill(0)];
        if (l) below.fill(0);
        for (let i = 0, place = 0; i < n; i++) {
          const row = i * fan;
          for (let u = 0; u < units; u++, place++) {
            const slope = above[place];
            if (slope === 0) continue; // units that are off pass nothing on
            dBiases[u] += slope;
            const at = u * fan;
            for (let k = 0; k < fan; k++) {
              const value = before[row + k];
              dWeights[at + k] += slope * (value < floor ? floor : value);
            }
            if (l) for (let k = 0; k < fan; k++) below[row + k] += slope * weights[at + k];
          }
        }
        if (l) for (let k = 0; k < n * fan; k++) if (!(before[k] > 0)) below[k] = 0;
      }
      return loss / n;
    }

    // One step of Adam on a batch, as nhlib.Recipe has it: ε = 1e-7. Returns the loss before it.
    step(inputs, labels, n, rate) {
      this.forward(inputs, n);
      const loss = this.backward(labels, n);
      this.moments ??= [0, 1].map(() => this.gradient.map((kind) => kind.map((part) => part.slice().fill(0))));
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
      let bit = 0;
      for (let l = 1; l < this.depth; l++) {
        const [values, units] = [this.values[l], this.sizes[l]];
        for (let u = 0; u < units; u++, bit++) {
          const [word, mask] = [bit >>> 5, 1 << (bit & 31)];
          for (let i = 0; i < this.n; i++) {
            if (values[i * units + u] > 0) codes[i * words + word] |= mask;
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

  // Give equal codes one number, counted from 0 in the order of their first example.
  const numbered = (codes, words) => {
    const n = codes.length / words;
    const numbers = new Int32Array(n);
    const size = 1 << Math.ceil(Math.log2(2 * n + 2));
    const table = new Int32Array(size).fill(-1); // open addressing: the first example of a code
    let distinct = 0;
    for (let i = 0; i < n; i++) {
      const start = i * words;
      let hash = 0;
      for (let w = 0; w < words; w++) {
        hash = Math.imul(hash ^ codes[start + w], 0x9e3779b1);
        hash ^= hash >>> 15;
      }
      let place = hash & (size - 1);
      for (;;) {
        const other = table[place];
        if (other < 0) {
          table[place] = i;
          numbers[i] = distinct++;
          break;
        }
        let w = 0;
        while (w < words && codes[other * words + w] === codes[start + w]) w++;
        if (w === words) {
          numbers[i] = numbers[other];
          break;
        }
        place = (place + 1) & (size - 1);
      }
    }
    return { numbers, distinct };
  };

  // The points of a grid over the square from -1 to 1, edges included, row by row from the top.
  const grid = (side) => {
    const points = new Float32Array(2 * side * side);
    for (let row = 0, at = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        points[at++] = (2 * column) / (side - 1) - 1;
        points[at++] = 1 - (2 * row) / (side - 1);
      }
    }
    return points;
  };

  return { Network, numbered, grid, mersenne };
}
