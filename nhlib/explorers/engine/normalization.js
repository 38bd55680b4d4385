// Batch normalization of one hidden layer, forward and backward.
/** @import { Layer, Recipe } from "./network.js" */

export class Norm {
  /**
   * @param {number} units padded
   * @param {Recipe} recipe
   * @param {Layer} layer whose scales and shifts it applies
   * @param {Layer} gradient where it writes their slopes
   * @param {Float32Array} normalized for the values of a batch
   */
  constructor(units, recipe, layer, gradient, normalized) {
    this.units = units;
    this.recipe = recipe;
    this.layer = layer;
    this.gradient = gradient;
    this.normalized = normalized;
    this.means = new Float32Array(units); // running averages
    this.variances = new Float32Array(units).fill(1);
    this.spreads = new Float32Array(units); // 1 / standard deviation, of the last batch
  }

  /**
   * In place.
   * @param {Float32Array} values
   * @param {number} n
   * @param {boolean} train
   */
  forward(values, n, train) {
    const { units, normalized, spreads } = this;
    const { scales, shifts } = this.layer;
    const means = train ? this.averages(values, n) : this.evaluation();
    for (let i = 0, at = 0; i < n; i++) {
      for (let unit = 0; unit < units; unit++, at++) {
        normalized[at] = (values[at] - means[unit]) * spreads[unit];
        values[at] = normalized[at] * scales[unit] + shifts[unit];
      }
    }
  }

  /**
   * Means of a batch; its spreads and the running averages are written.
   * @param {Float32Array} values
   * @param {number} n
   */
  averages(values, n) {
    const { units, spreads } = this;
    const { norm_epsilon, norm_momentum } = this.recipe;
    const [means, squares] = [new Float64Array(units), new Float64Array(units)];
    for (let i = 0, at = 0; i < n; i++) {
      for (let unit = 0; unit < units; unit++, at++) means[unit] += values[at];
    }
    for (let unit = 0; unit < units; unit++) means[unit] /= n;
    for (let i = 0, at = 0; i < n; i++) {
      for (let unit = 0; unit < units; unit++, at++) {
        const away = values[at] - means[unit];
        squares[unit] += away * away;
      }
    }
    for (let unit = 0; unit < units; unit++) {
      spreads[unit] = 1 / Math.sqrt(squares[unit] / n + norm_epsilon);
      this.means[unit] += norm_momentum * (means[unit] - this.means[unit]);
      this.variances[unit] += norm_momentum * (squares[unit] / (n - 1) - this.variances[unit]);
    }
    return means;
  }

  evaluation() {
    this.spreads.forEach((_, unit) => {
      this.spreads[unit] = 1 / Math.sqrt(this.variances[unit] + this.recipe.norm_epsilon);
    });
    return this.means;
  }

  /**
   * From slopes of the loss by what comes out those by what went in, in place.
   * @param {Float32Array} slopes
   * @param {number} n
   */
  backward(slopes, n) {
    const { units, normalized, spreads } = this;
    const { scales } = this.layer;
    const [along, sums] = [this.gradient.scales.fill(0), this.gradient.shifts.fill(0)];
    for (let i = 0, at = 0; i < n; i++) {
      for (let unit = 0; unit < units; unit++, at++) {
        sums[unit] += slopes[at];
        along[unit] += slopes[at] * normalized[at];
      }
    }
    for (let i = 0, at = 0; i < n; i++) {
      for (let unit = 0; unit < units; unit++, at++) {
        const rest = slopes[at] - (sums[unit] + normalized[at] * along[unit]) / n;
        slopes[at] = rest * scales[unit] * spreads[unit];
      }
    }
  }
}
