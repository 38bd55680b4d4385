"""The cut of single faces by one line after another, where many lines almost meet.

Chords of one face may come so close to each other that rounding does not tell which cross where.
One line at a time leaves no room for doubt about who crosses whom. The border of a face stays as
it is: what happens there is decided already, and other faces share it.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int8, Int64, UInt64

from nhlib.regions.packed_bits import pack
from nhlib.regions.subdivision import Contradiction, Subdivision


class CutFaces(NamedTuple):
    """What the lines of a layer make of some faces.

    Attributes
    ----------
    subdivision : Subdivision
        The faces, cut; points and edges that were there before come first.
    parents : int64 array, shape (n_faces,)
        The face before of which each face is a part.
    bits : uint64 array, shape (n_faces, n_words)
        Bits of the layer in each face, packed.
    z : float64 array, shape (n_points, units)
        Pre-activations at all points.
    """

    subdivision: Subdivision
    parents: Int64[np.ndarray, " n_faces"]
    bits: UInt64[np.ndarray, "n_faces n_words"]
    z: Float64[np.ndarray, "n_points units"]


def cut_one_by_one(
    before: Subdivision,
    z: Float64[np.ndarray, "n_points units"],
    near: Float64[np.ndarray, " units"],
    first_unit: int,
) -> CutFaces:
    """Cut by the zero line of one unit of a layer after the other.

    Parameters
    ----------
    before : Subdivision
        Faces on which the pre-activations are affine. On its edges no unit switches between their
        ends.
    z : float64 array, shape (n_points, units)
        Pre-activations of the layer at the points: 0, or larger than rounding.
    near : float64 array, shape (units,)
        What counts as zero at points that are new.
    first_unit : int
        Number of the layer's first unit.

    Raises
    ------
    Contradiction
        If the signs round a face are those of no line.
    """
    now, rows = before, _Rows(z)
    on: list[Bool[np.ndarray, " n_faces"]] = []
    splits: list[Int64[np.ndarray, " n_new"]] = []
    for unit in range(z.shape[1]):
        now, positive, split = _cut_by_unit(
            now, rows, unit, near, first_unit + unit, len(before.start)
        )
        on.append(positive)
        splits.append(split)
    # Backwards, a face that a unit made is again the face that it was a part of.
    face = np.arange(now.n_faces)
    bits = np.zeros((now.n_faces, z.shape[1]), bool)
    for unit in reversed(range(z.shape[1])):
        made = face >= len(on[unit])  # the parts that are off
        face[made] = splits[unit][face[made] - len(on[unit])]
        bits[:, unit] = on[unit][face] & ~made
    return CutFaces(now, face, pack(bits), rows.values())


class _Rows:
    """Pre-activations at all points, with room for more: copied a few times, not for every unit."""

    def __init__(self, z: Float64[np.ndarray, "n_points units"]) -> None:
        self._room, self._n = z.copy(), len(z)

    def values(self) -> Float64[np.ndarray, "n_points units"]:
        return self._room[: self._n]

    def append(self, new: Float64[np.ndarray, "n_new units"]) -> None:
        n = self._n + len(new)
        if n > len(self._room):
            room = np.empty((2 * n, self._room.shape[1]))
            room[: self._n] = self.values()
            self._room = room
        self._room[self._n : n] = new
        self._n = n


def _cut_by_unit(
    before: Subdivision,
    rows: _Rows,
    unit: int,
    near: Float64[np.ndarray, " units"],
    number: int,
    n_border: int,
) -> tuple[Subdivision, Bool[np.ndarray, " n_faces"], Int64[np.ndarray, " n_new"]]:
    """Cut by one line; also return who is on (before), and which faces got a part that is off."""
    z = rows.values()
    sign = np.sign(z[:, unit]).astype(np.int8)
    crossed = np.flatnonzero(sign[before.start] * sign[before.end] < 0)
    if (crossed < n_border).any():
        raise Contradiction
    start, end = before.start[crossed], before.end[crossed]
    t = (z[start, unit] / (z[start, unit] - z[end, unit]))[:, None]
    new = len(z) + np.arange(len(crossed))
    points = before.points[start] + t * (before.points[end] - before.points[start])
    new_z = z[start] + t * (z[end] - z[start])
    new_z[np.abs(new_z) <= near] = 0
    new_z[:, unit] = 0
    rows.append(new_z)
    signs = np.append(sign, np.zeros(len(crossed), np.int8))

    # The first half of a crossed edge keeps its place, the second half goes to the end.
    half_ends = before.end.copy()
    half_ends[crossed] = new
    starts, ends = np.append(before.start, new), np.append(half_ends, end)
    left, right = (np.append(side, side[crossed]) for side in (before.left, before.right))
    up, down, positive, split = _across(starts, ends, left, right, signs, before.n_faces)
    new_faces = before.n_faces + np.arange(len(split))
    part = np.full(before.n_faces + 1, -1)  # the last entry is for the outside
    part[split] = new_faces
    off = ~((signs[starts] > 0) | (signs[ends] > 0))
    left, right = (np.where(off & (part[side] >= 0), part[side], side) for side in (left, right))
    after = Subdivision(
        np.concatenate([before.points, points]),
        *(np.append(starts, down), np.append(ends, up)),
        *(np.append(left, split), np.append(right, new_faces)),
        np.concatenate([before.units, before.units[crossed], np.full(len(split), number)]),
        np.append(before.borders, np.full(len(crossed) + len(split), -1)),
        *(before.n_faces + len(split), before.extent),
    )
    return after, positive, split


def _across(
    start: Int64[np.ndarray, " n_edges"],
    end: Int64[np.ndarray, " n_edges"],
    left: Int64[np.ndarray, " n_edges"],
    right: Int64[np.ndarray, " n_edges"],
    sign: Int8[np.ndarray, " n_points"],
    n_faces: int,
) -> tuple[
    Int64[np.ndarray, " n_new"],
    Int64[np.ndarray, " n_new"],
    Bool[np.ndarray, " n_faces"],
    Int64[np.ndarray, " n_new"],
]:
    """Find the faces that the line parts, and the points where it enters and leaves each."""
    face = np.append(left, right)
    inside = face >= 0
    face = face[inside]
    here, there = np.append(start, end)[inside], np.append(end, start)[inside]  # counterclockwise
    s, t = sign[here], sign[there]
    positive = np.zeros(n_faces, bool)
    negative = np.zeros(n_faces, bool)
    positive[face[(s > 0) | (t > 0)]] = True
    negative[face[(s < 0) | (t < 0)]] = True
    split = np.flatnonzero(positive & negative)
    rise, fall = (s == 0) & (t > 0), (s > 0) & (t == 0)
    n_rises = np.bincount(face[rise], minlength=n_faces)
    n_falls = np.bincount(face[fall], minlength=n_faces)
    if (n_rises[split] != 1).any() or (n_falls[split] != 1).any():
        raise Contradiction
    up = np.empty(n_faces, np.int64)
    down = np.empty(n_faces, np.int64)
    up[face[rise]] = here[rise]
    down[face[fall]] = there[fall]
    return up[split], down[split], positive, split
