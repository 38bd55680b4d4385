"""A rectangle cut into convex faces, and the cut by all lines of a layer at once.

Points of the rectangle are shared by all edges and faces that meet there, so nothing is ever
decided twice: a unit has one sign at a point, and that sign cuts the edges, the edges cut the
faces. Geometry enters through the positions of crossings along an edge alone.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt64


class Subdivision(NamedTuple):
    """Points, edges and faces of a subdivided rectangle.

    Attributes
    ----------
    points : float64 array, shape (n_points, 2)
        Coordinates in the rectangle.
    edges : int64 array, shape (n_edges, 2)
        The points from which and to which each edge runs.
    sides : int64 array, shape (n_edges, 2)
        The faces on the left and on the right of each edge; -1 is outside.
    units : int64 array, shape (n_edges,)
        The unit on whose line an edge lies, layers counted on; -1 for the rectangle's frame.
    n_faces : int
        Number of faces.
    """

    points: Float64[np.ndarray, "n_points 2"]
    edges: Int64[np.ndarray, "n_edges 2"]
    sides: Int64[np.ndarray, "n_edges 2"]
    units: Int64[np.ndarray, " n_edges"]
    n_faces: int

    @classmethod
    def rectangle(cls, left: float, right: float, bottom: float, top: float) -> "Subdivision":
        """One face: a rectangle, its edges counterclockwise."""
        return cls(
            np.array([[left, bottom], [right, bottom], [right, top], [left, top]], float),
            np.array([[0, 1], [1, 2], [2, 3], [3, 0]]),
            np.array([[0, -1]] * 4),
            np.full(4, -1),
            1,
        )


class Cut(NamedTuple):
    """What a layer does to a subdivision.

    Attributes
    ----------
    subdivision : Subdivision
        With the new faces.
    parents : int64 array, shape (n_faces,)
        The face before of which each face is a part.
    bits : uint64 array, shape (n_faces, n_words)
        Bits of the layer in each face, as ``np.packbits`` packs them, filled up to whole words.
    preactivations : float64 array, shape (n_points, units), or None
        At all points; None if they were not asked for.
    """

    subdivision: Subdivision
    parents: Int64[np.ndarray, " n_faces"]
    bits: UInt64[np.ndarray, "n_faces n_words"]
    preactivations: Float64[np.ndarray, "n_points units"] | None


class NotSimple(Exception):
    """Lines coincide, run through a point together, or through a point that was there before."""


class TooManyRegions(Exception):
    """The limit would be passed; carries the number of regions that it takes."""


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
        If lines are not in general position: the pairing of crossings below would break.
    TooManyRegions
        If there would be more than `limit` faces.
    """
    n_units, n_points = z.shape[1], len(z)
    if (np.abs(z) <= near).any():
        raise NotSimple
    a, b = before.edges[:, 0], before.edges[:, 1]
    signs = pack(z > 0)
    edge, unit = _set_bits(signs[a] ^ signs[b])
    n_crossings = len(edge)
    start, end = a[edge], b[edge]
    z_start, z_end = z[start, unit], z[end, unit]
    t = z_start / (z_start - z_end)
    order = _along(edge, t)
    edge, unit, start, end, t = edge[order], unit[order], start[order], end[order], t[order]
    if _crowded(t, edge, before.points[b] - before.points[a], before.points):
        raise NotSimple
    upward = z_end[order] > 0
    new_points = _between(before.points, start, end, t)
    new_z = _between(z, start, end, t)
    new_z[np.arange(n_crossings), unit] = 0
    if np.count_nonzero(np.abs(new_z) <= near) != n_crossings:
        raise NotSimple

    # Every line that enters a face leaves it: going round the face, one crossing leads up to
    # where the unit is on and one down again. From down to up, the unit is on at the left.
    left, right = before.sides[edge, 0], before.sides[edge, 1]
    rises, falls = np.flatnonzero(upward), np.flatnonzero(~upward)
    up = np.concatenate([rises[left[rises] >= 0], falls[right[falls] >= 0]])
    up_face = np.concatenate([left[rises], right[falls]])
    down = np.concatenate([falls[left[falls] >= 0], rises[right[rises] >= 0]])
    down_face = np.concatenate([left[falls], right[rises]])
    up_face, down_face = up_face[up_face >= 0], down_face[down_face >= 0]
    order = radix_order(up_face, unit[up])
    up, up_face = up[order], up_face[order]
    order = radix_order(down_face, unit[down])
    down, face = down[order], down_face[order]
    own = unit[down]
    lines = face * n_units + own
    if not np.array_equal(lines, up_face * n_units + unit[up]) or (lines[1:] == lines[:-1]).any():
        raise NotSimple
    n_chords = len(lines)
    if before.n_faces + n_chords > limit:
        raise TooManyRegions(before.n_faces + n_chords)

    # Chords of one face cross where the one's unit changes sign along the other; found from both.
    new_signs = pack(new_z > 0)
    flips = new_signs[down] ^ new_signs[up]
    total = int(np.bitwise_count(flips).sum()) // 2 + before.n_faces + n_chords
    if total > limit:
        raise TooManyRegions(total)
    chord, other = _set_bits(flips)
    crossed = np.searchsorted(lines, face[chord] * n_units + other)
    if (lines[np.minimum(crossed, n_chords - 1)] != face[chord] * n_units + other).any():
        raise NotSimple
    pair, partner = chord * n_chords + crossed, crossed * n_chords + chord
    twin = np.searchsorted(pair, partner)
    if len(pair) and (pair[np.minimum(twin, len(pair) - 1)] != partner).any():
        raise NotSimple
    first = chord < crossed
    meeting = np.empty(len(chord), np.int64)
    meeting[first] = np.arange(int(first.sum()))
    meeting[~first] = meeting[twin[~first]]
    z_down, z_up = new_z[down[chord], other], new_z[up[chord], other]
    t = z_down / (z_down - z_up)
    from_, to = down[chord[first]], up[chord[first]]
    inner_points = _between(new_points, from_, to, t[first])
    order = _along(chord, t)
    if _crowded(t[order], chord[order], new_points[up] - new_points[down], before.points):
        raise NotSimple

    inner_z = None
    if needs_preactivations:
        inner_z = _between(new_z, from_, to, t[first])
        rows = np.arange(len(inner_z))
        inner_z[rows, own[chord[first]]] = inner_z[rows, other[first]] = 0
        if np.count_nonzero(np.abs(inner_z) <= near) != 2 * len(inner_z):
            raise NotSimple

    # Cut edges and chords into pieces; along them, the signs flip one by one.
    masks = _unit_masks(n_units)
    edges, edge_parent, edge_bits = _pieces(
        a, b, signs[a], signs[b], edge, n_points + np.arange(n_crossings), masks[unit]
    )
    offset = n_points + n_crossings
    chords, chord_parent, chord_bits = _pieces(
        n_points + down,
        n_points + up,
        new_signs[down],
        new_signs[up],
        chord[order],
        offset + meeting[order],
        masks[other[order]],
    )
    # A face is known by the face that it was cut from, and its code.
    old = before.sides[edge_parent]
    chord_face, chord_mask = face[chord_parent], masks[own[chord_parent]]
    faces = np.concatenate([chord_face, chord_face, old[:, 0], old[:, 1]])
    bits = np.concatenate([chord_bits | chord_mask, chord_bits, edge_bits, edge_bits])
    inside = faces >= 0
    new_face, representative = _distinct(faces, bits, inside)
    n_faces = len(representative)
    k = len(chord_parent)
    sides = np.concatenate(
        [
            np.stack([new_face[:k], new_face[k : 2 * k]], axis=1),
            np.stack(np.split(new_face[2 * k :], 2), axis=1),
        ]
    )
    after = Subdivision(
        np.concatenate([before.points, new_points, inner_points]),
        np.concatenate([chords, edges]),
        sides,
        np.concatenate([first_unit + own[chord_parent], before.units[edge_parent]]),
        n_faces,
    )
    if n_faces != 1 + len(after.edges) - len(after.points) or n_faces != total:  # Euler's formula
        raise NotSimple
    everywhere = None if inner_z is None else np.concatenate([z, new_z, inner_z])
    return Cut(after, faces[representative], bits[representative], everywhere)


