"""Faces of a cut in which many lines almost meet: they are cut line by line."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt64

from nhlib.regions.line_by_line import cut_one_by_one
from nhlib.regions.new_faces import Halves
from nhlib.regions.new_points import NewPoints
from nhlib.regions.pieces import Pieces
from nhlib.regions.subdivision import Subdivision


class Inside(NamedTuple):
    """What became of the faces.

    Attributes
    ----------
    parents : int64 array, shape (n_parts,)
        The face of which each part is.
    bits : uint64 array, shape (n_parts, n_words)
        Bits of the layer in each part, packed.
    start, end, left, right, unit : int64 arrays, shape (k,)
        Of every new edge: the points from which and to which it runs, the parts beside it, and
        the unit on whose line it lies. Points are numbered through: those on borders, then ours.
    beside : int64 array, shape (2, n_pieces + 1)
        The part on the left, and the one on the right, of each piece of the edges; -1 for none.
    points, z : float64 arrays, shapes (m, 2) and (m, units)
        New points, and pre-activations there.
    n_border : int
        Number of points on borders.
    """

    parents: Int64[np.ndarray, " n_parts"]
    bits: UInt64[np.ndarray, "n_parts n_words"]
    start: Int64[np.ndarray, " k"]
    end: Int64[np.ndarray, " k"]
    left: Int64[np.ndarray, " k"]
    right: Int64[np.ndarray, " k"]
    unit: Int64[np.ndarray, " k"]
    beside: Int64[np.ndarray, "2 n_pieces"]
    points: Float64[np.ndarray, "m 2"]
    z: Float64[np.ndarray, "m units"]
    n_border: int

    def halves(self, n_meetings: int) -> list[Halves]:
        """Return the new edges, seen from the left and from the right."""
        start = self.across(n_meetings).start
        return [
            Halves(self.parents[side], self.bits[side], start) for side in (self.left, self.right)
        ]

    def correct(
        self, bits: UInt64[np.ndarray, "k n_words"], side: int, pieces: Int64[np.ndarray, " k"]
    ) -> None:
        """Put in the bits of our parts beside pieces of edges, 0 on the left and 1 on the right."""
        part = self.beside[side, pieces]
        bits[part >= 0] = self.bits[part[part >= 0]]

    def across(self, n_meetings: int) -> Pieces:
        """Return the new edges; our points come behind those at which chords of others meet."""
        start, end = (
            np.where(points < self.n_border, points, points + n_meetings)
            for points in (self.start, self.end)
        )
        return Pieces(start, end, np.arange(len(start)), self.bits[self.left])


def cut_unclear(
    before: Subdivision,
    pieces: Pieces,
    border: Float64[np.ndarray, "n_border 2"],
    z: NewPoints,
    unclear: Bool[np.ndarray, " n_faces"],
    near: Float64[np.ndarray, " units"],
    first_unit: int,
) -> Inside:
    """Cut some faces by one line after another.

    Parameters
    ----------
    before : Subdivision
        With all faces.
    pieces : Pieces
        What the layer cuts its edges into.
    border : float64 array, shape (n_border, 2)
        Coordinates of its points, and of those on its edges.
    z : NewPoints
        Pre-activations there.
    unclear : bool array, shape (n_faces,)
        Which faces are meant.
    near : float64 array, shape (units,)
        What counts as zero at new points.
    first_unit : int
        Number of the layer's first unit.
    """
    face = np.flatnonzero(unclear)
    ours = np.full(before.n_faces + 1, -1)  # the last entry is for the outside
    ours[face] = np.arange(len(face))
    left, right = ours[before.left[pieces.line]], ours[before.right[pieces.line]]
    used = np.flatnonzero((left >= 0) | (right >= 0))
    start, end = pieces.start[used], pieces.end[used]
    points = np.unique(np.concatenate([start, end]))
    none = np.full(len(used), -1)
    alone = Subdivision(
        border[points],
        np.searchsorted(points, start),
        np.searchsorted(points, end),
        left[used],
        right[used],
        none,
        none,
        len(face),
        before.extent,
    )
    found, parents, bits, everywhere = cut_one_by_one(alone, z.at(points), near, first_unit)
    beside = np.full((2, len(pieces.line)), -1)
    beside[:, used] = found.left[: len(used)], found.right[: len(used)]
    new = slice(len(used), None)
    numbers = np.concatenate([points, len(border) + np.arange(len(found.points) - len(points))])
    return Inside(
        *(face[parents], bits, numbers[found.start[new]], numbers[found.end[new]]),
        *(found.left[new], found.right[new], found.units[new] - first_unit, beside),
        *(found.points[len(points) :], everywhere[len(points) :], len(border)),
    )
