"""How far an input is from the borders of its region."""

from typing import Any

import numpy as np
from jaxtyping import Float64
from torch import nn

from nhlib._arguments import real_numbers
from nhlib.regions.folding import fold

# Numbers of the derivatives that are held at once.
_BLOCK = 1 << 24

# The square of a smaller number loses digits.
_TINY = 1e-140


def border_distances(network: nn.Module, inputs: Any) -> Float64[np.ndarray, "n units"]:
    r"""Compute how far inputs are from the border of every hidden unit, seen from their regions.

    Inside its linear region an input :math:`x` sees unit :math:`j` as an affine function: its
    pre-activation is :math:`z_j(x)` with gradient :math:`g_j`. The hyperplane on which that is
    zero lies at the Euclidean distance

    .. math:: d_j(x) = \frac{|z_j(x)|}{\lVert g_j \rVert_2} .

    The smallest of them, :math:`\min_j d_j(x)`, is the input's *margin*, and it is exact: a
    region is a convex polytope, all of whose faces lie on these hyperplanes, so no shorter move
    changes a bit of the code, and straight to the hyperplane any longer move changes that of unit
    :math:`j` [1]_. (On the hyperplane itself the unit is off.) The other distances are where
    borders *would* be if no other unit switched before.

    Parameters
    ----------
    network : torch.nn.Module
        As `nhlib.partition` takes it, for inputs of any dimension.
    inputs : tensor or array of shape (n, \*shape)
        n inputs: vectors or images.

    Returns
    -------
    float64 array, shape (n, units)
        Distances in the units of the inputs, in the order of the bits of `nhlib.encode`.
        Infinite where a unit does not depend on the input, because all before it are off.

    Raises
    ------
    TypeError
        If `network` is no module.
    ValueError
        If a layer is of an unknown kind, or holds nan or infinity; if the inputs do not fit, or
        are not finite.

    References
    ----------
    .. [1] F. Croce, M. Andriushchenko, M. Hein, "Provable robustness of ReLU networks via
       maximization of linear regions", AISTATS 2019.

    Examples
    --------
    >>> import torch
    >>> network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
    >>> with torch.no_grad():
    ...     _ = network[0].weight.copy_(torch.tensor([[3., 4.], [0., 1.]]))
    ...     _ = network[0].bias.zero_()
    >>> border_distances(network, [[1.0, 3.0]])
    array([[3., 3.]])
    """
    points = real_numbers("inputs", inputs)
    if points.ndim < 2:
        raise ValueError(f"inputs: shape (n, *shape) is needed, not {points.shape}")
    folded = fold(network, points.shape[1:])
    layers = folded.balanced.hidden
    n_inputs = layers[0].weights.shape[1]
    flat = points.reshape(len(points), n_inputs)
    widest = max(n_inputs, *(len(layer.biases) for layer in layers))
    step = max(1, _BLOCK // (n_inputs * widest))
    distances = np.empty((len(flat), sum(len(layer.biases) for layer in layers)))
    for start in range(0, len(flat), step):
        block = flat[start : start + step]
        # Of every input, what comes out of the layers before, and its derivatives by the input.
        h, slopes = block, np.broadcast_to(np.eye(n_inputs), (len(block), n_inputs, n_inputs))
        first = 0
        for layer in layers:
            with np.errstate(over="ignore", invalid="ignore"):
                z, slopes = layer.preactivations(h), slopes @ layer.weights.T
            if not np.isfinite(z).all():
                raise ValueError(
                    f"network: pre-activations of layer {layer.name} overflow float64 at these "
                    "inputs; take inputs closer to 0"
                )
            steepness = _lengths(slopes)
            to_border = distances[start : start + step, first : first + len(layer.biases)]
            to_border[:] = np.inf
            np.divide(np.abs(z), steepness, out=to_border, where=steepness > 0)
            slopes = slopes * layer.gains(z > 0)[:, None]
            h, first = layer.activations(z), first + len(layer.biases)
    return distances


def _lengths(slopes: Float64[np.ndarray, "k n units"]) -> Float64[np.ndarray, "k units"]:
    """Return the lengths of gradients, of tiny ones, too, whose squares are 0 in float64."""
    lengths: Float64[np.ndarray, "k units"] = np.linalg.norm(slopes, axis=1)
    if (lengths < _TINY).any():
        largest = np.abs(slopes).max(axis=1)
        largest[largest == 0] = 1
        lengths = largest * np.linalg.norm(slopes / largest[:, None], axis=1)
    return lengths
