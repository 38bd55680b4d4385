// The square from -1 to 1, cut into convex faces by one line after another. Points are shared by all
// edges and faces that meet there: a unit has one sign at a point, that sign cuts the edges, and the
// edges cut the faces. So nothing is decided twice, and lines that almost meet leave no doubt about
// who crosses whom.

// Signs round a face that no line has: rounding is larger than what counts as zero.
export class Contradiction extends Error {}

export class Subdivision {
  /** @param {number} nUnits bits of a code */
  constructor(nUnits) {
    // Points.
    this.x = [-1, 1, 1, -1];
    this.y = [-1, -1, 1, 1];
    // Edges, each from a point to another, between a face on its left and one on its right; -1 is
    // the outside. On the line of which unit it lies: -1 for the square's frame.
    this.start = [0, 1, 2, 3];
    this.end = [1, 2, 3, 0];
    this.left = [0, 0, 0, 0];
    this.right = [-1, -1, -1, -1];
    this.units = [-1, -1, -1, -1];
    // Faces, by their codes: a bit is 1 where the unit is on.
    this.codes = [new Uint8Array(nUnits)];
  }

  /**
   * Cut by the line on which one unit's pre-activation is 0.
   * @param {number[][]} z pre-activations of its layer at all points, and then at new ones too
   * @param {number} u its number in the layer
   * @param {number} unit its number in the network
   * @param {(x: number, y: number, z: number[]) => void} clear makes zero what counts as zero
   */
  cutBy(z, u, unit, clear) {
    this.cutEdges(z, u, clear);
    this.cutFaces(
      Int8Array.from(z, (row) => Math.sign(row[u])),
      unit,
    );
  }

  /**
   * @param {number[][]} z
   * @param {number} u
   * @param {(x: number, y: number, z: number[]) => void} clear
   */
  cutEdges(z, u, clear) {
    const { x, y, start, end } = this;
    const n = start.length;
    for (let e = 0; e < n; e++) {
      const [from, to] = [z[start[e]], z[end[e]]];
      if (!((from[u] < 0 && to[u] > 0) || (from[u] > 0 && to[u] < 0))) continue;
      const t = from[u] / (from[u] - to[u]);
      const point = x.length;
      x.push(x[start[e]] + t * (x[end[e]] - x[start[e]]));
      y.push(y[start[e]] + t * (y[end[e]] - y[start[e]]));
      const row = [];
      for (let k = 0; k < from.length; k++) row.push(from[k] + t * (to[k] - from[k]));
      row[u] = 0;
      clear(x[point], y[point], row);
      z.push(row);
      this.addEdge(point, end[e], this.left[e], this.right[e], this.units[e]);
      end[e] = point;
    }
  }

  /**
   * @param {Int8Array} sign of the unit at every point
   * @param {number} unit
   */
  cutFaces(sign, unit) {
    const { start, end, left, right, codes } = this;
    const [nFaces, nEdges] = [codes.length, start.length];
    const [positive, negative] = [new Uint8Array(nFaces), new Uint8Array(nFaces)];
    // Going round a face counterclockwise, the line leads up to where the unit is on at one point,
    // and down at another.
    const [rises, falls] = [new Uint8Array(nFaces), new Uint8Array(nFaces)];
    const [up, down] = [new Int32Array(nFaces), new Int32Array(nFaces)];
    /** @type {(face: number, here: number, there: number) => void} */
    const pass = (face, here, there) => {
      if (face < 0) return;
      const [now, next] = [sign[here], sign[there]];
      if (now > 0 || next > 0) positive[face] = 1;
      if (now < 0 || next < 0) negative[face] = 1;
      if (now === 0 && next > 0) {
        rises[face]++;
        up[face] = here;
      } else if (now > 0 && next === 0) {
        falls[face]++;
        down[face] = there;
      }
    };
    for (let e = 0; e < nEdges; e++) {
      pass(left[e], start[e], end[e]);
      pass(right[e], end[e], start[e]);
    }
    const part = new Int32Array(nFaces).fill(-1); // the part of each face in which the unit is off
    for (let face = 0; face < nFaces; face++) {
      if (positive[face] && negative[face]) {
        if (rises[face] !== 1 || falls[face] !== 1) throw new Contradiction();
        part[face] = codes.push(codes[face].slice()) - 1;
        this.addEdge(down[face], up[face], face, part[face], unit);
      }
      codes[face][unit] = positive[face];
    }
    for (let e = 0; e < nEdges; e++) {
      if (sign[start[e]] > 0 || sign[end[e]] > 0) continue;
      if (part[left[e]] >= 0) left[e] = part[left[e]];
      if (part[right[e]] >= 0) right[e] = part[right[e]];
    }
  }

  /** @type {(start: number, end: number, left: number, right: number, unit: number) => void} */
  addEdge(start, end, left, right, unit) {
    this.start.push(start);
    this.end.push(end);
    this.left.push(left);
    this.right.push(right);
    this.units.push(unit);
  }
}
