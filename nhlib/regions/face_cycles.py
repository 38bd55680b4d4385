"""The way round every face of a subdivision."""

import numpy as np
from jaxtyping import Bool, Int64

from nhlib.regions.subdivision import radix_order


class Walk:
    """All faces, one after the other, each counterclockwise round its sides.

    Attributes
    ----------
    corners : int64 array, shape (n,)
        The point at which each side starts.
    across : int64 array, shape (n,)
        The face behind each side; -1 is the outside.
    starts : int64 array, shape (n_faces + 1,)
        Face i has the sides from ``starts[i]`` to ``starts[i + 1]``.
    """

    def __init__(
        self,
        corners: Int64[np.ndarray, " n"],
        across: Int64[np.ndarray, " n"],
        starts: Int64[np.ndarray, " n_starts"],
    ) -> None:
        self.corners, self.across, self.starts = corners, across, starts

    def following(self, values: np.ndarray) -> np.ndarray:
        """Return for every side the entry of the next side round its face."""
        following = np.empty_like(values)
        following[:-1] = values[1:]
        following[self.starts[1:] - 1] = values[self.starts[:-1]]
        return following

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return the sum of the entries of every face."""
        sums: np.ndarray = np.add.reduceat(values, self.starts[:-1], axis=0)
        return sums

    def most(self, values: np.ndarray) -> np.ndarray:
        """Return the largest entry of every face."""
        most: np.ndarray = np.maximum.reduceat(values, self.starts[:-1], axis=0)
        return most

    def least(self, values: np.ndarray) -> np.ndarray:
        """Return the smallest entry of every face."""
        least: np.ndarray = np.minimum.reduceat(values, self.starts[:-1], axis=0)
        return least


def sides_in_order(
    start: Int64[np.ndarray, " n_edges"],
    end: Int64[np.ndarray, " n_edges"],
    left: Int64[np.ndarray, " n_edges"],
    right: Int64[np.ndarray, " n_edges"],
    n_faces: int,
) -> tuple[Int64[np.ndarray, " n"], Bool[np.ndarray, " n"], Int64[np.ndarray, " n_starts"]]:
    """Return the edges round each face, whether it is on their left, and where each face starts."""
    n_edges = len(start)
    face = np.append(left, right)
    half = np.flatnonzero(face >= 0)
    face = face[half]
    here, there = np.append(start, end)[half], np.append(end, start)[half]
    # Half of each edge per face; the next half begins where this one ends.
    by_start, by_end = radix_order(face, here), radix_order(face, there)
    rank = np.empty(len(face), np.int64)
    rank[by_end] = np.arange(len(face))
    next_half = rank[by_start]
    sizes = np.bincount(face, minlength=n_faces)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    # One step round all faces at once, then the next round those that have more sides.
    longest_first = radix_order(sizes)[::-1]
    at = starts[:-1][longest_first]
    place = at.copy()
    order = np.empty(len(face), np.int64)
    remaining = np.searchsorted(-sizes[longest_first], -np.arange(sizes.max()))
    for k in remaining:
        at, place = at[:k], place[:k]
        order[place] = at
        at, place = next_half[at], place + 1
    half = half[by_start[order]]
    return half % n_edges, half < n_edges, starts
