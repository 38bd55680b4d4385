"""Facets of a polyhedron in two, three or four dimensions, by the convex hull of its dual."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

# Facets narrower than this, as a share of how far away they are, are left to linear programs.
_NARROW = 1e-9

# Hyperplanes that span a smaller volume than this meet in no corner: some are parallel to others.
_PARALLEL = 1e-13


class Facets(NamedTuple):
    """Which inequalities hold with equality on a face of one dimension less.

    Attributes
    ----------
    which : int64 array, shape (f,)
        Those inequalities.
    points : float64 array, shape (f, d)
        A point inside each facet.
    """

    which: Int64[np.ndarray, " f"]
    points: Float64[np.ndarray, "f d"]


def interval(normals: Float64[np.ndarray, "m 1"], offsets: Float64[np.ndarray, " m"]) -> Facets:
    """Return the ends of an interval round 0."""
    which = [
        side[offsets[side].argmin()]
        for side in (np.flatnonzero(normals[:, 0] > 0), np.flatnonzero(normals[:, 0] < 0))
        if len(side)
    ]
    ends = np.sort(np.array(which, np.int64))
    return Facets(ends, -offsets[ends, None] * normals[ends])


class _Corners(NamedTuple):
    """Corners of a polyhedron, and directions of edges without an end.

    Attributes
    ----------
    points : float64 array, shape (s, d)
        Corners, and directions.
    finite : bool array, shape (s,)
        Which of them are corners.
    beside : int64 array, shape (s, d)
        The inequalities that are equalities there; m stands for none.
    """

    points: Float64[np.ndarray, "s d"]
    finite: Bool[np.ndarray, " s"]
    beside: Int64[np.ndarray, "s d"]


def facets_by_hull(
    normals: Float64[np.ndarray, "m d"],
    offsets: Float64[np.ndarray, " m"],
    tilts: Float64[np.ndarray, " m"],
    shifts: Float64[np.ndarray, " m"],
) -> Facets | None:
    """Return the facets of a polyhedron round 0, or None where rounding leaves a doubt.

    The dual of the hyperplane ``normal @ y + offset = 0`` is the point ``-normal / offset``. Facets
    are corners of the convex hull of these points and 0, and its sides are the polyhedron's
    corners; those that run through 0 are directions in which it has no end. That is checked: every
    facet has a point at which no other inequality is an equality, and what the facets enclose
    fulfils the inequalities that have none.

    Parameters
    ----------
    normals : float64 array, shape (m, d)
        Vectors of length 1, which span the whole space.
    offsets : float64 array, shape (m,)
        Inequalities ``normals @ y + offsets >= 0``, all of which hold at 0 with a distance.
    tilts, shifts : float64 arrays, shape (m,)
        What may be wrong about the normals, and the offsets.
    """
    shift = np.zeros(normals.shape[1])
    for _ in range(2):
        corners = _corners(normals, offsets)
        if corners is None:
            return None
        found = _facets(normals, offsets, tilts + _NARROW, shifts, corners)
        if found is not None:
            return Facets(found.which, found.points + shift)
        # From the middle of its corners, a polyhedron is better seen than from close to a side.
        middle = corners.points[corners.finite].mean(axis=0)
        shift, offsets = shift + middle, offsets + normals @ middle
        if (offsets <= 0).any():
            return None
    return None


def _corners(
    normals: Float64[np.ndarray, "m d"], offsets: Float64[np.ndarray, " m"]
) -> _Corners | None:
    from scipy.spatial import ConvexHull, QhullError

    d = normals.shape[1]
    dual = np.concatenate([-normals / offsets[:, None], np.zeros((1, d))])
    try:
        hull = ConvexHull(dual)
    except QhullError:
        return None
    points, size = hull.equations[:, :-1], -hull.equations[:, -1]
    spanned = np.abs(np.linalg.det(np.append(normals, np.zeros((1, d)), 0)[hull.simplices]))
    finite = (spanned > _PARALLEL) & (size > 0)  # what runs through 0 spans nothing
    if not finite.any():
        return None
    points[finite] /= size[finite, None]
    return _Corners(points, finite, hull.simplices.astype(np.int64))


def _facets(
    normals: Float64[np.ndarray, "m d"],
    offsets: Float64[np.ndarray, " m"],
    tilts: Float64[np.ndarray, " m"],
    shifts: Float64[np.ndarray, " m"],
    corners: _Corners,
) -> Facets | None:
    """Return the facets between corners, or None where one of the checks fails."""
    m, d = normals.shape
    points, finite, beside = corners
    away = np.sqrt((points**2).sum(axis=1))
    slack = points @ normals.T + np.where(finite[:, None], offsets, 0)
    if (slack < -(away[:, None] * tilts + shifts)).any():
        return None
    # Inside a facet is the mean of its corners, moved along the directions in which it is endless.
    n_corners, n_rays = (
        np.bincount(beside[rows].ravel(), minlength=m + 1)[:m] for rows in (finite, ~finite)
    )
    which = np.flatnonzero(n_corners)
    sums = np.zeros((2, m + 1, d))
    for k, rows in enumerate((finite, ~finite)):
        np.add.at(sums[k], beside[rows], points[rows][:, None])
    inside = sums[0, which] / n_corners[which, None]
    away = np.sqrt((inside**2).sum(axis=1))
    inside += sums[1, which] * (away / np.maximum(n_rays[which], 1))[:, None]
    away = np.sqrt((inside**2).sum(axis=1))
    slack = inside @ normals.T + offsets
    slack[np.arange(len(which)), which] = np.inf
    if (slack <= away[:, None] * tilts + shifts).any():
        return None
    return Facets(which, inside)
