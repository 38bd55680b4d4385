"""Where the lines of units cross the edges of a subdivision."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt64

from nhlib.regions.packed_bits import set_bits, single_bits
from nhlib.regions.rounding import Rounding
from nhlib.regions.signs import Signs
from nhlib.regions.subdivision import Contradiction, Subdivision, order_along


class EdgeCrossings(NamedTuple):
    """Points on edges, and the units whose lines run through them.

    Attributes
    ----------
    edge, t, points : arrays, shapes (k,), (k,) and (k, 2)
        Of every point: its edge, its position from 0 at the start to 1 at the end, and its
        coordinates; sorted by edge and position.
    flips : uint64 array, shape (k, n_words)
        The units that switch there, packed.
    place, unit, upward : arrays, shape (c,)
        Of every unit that crosses an edge: the number of the point, the unit, and whether it is
        on behind the point; sorted by point.
    """

    edge: Int64[np.ndarray, " k"]
    t: Float64[np.ndarray, " k"]
    points: Float64[np.ndarray, "k 2"]
    flips: UInt64[np.ndarray, "k n_words"]
    place: Int64[np.ndarray, " c"]
    unit: Int64[np.ndarray, " c"]
    upward: Bool[np.ndarray, " c"]


def cross_edges(
    before: Subdivision,
    z: Float64[np.ndarray, "n_points units"],
    signs: Signs,
    rounding: Rounding,
    i: int,
) -> EdgeCrossings:
    """Find the points between the ends of edges at which units of layer i switch.

    Units that cross an edge so close to each other that rounding might exchange them cross it in
    one point.

    Raises
    ------
    Contradiction
        If some are close to each other, and others close to some of these, but not to all.
    """
    flips = signs.above[before.start] ^ signs.above[before.end]
    if signs.zero is not None:
        flips &= ~(signs.zero[before.start] | signs.zero[before.end])
    edge, unit = set_bits(flips)
    n_units, values = z.shape[1], np.ravel(z)
    first = values.take(before.start[edge] * n_units + unit)
    fall = first - values.take(before.end[edge] * n_units + unit)
    t = first / fall
    order = order_along(edge, t)
    edge, unit, t, fall = edge[order], unit[order], t[order], fall[order]
    single = single_bits(n_units)

    reach = rounding.near[i][unit] / np.abs(fall)
    crowd = too_close(edge, t, reach)
    if len(crowd):
        involved = np.unique(np.concatenate([crowd, crowd + 1]))
        near = rounding.at(i, _points(before, edge[involved], t[involved]), unit[involved])
        reach[involved] = near / np.abs(fall[involved])
        crowd = too_close(edge, t, reach)
    place = np.arange(len(edge))
    if not len(crowd):
        points = _points(before, edge, t)
        return EdgeCrossings(edge, t, points, single[unit], place, unit, fall < 0)

    begins = np.ones(len(edge), bool)
    begins[crowd + 1] = False
    place = np.cumsum(begins) - 1
    # The line that crosses most steeply knows best where the point is.
    steepest = np.lexsort([reach, place])[np.flatnonzero(begins)]
    if (np.abs(t - t[steepest][place]) > reach).any():
        raise Contradiction
    joint = np.bitwise_or.reduceat(single[unit], np.flatnonzero(begins), axis=0)
    edge, t = edge[steepest], t[steepest]
    return EdgeCrossings(edge, t, _points(before, edge, t), joint, place, unit, fall < 0)


def too_close(
    line: Int64[np.ndarray, " k"], t: Float64[np.ndarray, " k"], reach: Float64[np.ndarray, " k"]
) -> Int64[np.ndarray, " m"]:
    """Return the entries, sorted by line and position, that might be exchanged with the next."""
    gap = t[1:] - t[:-1]
    close: Int64[np.ndarray, " m"] = np.flatnonzero(
        (gap <= np.maximum(reach[1:], reach[:-1])) & (line[1:] == line[:-1])
    )
    return close


def _points(
    before: Subdivision, edge: Int64[np.ndarray, " k"], t: Float64[np.ndarray, " k"]
) -> Float64[np.ndarray, "k 2"]:
    start, end = before.points[before.start[edge]], before.points[before.end[edge]]
    points: Float64[np.ndarray, "k 2"] = start + t[:, None] * (end - start)
    return points
