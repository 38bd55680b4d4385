"""The whole rectangle, from the blocks that were cut on their own."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from nhlib.regions.face_cycles import Walk, sides_in_order
from nhlib.regions.subdivision import Contradiction, Subdivision

# Two copies of a point are one; should another library round them differently, by no more than this
# share of the rectangle.
_ROUNDING = 1e-9


class Leaf(NamedTuple):
    """A block that all layers have cut.

    Attributes
    ----------
    subdivision : Subdivision
        Its points, edges and faces.
    codes : uint8 array, shape (n_faces, n_bytes)
        Bits of all layers in each face, packed.
    edge, on_left, starts : arrays, shapes (n,), (n,) and (n_faces + 1,)
        Edges round each face, whether it is on their left, and where each face starts.
    """

    subdivision: Subdivision
    codes: UInt8[np.ndarray, "n_faces n_bytes"]
    edge: Int64[np.ndarray, " n"]
    on_left: Bool[np.ndarray, " n"]
    starts: Int64[np.ndarray, " n_starts"]

    @classmethod
    def of(cls, part: Subdivision, codes: UInt8[np.ndarray, "n_faces n_bytes"]) -> "Leaf":
        """Walk round the faces of a block."""
        return cls(
            part, codes, *sides_in_order(part.start, part.end, part.left, part.right, part.n_faces)
        )


class Whole(NamedTuple):
    """The rectangle, all of it.

    Attributes
    ----------
    points : float64 array, shape (n_points, 2)
        Coordinates.
    edges : int64 array, shape (n_edges, 2)
        The points from which and to which each edge runs.
    sides : int64 array, shape (n_edges, 2)
        The faces on the left and on the right of each edge; -1 is outside.
    units : int64 array, shape (n_edges,)
        The unit on whose line an edge lies; -1 for the frame.
    codes : uint8 array, shape (n_faces, n_bytes)
        Bits of all layers in each face, packed.
    walk : Walk
        The way round every face.
    """

    points: Float64[np.ndarray, "n_points 2"]
    edges: Int64[np.ndarray, "n_edges 2"]
    sides: Int64[np.ndarray, "n_edges 2"]
    units: Int64[np.ndarray, " n_edges"]
    codes: UInt8[np.ndarray, "n_faces n_bytes"]
    walk: Walk


def stitch(leaves: Sequence[Leaf]) -> Whole:
    """Put blocks together at their borders.

    Points and edges are numbered as one meets them on the way round the faces, one after the other:
    that does not depend on where blocks end.

    Raises
    ------
    Contradiction
        If they do not fit.
    """
    parts = [leaf.subdivision for leaf in leaves]
    n_points = np.cumsum([0] + [len(part.points) for part in parts])
    n_edges = np.cumsum([0] + [len(part.start) for part in parts])
    n_faces = np.cumsum([0] + [part.n_faces for part in parts])
    points = np.concatenate([part.points for part in parts])
    start = _renumber([part.start for part in parts], n_points)
    end = _renumber([part.end for part in parts], n_points)
    left = _renumber([part.left for part in parts], n_faces)
    right = _renumber([part.right for part in parts], n_faces)
    edge = _renumber([leaf.edge for leaf in leaves], n_edges)
    on_left = np.concatenate([leaf.on_left for leaf in leaves])
    n_sides = np.concatenate([np.diff(leaf.starts) for leaf in leaves])
    units = np.concatenate([part.units for part in parts])
    corners = np.where(on_left, start[edge], end[edge])
    if len(leaves) > 1:
        borders = np.concatenate([part.borders for part in parts])
        one, other = _copies(points, start, end, left, borders)
        right[one] = right[other]
        kept = np.arange(len(start))
        kept[other] = one
        edge = kept[edge]
        same = _first_copies(start, end, one, other, len(points))
        corners, start, end = same[corners], same[start], same[end]
    number, point_order = _as_met(corners, len(points))
    _, edge_order = _as_met(edge, len(left))
    if len(point_order) - len(edge_order) + n_faces[-1] != 1:  # Euler's formula
        raise Contradiction
    starts = np.concatenate([[0], np.cumsum(n_sides)])
    across = np.where(on_left, right[edge], left[edge])
    return Whole(
        points[point_order],
        number[np.stack([start[edge_order], end[edge_order]], axis=1)],
        np.stack([left[edge_order], right[edge_order]], axis=1),
        units[edge_order],
        np.concatenate([leaf.codes for leaf in leaves]),
        Walk(number[corners], across, starts),
    )


def _renumber(
    numbers: Sequence[Int64[np.ndarray, " _"]], before: Int64[np.ndarray, " n_leaves_and_1"]
) -> Int64[np.ndarray, " n"]:
    """Number through what is numbered from 0 in every leaf; -1 is nothing."""
    pairs = zip(numbers, before[:-1], strict=True)
    return np.concatenate([np.where(own >= 0, own + n, -1) for own, n in pairs])


def _copies(
    points: Float64[np.ndarray, "n_points 2"],
    start: Int64[np.ndarray, " n_edges"],
    end: Int64[np.ndarray, " n_edges"],
    left: Int64[np.ndarray, " n_edges"],
    borders: Int64[np.ndarray, " n_edges"],
) -> tuple[Int64[np.ndarray, " k"], Int64[np.ndarray, " k"]]:
    """Return the edges between blocks: those of the block on the left, and those on the right."""
    edges = np.flatnonzero(borders >= 0)
    border = borders[edges]
    here, there = points[start[edges]], points[end[edges]]
    # Along a border, pieces of both sides run in its direction.
    direction = np.stack([np.bincount(border, step) for step in (there - here).T], axis=1)
    along = (here * direction[border]).sum(axis=1)
    order = edges[np.lexsort([along, border])]
    on_left = left[order] >= 0
    one, other = order[on_left], order[~on_left]
    if not np.array_equal(borders[one], borders[other]):
        raise Contradiction
    near = _ROUNDING * np.ptp(points, axis=0).max()
    for end_points in (start, end):
        if not (np.abs(points[end_points[one]] - points[end_points[other]]) <= near).all():
            raise Contradiction
    return one, other


def _first_copies(
    start: Int64[np.ndarray, " n_edges"],
    end: Int64[np.ndarray, " n_edges"],
    one: Int64[np.ndarray, " k"],
    other: Int64[np.ndarray, " k"],
    n_points: int,
) -> Int64[np.ndarray, " n_points"]:
    """Return for every point the first of its copies, which the ends of two copied edges are."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first = np.concatenate([start[one], end[one]])
    second = np.concatenate([start[other], end[other]])
    involved = np.unique(np.concatenate([first, second]))
    links = np.searchsorted(involved, first), np.searchsorted(involved, second)
    graph = coo_array((np.ones(len(first), bool), links), shape=(len(involved), len(involved)))
    n, label = connected_components(graph, directed=False)
    representative = np.empty(n, np.int64)
    representative[label[::-1]] = involved[::-1]  # the first is written last
    same = np.arange(n_points)
    same[involved] = representative[label]
    return same


def _as_met(
    numbers: Int64[np.ndarray, " k"], n: int
) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " m"]]:
    """Number anew in the order of first appearance; return new numbers, and old ones in order."""
    place = np.arange(len(numbers))
    first = np.empty(n, np.int64)
    first[numbers[::-1]] = place[::-1]  # the first is written last
    order = numbers[first[numbers] == place]
    new = np.full(n, -1)
    new[order] = np.arange(len(order))
    return new, order
