"""Where the chords of one face cross each other."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt64

from nhlib.regions.chords import Chords
from nhlib.regions.edge_crossings import EdgeCrossings, too_close
from nhlib.regions.packed_bits import later_bits, set_bits, single_bits
from nhlib.regions.rounding import Rounding
from nhlib.regions.signs import Signs
from nhlib.regions.subdivision import Subdivision, order_along, radix_order


class BorderPoints(NamedTuple):
    """All points on the borders of faces: those of a subdivision, then those on its edges.

    Attributes
    ----------
    points : float64 array, shape (k, 2)
        Coordinates.
    start, end, t : arrays, shape (k,)
        The points of the subdivision between which each lies, and its position there.
    above, zero : uint64 arrays, shape (k, n_words)
        Signs of the units; `zero` is None where only the units that cross an edge are 0.
    """

    points: Float64[np.ndarray, "k 2"]
    start: Int64[np.ndarray, " k"]
    end: Int64[np.ndarray, " k"]
    t: Float64[np.ndarray, " k"]
    above: UInt64[np.ndarray, "k n_words"]
    zero: UInt64[np.ndarray, "k n_words"] | None

    def values(
        self,
        z: Float64[np.ndarray, "n_points units"],
        points: Int64[np.ndarray, " m"],
        units: Int64[np.ndarray, " m"],
    ) -> Float64[np.ndarray, " m"]:
        """Return one pre-activation each of some points, given those of the subdivision's."""
        flat = np.ravel(z)
        first = flat.take(self.start[points] * z.shape[1] + units)
        last = flat.take(self.end[points] * z.shape[1] + units)
        values: Float64[np.ndarray, " m"] = first + self.t[points] * (last - first)
        return values


class Meetings(NamedTuple):
    """Points inside faces at which chords cross.

    Attributes
    ----------
    chord, t, points : arrays, shapes (m,), (m,) and (m, 2)
        Of every point: a chord through it, its position there, and its coordinates.
    at, number, flips : arrays, shapes (p,), (p,) and (p, n_words)
        Of every chord through a point: the chord, the number of the point, and the units of the
        other chords there, packed; sorted by chord and position along it.
    """

    chord: Int64[np.ndarray, " m"]
    t: Float64[np.ndarray, " m"]
    points: Float64[np.ndarray, "m 2"]
    at: Int64[np.ndarray, " p"]
    number: Int64[np.ndarray, " p"]
    flips: UInt64[np.ndarray, "p n_words"]


class Unclear(Exception):
    """Some chords are close to each other, others close to some of these, but not to all.

    Carries the faces in which that is so.
    """


class _Pairs(NamedTuple):
    """Every two chords that cross, once for each of them, sorted by chord and position."""

    at: Int64[np.ndarray, " p"]
    other: Int64[np.ndarray, " p"]
    number: Int64[np.ndarray, " p"]  # of the pair
    t: Float64[np.ndarray, " p"]
    reach: Float64[np.ndarray, " p"]


def border_points(
    before: Subdivision, signs: Signs, crossings: EdgeCrossings, above: np.ndarray
) -> BorderPoints:
    """Put the points on edges, at which `above` units are on, behind those of a subdivision."""
    old = np.arange(len(before.points))
    edge, zero = crossings.edge, None
    if signs.zero is not None:
        along = signs.zero[before.start[edge]] & signs.zero[before.end[edge]]
        zero = np.concatenate([signs.zero, crossings.flips | along])
    elif len(crossings.place) > len(edge):
        zero = np.concatenate([np.zeros_like(signs.above), crossings.flips])
    return BorderPoints(
        np.concatenate([before.points, crossings.points]),
        np.concatenate([old, before.start[edge]]),
        np.concatenate([old, before.end[edge]]),
        np.concatenate([np.zeros(len(old)), crossings.t]),
        np.concatenate([signs.above, above]),
        zero,
    )


def crossing_units(
    chords: Chords, border: BorderPoints, n_units: int
) -> UInt64[np.ndarray, "k n_words"]:
    """Return the units, packed, whose chords cross each chord: they change their sign along it."""
    flips: UInt64[np.ndarray, "k n_words"] = border.above[chords.down] ^ border.above[chords.up]
    if border.zero is not None and len(flips):
        flips &= ~(border.zero[chords.down] | border.zero[chords.up])
        # Of units on one line, one stands for all.
        begins = np.flatnonzero(np.diff(chords.face, prepend=-1))
        standing = np.bitwise_or.reduceat(single_bits(n_units)[chords.unit], begins, axis=0)
        flips &= np.repeat(standing, np.diff(np.append(begins, len(chords.face))), axis=0)
    return flips


def count(
    chords: Chords,
    crossing: UInt64[np.ndarray, "k n_words"],
    border: BorderPoints,
    z: Float64[np.ndarray, "n_points units"],
    rounding: Rounding,
    i: int,
) -> int:
    """Return how many faces more there are because chords cross, one chord after the other.

    Of k chords through one point, each sees k - 1 others there, and counts for (k - 1) / k.
    """
    lines = chords.face * z.shape[1] + chords.unit
    faces = 0.0
    for chord in range(len(lines)):
        _, unit = set_bits(crossing[chord : chord + 1])
        if len(unit):
            at = np.full(len(unit), chord)
            other = np.searchsorted(lines, chords.face[chord] * z.shape[1] + unit)
            crossed = _crossings(chords, at, other, at, border, z, rounding, i)
            apart = np.ones(len(unit), bool)
            apart[too_close(crossed.at, crossed.t, crossed.reach) + 1] = False
            others = np.diff(np.append(np.flatnonzero(apart), len(unit)))
            faces += float((others / (others + 1)).sum())
    return round(faces)


