"""What counts as zero: a pre-activation that rounding alone can have made."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float64, Int64

from nhlib.regions.affine import ROUNDING, Layer

# A unit that is nowhere seen to be on may be so between the points that are looked at. The sizes of
# its summands bound it, and this part of the bound is expected.
_UNSEEN = 1 / 64


class Rounding:
    """Bounds below which pre-activations in a part of input space are zero.

    Sums err by a share of their summands. How large these get depends on the network and the part
    of space alone, not on how the work is shared out: bounds must not either.

    Parameters
    ----------
    layers : sequence of Layer
        The hidden layers.
    inputs : callable
        Takes points, float64 array of shape (k, d), to inputs, of shape (k, n_inputs).
    points : float64 array, shape (k, d)
        Points spread over the part, its corners among them.
    wider : float, default 1
        Bounds are multiplied by this.

    Attributes
    ----------
    near : list of float64 arrays, shape (units,)
        For each layer: what counts as zero anywhere.

    Raises
    ------
    ValueError
        If pre-activations come too close to the largest float64.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        inputs: Callable[[np.ndarray], np.ndarray],
        points: Float64[np.ndarray, "k d"],
        wider: float = 1.0,
    ) -> None:
        self._layers, self._inputs, self._share = layers, inputs, wider * ROUNDING
        self.near: list[Float64[np.ndarray, " units"]] = []
        with np.errstate(over="ignore", invalid="ignore"):
            h = inputs(points)
            self._largest_inputs = largest = np.abs(h).max(axis=0)  # on the corners, so exactly
            for layer in layers:
                sizes = _sizes(layer, largest)
                if not (sizes < np.finfo(np.float64).max / 1e10).all():
                    raise ValueError(
                        f"network: pre-activations of layer {layer.name} overflow float64 here; "
                        "take a smaller extent, or inputs closer to 0"
                    )
                self.near.append(self._share * sizes)
                h = layer.activations(layer.preactivations(h))
                largest = np.maximum(np.abs(h).max(axis=0), _UNSEEN * sizes)

    def at(
        self, i: int, points: Float64[np.ndarray, "k d"], units: Int64[np.ndarray, " k"]
    ) -> Float64[np.ndarray, " k"]:
        """Return for k points, and a unit of layer i at each, what counts as zero right there.

        A unit that is off adds nothing to a sum, and no rounding. Where one is a thousand million
        times larger than others, their sums are known better where it is off.
        """
        near: Float64[np.ndarray, " k"] = self.near[i][units]
        if i == 0:
            return near
        # A point asked for several units is passed through the network once.
        different, which = np.unique(points, axis=0, return_inverse=True)
        h = self._inputs(different)
        largest = np.broadcast_to(self._largest_inputs, h.shape)
        for layer in self._layers[:i]:
            z, sizes = layer.preactivations(h), _sizes(layer, largest)
            z[np.abs(z) <= self._share * sizes] = 0
            largest = sizes * np.abs(np.where(z == 0, 0, layer.gains(z > 0)))
            h = layer.activations(z)
        sizes = _sizes(self._layers[i], largest)
        np.minimum(near, self._share * sizes[which.ravel(), units], out=near)
        return near

    def clear(
        self,
        i: int,
        points: Float64[np.ndarray, "k d"],
        z: Float64[np.ndarray, "k units"],
    ) -> None:
        """Set pre-activations of layer i at k points to zero, where that is what they are."""
        point, unit = np.nonzero((np.abs(z) <= self.near[i]) & (z != 0))
        if len(point):
            small = np.abs(z[point, unit]) <= self.at(i, points[point], unit)
            z[point[small], unit[small]] = 0


def _sizes(layer: Layer, largest: Float64[np.ndarray, "*k n"]) -> Float64[np.ndarray, "*k units"]:
    """Return the sum of the sizes of what a pre-activation is summed from."""
    sizes: np.ndarray = largest @ np.abs(layer.weights).T + np.abs(layer.biases)
    return sizes
