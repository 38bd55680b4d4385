"""When are the affine maps of two neighbouring regions the same? Exactly, not nearly."""

from fractions import Fraction
from functools import cache

import numpy as np
from jaxtyping import Bool, Float64, Int64

from nhlib.codes import NeuralCodes
from nhlib.regions.affine import FoldedNetwork

# A sum this small beside its terms may be zero or rounding; rational arithmetic tells.
_DOUBTFUL = 1e-9
_BLOCK = 4096


def same_map(
    network: FoldedNetwork,
    codes: NeuralCodes,
    left: Int64[np.ndarray, " m"],
    right: Int64[np.ndarray, " m"],
) -> Bool[np.ndarray, " m"]:
    r"""Tell for pairs of neighbouring regions whether the network is one affine map on both.

    Where one unit j switches between two regions, their maps differ by

    .. math:: (1 - a_j)\, \bigl(W^{L+1} S^L W^L \cdots S^{l+1} W^{l+1}\bigr)_{\cdot j}\,
              \nabla z_j^T ,

    with a_j its slope when it is off. The gradient is not 0, or there would be no border. So the
    maps are the same exactly if the column is 0. It is computed twice, once with absolute
    values: if these are 0 no path leads on, if the column is well above rounding it is not 0,
    and in between exact fractions decide. They also do where several units switch at once, unless
    the two maps are plainly different numbers.

    Parameters
    ----------
    network : FoldedNetwork
        The network.
    codes : NeuralCodes
        Codes of its regions.
    left, right : int64 arrays, shape (m,)
        The pairs.

    Returns
    -------
    bool array, shape (m,)
    """
    sizes = [len(layer.biases) for layer in network.hidden]
    bounds = np.cumsum([0, *sizes])
    same = np.zeros(len(left), bool)
    exact = cache(lambda region: _exact(network, codes[region].bits()[0].astype(bool), bounds))
    for start in range(0, len(left), _BLOCK):
        one, other = left[start : start + _BLOCK], right[start : start + _BLOCK]
        bits = codes[one].bits().astype(bool)
        flips = bits ^ codes[other].bits().astype(bool)
        doubtful = flips.sum(axis=1) != 1
        unit = flips.argmax(axis=1)
        for i, layer in enumerate(network.hidden):
            rows = np.flatnonzero(~doubtful & (bounds[i] <= unit) & (unit < bounds[i + 1]))
            column, size = _downstream(network, i, unit[rows] - bounds[i], bits[rows], bounds)
            blocked = (size == 0).all(axis=1)
            assert layer.slopes is not None
            blocked |= layer.slopes[unit[rows] - bounds[i]] == 1
            clear = (np.abs(column) > _DOUBTFUL * size).any(axis=1)
            same[start + rows[blocked]] = True
            doubtful[rows[~blocked & ~clear]] = True
        rows = np.flatnonzero(doubtful)
        rows = rows[~_differ(network, codes[one[rows]], codes[other[rows]])]
        for k in rows:
            same[start + k] = exact(one[k]) == exact(other[k])
    return same


def _differ(network: FoldedNetwork, one: NeuralCodes, other: NeuralCodes) -> Bool[np.ndarray, " k"]:
    """Tell which pairs of maps differ by more than rounding in a random direction or place."""
    n = network.layers[0].weights.shape[1]
    direction, point = np.random.default_rng(0).standard_normal((2, n))
    slopes, values = network.push(direction[None], point, one)
    other_slopes, other_values = network.push(direction[None], point, other)
    # No partial sum of any code is larger than this.
    size, offset = np.abs(direction), np.abs(point)
    for layer in network.layers:
        weights = np.abs(layer.weights)
        size, offset = weights @ size, weights @ offset + np.abs(layer.biases)
        if layer.slopes is not None:
            gain = np.maximum(1, np.abs(layer.slopes))
            size, offset = gain * size, gain * offset
    apart = np.abs(slopes - other_slopes)[:, 0] > _DOUBTFUL * size
    apart |= np.abs(values - other_values) > _DOUBTFUL * offset
    told: Bool[np.ndarray, " k"] = apart.any(axis=1)
    return told


def _downstream(
    network: FoldedNetwork,
    i: int,
    unit: Int64[np.ndarray, " k"],
    on: Bool[np.ndarray, "k n_bits"],
    bounds: Int64[np.ndarray, " n"],
) -> tuple[Float64[np.ndarray, "k n_outputs"], Float64[np.ndarray, "k n_outputs"]]:
    """Return what one more of a unit's activation does to the outputs; also of absolute values."""
    here = network.layers[i]
    column = np.zeros((len(unit), len(here.biases)))
    column[np.arange(len(unit)), unit] = 1
    size = column
    for k, layer in enumerate(network.layers[i + 1 :], start=i + 1):
        column, size = column @ layer.weights.T, size @ np.abs(layer.weights).T
        if layer.slopes is not None:
            gains = layer.gains(on[:, bounds[k] : bounds[k + 1]])
            column, size = column * gains, size * np.abs(gains)
    return column, size


def _exact(
    network: FoldedNetwork, on: Bool[np.ndarray, " n_bits"], bounds: Int64[np.ndarray, " n"]
) -> list[list[Fraction]]:
    """Return the affine map of a code, as rows (weights, bias) of exact fractions.

    Only the units that pass anything on are followed, backwards from the outputs.
    """
    last = network.layers[-1]
    n_outputs = len(last.biases)
    if last.slopes is None:
        rows = [[Fraction(w) for w in row] for row in last.weights.tolist()]
        biases = [Fraction(b) for b in last.biases.tolist()]
        layers = network.layers[:-1]
    else:
        rows = [[Fraction(int(i == j)) for j in range(n_outputs)] for i in range(n_outputs)]
        biases = [Fraction(0)] * n_outputs
        layers = network.layers
    for k in reversed(range(len(layers))):
        layer = layers[k]
        gains = [Fraction(g) for g in layer.gains(on[None, bounds[k] : bounds[k + 1]])[0].tolist()]
        weights = layer.weights.tolist()
        shifts = layer.biases.tolist()
        for o in range(n_outputs):
            gained = [r * g for r, g in zip(rows[o], gains, strict=True)]
            passed = [(j, r) for j, r in enumerate(gained) if r]
            biases[o] += sum((r * Fraction(shifts[j]) for j, r in passed), Fraction(0))
            rows[o] = [
                sum((r * Fraction(weights[j][i]) for j, r in passed if weights[j][i]), Fraction(0))
                for i in range(layer.weights.shape[1])
            ]
    return [[*row, bias] for row, bias in zip(rows, biases, strict=True)]
