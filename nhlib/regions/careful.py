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

    Parameters and results are those of `nhlib.regions.subdivision.cut_by_all`. A unit that is
    zero all over a face, within rounding, has bit 0 there.

    Raises
    ------
    TooManyRegions
        If there would be more than `limit` faces.
    ArithmeticError
        If rounding leaves no consistent subdivision; no network is known for which it does.
    """
    now, z = before, z.copy()
    bits: Bool[np.ndarray, "n_faces units"] = np.zeros((before.n_faces, z.shape[1]), bool)
    parents: Int64[np.ndarray, " n_faces"] = np.arange(before.n_faces)
    for unit in range(z.shape[1]):
        for attempt in range(_ATTEMPTS):
            wider = 4.0**attempt
            try:
                now, z, positive, split = _cut(
                    now, z, unit, near[unit] * wider, wider * closest(before.points), first_unit
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
        bits[:, unit] = positive
        bits = np.concatenate([bits, bits[split]])
        parents = np.concatenate([parents, parents[split]])
        bits[len(positive) :, unit] = False
    return Cut(now, parents, pack(bits), z)


def _cut(
    before: Subdivision,
    z: Float64[np.ndarray, "n_points units"],
    unit: int,
    near: float,
    close: float,
    first_unit: int,
) -> tuple[
    Subdivision,
    Float64[np.ndarray, "n_points_after units"],
    Bool[np.ndarray, " n_faces"],
    Int64[np.ndarray, " n_new"],
]:
    """Cut by one line; also return who is on (before), and which faces got a part that is off."""
    a, b = before.edges[:, 0], before.edges[:, 1]
    values = z[:, unit]
    sign = np.where(np.abs(values) <= near, 0, np.sign(values)).astype(np.int8)
    # A crossing that is close to a point is that point.
    length = np.hypot(*(before.points[a] - before.points[b]).T)
    crossed = np.flatnonzero(sign[a] * sign[b] < 0)
    start, end = a[crossed], b[crossed]
    t = values[start] / (values[start] - values[end])
    sign[start[t * length[crossed] <= close]] = 0
    sign[end[(1 - t) * length[crossed] <= close]] = 0
    z = z.copy()
    z[sign == 0, unit] = 0

    kept = sign[start] * sign[end] < 0
    crossed, start, end, t = crossed[kept], start[kept], end[kept], t[kept]
    n_points = len(z) + np.arange(len(crossed))
    new_z = z[start] + t[:, None] * (z[end] - z[start])
    new_z[:, unit] = 0
    new_points = before.points[start] + t[:, None] * (before.points[end] - before.points[start])
    sign = np.concatenate([sign, np.zeros(len(crossed), np.int8)])
    # The first half of a crossed edge keeps its place, the second half goes to the end.
    edges = np.concatenate([before.edges, np.stack([n_points, end], axis=1)])
    edges[crossed, 1] = n_points
    sides = np.concatenate([before.sides, before.sides[crossed]])
    units = np.concatenate([before.units, before.units[crossed]])

    up, down, positive, split = _across(edges, sides, sign, before.n_faces)
    new_faces = before.n_faces + np.arange(len(split))
    part = np.full(before.n_faces + 1, -1)  # the last entry is for the outside
    part[split] = new_faces
    on = (sign[edges] > 0).any(axis=1)
    moved = ~on[:, None] & (part[sides] >= 0)
    sides = np.where(moved, part[sides], sides)
    after = Subdivision(
        np.concatenate([before.points, new_points]),
        np.concatenate([edges, np.stack([down, up], axis=1)]),
        np.concatenate([sides, np.stack([split, new_faces], axis=1)]),
        np.concatenate([units, np.full(len(split), first_unit + unit)]),
        before.n_faces + len(split),
    )
    return after, np.concatenate([z, new_z]), positive, split


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
