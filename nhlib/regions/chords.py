"""What the lines of units have of each face: chords, from one point of its border to another."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int64, UInt64

from nhlib.regions.edge_crossings import EdgeCrossings
from nhlib.regions.packed_bits import set_bits, single_bits
from nhlib.regions.signs import Signs
from nhlib.regions.subdivision import Contradiction, Subdivision, radix_order


class Chords(NamedTuple):
    """Pieces of line that part a face, sorted by face and unit.

    From its first point to its second, the unit is on at the left. Points are numbered through:
    first those of the subdivision, then those on its edges.

    Attributes
    ----------
    face, unit, down, up : int64 arrays, shape (k,)
        The face, the unit (the first of those on this line), and the two points.
    left, right : uint64 arrays, shape (k, n_words)
        The units of this line that are on at the left, and those that are on at the right.
    """

    face: Int64[np.ndarray, " k"]
    unit: Int64[np.ndarray, " k"]
    down: Int64[np.ndarray, " k"]
    up: Int64[np.ndarray, " k"]
    left: UInt64[np.ndarray, "k n_words"]
    right: UInt64[np.ndarray, "k n_words"]

    def of(self, kept: np.ndarray) -> "Chords":
        """Return some of them."""
        return Chords(*(array[kept] for array in self))


class _Ends(NamedTuple):
    """Ends of chords of one kind: points at which a unit switches, as one goes round a face."""

    face: Int64[np.ndarray, " k"]
    unit: Int64[np.ndarray, " k"]
    point: Int64[np.ndarray, " k"]

    def join(self, other: "_Ends") -> "_Ends":
        return _Ends(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))

    def keys(self, n_units: int) -> Int64[np.ndarray, " k"]:
        keys: Int64[np.ndarray, " k"] = self.face * n_units + self.unit
        return keys


def find_chords(
    before: Subdivision, signs: Signs, crossings: EdgeCrossings, n_units: int
) -> Chords:
    """Join the two points at which a unit's line enters and leaves a face.

    Going round a face counterclockwise, one leads up to where the unit is on, one down again.

    Raises
    ------
    Contradiction
        If a line enters a face twice.
    """
    rises, falls = _on_edges(before, crossings)
    if signs.zero is not None:
        rises, falls = _with_corners(before, signs, rises, falls, n_units)
    up, up_keys = _sort(rises, n_units)
    down, down_keys = _sort(falls, n_units)
    if not np.array_equal(up_keys, down_keys) or (up_keys[1:] == up_keys[:-1]).any():
        raise Contradiction
    own = single_bits(n_units)[up.unit]
    chords = Chords(up.face, up.unit, down.point, up.point, own, np.zeros_like(own))
    if signs.zero is None and len(crossings.place) == len(crossings.edge):
        return chords
    return _merge(chords)


def _on_edges(before: Subdivision, crossings: EdgeCrossings) -> tuple[_Ends, _Ends]:
    edge = crossings.edge[crossings.place]
    point = len(before.points) + crossings.place
    left, right = before.left[edge], before.right[edge]
    up, down = np.flatnonzero(crossings.upward), np.flatnonzero(~crossings.upward)
    ends = []
    for first, second in ((up, down), (down, up)):
        both = np.concatenate([first, second])
        face = np.concatenate([left[first], right[second]])
        inside = np.flatnonzero(face >= 0)
        both = both[inside]
        ends.append(_Ends(face[inside], crossings.unit[both], point[both]))
    return ends[0], ends[1]


def _with_corners(
    before: Subdivision, signs: Signs, rises: _Ends, falls: _Ends, n_units: int
) -> tuple[_Ends, _Ends]:
    """Add the corners of faces that lie on lines."""
    assert signs.zero is not None
    corner: Bool[np.ndarray, " n_points"] = np.bitwise_or.reduce(signs.zero, axis=1) != 0
    edges = np.flatnonzero(corner[before.start] | corner[before.end])
    start, end = before.start[edges], before.end[edges]
    left, right = before.left[edges], before.right[edges]
    none = _Ends(*(np.empty(0, np.int64) for _ in range(3)))
    up, down, dive = none, none, none
    for here, there, one, other in ((start, end, left, right), (end, start, right, left)):
        # `one` is the face that has the edge on its left, seen from here.
        zero, above = signs.zero[here], signs.above[there]
        below = zero & ~above & ~signs.zero[there]
        row, unit = set_bits(zero & above)
        up = up.join(_Ends(one[row], unit, here[row]))
        down = down.join(_Ends(other[row], unit, here[row]))
        row, unit = set_bits(below)
        for face in (one, other):
            dive = dive.join(_Ends(face[row], unit, here[row]))
    # A line parts a face if the unit is on at one place of its border and off at another.
    parting = np.concatenate([ends.keys(n_units) for ends in (rises, falls, dive)])
    both = []
    for ends, more in ((rises, up), (falls, down)):
        kept = (more.face >= 0) & np.isin(more.keys(n_units), parting)
        both.append(ends.join(_Ends(*(array[kept] for array in more))))
    return both[0], both[1]


def _sort(ends: _Ends, n_units: int) -> tuple[_Ends, Int64[np.ndarray, " k"]]:
    keys = ends.keys(n_units)
    order = radix_order(keys)
    return _Ends(*(array[order] for array in ends)), keys[order]


def _merge(chords: Chords) -> Chords:
    """Make one chord of those between the same two points of a face."""
    low, high = np.minimum(chords.down, chords.up), np.maximum(chords.down, chords.up)
    order = radix_order(chords.face, low, high)  # and, within these, by unit
    same = np.zeros(len(order), bool)
    for key in (chords.face, low, high):
        same[1:] |= key[order[1:]] != key[order[:-1]]
    begins = np.flatnonzero(np.append(True, same[1:])) if len(order) else order
    if len(begins) == len(order):
        return chords
    first = order[begins]
    which = np.empty(len(order), np.int64)
    which[order] = np.repeat(first, np.diff(np.append(begins, len(order))))
    opposite = (chords.down != chords.down[which])[:, None]
    nothing = np.zeros_like(chords.left)
    left = np.where(opposite, nothing, chords.left)[order]
    right = np.where(opposite, chords.left, nothing)[order]
    joint = chords.of(first)._replace(
        left=np.bitwise_or.reduceat(left, begins, axis=0),
        right=np.bitwise_or.reduceat(right, begins, axis=0),
    )
    return joint.of(radix_order(joint.face, joint.unit))
