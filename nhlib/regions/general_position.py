"""The cut of a subdivision by all lines of a layer at once, if they are in general position.

Points of the rectangle are shared by all edges and faces that meet there, so nothing is ever
decided twice: a unit has one sign at a point, and that sign cuts the edges, the edges cut the
faces. Geometry enters through the positions of crossings along an edge alone.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt64

from nhlib.regions.subdivision import (
    Cut,
    NotSimple,
    Subdivision,
    TooManyRegions,
    closest,
    pack,
    radix_order,
)


class _Crossings(NamedTuple):
    """Where lines cross edges, sorted by edge and along it."""

    edge: Int64[np.ndarray, " k"]
    unit: Int64[np.ndarray, " k"]
    upward: Bool[np.ndarray, " k"]  # whether the unit is on at the edge's end
    points: Float64[np.ndarray, "k 2"]
    z: Float64[np.ndarray, "k units"]


class _Chords(NamedTuple):
    """What a line has of a face that it parts, sorted by face and unit.

    From its first crossing to its second, the unit is on at the left.
    """

    down: Int64[np.ndarray, " k"]
    up: Int64[np.ndarray, " k"]
    face: Int64[np.ndarray, " k"]
    unit: Int64[np.ndarray, " k"]


class _Meetings(NamedTuple):
    """Where chords of one face meet: twice each, along either chord, sorted as crossings are."""

    chord: Int64[np.ndarray, " two_k"]
    other: Int64[np.ndarray, " two_k"]  # the unit of the chord that is met
    number: Int64[np.ndarray, " two_k"]  # of the point, below
    points: Float64[np.ndarray, "k 2"]
    z: Float64[np.ndarray, "k units"] | None


def cut_by_all(
    before: Subdivision,
    z: Float64[np.ndarray, "n_points units"],
    near: Float64[np.ndarray, " units"],
    first_unit: int,
    limit: int,
    needs_preactivations: bool,
) -> Cut:
    """Cut by the zero lines of all units of a layer, in one pass.

    Parameters
    ----------
    before : Subdivision
        On each of its faces, the pre-activations are affine.
    z : float64 array, shape (n_points, units)
        Pre-activations of the layer at the points.
    near : float64 array, shape (units,)
        What counts as zero within rounding.
    first_unit : int
        Number of the layer's first unit.
    limit : int
        The most faces allowed.
    needs_preactivations : bool
        Whether those at the new points are wanted.

    Raises
    ------
    NotSimple
        If lines are not in general position: coincide, meet in one point, or run through a point
        that was there before.
    TooManyRegions
        If there would be more than `limit` faces.
    """
    if (np.abs(z) <= near).any():
        raise NotSimple
    n_units, n_points = z.shape[1], len(z)
    signs = pack(z > 0)
    crossings = _cross_edges(before, z, signs, near)
    new_signs = pack(crossings.z > 0)
    chords = _pair(before, crossings, n_units)
    flips = new_signs[chords.down] ^ new_signs[chords.up]
    total = before.n_faces + len(chords.unit) + int(np.bitwise_count(flips).sum()) // 2
    if total > limit:
        raise TooManyRegions(total)
    meetings = _cross_chords(
        before, crossings, chords, flips, near if needs_preactivations else None
    )

    # Cut edges and chords into pieces; along them, the signs flip one by one.
    masks = pack(np.eye(n_units, dtype=bool))
    a, b = before.edges[:, 0], before.edges[:, 1]
    of_edges, edge, edge_bits = _pieces(
        *(a, b, signs[a], signs[b]),
        *(crossings.edge, n_points + np.arange(len(crossings.edge)), masks[crossings.unit]),
    )
    of_chords, chord, chord_bits = _pieces(
        *(n_points + chords.down, n_points + chords.up),
        *(new_signs[chords.down], new_signs[chords.up]),
        *(meetings.chord, n_points + len(crossings.edge) + meetings.number),
        masks[meetings.other],
    )
    # A face is known by the face that it was cut from, and its code.
    face, own = chords.face[chord], chords.unit[chord]
    sides_before = before.sides[edge]
    parents = np.concatenate([face, face, sides_before[:, 0], sides_before[:, 1]])
    bits = np.concatenate([chord_bits | masks[own], chord_bits, edge_bits, edge_bits])
    number, representative = _distinct(parents, bits, parents >= 0)
    left_and_right = np.split(number, np.cumsum([len(face), len(face), len(edge)]))
    after = Subdivision(
        np.concatenate([before.points, crossings.points, meetings.points]),
        np.concatenate([of_chords, of_edges]),
        np.concatenate(
            [np.stack(left_and_right[:2], axis=1), np.stack(left_and_right[2:], axis=1)]
        ),
        np.concatenate([first_unit + own, before.units[edge]]),
        len(representative),
    )
    if not (after.n_faces == 1 + len(after.edges) - len(after.points) == total):  # Euler's formula
        raise NotSimple
    everywhere = None
    if meetings.z is not None:
        everywhere = np.concatenate([z, crossings.z, meetings.z])
    return Cut(after, parents[representative], bits[representative], everywhere)


def _cross_edges(
    before: Subdivision,
    z: Float64[np.ndarray, "n_points units"],
    signs: UInt64[np.ndarray, "n_points n_words"],
    near: Float64[np.ndarray, " units"],
) -> _Crossings:
    a, b = before.edges[:, 0], before.edges[:, 1]
    edge, unit = _set_bits(signs[a] ^ signs[b])
    z_start, z_end = z[a[edge], unit], z[b[edge], unit]
    t = z_start / (z_start - z_end)
    order = _along(edge, t)
    edge, unit, t, upward = edge[order], unit[order], t[order], z_end[order] > 0
    if _crowded(t, edge, before.points[b] - before.points[a], before.points):
        raise NotSimple
    points, new_z = (_between(values, a[edge], b[edge], t) for values in (before.points, z))
    new_z[np.arange(len(edge)), unit] = 0
    if np.count_nonzero(np.abs(new_z) <= near) != len(edge):
        raise NotSimple
    return _Crossings(edge, unit, upward, points, new_z)


def _pair(before: Subdivision, crossings: _Crossings, n_units: int) -> _Chords:
    """Join the two crossings at which a line enters and leaves a face."""
    # Going round the face, one leads up to where the unit is on and one down again.
    unit = crossings.unit
    left, right = before.sides[crossings.edge].T
    rises, falls = np.flatnonzero(crossings.upward), np.flatnonzero(~crossings.upward)
    up, down = np.concatenate([rises, falls]), np.concatenate([falls, rises])
    up_face = np.concatenate([left[rises], right[falls]])
    down_face = np.concatenate([left[falls], right[rises]])
    up, up_face = up[up_face >= 0], up_face[up_face >= 0]
    down, down_face = down[down_face >= 0], down_face[down_face >= 0]
    order = radix_order(up_face, unit[up])
    up, up_face = up[order], up_face[order]
    order = radix_order(down_face, unit[down])
    down, face = down[order], down_face[order]
    lines = face * n_units + unit[down]
    if not np.array_equal(lines, up_face * n_units + unit[up]) or (lines[1:] == lines[:-1]).any():
        raise NotSimple
    return _Chords(down, up, face, unit[down])


def _cross_chords(
    before: Subdivision,
    crossings: _Crossings,
    chords: _Chords,
    flips: UInt64[np.ndarray, "n_chords n_words"],
    near: Float64[np.ndarray, " units"] | None,
) -> _Meetings:
    """Find where chords meet; pre-activations there are wanted if `near` is given."""
    # The unit of one changes its sign along the other. Each meeting is found from both chords.
    n_units, n_chords = crossings.z.shape[1], len(chords.unit)
    lines = chords.face * n_units + chords.unit
    chord, other = _set_bits(flips)
    partner = _find(lines, chords.face[chord] * n_units + other)
    twin = _find(chord * n_chords + partner, partner * n_chords + chord)
    first = chord < partner
    number = np.empty(len(chord), np.int64)
    number[first] = np.arange(int(first.sum()))
    number[~first] = number[twin[~first]]
    down, up = chords.down[chord], chords.up[chord]
    z_down, z_up = crossings.z[down, other], crossings.z[up, other]
    t = z_down / (z_down - z_up)
    order = _along(chord, t)
    spans = crossings.points[chords.up] - crossings.points[chords.down]
    if _crowded(t[order], chord[order], spans, before.points):
        raise NotSimple
    points, z = _between(crossings.points, down[first], up[first], t[first]), None
    if near is not None:
        z = _between(crossings.z, down[first], up[first], t[first])
        rows = np.arange(len(z))
        z[rows, chords.unit[chord[first]]] = z[rows, other[first]] = 0
        if np.count_nonzero(np.abs(z) <= near) != 2 * len(z):
            raise NotSimple
    return _Meetings(chord[order], other[order], number[order], points, z)


def _find(
    ascending: Int64[np.ndarray, " n"], wanted: Int64[np.ndarray, " k"]
) -> Int64[np.ndarray, " k"]:
    """Return where each wanted number is among the ascending ones."""
    place: Int64[np.ndarray, " k"] = np.searchsorted(ascending, wanted)
    if len(wanted) and (ascending[np.minimum(place, len(ascending) - 1)] != wanted).any():
        raise NotSimple
    return place


def _set_bits(
    words: UInt64[np.ndarray, "k n_words"],
) -> tuple[Int64[np.ndarray, " m"], Int64[np.ndarray, " m"]]:
    """Return row and number of every bit that is 1, sorted."""
    row, word = np.nonzero(words)
    bits = np.unpackbits(words[row, word].view(np.uint8)).view(bool)
    place = np.flatnonzero(bits)
    which = place >> 6
    return row[which], (word[which] << 6) + (place & 63)


def _between(
    values: Float64[np.ndarray, "k n"],
    start: Int64[np.ndarray, " m"],
    end: Int64[np.ndarray, " m"],
    t: Float64[np.ndarray, " m"],
) -> Float64[np.ndarray, "m n"]:
    first = values.take(start, axis=0)
    step = values.take(end, axis=0)
    step -= first
    step *= t[:, None]
    step += first
    return step


def _along(edge: Int64[np.ndarray, " k"], t: Float64[np.ndarray, " k"]) -> Int64[np.ndarray, " k"]:
    """Return the order by edge, and by position along it."""
    by_t = np.argsort(t)
    order: Int64[np.ndarray, " k"] = by_t[radix_order(edge[by_t])]
    return order


def _crowded(
    t: Float64[np.ndarray, " k"],
    line: Int64[np.ndarray, " k"],
    spans: Float64[np.ndarray, "n_lines 2"],
    points: Float64[np.ndarray, "n_points 2"],
) -> bool:
    """Tell whether two crossings of one line, or a crossing and its end, are one in rounding."""
    gap = np.diff(t, prepend=0.0)
    first = np.diff(line, prepend=-1) != 0
    gap[first] = t[first]
    last = np.diff(line, append=-1) != 0
    gap[last] = np.minimum(gap[last], 1 - t[last])
    return bool((gap * np.hypot(spans[:, 0], spans[:, 1])[line] <= closest(points)).any())


def _pieces(
    start: Int64[np.ndarray, " k"],
    end: Int64[np.ndarray, " k"],
    start_bits: UInt64[np.ndarray, "k n_words"],
    end_bits: UInt64[np.ndarray, "k n_words"],
    cut: Int64[np.ndarray, " m"],
    vertex: Int64[np.ndarray, " m"],
    flip: UInt64[np.ndarray, "m n_words"],
) -> tuple[
    Int64[np.ndarray, "k_plus_m 2"],
    Int64[np.ndarray, " k_plus_m"],
    UInt64[np.ndarray, "k_plus_m n_words"],
]:
    """Cut k edges at m points, sorted by (edge, position); return ends, edge and bits of pieces."""
    k, m = len(start), len(cut)
    counts = np.bincount(cut, minlength=k)
    parent = np.repeat(np.arange(k), counts + 1)
    first = np.arange(k) + np.cumsum(counts) - counts
    after = np.arange(m) + cut + 1
    ends = np.empty((k + m, 2), np.int64)
    ends[first, 0], ends[after, 0] = start, vertex
    ends[first + counts, 1], ends[after - 1, 1] = end, vertex
    bits = np.empty((k + m, flip.shape[1]), np.uint64)
    bits[after] = flip
    bits[first] = start_bits
    bits[first[1:]] ^= end_bits[:-1]  # so that one running XOR starts afresh at every edge
    np.bitwise_xor.accumulate(bits, axis=0, out=bits)
    return ends, parent, bits


def _distinct(
    faces: Int64[np.ndarray, " k"], bits: UInt64[np.ndarray, "k n_words"], inside: np.ndarray
) -> tuple[Int64[np.ndarray, " k"], Int64[np.ndarray, " n_faces"]]:
    """Number the distinct (face, bits); return each row's number, and a row for each number."""
    # A hash encoder at work: rows are told apart by 64 bits, and then compared in full.
    odd = np.uint64(0x9E3779B97F4A7C15)
    key = faces.astype(np.uint64) * odd
    for word in bits.T:
        key ^= key >> np.uint64(29)
        key = (key ^ word) * odd
    rows = np.flatnonzero(inside)
    key = key[rows]
    order = radix_order(key)
    ascending = key[order]
    rows = rows[order]
    begins = np.ones(len(rows), bool)
    np.not_equal(ascending[1:], ascending[:-1], out=begins[1:])
    representative = rows[begins]
    numbers = np.full(len(faces), -1)
    numbers[rows] = np.cumsum(begins) - 1
    differs = faces[rows[1:]] != faces[rows[:-1]]
    for word in bits.T:
        ordered = word[rows]
        differs |= ordered[1:] != ordered[:-1]
    if (differs & ~begins[1:]).any():
        raise NotSimple  # two keys collide: the slower way needs none
    return numbers, representative
