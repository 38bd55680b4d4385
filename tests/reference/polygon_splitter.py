"""Linear regions the plain way: one polygon after the other is cut by one unit after the other.

Nothing is shared with `nhlib.regions`: polygons are lists of corners, each with its own copy of
the affine map that the network is there. Slow, but with fractions as numbers it is exact.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np


@dataclass
class Region:
    """A convex polygon in which no unit switches.

    `polygon` lists the corners (x, y) counterclockwise. `code` has a bit for every hidden unit:
    1 if its pre-activation is > 0 inside. At a point of the polygon, the network's outputs are
    ``slopes @ point + offsets``.
    """

    polygon: list[tuple[Any, Any]]
    code: tuple[int, ...]
    slopes: np.ndarray
    offsets: np.ndarray


def split(
    layers: Sequence[tuple[Any, Any, Any]],
    extent: Sequence[Any],
    number: Callable[[Any], Any] = Fraction,
) -> list[Region]:
    """Cut the rectangle (left, right, bottom, top) into the regions of a network.

    Each layer is (weights, biases, slopes of the units when they are off); these slopes are None
    for an affine last layer. With ``number=float``, rounding decides on which side of a line that
    runs through a corner the corner is.
    """
    table = np.vectorize(number, otypes=[float if number is float else object])
    left, right, bottom, top = (number(side) for side in extent)
    corners = [(left, bottom), (right, bottom), (right, top), (left, top)]
    regions = [Region(corners, (), table([[1, 0], [0, 1]]), table([0, 0]))]
    for layer in layers:
        weights, biases = (table(np.asarray(part, object)) for part in layer[:2])
        for region in regions:
            region.slopes = weights @ region.slopes
            region.offsets = weights @ region.offsets + biases
        if layer[2] is None:
            continue
        for unit, slope in enumerate(table(np.asarray(layer[2], object))):
            regions = [part for region in regions for part in _cut(region, unit, slope)]
    return regions


def _cut(region: Region, unit: int, slope: Any) -> list[Region]:
    """Cut a region by the line on which a unit's pre-activation is 0, and apply its activation."""
    (along_x, along_y), offset = region.slopes[unit].tolist(), region.offsets[unit]
    z = [along_x * x + along_y * y + offset for x, y in region.polygon]
    on, off = [], []
    if min(z) < 0 < max(z):
        for i, (x, y) in enumerate(region.polygon):
            if z[i - 1] < 0 < z[i] or z[i] < 0 < z[i - 1]:
                before_x, before_y = region.polygon[i - 1]
                t = z[i - 1] / (z[i - 1] - z[i])
                crossing = (before_x + t * (x - before_x), before_y + t * (y - before_y))
                on.append(crossing)
                off.append(crossing)
            if z[i] >= 0:
                on.append((x, y))
            if z[i] <= 0:
                off.append((x, y))
    elif max(z) > 0:
        on = region.polygon
    else:
        off = region.polygon
    parts = []
    if on:
        parts.append(Region(on, (*region.code, 1), region.slopes, region.offsets))
    if off:
        slopes, offsets = region.slopes.copy(), region.offsets.copy()
        slopes[unit] *= slope
        offsets[unit] *= slope
        parts.append(Region(off, (*region.code, 0), slopes, offsets))
    return parts


def area(polygon: Sequence[tuple[Any, Any]]) -> Any:
    """Return the area of a polygon; negative if its corners run clockwise."""
    sides = zip(polygon, [*polygon[1:], polygon[0]], strict=True)
    return sum(a * d - b * c for (a, b), (c, d) in sides) / 2


def linear_regions(regions: Sequence[Region]) -> int:
    """Count the connected pieces with one affine map; regions that share a side are connected."""
    with_map = defaultdict(list)
    for i, region in enumerate(regions):
        with_map[*region.slopes.ravel(), *region.offsets].append(i)
    piece = list(range(len(regions)))
    for same in with_map.values():
        for i, j in combinations(same, 2):
            if piece[i] != piece[j] and share_a_side(regions[i].polygon, regions[j].polygon):
                old, new = piece[i], piece[j]
                piece = [new if one == old else one for one in piece]
    return len(set(piece))


def share_a_side(one: Sequence[tuple[Any, Any]], other: Sequence[tuple[Any, Any]]) -> bool:
    """Tell whether sides of two polygons lie on each other in more than a point."""
    for k, (x, y) in enumerate(one):
        along_x, along_y = x - one[k - 1][0], y - one[k - 1][1]
        from_here = [(c - x, d - y) for c, d in other]
        beside = [along_x * d - along_y * c for c, d in from_here]
        along = [along_x * c + along_y * d for c, d in from_here]
        length = along_x**2 + along_y**2  # the side runs from -length to 0
        for m in range(len(other)):
            if beside[m - 1] == beside[m] == 0:
                low, high = sorted((along[m - 1], along[m]))
                if max(low, -length) < min(high, 0):
                    return True
    return False


def grid_count(layers: Sequence[tuple[Any, Any, Any]], extent: Sequence[float], n: int) -> int:
    """Count the codes on a grid of n × n points: never too many, and too few where it is coarse."""
    left, right, bottom, top = extent
    x, y = np.meshgrid(np.linspace(left, right, n), np.linspace(bottom, top, n))
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    found = []
    for start in range(0, len(points), 1 << 16):
        h, bits = points[start : start + (1 << 16)], []
        for weights, biases, slopes in layers:
            z = h @ np.asarray(weights, float).T + np.asarray(biases, float)
            if slopes is not None:
                bits.append(z > 0)
                h = np.where(z > 0, z, z * np.asarray(slopes, float))
        packed = np.packbits(np.hstack(bits), axis=1)
        found.append(np.unique(packed.view(f"V{packed.shape[1]}")))
    return len(np.unique(np.concatenate(found)))
