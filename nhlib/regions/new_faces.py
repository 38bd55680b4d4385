"""The faces that a cut makes, known by the face that they were cut from and their code."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt64

from nhlib.regions.chord_meetings import Unclear
from nhlib.regions.packed_bits import hashes
from nhlib.regions.signs import Signs
from nhlib.regions.subdivision import Subdivision, radix_order

# Of a face with more parts than this, those close to each other come one after the other.
_MANY = 64


class Halves(NamedTuple):
    """Pieces of line, seen from the faces beside them.

    Attributes
    ----------
    face : int64 array, shape (k,)
        The face before in which the new one lies.
    bits : uint64 array, shape (k, n_words)
        Bits of the layer in the new face, packed.
    start : int64 array, shape (k,)
        The point at which the piece starts.
    """

    face: Int64[np.ndarray, " k"]
    bits: UInt64[np.ndarray, "k n_words"]
    start: Int64[np.ndarray, " k"]


class NewFaces(NamedTuple):
    """The new faces, sorted by the faces before.

    Attributes
    ----------
    of_halves : int64 array, shape (k,)
        The new face of each of the halves.
    first : int64 array, shape (n_before,)
        The first part of each face before; the only one of those that are not cut.
    parents : int64 array, shape (n_faces,)
        The face before of each.
    bits : uint64 array, shape (n_faces, n_words)
        Bits of the layer in each, packed.
    """

    of_halves: Int64[np.ndarray, " k"]
    first: Int64[np.ndarray, " n_before"]
    parents: Int64[np.ndarray, " n_faces"]
    bits: UInt64[np.ndarray, "n_faces n_words"]


def bits_of_faces(before: Subdivision, signs: Signs) -> UInt64[np.ndarray, "n_faces n_words"]:
    """Return which units are on somewhere in each face."""
    if signs.zero is None:  # then a unit that is on at any corner either is at all, or cuts
        corner = np.empty(before.n_faces + 1, np.int64)  # the last entry is for the outside
        corner[before.left] = corner[before.right] = before.start
        return signs.above[corner[:-1]]
    face = np.append(before.left, before.right)
    order = radix_order(face + 1)
    begins = np.flatnonzero(np.diff(face[order], prepend=-2))
    corners = np.append(before.start, before.end)[order]
    bits: UInt64[np.ndarray, "n_faces n_words"]
    bits = np.bitwise_or.reduceat(signs.above[corners], begins, axis=0)
    return bits[len(begins) - before.n_faces :]


def new_faces(
    halves: Halves,
    n_parts: Int64[np.ndarray, " n_before"],
    cut: Bool[np.ndarray, " n_before"],
    uncut_bits: UInt64[np.ndarray, "n_before n_words"],
    places: Float64[np.ndarray, "n_points 2"],
) -> NewFaces:
    """Number the parts of faces.

    Parameters
    ----------
    halves : Halves
        All that border parts of faces that are cut.
    n_parts : int64 array, shape (n_before,)
        Into how many parts each face is cut, as Euler's formula gives it.
    cut : bool array, shape (n_before,)
        Whether it is cut at all.
    uncut_bits : uint64 array, shape (n_before, n_words)
        Bits of faces that are not cut.
    places : float64 array, shape (n_points, 2)
        Coordinates of all points, as shares of the rectangle.

    Raises
    ------
    Unclear
        If there are other than so many parts.
    """
    # A hash encoder at work: codes are told apart by as many bits as the faces leave of 64.
    n_before = len(cut)
    width = np.uint64(max(n_before.bit_length(), 1))
    key = (halves.face.astype(np.uint64) << (np.uint64(64) - width)) | (
        hashes(halves.bits) >> width
    )
    order = radix_order(key)
    ascending = key[order]
    begins = np.ones(len(order), bool)
    np.not_equal(ascending[1:], ascending[:-1], out=begins[1:])
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(begins) - 1
    one_half = order[begins]
    parents = halves.face[one_half]
    found = np.bincount(parents, minlength=n_before)
    if (found[cut] != n_parts[cut]).any():
        raise Unclear(np.flatnonzero(cut & (found != n_parts)))
    first = np.cumsum(n_parts) - n_parts
    rank = np.arange(len(parents)) - (np.cumsum(found) - found)[parents]
    many = np.flatnonzero((n_parts > _MANY)[parents])
    if len(many):
        close = radix_order(parents[many], _z_order(places[halves.start[one_half[many]]]))
        rank[many[close]] = rank[many]
    numbers = first[parents] + rank
    bits = np.repeat(uncut_bits, n_parts, axis=0)
    bits[numbers] = halves.bits[one_half]
    return NewFaces(numbers[number], first, np.repeat(np.arange(n_before), n_parts), bits)


def _z_order(places: Float64[np.ndarray, "k 2"]) -> UInt64[np.ndarray, " k"]:
    """Return numbers that are close for places that are close: the bits of x and y in turns."""
    bits = (places * 65535).astype(np.uint64)
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        bits = (bits | (bits << np.uint64(shift))) & np.uint64(mask)
    numbers: UInt64[np.ndarray, " k"] = bits[:, 0] | (bits[:, 1] << np.uint64(1))
    return numbers
