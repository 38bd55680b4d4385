"""A network as a chain of affine layers, and the activations that bend between them."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from nhlib.codes import NeuralCodes

# A pre-activation smaller than this, beside the numbers it is summed from, counts as zero.
ROUNDING = 1e-13

# Smaller than any exponent of a number that is not zero.
_NONE = -(1 << 30)

# So many numbers are pushed through a layer at once: as many as a cache holds.
_BLOCK = 1 << 17


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

    def activations(self, z: Float64[np.ndarray, "k units"]) -> Float64[np.ndarray, "k units"]:
        """Apply the activation, in place: fresh memory would cost more than the arithmetic."""
        assert self.slopes is not None
        if self.slopes.any():
            np.multiply(z, self.slopes, out=z, where=z <= 0)
        else:
            np.maximum(z, 0, out=z)
        return z

    def gains(self, on: Bool[np.ndarray, "*k units"]) -> Float64[np.ndarray, "*k units"]:
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

    @cached_property
    def balanced(self) -> "FoldedNetwork":
        """The network with units of one scale: the same regions, and other outputs.

        A unit that is multiplied by a positive number switches where it did, if the next layer
        divides by it. Powers of two change no digit. So no pre-activation overflows, or vanishes,
        because all weights are very large, or very small.
        """
        layers = []
        exponents = np.zeros(self.layers[0].weights.shape[1], np.int64)
        for layer in self.layers:
            # Of every row, what makes its largest number one from 1/2 to 1.
            mantissas, own = np.frexp(layer.weights)
            shifts, bias_exponents = own + exponents, np.frexp(layer.biases)[1]
            largest = np.where(mantissas != 0, shifts, _NONE).max(axis=1, initial=_NONE)
            largest = np.maximum(largest, np.where(layer.biases != 0, bias_exponents, _NONE))
            largest[largest == _NONE] = 0
            layers.append(
                replace(
                    layer,
                    weights=np.ldexp(mantissas, shifts - largest[:, None]),
                    biases=np.ldexp(layer.biases, -largest),
                )
            )
            exponents = largest
        return FoldedNetwork(tuple(layers), self.input_shape)

    def outputs(self, inputs: Float64[np.ndarray, "k n"]) -> Float64[np.ndarray, "k n_outputs"]:
        """Run the network on flat inputs."""
        h = inputs
        with np.errstate(over="ignore", invalid="ignore"):
            for layer in self.layers:
                h = layer.preactivations(h)
                if layer.slopes is not None:
                    h = layer.activations(h)
        return _finite(h)

    def push(
        self,
        directions: Float64[np.ndarray, "d n"],
        point: Float64[np.ndarray, " n"],
        codes: NeuralCodes,
    ) -> tuple[Float64[np.ndarray, "k d n_outputs"], Float64[np.ndarray, "k n_outputs"]]:
        """Send directions, and one point, through the affine maps of k codes.

        Returns the derivatives of the outputs along the directions, and the outputs that each
        code's affine map gives at the point. Codes that follow each other and agree in the first
        layers share the work of these.
        """
        start = np.concatenate([directions, point[None]])[None]
        outputs = np.empty((len(codes), len(directions) + 1, self.n_outputs))
        widest = max(len(layer.biases) for layer in self.layers)
        step = max(1, _BLOCK // (start.shape[1] * widest))
        with np.errstate(over="ignore", invalid="ignore"):
            for first in range(0, len(codes), step):
                block = slice(first, first + step)
                outputs[block] = self._push(start, codes.packed[block])
        outputs = _finite(outputs)
        return outputs[:, :-1], outputs[:, -1]

    def _push(
        self, rows: Float64[np.ndarray, "1 d n"], packed: UInt8[np.ndarray, "k n_bytes"]
    ) -> Float64[np.ndarray, "k d n_outputs"]:
        begins = np.zeros(1, np.int64)  # where codes begin that differ from those before
        differs = np.arange(len(packed)) == 0
        at = 0
        for layer in self.layers:
            n_units = len(layer.biases)
            z = rows.reshape(-1, rows.shape[2]) @ layer.weights.T
            rows = z.reshape(*rows.shape[:2], n_units)
            rows[:, -1] += layer.biases
            if layer.slopes is None:
                break
            own = packed[:, at : at + -(-n_units // 8)]
            at += own.shape[1]
            differs[1:] |= (own[1:] != own[:-1]).any(axis=1)
            before, begins = begins, np.flatnonzero(differs)
            on = np.unpackbits(own[begins], axis=1, count=n_units).astype(bool)
            rows = rows[np.searchsorted(before, begins, side="right") - 1]
            rows *= layer.gains(on)[:, None]
        return np.repeat(rows, np.diff(np.append(begins, len(packed))), axis=0)

    def affine_map(
        self, code: NeuralCodes
    ) -> tuple[Float64[np.ndarray, "n_outputs n"], Float64[np.ndarray, " n_outputs"]]:
        """Return weights and biases of the affine map that belongs to one code."""
        n = self.layers[0].weights.shape[1]
        weights, biases = self.push(np.eye(n), np.zeros(n), code)
        return weights[0].T, biases[0]


def _finite(outputs: np.ndarray) -> np.ndarray:
    if not np.isfinite(outputs).all():
        raise ValueError(
            "network: its outputs overflow float64 here, or those of a layer inside do; its "
            "weights are too large"
        )
    return outputs
