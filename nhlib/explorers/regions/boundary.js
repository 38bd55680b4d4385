// Where the decision between two classes changes, region by region.
/** @import { Partition, Place } from "./partition.js" */
import { ROUNDING } from "./rounding.js";

/**
 * The segments on which the two outputs, affine on every face, are equal and the larger becomes the
 * smaller. Where they are equal all over a region, its border is the boundary.
 * @type {(partition: Partition) => [from: Place, to: Place][]}
 */
export const boundaryOf = ({ x, y, start, end, left, right, outputs, polygons }) => {
  let largest = 0;
  for (const [one, other] of outputs) largest = Math.max(largest, Math.abs(one), Math.abs(other));
  const lead = Float64Array.from(outputs, ([one, other]) =>
    Math.abs(other - one) <= ROUNDING * largest ? 0 : other - one,
  );
  /** @type {[from: Place, to: Place][]} */
  const segments = [];
  // Through the faces that have both signs: once in and once out.
  const signs = polygons.map((corners) => {
    let [most, least] = [-Infinity, Infinity];
    for (const corner of corners) {
      most = Math.max(most, lead[corner]);
      least = Math.min(least, lead[corner]);
    }
    if (most > 0 && least < 0) {
      /** @type {Place[]} */
      const ends = [];
      let here = corners[corners.length - 1];
      for (const there of corners) {
        if (lead[here] > 0 !== lead[there] > 0) {
          const t = lead[here] / (lead[here] - lead[there]);
          ends.push([x[here] + t * (x[there] - x[here]), y[here] + t * (y[there] - y[here])]);
        }
        here = there;
      }
      segments.push([ends[0], ends[1]]);
    }
    return Math.sign(most + least);
  });
  // And along the borders between faces of different sign.
  start.forEach((from, e) => {
    const to = end[e];
    if (left[e] < 0 || right[e] < 0 || lead[from] !== 0 || lead[to] !== 0) return;
    if (signs[left[e]] === signs[right[e]]) return;
    segments.push([
      [x[from], y[from]],
      [x[to], y[to]],
    ]);
  });
  return segments;
};
