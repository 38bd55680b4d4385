// A border that a reader draws: of every column of a chart, how many rows lie below it.
import { nearest } from "../common/controls.js";

/** @typedef {{ up: number[], right: number[] }} Axes values of rows and of columns, ascending */

export class Border {
  /**
   * @param {number} rows
   * @param {number} columns
   */
  constructor(rows, columns) {
    this.rows = rows;
    /** @type {number[]} */
    this.below = Array(columns).fill(Math.floor(rows / 2));
    this.drawn = false;
  }

  /**
   * @param {number} column
   * @param {number} below
   */
  set(column, below) {
    this.below[column] = Math.max(0, Math.min(this.rows, below));
    this.drawn = true;
  }

  /**
   * A stroke of the pen, which may have jumped over columns: from a column and the rows below it to
   * another.
   * @param {[column: number, below: number]} from
   * @param {[column: number, below: number]} to
   */
  stroke([from, start], [to, end]) {
    const steps = Math.abs(to - from);
    for (let i = 0; i <= steps; i++) {
      const share = steps ? i / steps : 1;
      this.set(from + i * Math.sign(to - from), Math.round(start + share * (end - start)));
    }
  }

  /**
   * The same border on a chart with other rows and columns: in each column as in the nearest one
   * that it was drawn in, between the same values.
   * @param {Axes} from
   * @param {Axes} to
   */
  onto(from, to) {
    const border = new Border(to.up.length, to.right.length);
    for (const [column, value] of to.right.entries()) {
      const below = this.below[nearest(from.right, value)];
      // Between two rows the border lies in the middle, as widths are spaced.
      const [under, over] = [from.up[below - 1] ?? 0, from.up[below] ?? Infinity];
      const height = over === Infinity ? Infinity : Math.sqrt(Math.max(under, 0.5) * over);
      border.set(column, to.up.filter((one) => (below ? one < height : false)).length);
    }
    return border;
  }

  /**
   * How many of the cells lie on the right side; `tooHigh` of the others are below the border and
   * should not be, `tooLow` above it.
   * @param {[row: number, column: number, isUnder: boolean][]} cells
   */
  score(cells) {
    const found = { right: 0, tooHigh: 0, tooLow: 0 };
    for (const [row, column, isUnder] of cells) {
      const below = row < this.below[column];
      found[below === isUnder ? "right" : below ? "tooHigh" : "tooLow"]++;
    }
    return found;
  }
}
