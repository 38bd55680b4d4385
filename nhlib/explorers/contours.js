// Where a value on a grid is 0, as line segments: marching squares with straight interpolation.

// values[(row * side + column) * stride + offset] at the nodes of a square grid. Segments are added
// to `path` (a Path2D) in units of the square's width.
export const contour = (path, values, side, stride, offset) => {
  const step = 1 / (side - 1);
  const rowStride = side * stride;
  for (let row = 0; row + 1 < side; row++) {
    let at = row * rowStride + offset;
    let left = values[at];
    let below = values[at + rowStride];
    for (let column = 0; column + 1 < side; column++) {
      at += stride;
      const right = values[at];
      const diagonal = values[at + rowStride];
      const kind = (left > 0) + 2 * (right > 0) + 4 * (diagonal > 0) + 8 * (below > 0);
      if (kind !== 0 && kind !== 15) {
        const x = column * step;
        const y = row * step;
        const top = [x + (step * left) / (left - right), y];
        const bottom = [x + (step * below) / (below - diagonal), y + step];
        const west = [x, y + (step * left) / (left - below)];
        const east = [x + step, y + (step * right) / (right - diagonal)];
        const line = ([x1, y1], [x2, y2]) => {
          path.moveTo(x1, y1);
          path.lineTo(x2, y2);
        };
        if (kind === 1 || kind === 14) line(west, top);
        else if (kind === 2 || kind === 13) line(top, east);
        else if (kind === 4 || kind === 11) line(east, bottom);
        else if (kind === 8 || kind === 7) line(bottom, west);
        else if (kind === 3 || kind === 12) line(west, east);
        else if (kind === 6 || kind === 9) line(top, bottom);
        else {
          // Two corners across from each other: two lines.
          line(west, kind === 5 ? bottom : top);
          line(east, kind === 5 ? top : bottom);
        }
      }
      left = right;
      below = diagonal;
    }
  }
};
