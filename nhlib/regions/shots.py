"""Facets that are hit from inside a polyhedron, seen from near its middle."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64

# After so many steps towards the middle the rest is left to linear programs.
_STEPS = 6

# After so many approaches, too.
_APPROACHES = 8

# A step is stopped at this share of the way to the nearest hyperplane.
_SHARE = 0.9

# What keeps rounding from making a matrix singular, as a share of its trace.
_RIDGE = 1e-13


class Shots(NamedTuple):
    """What was hit, and from where one sees the polyhedron well.

    Attributes
    ----------
    hit : bool array, shape (m,)
        The inequalities that are certified to be facets.
    points : float64 array, shape (m, d)
        A point inside each of these facets.
    centre : float64 array, shape (d,)
        A point inside the polyhedron.
    """

    hit: Bool[np.ndarray, " m"]
    points: Float64[np.ndarray, "m d"]
    centre: Float64[np.ndarray, " d"]


def shoot(
    normals: Float64[np.ndarray, "m d"],
    offsets: Float64[np.ndarray, " m"],
    tilts: Float64[np.ndarray, " m"],
    shifts: Float64[np.ndarray, " m"],
) -> Shots:
    r"""Shoot from inside at every hyperplane; what a shot hits first is a facet.

    The middle is the analytic centre, at which :math:`\sum_i \log s_i` of the distances
    :math:`s_i` is largest, less :math:`|y|^2 / 2 R^2`, since a polyhedron without an end has none;
    R is the distance of the farthest hyperplane. Newton's method leads there. Its matrix
    :math:`H = \sum_i a_i a_i^T / s_i^2 + I / R^2` also says how to aim: in direction
    :math:`-H^{-1} a_i` hyperplane i comes nearest, measured by how wide the polyhedron is. A
    hyperplane that was not hit from there is aimed at from a place nearer to it.

    Parameters
    ----------
    normals, offsets : float64 arrays, shapes (m, d) and (m,)
        Inequalities ``normals @ y + offsets >= 0``, all of which hold at 0 with a distance. The
        normals have length 1 and span the whole space.
    tilts, shifts : float64 arrays, shape (m,)
        What may be wrong about the normals, and the offsets.
    """
    m, d = normals.shape
    polyhedron = normals, offsets, tilts, shifts
    shots = Shots(np.zeros(m, bool), np.empty((m, d)), np.zeros(d))
    centre, slack = shots.centre, offsets
    pull = 1 / offsets.max() ** 2
    for _ in range(_STEPS):
        matrix = _curvature(normals, slack, pull)
        aims = np.linalg.solve(matrix, normals.T).T
        _strike(shots, centre[None], aims, *polyhedron)
        if shots.hit.all():
            break
        step = (1 / slack) @ aims - np.linalg.solve(matrix, pull * centre)
        # Not all the way to where something would be hit.
        centre = centre + step * min(1.0, _SHARE / max((-(normals @ step) / slack).max(), _SHARE))
        slack = offsets + normals @ centre
    shots = shots._replace(centre=centre)
    left = np.flatnonzero(~shots.hit)
    places = np.tile(centre, (len(left), 1))
    for _ in range(_APPROACHES):
        if not len(left):
            break
        matrices = _curvature(normals, places @ normals.T + offsets, pull)
        aims = np.linalg.solve(matrices, normals[left][:, :, None])[:, :, 0]
        reach = _strike(shots, places, aims, *polyhedron)
        places -= _SHARE * reach[:, None] * aims
        left, places = left[~shots.hit[left]], places[~shots.hit[left]]
    return shots


def _curvature(
    normals: Float64[np.ndarray, "m d"], slack: Float64[np.ndarray, "*k m"], pull: float
) -> Float64[np.ndarray, "*k d d"]:
    """Return the matrix of Newton's method; close to a hyperplane, still one with an inverse."""
    scaled = normals / slack[..., None]
    matrices: Float64[np.ndarray, "*k d d"] = scaled.swapaxes(-1, -2) @ scaled
    diagonal = np.einsum("...ii->...i", matrices)
    diagonal += pull + _RIDGE * diagonal.sum(axis=-1, keepdims=True)
    return matrices


def _strike(
    shots: Shots,
    places: Float64[np.ndarray, "k_or_1 d"],
    aims: Float64[np.ndarray, "k d"],
    normals: Float64[np.ndarray, "m d"],
    offsets: Float64[np.ndarray, " m"],
    tilts: Float64[np.ndarray, " m"],
    shifts: Float64[np.ndarray, " m"],
) -> Float64[np.ndarray, " k"]:
    """Shoot from places against aims; note the facets that are hit; return how far shots reach."""
    slack = places @ normals.T + offsets
    falls = aims @ normals.T
    first = (falls / slack).argmax(axis=1)
    shot = np.arange(len(aims))
    reach: Float64[np.ndarray, " k"]
    reach = np.broadcast_to(slack, falls.shape)[shot, first] / falls[shot, first]
    new = np.flatnonzero(~shots.hit[first])
    there = np.broadcast_to(places, aims.shape)[new] - reach[new, None] * aims[new]
    left = there @ normals.T + offsets
    left[np.arange(len(new)), first[new]] = np.inf
    away = np.sqrt((there**2).sum(axis=1))
    sure = (left > away[:, None] * tilts + shifts).all(axis=1)
    shots.points[first[new[sure]]] = there[sure]
    shots.hit[first[new[sure]]] = True
    return reach
