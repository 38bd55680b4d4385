"""The affine map of a layer, row by row the same whatever rows are computed with it."""

import numpy as np
from jaxtyping import Float64

from nhlib.regions.affine import Layer

# Rows in a product. Libraries sum in another order in small products, and at the edges of large
# ones, so that a row's last digits depend on what it is computed with. In products of one shape,
# with as many rows as all kernels take at once a whole number of times, they do not.
_ROWS = 96


def preactivations(
    layer: Layer, before: Float64[np.ndarray, "k n"]
) -> Float64[np.ndarray, "k units"]:
    """Apply the affine map of a layer."""
    k, n = before.shape
    z = np.empty((k, len(layer.biases)))
    weights = layer.weights.T
    whole = k - k % _ROWS
    for start in range(0, whole, _ROWS):
        rows = slice(start, start + _ROWS)
        np.matmul(before[rows], weights, out=z[rows])
    if whole < k:
        padded = np.zeros((_ROWS, n))
        padded[: k - whole] = before[whole:]
        z[whole:] = (padded @ weights)[: k - whole]
    z += layer.biases
    return z
