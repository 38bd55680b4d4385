"""A rectangle cut into convex faces, which share their points and edges."""

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


def pack(on: np.ndarray) -> UInt64[np.ndarray, "k n_words"]:
    """Pack rows of booleans into 64-bit words, as ``np.packbits`` packs them into bytes."""
    n = on.shape[1]
    n_words = -(-n // 64)
    if n % 64:
        room = np.zeros((len(on), n_words * 64), bool)
        room[:, :n] = on
        on = room
    return np.packbits(on).view(np.uint64).reshape(len(on), n_words)


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


def closest(points: Float64[np.ndarray, "n_points 2"]) -> float:
    """Return the distance below which two points are one; the frame's corners come first."""
    return float(1e-13 * np.abs(points[:4]).max() + 1e-13 * np.ptp(points[:4], axis=0).max())
