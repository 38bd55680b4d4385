"""Where the decision of a network changes, region by region."""

import numpy as np
from jaxtyping import Float64, Int64

from nhlib.regions.affine import ROUNDING
from nhlib.regions.face_cycles import Walk


def decision_boundary(
    points: Float64[np.ndarray, "n_points 2"],
    edges: Int64[np.ndarray, "n_edges 2"],
    sides: Int64[np.ndarray, "n_edges 2"],
    walk: Walk,
    outputs: Float64[np.ndarray, "n_points n"],
) -> Float64[np.ndarray, "m 2 2"]:
    """Return the segments on which the two largest outputs, affine on every face, are equal.

    Parameters
    ----------
    points, edges, sides : arrays
        Those of a `Partition`: vertices, edges, and the regions beside these.
    walk : Walk
        The way round them.
    outputs : float64 array, shape (n_points, n)
        At the points; of one output, the sign decides.

    Returns
    -------
    float64 array, shape (m, 2, 2)
        Both ends of each segment.
    """
    if outputs.shape[1] == 1:
        outputs = np.hstack([outputs, np.zeros_like(outputs)])
    near = ROUNDING * np.abs(outputs).max()
    face = np.repeat(np.arange(len(walk.starts) - 1), np.diff(walk.starts))
    borders = (sides >= 0).all(axis=1)
    left, right = sides.T
    next_corners = walk.following(walk.corners)
    segments = [np.empty((0, 2, 2))]
    for c, d in _rivals(walk, outputs):
        margin = outputs[:, c] - outputs[:, d]
        margin[np.abs(margin) <= near] = 0
        here = margin[walk.corners]
        after = walk.following(here)
        most, least = walk.most(here), walk.least(here)
        # Through the faces that have both signs: once in and once out.
        both = (most > 0) & (least < 0)
        crossed = np.flatnonzero(both[face] & ((here > 0) != (after > 0)))
        first = np.diff(face[crossed], prepend=-1) != 0
        last = np.diff(face[crossed], append=-1) != 0
        crossed = np.stack([crossed[first], crossed[last]], axis=1)
        t = here[crossed] / (here[crossed] - after[crossed])
        # And along the borders between faces of different sign.
        sign = np.sign(most + least)
        along = borders & (margin[edges] == 0).all(axis=1) & (sign[left] != sign[right])
        start = np.concatenate([walk.corners[crossed], edges[along]])
        end = np.concatenate([next_corners[crossed], edges[along]])
        t = np.concatenate([t, np.zeros((int(along.sum()), 2))])
        ends, values = (
            table[start] + t[:, :, None] * (table[end] - table[start])
            for table in (points, outputs)
        )
        others = np.delete(values, [c, d], axis=2)
        segments.append(_clip(ends, values[:, :, [c]] - others, near))
    return np.unique(np.concatenate(segments), axis=0)


def _rivals(walk: Walk, outputs: Float64[np.ndarray, "n_points n"]) -> Int64[np.ndarray, "m 2"]:
    """Return the pairs of outputs that may both be the largest within one face."""
    at_corners = outputs[walk.corners]
    least = walk.least(at_corners).max(axis=1, keepdims=True)
    may_win = (walk.most(at_corners) >= least).astype(np.float32)
    return np.argwhere(np.triu(may_win.T @ may_win, k=1) > 0)


def _clip(
    ends: Float64[np.ndarray, "m 2 2"], lead: Float64[np.ndarray, "m 2 others"], near: float
) -> Float64[np.ndarray, "k 2 2"]:
    """Keep the part of each segment on which no lead, known at its two ends, is below zero."""
    first, last = np.where(np.abs(lead) <= near, 0, lead).transpose(1, 0, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        cross = first / (first - last)
    low = np.where((first < 0) & (last >= 0), cross, 0).max(axis=1, initial=0)
    high = np.where((first >= 0) & (last < 0), cross, 1).min(axis=1, initial=1)
    kept = ~((first < 0) & (last < 0)).any(axis=1) & (low < high)
    t = np.stack([low[kept], high[kept]], axis=1)[:, :, None]
    clipped: Float64[np.ndarray, "k 2 2"] = ends[kept, :1] + t * np.diff(ends[kept], axis=1)
    return clipped
