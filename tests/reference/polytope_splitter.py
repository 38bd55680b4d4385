"""Linear regions in any dimension the plain way: polytopes in exact fractions, cut unit by unit.

Nothing is shared with `nhlib.regions`. A polytope is the list of its corners, each with the
hyperplanes that run through it. Two corners are joined by an edge if no third lies on all the
hyperplanes that both lie on (the double description method), whatever lines coincide.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import numpy as np

Corner = tuple[tuple[Fraction, ...], frozenset[int]]


@dataclass
class Polytope:
    """A convex polytope in which no unit switches, and the affine map that the network is there.

    Hyperplanes are numbered: the sides of the box, then the units.
    """

    corners: list[Corner]
    code: tuple[int, ...]
    slopes: np.ndarray
    offsets: np.ndarray

    def facets(self) -> set[frozenset[tuple[Fraction, ...]]]:
        """Return the corners of every face of one dimension less."""
        d = len(self.corners[0][0])
        planes = set().union(*(on for _, on in self.corners))
        faces = {frozenset(c for c, on in self.corners if plane in on) for plane in planes}
        return {face for face in faces if rank(sorted(face)) == d - 1}


def rank(points: Sequence[Sequence[Fraction]]) -> int:
    """Return the dimension of what points span; -1 for none."""
    if not points:
        return -1
    rows = [[x - o for x, o in zip(p, points[0], strict=True)] for p in points[1:]]
    found = 0
    for column in range(len(points[0])):
        pivot = next((row for row in rows[found:] if row[column]), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        rows.insert(found, pivot)
        for k in range(found + 1, len(rows)):
            factor = rows[k][column] / pivot[column]
            rows[k] = [x - factor * y for x, y in zip(rows[k], pivot, strict=True)]
        found += 1
    return found


def split(
    layers: Sequence[tuple[Any, Any, Any]], low: Sequence[Any], high: Sequence[Any]
) -> list[Polytope]:
    """Cut a box into the regions of a network.

    Each layer is (weights, biases, slopes of the units when they are off); these slopes are None
    for an affine last layer.
    """
    table = np.vectorize(Fraction, otypes=[object])
    d = len(low)
    sides = [(Fraction(low[i]), Fraction(high[i])) for i in range(d)]
    corners = [
        (tuple(sides[i][k] for i, k in enumerate(which)),
         frozenset(2 * i + k for i, k in enumerate(which)))
        for which in product((0, 1), repeat=d)
    ]  # fmt: skip
    parts = [Polytope(corners, (), table(np.eye(d, dtype=int)), table(np.zeros(d, int)))]
    plane = 2 * d
    for weights, biases, slopes in layers:
        weights, biases = table(np.asarray(weights, object)), table(np.asarray(biases, object))
        for part in parts:
            part.slopes, part.offsets = weights @ part.slopes, weights @ part.offsets + biases
        if slopes is None:
            continue
        for unit, slope in enumerate(table(np.asarray(slopes, object))):
            parts = [piece for part in parts for piece in _cut(part, unit, slope, plane)]
            plane += 1
    return parts


def _cut(part: Polytope, unit: int, slope: Fraction, plane: int) -> list[Polytope]:
    along, offset = part.slopes[unit].tolist(), part.offsets[unit]
    z = [
        sum(a * x for a, x in zip(along, point, strict=True)) + offset for point, _ in part.corners
    ]
    corners = [
        (point, on | {plane} if value == 0 else on)
        for (point, on), value in zip(part.corners, z, strict=True)
    ]
    above = [c for c, value in zip(corners, z, strict=True) if value >= 0]
    below = [c for c, value in zip(corners, z, strict=True) if value <= 0]
    if min(z) < 0 < max(z):
        for (i, (p, on_p)), (j, (q, on_q)) in combinations(enumerate(part.corners), 2):
            if z[i] * z[j] < 0:
                common = on_p & on_q
                if sum(common <= on for _, on in part.corners) == 2:
                    t = z[i] / (z[i] - z[j])
                    point = tuple(x + t * (y - x) for x, y in zip(p, q, strict=True))
                    above.append((point, common | {plane}))
                    below.append((point, common | {plane}))
    found = []
    if max(z) > 0:
        found.append(Polytope(above, (*part.code, 1), part.slopes, part.offsets))
    if min(z) < 0 or max(z) <= 0:
        slopes, offsets = part.slopes.copy(), part.offsets.copy()
        slopes[unit], offsets[unit] = slopes[unit] * slope, offsets[unit] * slope
        found.append(Polytope(below, (*part.code, 0), slopes, offsets))
    return found


def neighbours(parts: Sequence[Polytope]) -> set[tuple[int, int]]:
    """Return the pairs, the smaller number first, that share a face of one dimension less.

    Whatever cuts a face cuts it for both, so they share its corners.
    """
    points = [{point for point, _ in part.corners} for part in parts]
    d = len(parts[0].corners[0][0])
    return {
        (i, j)
        for (i, one), (j, other) in combinations(enumerate(points), 2)
        if len(common := one & other) >= d and rank(sorted(common)) == d - 1
    }
