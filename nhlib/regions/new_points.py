"""The points that a cut adds, as means of the points that were there before."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from nhlib.regions.chord_meetings import BorderPoints, Meetings
from nhlib.regions.chords import Chords
from nhlib.regions.edge_crossings import EdgeCrossings
from nhlib.regions.packed_bits import set_bits


class NewPoints(NamedTuple):
    """Pre-activations of a layer at all points of a subdivision that the layer has cut.

    On a face the layer is affine. So at a point on an edge its pre-activations are a mean of those
    at the two ends, and where two chords cross, a mean of those at the four ends of the two edges
    from which one chord runs to the other. They are computed where they are needed.

    Attributes
    ----------
    z : float64 array, shape (n_old, units)
        At the old points, which come first.
    corners, weights : arrays, shape (n_new, 4)
        Of every new point: old points, and what each used for in the mean.
    exact : float64 array, shape (n_more, units)
        At the points behind these.
    zero, unit : int64 arrays, shape (k,)
        New points, sorted, and units on whose lines they lie, so that there is 0.
    """

    z: Float64[np.ndarray, "n_old units"]
    corners: Int64[np.ndarray, "n_new 4"]
    weights: Float64[np.ndarray, "n_new 4"]
    exact: Float64[np.ndarray, "n_more units"]
    zero: Int64[np.ndarray, " k"]
    unit: Int64[np.ndarray, " k"]

    def at(self, points: Int64[np.ndarray, " m"]) -> Float64[np.ndarray, "m units"]:
        """Return the pre-activations at some points, whose numbers ascend."""
        from scipy.sparse import csr_array

        n_old, n_new = len(self.z), len(self.corners)
        first, last = np.searchsorted(points, [n_old, n_old + n_new])
        new = points[first:last] - n_old
        shares, columns = self.weights[new], self.corners[new]
        used = shares != 0  # on an edge, two are enough
        starts = np.concatenate(
            [np.arange(first), first + np.append(0, np.cumsum(used.sum(axis=1)))]
        )
        shares = np.concatenate([np.ones(first), shares[used]])
        columns = np.concatenate([points[:first], columns[used]])
        means = csr_array((shares, columns, starts), shape=(last, n_old))
        z: Float64[np.ndarray, "m units"] = means @ self.z
        row = np.full(n_old + n_new, -1)
        row[points[:last]] = np.arange(last)
        rows = row[self.zero]
        here = rows >= 0
        z[rows[here], self.unit[here]] = 0
        if last < len(points):
            z = np.concatenate([z, self.exact[points[last:] - n_old - n_new]])
        return z


def point_means(
    z: Float64[np.ndarray, "n_points units"],
    crossings: EdgeCrossings,
    border: BorderPoints,
    chords: Chords,
    meetings: Meetings,
) -> NewPoints:
    """Return the new points on edges and inside faces as means of the old ones."""
    n_old, t = len(z), meetings.t
    down, up = chords.down[meetings.chord], chords.up[meetings.chord]
    on_edges = border.t[n_old:]
    start, end = border.start, border.end
    corners = [
        np.stack([start[n_old:], end[n_old:]] * 2, axis=1),
        np.stack([start[down], end[down], start[up], end[up]], axis=1),
    ]
    none = np.zeros_like(on_edges)
    weights = [
        np.stack([1 - on_edges, on_edges, none, none], axis=1),
        np.stack(
            [
                *((1 - t) * (1 - border.t[down]), (1 - t) * border.t[down]),
                *(t * (1 - border.t[up]), t * border.t[up]),
            ],
            axis=1,
        ),
    ]
    passing, unit = set_bits((chords.left | chords.right)[meetings.at])
    zero = [crossings.place, len(on_edges) + meetings.number[passing]]
    return NewPoints(
        *(z, np.concatenate(corners), np.concatenate(weights), np.empty((0, z.shape[1]))),
        *(n_old + np.concatenate(zero), np.concatenate([crossings.unit, unit])),
    )
