"""A network as a chain of affine layers, and the activations that bend between them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from nhlib.codes import NeuralCodes

# A pre-activation smaller than this, beside the numbers it is summed from, counts as zero.
ROUNDING = 1e-13

# So many codes are pushed through the network at once.
_BLOCK = 2048


@dataclass(frozen=True, eq=False)
class Layer:
    """One affine layer, and the activation after it.

    Attributes
    ----------
    weights, biases : float64 arrays, shapes (units, n) and (units,)
        The map from the activations before to the pre-activations of this layer.
    slopes : float64 array, shape (units,), or None
        Slope of each unit's activation at negative pre-activations: 0 for ReLU. None for an
        affine last layer, which has no activation.
    name : str
        Name of the activation, as `nhlib.encode` gives it; ``""`` where there is none.
    shape : tuple of int
        Shape of one example's pre-activations.
    """

    weights: Float64[np.ndarray, "units n"]
    biases: Float64[np.ndarray, "units"]
    slopes: Float64[np.ndarray, "units"] | None
    name: str
    shape: tuple[int, ...]

    def preactivations(self, before: Float64[np.ndarray, "k n"]) -> Float64[np.ndarray, "k units"]:
        """Apply the affine map."""
        z: Float64[np.ndarray, "k units"] = before @ self.weights.T + self.biases
        return z

    def rounding(self, before: Float64[np.ndarray, "k n"]) -> Float64[np.ndarray, " units"]:
        """Return, for every unit, what rounding can make of a pre-activation of zero."""
        largest = np.linalg.norm(before, axis=1).max()
        size = np.linalg.norm(self.weights, axis=1) * largest + np.abs(self.biases)
        return np.asarray(ROUNDING * size)

    def activations(self, z: Float64[np.ndarray, "k units"]) -> Float64[np.ndarray, "k units"]:
        """Apply the activation, in place: fresh memory would cost more than the arithmetic."""
        assert self.slopes is not None
        if self.slopes.any():
            np.multiply(z, self.slopes, out=z, where=z <= 0)
        else:
            np.maximum(z, 0, out=z)
        return z

    def gains(self, on: Bool[np.ndarray, "k units"]) -> Float64[np.ndarray, "k units"]:
        """Return the slope of each unit's activation, given which are on."""
        assert self.slopes is not None
        return np.where(on, 1.0, self.slopes)


@dataclass(frozen=True, eq=False)
class FoldedNetwork:
    """Affine layers in float64; all but perhaps the last are followed by an activation.

    Attributes
    ----------
    layers : tuple of Layer
        In the order in which they run.
    input_shape : tuple of int
        Shape of one input.
    """

    layers: tuple[Layer, ...]
    input_shape: tuple[int, ...]

    @property
    def hidden(self) -> tuple[Layer, ...]:
        """The layers that have an activation."""
        return self.layers if self.layers[-1].slopes is not None else self.layers[:-1]

    @property
    def n_outputs(self) -> int:
        """Numbers in one output."""
        return len(self.layers[-1].biases)

    def outputs(self, inputs: Float64[np.ndarray, "k n"]) -> Float64[np.ndarray, "k n_outputs"]:
        """Run the network on flat inputs."""
        h = inputs
        for layer in self.layers:
            h = layer.preactivations(h)
            if layer.slopes is not None:
                h = layer.activations(h)
        return h

    def push(
        self,
        directions: Float64[np.ndarray, "k d n"],
        point: Float64[np.ndarray, " n"],
        codes: NeuralCodes,
    ) -> tuple[Float64[np.ndarray, "k d n_outputs"], Float64[np.ndarray, "k n_outputs"]]:
        """Send directions, and one point, through the affine maps of k codes.

        Returns the derivatives of the outputs along the directions, and the outputs that each
        code's affine map gives at the point.
        """
        derivatives = np.empty((*directions.shape[:2], self.n_outputs))
        values = np.empty((len(directions), self.n_outputs))
        for start in range(0, len(directions), _BLOCK):
            block = slice(start, start + _BLOCK)
            along = directions[block]
            n_codes, d = along.shape[:2]
            along = along.reshape(n_codes * d, -1)  # one large product, not many small ones
            value = np.broadcast_to(point, (n_codes, len(point)))
            for layer in self.layers:
                along, value = along @ layer.weights.T, layer.preactivations(value)
                if layer.slopes is not None:
                    gain = layer.gains(codes[block][layer.name].bits().astype(bool))
                    along, value = along * np.repeat(gain, d, axis=0), value * gain
            along = along.reshape(n_codes, d, -1)
            derivatives[block], values[block] = along, value
        return derivatives, values

    def affine_map(
        self, code: NeuralCodes
    ) -> tuple[Float64[np.ndarray, "n_outputs n"], Float64[np.ndarray, " n_outputs"]]:
        """Return weights and biases of the affine map that belongs to one code."""
        n = self.layers[0].weights.shape[1]
        weights, biases = self.push(np.eye(n)[None], np.zeros(n), code)
        return weights[0].T, biases[0]
