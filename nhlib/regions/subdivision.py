"""A rectangle, or a part of one, cut into convex faces, which share their points and edges."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64


class Subdivision(NamedTuple):
    """Points, edges and faces.

    Attributes
    ----------
    points : float64 array, shape (n_points, 2)
        Coordinates in the rectangle.
    start, end : int64 arrays, shape (n_edges,)
        The points from which and to which each edge runs.
    left, right : int64 arrays, shape (n_edges,)
        The faces on the left and on the right of each edge; -1 is outside.
    units : int64 array, shape (n_edges,)
        The unit on whose line an edge lies, layers counted on; -1 for the rectangle's frame.
    borders : int64 array, shape (n_edges,)
        Of an edge that parts this from another part of the rectangle: the number of the edge that
        it was, or was a piece of, when the parts were parted; -1 for all others.
    n_faces : int
        Number of faces.
    extent : (left, right, bottom, top)
        The whole rectangle.
    """

    points: Float64[np.ndarray, "n_points 2"]
    start: Int64[np.ndarray, " n_edges"]
    end: Int64[np.ndarray, " n_edges"]
    left: Int64[np.ndarray, " n_edges"]
    right: Int64[np.ndarray, " n_edges"]
    units: Int64[np.ndarray, " n_edges"]
    borders: Int64[np.ndarray, " n_edges"]
    n_faces: int
    extent: tuple[float, float, float, float]

    @classmethod
    def rectangle(cls, left: float, right: float, bottom: float, top: float) -> "Subdivision":
        """One face: a rectangle, its edges counterclockwise."""
        corners = [[left, bottom], [right, bottom], [right, top], [left, top]]
        n, none = np.arange(4), np.full(4, -1)
        points, extent = np.array(corners, float), (left, right, bottom, top)
        return cls(points, n, (n + 1) % 4, np.zeros_like(n), none, none, none, 1, extent)

    def shares(self, points: Float64[np.ndarray, "k 2"]) -> Float64[np.ndarray, "k 2"]:
        """Return points as shares of the whole rectangle's sides, from 0 to 1."""
        left, right, bottom, top = self.extent
        shares: Float64[np.ndarray, "k 2"]
        shares = (points - (left, bottom)) / (right - left, top - bottom)
        return shares.clip(0, 1)


class Contradiction(Exception):
    """Signs that no line has: rounding is larger than what counts as zero."""


class TooManyRegions(Exception):
    """The limit is passed; carries the number of regions so far."""


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


def order_along(
    line: Int64[np.ndarray, " k"], t: Float64[np.ndarray, " k"]
) -> Int64[np.ndarray, " k"]:
    """Return the order by line, and by position along it."""
    order = radix_order(line)
    of_line = line[order]
    shared = of_line[1:] == of_line[:-1]
    crowd = np.flatnonzero(np.append(shared, False) | np.insert(shared, 0, False))
    if len(crowd):  # lines with one entry alone need no more
        inner = np.argsort(t[order[crowd]], kind="stable")
        inner = inner[radix_order(of_line[crowd[inner]])]
        order[crowd] = order[crowd[inner]]
    return order