def pack(on: np.ndarray) -> UInt64[np.ndarray, "k n_words"]:
    """Pack rows of booleans into 64-bit words, as ``np.packbits`` packs them into bytes."""
    n = on.shape[1]
    n_words = -(-n // 64)
    if n % 64:
        room = np.zeros((len(on), n_words * 64), bool)
        room[:, :n] = on
        on = room
    return np.packbits(on).view(np.uint64).reshape(len(on), n_words)


def _set_bits(
    words: UInt64[np.ndarray, "k n_words"],
) -> tuple[Int64[np.ndarray, " m"], Int64[np.ndarray, " m"]]:
    """Return row and number of every bit that is 1, sorted."""
    row, word = np.nonzero(words)
    bits = np.unpackbits(words[row, word].view(np.uint8)).view(bool)
    place = np.flatnonzero(bits)
    which = place >> 6
    return row[which], (word[which] << 6) + (place & 63)


def _unit_masks(n_units: int) -> UInt64[np.ndarray, "units n_words"]:
    return pack(np.eye(n_units, dtype=bool))


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


def radix_order(*keys: np.ndarray) -> Int64[np.ndarray, " k"]:
    """Return the order that sorts rows by non-negative integers, the first key the main one.

    NumPy sorts 16-bit keys digit by digit: several times faster than comparing longer ones.
    """
    digits: list[np.ndarray] = []
    for key in reversed(keys):
        length = max(int(key.max(initial=0)).bit_length(), 1)
        shifts = range(0, length, 16)
        digits += [(key >> key.dtype.type(shift)).astype(np.uint16) for shift in shifts]
    return np.lexsort(digits)


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


def closest(points: Float64[np.ndarray, "n_points 2"]) -> float:
    """Return the distance below which two points are one; the frame's corners come first."""
    return float(1e-13 * np.abs(points[:4]).max() + 1e-13 * np.ptp(points[:4], axis=0).max())


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