def meet(
    chords: Chords,
    crossing: UInt64[np.ndarray, "k n_words"],
    border: BorderPoints,
    z: Float64[np.ndarray, "n_points units"],
    rounding: Rounding,
    i: int,
) -> Meetings:
    """Find the points at which chords cross each other.

    Chords that cross so close to each other that rounding might exchange them cross in one point.

    Raises
    ------
    Unclear
        If that leaves a doubt.
    """
    n_units = z.shape[1]
    first, unit = set_bits(crossing & later_bits(n_units)[chords.unit])
    lines = chords.face * n_units + chords.unit
    second = np.searchsorted(lines, chords.face[first] * n_units + unit)
    pair = np.arange(len(first))
    at, other = np.concatenate([first, second]), np.concatenate([second, first])
    crossed = _crossings(chords, at, other, np.concatenate([pair, pair]), border, z, rounding, i)
    crowd = too_close(crossed.at, crossed.t, crossed.reach)
    if len(crowd):
        crossed = _refine(crossed, crowd, chords, border, rounding, i)
        crowd = too_close(crossed.at, crossed.t, crossed.reach)
    t = np.empty(len(first))
    lower = np.flatnonzero(crossed.at < crossed.other)
    t[crossed.number[lower]] = crossed.t[lower]
    flips = (chords.left | chords.right)[crossed.other]
    if not len(crowd):
        points = _points(border, chords, first, t)
        return Meetings(first, t, points, crossed.at, crossed.number, flips)
    number, best = _clusters(chords, crossed, crowd, len(first))
    # Along each chord, one entry for every point.
    begins = np.flatnonzero(
        (np.diff(crossed.at, prepend=-1) != 0) | (np.diff(number, prepend=-1) != 0)
    )
    first, t = first[best], t[best]
    return Meetings(
        *(first, t, _points(border, chords, first, t)),
        *(crossed.at[begins], number[begins], np.bitwise_or.reduceat(flips, begins, axis=0)),
    )


def _crossings(
    chords: Chords,
    at: Int64[np.ndarray, " p"],
    other: Int64[np.ndarray, " p"],
    number: Int64[np.ndarray, " p"],
    border: BorderPoints,
    z: Float64[np.ndarray, "n_points units"],
    rounding: Rounding,
    i: int,
) -> _Pairs:
    unit = chords.unit[other]
    down = border.values(z, chords.down[at], unit)
    fall = down - border.values(z, chords.up[at], unit)
    t = down / fall
    order = order_along(at, t)
    reach = rounding.near[i][unit] / np.abs(fall)
    return _Pairs(*(array[order] for array in (at, other, number, t, reach)))


def _refine(
    crossed: _Pairs,
    crowd: Int64[np.ndarray, " c"],
    chords: Chords,
    border: BorderPoints,
    rounding: Rounding,
    i: int,
) -> _Pairs:
    """Replace what counts as zero in the rectangle by what does right there."""
    involved = np.unique(np.concatenate([crowd, crowd + 1]))
    at, unit = crossed.at[involved], chords.unit[crossed.other[involved]]
    near = rounding.at(i, _points(border, chords, at, crossed.t[involved]), unit)
    reach = crossed.reach.copy()
    reach[involved] *= near / rounding.near[i][unit]
    return crossed._replace(reach=reach)


def _points(
    border: BorderPoints,
    chords: Chords,
    chord: Int64[np.ndarray, " k"],
    t: Float64[np.ndarray, " k"],
) -> Float64[np.ndarray, "k 2"]:
    down, up = border.points[chords.down[chord]], border.points[chords.up[chord]]
    points: Float64[np.ndarray, "k 2"] = down + t[:, None] * (up - down)
    return points


def _clusters(
    chords: Chords, crossed: _Pairs, crowd: Int64[np.ndarray, " c"], n_pairs: int
) -> tuple[Int64[np.ndarray, " p"], Int64[np.ndarray, " m"]]:
    """Number the points at which pairs cross; return each entry's point, and a pair of each point.

    The pair whose chords cross most steeply knows best where the point is.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = (crossed.number[crowd], crossed.number[crowd + 1])
    graph = coo_array((np.ones(len(crowd), bool), links), shape=(n_pairs, n_pairs))
    cluster = connected_components(graph, directed=False)[1].astype(np.int64)
    of_entry = cluster[crossed.number]
    # Of k chords through one point, every two cross there, and nothing comes between.
    begins = (np.diff(crossed.at, prepend=-1) != 0) | (np.diff(of_entry, prepend=-1) != 0)
    runs = np.bincount(of_entry[begins])
    wrong = np.bincount(cluster) * 2 != runs * (runs - 1)
    if wrong.any():
        raise Unclear(np.unique(chords.face[crossed.at[wrong[of_entry]]]))
    worst = np.zeros(n_pairs)
    np.maximum.at(worst, crossed.number, crossed.reach)
    order = np.lexsort([worst, cluster])
    best = order[np.flatnonzero(np.diff(cluster[order], prepend=-1))]
    # Points in the order of their first pairs, whatever else is cut in the same pass.
    rank = np.empty(len(best), np.int64)
    first_pair = np.full(len(best), n_pairs)
    np.minimum.at(first_pair, cluster, np.arange(n_pairs))
    rank[radix_order(first_pair)] = np.arange(len(best))
    ordered = np.empty(len(best), np.int64)
    ordered[rank] = best
    return rank[of_entry], ordered
