"""Which points are nearest? Neighbours by Euclidean distance, ties included."""

import math

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from nhlib._arguments import whole_number

# Pairs whose distances are held at once.
_PAIRS = 1 << 22
# float64 holds whole numbers up to this one exactly, and int64 up to the other.
_EXACT, _LARGEST = 1 << 53, 1 << 62
_ROUNDING = float(np.finfo(np.float64).eps)


def nearest_points(
    queries: Float32[np.ndarray, "n d"], points: Float32[np.ndarray, "m d"], k: int
) -> Int64[np.ndarray, "n k"]:
    """Find the k nearest points of every query, ties by the smaller index.

    Of numbers that are multiples of one power of two and not too many digits long (bits, whole
    numbers, pixels in steps of 1/16 or 1/256), distances are compared exactly. Of others, they
    are compared as the sums of the squared differences in float64, so that equal points are
    equally far.

    Parameters
    ----------
    queries, points : float32 array, shapes (n, d) and (m, d)
        Finite numbers.
    k : int
        From 1 to m.

    Returns
    -------
    int64 array, shape (n, k)
        Which points, the nearest first.

    Examples
    --------
    >>> points = np.array([[3], [1], [0], [-1]], np.float32)
    >>> nearest_points(np.array([[0]], np.float32), points, k=3)
    array([[2, 1, 3]])
    """
    m, n_features = points.shape
    k = whole_number("k", k, 1, m)
    # Around their middle, squared distances lose the least to rounding.
    middle = points.mean(axis=0, dtype=np.float64).astype(np.float32).astype(np.float64)
    here, there = queries - middle, points - middle
    scale = _power_of_two(here, there)
    exact = scale > 0
    if exact:
        here, there = here * scale, there * scale
    lengths = np.square(there).sum(axis=1)
    found = np.empty((len(queries), k), np.int64)
    step = max(1, _PAIRS // m)
    for start in range(0, len(queries), step):
        rows = slice(start, start + step)
        own = np.square(here[rows]).sum(axis=1)[:, None]
        squares = here[rows] @ there.T
        squares *= -2
        squares += own
        squares += lengths
        if exact:
            # The key holds distance and index, so no two are equal and there are no ties to break.
            keys = squares.astype(np.int64) * m + np.arange(m)
            keys.partition(k - 1, axis=1)
            found[rows] = np.sort(keys[:, :k], axis=1) % m
        else:
            error = 4 * (n_features + 4) * _ROUNDING * (own + lengths.max())
            limit = np.partition(squares, k - 1, axis=1)[:, k - 1, None] + 2 * error
            found[rows] = _nearest_of(queries[rows], points, squares <= limit, k)
    return found


def _power_of_two(*arrays: Float64[np.ndarray, "_ d"]) -> float:
    """Return a factor that makes all numbers whole, and squared distances exact; 0 if none does."""
    largest = max((float(np.abs(array).max()) for array in arrays if array.size), default=0.0)
    n_features, m = arrays[-1].shape[1], len(arrays[-1])
    # A squared distance, and the sums on the way to it, are at most 4 d times the largest square.
    room = min(_EXACT, _LARGEST // m) / (4 * max(1, n_features))
    if not largest:
        return 1.0
    scale = 2.0 ** math.floor(math.log2(math.sqrt(room) / largest) - 1e-9)
    whole = all(np.array_equal(array * scale, np.rint(array * scale)) for array in arrays)
    return scale if whole else 0.0


def _nearest_of(
    queries: Float32[np.ndarray, "n d"],
    points: Float32[np.ndarray, "m d"],
    candidates: Bool[np.ndarray, "n m"],
    k: int,
) -> Int64[np.ndarray, "n k"]:
    found = np.empty((len(queries), k), np.int64)
    for i, near in enumerate(candidates):
        indices = np.flatnonzero(near)
        differences = points[indices].astype(np.float64) - queries[i]
        order = np.argsort(np.square(differences).sum(axis=1), kind="stable")
        found[i] = indices[order[:k]]
    return found
