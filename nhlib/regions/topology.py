"""Into how many pieces, and round how many holes, a network's decision cuts a rectangle."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from nhlib.regions.affine import ROUNDING
from nhlib.regions.face_cycles import Walk


class Topology(NamedTuple):
    """Pieces and holes of the sets of points on which each class is decided.

    Attributes
    ----------
    pieces : int64 array, shape (n_classes,)
        Connected pieces in the inside of the rectangle.
    holes : int64 array, shape (n_classes,)
        Holes: what a piece surrounds.
    euler : int64 array, shape (n_classes,)
        Euler characteristic: pieces minus holes.
    """

    pieces: Int64[np.ndarray, " n_classes"]
    holes: Int64[np.ndarray, " n_classes"]
    euler: Int64[np.ndarray, " n_classes"]


def decision_topology(
    edges: Int64[np.ndarray, "n_edges 2"],
    sides: Int64[np.ndarray, "n_edges 2"],
    walk: Walk,
    outputs: Float64[np.ndarray, "n_points n"],
) -> Topology:
    r"""Count the pieces and holes of the open sets on which one output is larger than all others.

    In a face, on an edge and at a vertex the set of a class is convex, so that it is there or
    not. Faces are joined by the edges on which it is, which gives the pieces. The Euler
    characteristic is what is there of faces, minus edges, plus vertices, all inside.

    Parameters
    ----------
    edges, sides : arrays
        Those of a `Partition`: edges, and the regions beside these.
    walk : Walk
        The way round the regions.
    outputs : float64 array, shape (n_points, n)
        At the vertices; of one output, the sign decides: class 1 is where it is above 0.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if outputs.shape[1] == 1:
        outputs = np.hstack([np.zeros_like(outputs), outputs])
    near = ROUNDING * np.abs(outputs).max()
    inner = (sides >= 0).all(axis=1)
    left, right = sides[inner].T
    inside = np.ones(len(outputs), bool)
    inside[edges[~inner]] = False
    n_faces, counts = len(walk.starts) - 1, []
    for c in range(outputs.shape[1]):
        leads = outputs[:, [c]] - np.delete(outputs, c, axis=1)
        leads[np.abs(leads) <= near] = 0
        at_points = (leads > 0).all(axis=1)
        on_edges = _wins_between(leads[edges[inner, 0]], leads[edges[inner, 1]])
        in_faces = walk.most(at_points[walk.corners])
        in_faces[left[on_edges]] = in_faces[right[on_edges]] = True
        ahead = leads[walk.corners]
        for face in np.flatnonzero(~in_faces & (walk.most(ahead) > 0).all(axis=1)):
            in_faces[face] = _wins_within(ahead[walk.starts[face] : walk.starts[face + 1]])
        joined = coo_array(
            (np.ones(int(on_edges.sum()), bool), (left[on_edges], right[on_edges])),
            shape=(n_faces, n_faces),
        )
        pieces = connected_components(joined, directed=False)[0] - int((~in_faces).sum())
        euler = int(in_faces.sum()) - int(on_edges.sum()) + int((at_points & inside).sum())
        counts.append((pieces, pieces - euler, euler))
    return Topology(*np.array(counts, np.int64).T)


def _wins_between(
    first: Float64[np.ndarray, "m others"], last: Float64[np.ndarray, "m others"]
) -> Bool[np.ndarray, " m"]:
    """Tell where, between two points, all leads are above zero at once; they are affine."""
    with np.errstate(divide="ignore", invalid="ignore"):
        cross = first / (first - last)
    low = np.where((first < 0) & (last > 0), cross, 0).max(axis=1, initial=0)
    high = np.where((first > 0) & (last < 0), cross, 1).min(axis=1, initial=1)
    wins: Bool[np.ndarray, " m"] = ((first > 0) | (last > 0)).all(axis=1) & (low < high)
    return wins


def _wins_within(leads: Float64[np.ndarray, "corners others"]) -> bool:
    """Tell whether all leads, affine on a convex polygon, are above zero somewhere in it."""
    for d in range(leads.shape[1]):
        here, after = leads, np.roll(leads, -1, axis=0)
        changes = (here[:, d] > 0) != (after[:, d] > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (here[:, d] / (here[:, d] - after[:, d]))[:, None]
            crossings = here + t * (after - here)
        both = np.stack([here, crossings], axis=1)
        leads = both[np.stack([here[:, d] > 0, changes], axis=1)]
        if not len(leads):
            return False
    return bool((leads.mean(axis=0) > 0).all())
