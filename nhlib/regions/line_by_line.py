"""The cut of a subdivision by one line after another, for lines in any position.

Lines of one layer may coincide, meet in one point, run along an edge or through a corner: in
networks without biases, in lattices, where units are scaled copies of each other. Here a point
may lie *on* a unit's line, within a tolerance, and one line at a time leaves no room for doubt
about who crosses whom.
"""

import numpy as np
from jaxtyping import Bool, Float64, Int8, Int64

from nhlib.regions.subdivision import Cut, Subdivision, TooManyRegions, closest, pack

# Where rounding contradicts itself, the tolerance is widened so many times, fourfold each time.
_ATTEMPTS = 8


class _Contradiction(Exception):
    """Signs round a convex face that no line can have."""


def cut_one_by_one(
    before: Subdivision,
    z: Float64[np.ndarray, "n_points units"],
    near: Float64[np.ndarray, " units"],
    first_unit: int,
    limit: int,
) -> Cut:
    """Cut by the zero line of one unit of a layer after the other.

    Parameters and results are those of `nhlib.regions.general_position.cut_by_all`. A unit that is
    zero all over a face, within rounding, has bit 0 there.

    Raises
    ------
    TooManyRegions
        If there would be more than `limit` faces.
    ArithmeticError
        If rounding leaves no consistent subdivision; no network is known for which it does.
    """
    now, rows = before, _Rows(z)
    on: list[Bool[np.ndarray, " n_faces"]] = []
    splits: list[Int64[np.ndarray, " n_new"]] = []
    for unit in range(z.shape[1]):
        for attempt in range(_ATTEMPTS):
            wider = 4.0**attempt
            try:
                now, positive, split = _cut_by_unit(
                    now, rows, unit, near[unit] * wider, wider * closest(before.points), first_unit
                )
                break
            except _Contradiction:
                continue
        else:
            raise ArithmeticError(
                f"unit {first_unit + unit}: its line cannot be told from the points near it in "
                "float64; regions of this network are too thin"
            )
        if now.n_faces > limit:
            raise TooManyRegions(now.n_faces)
        on.append(positive)
        splits.append(split)
    # Backwards, a face that a unit made is again the face that it was a part of.
    face = np.arange(now.n_faces)
    bits = np.zeros((now.n_faces, z.shape[1]), bool)
    for unit in reversed(range(z.shape[1])):
        made = face >= len(on[unit])  # the parts that are off
        face[made] = splits[unit][face[made] - len(on[unit])]
        bits[:, unit] = on[unit][face] & ~made
    return Cut(now, face, pack(bits), rows.values())


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
    near: float,
    close: float,
    first_unit: int,
) -> tuple[Subdivision, Bool[np.ndarray, " n_faces"], Int64[np.ndarray, " n_new"]]:
    """Cut by one line; also return who is on (before), and which faces got a part that is off."""
    a, b = before.edges[:, 0], before.edges[:, 1]
    z = rows.values()
    values = z[:, unit]
    sign = np.where(np.abs(values) <= near, 0, np.sign(values)).astype(np.int8)
    crossed = np.flatnonzero(sign[a] * sign[b] < 0)
    start, end = a[crossed], b[crossed]
    t = values[start] / (values[start] - values[end])
    # A crossing that is close to a point is that point.
    length = np.hypot(*(before.points[start] - before.points[end]).T)
    sign[start[t * length <= close]] = 0
    sign[end[(1 - t) * length <= close]] = 0

    kept = sign[start] * sign[end] < 0
    crossed, start, end, t = crossed[kept], start[kept], end[kept], t[kept]
    n_points = len(z) + np.arange(len(crossed))
    new_points = before.points[start] + t[:, None] * (before.points[end] - before.points[start])
    all_signs = np.concatenate([sign, np.zeros(len(crossed), np.int8)])
    # The first half of a crossed edge keeps its place, the second half goes to the end.
    edges = np.concatenate([before.edges, np.stack([n_points, end], axis=1)])
    edges[crossed, 1] = n_points
    sides = np.concatenate([before.sides, before.sides[crossed]])
    units = np.concatenate([before.units, before.units[crossed]])

    up, down, positive, split = _across(edges, sides, all_signs, before.n_faces)
    new_faces = before.n_faces + np.arange(len(split))
    part = np.full(before.n_faces + 1, -1)  # the last entry is for the outside
    part[split] = new_faces
    on = (all_signs[edges] > 0).any(axis=1)
    moved = ~on[:, None] & (part[sides] >= 0)
    sides = np.where(moved, part[sides], sides)
    after = Subdivision(
        np.concatenate([before.points, new_points]),
        np.concatenate([edges, np.stack([down, up], axis=1)]),
        np.concatenate([sides, np.stack([split, new_faces], axis=1)]),
        np.concatenate([units, np.full(len(split), first_unit + unit)]),
        before.n_faces + len(split),
    )
    new_z = z[start] + t[:, None] * (z[end] - z[start])
    new_z[:, unit] = 0
    z[sign == 0, unit] = 0
    rows.append(new_z)
    return after, positive, split


def _across(
    edges: Int64[np.ndarray, "n_edges 2"],
    sides: Int64[np.ndarray, "n_edges 2"],
    sign: Int8[np.ndarray, " n_points"],
    n_faces: int,
) -> tuple[
    Int64[np.ndarray, " n_new"],
    Int64[np.ndarray, " n_new"],
    Bool[np.ndarray, " n_faces"],
    Int64[np.ndarray, " n_new"],
]:
    """Find the faces that the line parts, and the points where it enters and leaves each."""
    face = np.concatenate([sides[:, 0], sides[:, 1]])
    walk = np.concatenate([edges, edges[:, ::-1]])[face >= 0]  # counterclockwise
    face = face[face >= 0]
    s, t = sign[walk[:, 0]], sign[walk[:, 1]]
    positive = np.zeros(n_faces, bool)
    negative = np.zeros(n_faces, bool)
    positive[face[(s > 0) | (t > 0)]] = True
    negative[face[(s < 0) | (t < 0)]] = True
    split = np.flatnonzero(positive & negative)
    rise, fall = (s == 0) & (t > 0), (s > 0) & (t == 0)
    n_rises = np.bincount(face[rise], minlength=n_faces)
    n_falls = np.bincount(face[fall], minlength=n_faces)
    if (n_rises[split] != 1).any() or (n_falls[split] != 1).any():
        raise _Contradiction
    up = np.empty(n_faces, np.int64)
    down = np.empty(n_faces, np.int64)
    up[face[rise]] = walk[rise, 0]
    down[face[fall]] = walk[fall, 1]
    return up[split], down[split], positive, split
