"""The affine map of a layer, row by row the same whatever rows are computed with it."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from nhlib.regions.affine import Layer

# Rows in a product. Libraries sum in another order in small products, and at the edges of large
# ones, so that a row's last digits depend on what it is computed with. In products of one shape,
# with as many rows as all kernels take at once a whole number of times, they do not.
_ROWS = 96

# Numbers are gathered as fast as so many are multiplied and added.
_GATHER = 16


class Fields(NamedTuple):
    """Units that see few of the numbers before them, in groups of one shape that see the same.

    Attributes
    ----------
    units : int64 array, shape (g, u)
        The units of each group.
    before : int64 array, shape (g, k)
        What they see.
    weights : float64 array, shape (g, u, k)
        Their weights for it.
    """

    units: Int64[np.ndarray, "g u"]
    before: Int64[np.ndarray, "g k"]
    weights: Float64[np.ndarray, "g u k"]


class RowProducts:
    """The affine map of one layer, whose units may see few of the numbers before them.

    In a convolution most weights of the matrix are 0: the products of receptive fields alone are
    many times smaller.

    Parameters
    ----------
    layer : Layer
        The layer.
    """

    def __init__(self, layer: Layer) -> None:
        self._biases, self._fields = layer.biases, _worthwhile_fields(layer.weights)
        if self._fields is None:
            self._weights = np.ascontiguousarray(layer.weights.T)  # products take it fastest so

    def preactivations(self, before: Float64[np.ndarray, "k n"]) -> Float64[np.ndarray, "k units"]:
        """Apply the map to rows."""
        k, n = before.shape
        z = np.empty((k, len(self._biases)))
        whole = k - k % _ROWS
        for start in range(0, whole, _ROWS):
            self._multiply(before[start : start + _ROWS], z[start : start + _ROWS])
        if whole < k:
            padded, last = np.zeros((_ROWS, n)), np.empty((_ROWS, z.shape[1]))
            padded[: k - whole] = before[whole:]
            self._multiply(padded, last)
            z[whole:] = last[: k - whole]
        z += self._biases
        return z

    def _multiply(
        self, rows: Float64[np.ndarray, "rows n"], z: Float64[np.ndarray, "rows units"]
    ) -> None:
        if self._fields is None:
            np.matmul(rows, self._weights, out=z)
            return
        columns = np.ascontiguousarray(rows.T)
        found = np.empty((z.shape[1], len(z)))
        for field in self._fields:
            found[field.units] = field.weights @ columns[field.before]
        z[:] = found.T


def _worthwhile_fields(weights: Float64[np.ndarray, "units n"]) -> list[Fields] | None:
    """Return the receptive fields, if their products take less than half the time."""
    if 4 * np.count_nonzero(weights) >= weights.size:
        return None
    fields = receptive_fields(weights)
    products = sum(f.before.size * (f.units.shape[1] + _GATHER) for f in fields)
    return fields if 2 * products < weights.size else None


def receptive_fields(weights: Float64[np.ndarray, "units n"]) -> list[Fields]:
    """Group units by what they see: those with the same weights other than 0."""
    sees = weights != 0
    _, first, group = np.unique(
        np.packbits(sees, axis=1), axis=0, return_index=True, return_inverse=True
    )
    order = np.argsort(group.ravel(), kind="stable")
    units = np.split(order, np.cumsum(np.bincount(group.ravel()))[:-1])
    shapes: dict[tuple[int, int], list[int]] = {}
    for g, members in enumerate(units):
        shapes.setdefault((len(members), int(sees[first[g]].sum())), []).append(g)
    fields = []
    for groups in shapes.values():
        of = np.stack([units[g] for g in groups])
        before = np.stack([np.flatnonzero(sees[first[g]]) for g in groups])
        fields.append(Fields(of, before, weights[of[:, :, None], before[:, None]]))
    return fields
