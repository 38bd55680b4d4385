"""A network as a chain of matrices: affine layers, and the activations that bend between them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float64
from torch import nn

from nhlib.arguments import real_numbers
from nhlib.codes import NeuralCodes
from nhlib.inference import unwrapped

# What is affine once the network is in eval mode.
_SHAPING = (nn.Flatten, nn.Identity)
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_POOLS = (
    *(nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d),
    *(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
)
_BENDS = (nn.ReLU, nn.LeakyReLU, nn.PReLU)
_KNOWN = (*_SHAPING, *_DROPOUTS, *_NORMS, nn.Linear, *_CONVOLUTIONS, *_POOLS, *_BENDS)

# A pre-activation smaller than this, beside the numbers it is summed from, counts as zero.
ROUNDING = 1e-13

# So many codes are pushed through the network at once.
_BLOCK = 2048

# A convolution is written out as a matrix; beyond this many numbers (1 GiB) that is no good idea.
_LARGEST_MATRIX = 1 << 27


class Misfit(ValueError):
    """The first layer does not take the input that it gets."""


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
            value = np.broadcast_to(point, (len(along), len(point)))
            for layer in self.layers:
                along = along @ layer.weights.T
                value = layer.preactivations(value)
                if layer.slopes is not None:
                    gain = layer.gains(codes[block][layer.name].bits().astype(bool))
                    along = along * gain[:, None]
                    value = value * gain
            derivatives[block], values[block] = along, value
        return derivatives, values

    def affine_map(
        self, code: NeuralCodes
    ) -> tuple[Float64[np.ndarray, "n_outputs n"], Float64[np.ndarray, " n_outputs"]]:
        """Return weights and biases of the affine map that belongs to one code."""
        n = self.layers[0].weights.shape[1]
        weights, biases = self.push(np.eye(n)[None], np.zeros(n), code)
        return weights[0].T, biases[0]


def fold(network: Any, input_shape: tuple[int, ...]) -> FoldedNetwork:
    """Write a network as a chain of matrices.

    Parameters
    ----------
    network : torch.nn.Module
        ``nn.Sequential``, nested or not, of Linear, Flatten, Dropout, BatchNorm, convolution
        and average pooling, and ReLU, LeakyReLU, PReLU. Taken as it is in eval mode.
    input_shape : tuple of int
        Shape of one input.

    Raises
    ------
    TypeError
        If `network` is no module.
    ValueError
        If a layer is of another kind, does not fit its input, or holds nan or infinity; if there
        is no activation.

    Examples
    --------
    >>> import nhlib as nh
    >>> [layer.weights.shape for layer in fold(nh.mlp(2, [16, 8], 3), (2,)).layers]
    [(16, 2), (8, 16), (3, 8)]
    """
    if not isinstance(network, nn.Module):
        raise TypeError(f"network: a torch.nn.Module is needed, not {type(network).__name__}")
    network = unwrapped(network)
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        if nn.parameter.is_lazy(tensor) or tensor.is_meta:
            raise ValueError(f"network: {name} has no numbers yet; run the network once first")
        if not tensor.isfinite().all():
            raise ValueError(f"network: {name} holds nan or infinity; did training diverge?")
    names = {module: name for name, module in network.named_modules()}
    layers: list[Layer] = []
    met: dict[str, int] = {}
    chain = _Chain(input_shape)
    for module in _leaves(network, names):
        if not isinstance(module, _BENDS):
            try:
                chain.append(module, names[module])
            except Misfit as error:
                if layers:  # the network does not fit itself, whatever the input
                    raise ValueError(str(error)) from None
                raise
            continue
        # A module that runs several times is several layers, called as `encode` calls them.
        path = names[module] or type(module).__name__.lower()
        name = f"{path}_{met[path]}" if path in met else path
        met[path] = met.get(path, 0) + 1
        weights, biases = chain.matrix()
        layers.append(Layer(weights, biases, _slopes(module, chain.shape, path), name, chain.shape))
        chain = _Chain(chain.shape)
    if not layers:
        raise ValueError(
            "network: it has no ReLU, LeakyReLU or PReLU, so its input space is one linear region"
        )
    if chain.steps:
        layers.append(Layer(*chain.matrix(), None, "", chain.shape))
    return FoldedNetwork(tuple(layers), input_shape)


def _leaves(network: nn.Module, names: dict[nn.Module, str]) -> Iterator[nn.Module]:
    where = f"layer {names[network]}" if names.get(network) else "it"
    if network._forward_hooks or network._forward_pre_hooks:
        raise ValueError(
            f"network: {where} has a hook, which may do anything to its inputs; remove it, or "
            "make it permanent (pruning: prune.remove, weight norm: remove_weight_norm)"
        )
    if isinstance(network, nn.Sequential) and type(network).forward is nn.Sequential.forward:
        for child in network:
            yield from _leaves(child, names)
    elif type(network) in _KNOWN:
        yield network
    else:
        raise ValueError(
            f"network: {where} is of type {type(network).__name__}, and exact regions are known "
            "for nn.Sequential of Linear, Conv, BatchNorm, AvgPool, Flatten, Dropout and ReLU, "
            "LeakyReLU, PReLU; leave a last Softmax or Sigmoid out (network[:-1]), and write a "
            "forward of your own as nn.Sequential"
        )


def _slopes(module: nn.Module, shape: tuple[int, ...], path: str) -> Float64[np.ndarray, " units"]:
    units = math.prod(shape)
    if isinstance(module, nn.LeakyReLU):
        return np.full(units, float(module.negative_slope))
    if isinstance(module, nn.PReLU):
        slopes = _numpy(module.weight)  # one for all, or one a channel
        if len(slopes) not in (1, shape[0]):
            raise ValueError(
                f"network: layer {path} has {len(slopes)} slopes, but its input has shape {shape}"
            )
        return np.repeat(np.resize(slopes, shape[0]), units // shape[0])
    return np.zeros(units)


def _numpy(tensor: torch.Tensor) -> Float64[np.ndarray, "*shape"]:
    return real_numbers("network", tensor)  # a copy: the network may go on learning


class _Chain:
    """Affine modules in a row, multiplied into one matrix as they come."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape, self.steps = shape, 0
        self.n = math.prod(shape)
        self.weights: Float64[np.ndarray, "units n"] | None = None  # None is the identity
        self.biases: Float64[np.ndarray, units] = np.zeros(self.n)

    def matrix(self) -> tuple[Float64[np.ndarray, "units n"], Float64[np.ndarray, "units"]]:
        return np.eye(self.n) if self.weights is None else self.weights, self.biases

    def append(self, module: nn.Module, path: str) -> None:
        self.steps += 1
        if isinstance(module, (nn.Identity, *_DROPOUTS)):
            return
        if isinstance(module, nn.Flatten):
            try:
                after = module(torch.empty((2, *self.shape), device="meta")).shape
            except (IndexError, RuntimeError):
                after = ()
            if not after or after[0] != 2:
                raise Misfit(
                    f"network: layer {path} cannot flatten an input of shape {self.shape} "
                    f"from dimension {module.start_dim} on"
                )
            self.shape = tuple(after[1:])
            return
        if isinstance(module, _NORMS):
            self._normalize(module, path)
            return
        if isinstance(module, nn.Linear) and self.shape[-1:] != (module.in_features,):
            flat = math.prod(self.shape) == module.in_features
            raise Misfit(
                f"network: layer {path} takes {module.in_features} numbers, but its input has "
                f"shape {self.shape}" + ("; put nn.Flatten() before it" if flat else "")
            )
        if isinstance(module, (*_CONVOLUTIONS, *_POOLS)):
            n_dimensions = 1 + int(type(module).__name__[-2])  # channels, and those of Conv2d
            if len(self.shape) != n_dimensions:
                raise Misfit(
                    f"network: layer {path} takes inputs of {n_dimensions} dimensions (channels "
                    f"first, no batch), but its input has shape {self.shape}"
                )
        if isinstance(module, nn.Linear) and len(self.shape) == 1:
            weights = _numpy(module.weight)
            units = module.out_features
            biases = np.zeros(units) if module.bias is None else _numpy(module.bias)
            self.shape = (units,)
        else:
            weights, biases = self._written_out(module, path)
        self.biases = weights @ self.biases + biases
        self.weights = weights if self.weights is None else weights @ self.weights

    def _normalize(self, module: Any, path: str) -> None:
        if module.running_mean is None:
            raise ValueError(
                f"network: layer {path} normalizes by each batch's own mean, so that a region "
                "depends on the batch; it needs track_running_stats=True"
            )
        if module.num_features != self.shape[0]:
            raise Misfit(
                f"network: layer {path} takes {module.num_features} features, "
                f"but its input has shape {self.shape}"
            )
        scale = 1 / np.sqrt(_numpy(module.running_var) + module.eps)
        if module.affine:
            scale = scale * _numpy(module.weight)
        shift = -_numpy(module.running_mean) * scale
        if module.affine:
            shift = shift + _numpy(module.bias)
        each = math.prod(self.shape[1:])
        scale, shift = np.repeat(scale, each), np.repeat(shift, each)
        weights, biases = self.matrix()
        self.weights, self.biases = scale[:, None] * weights, scale * biases + shift

    def _written_out(
        self, module: nn.Module, path: str
    ) -> tuple[Float64[np.ndarray, "units n"], Float64[np.ndarray, "units"]]:
        """Write an affine module out as a matrix: what it does to each unit vector."""
        n = math.prod(self.shape)
        floats = {
            key: value.detach().cpu().double()
            for key, value in (*module.named_parameters(), *module.named_buffers())
        }

        def run(x: torch.Tensor) -> torch.Tensor:
            with torch.no_grad():
                y: torch.Tensor = torch.func.functional_call(module, floats, (x,))
            return y

        try:
            zero = run(torch.zeros((1, *self.shape), dtype=torch.float64))
        except RuntimeError as error:
            raise Misfit(
                f"network: layer {path} does not take an input of shape {self.shape}. "
                f"PyTorch says: {error}"
            ) from None
        if n * zero.numel() > _LARGEST_MATRIX:
            raise ValueError(
                f"network: layer {path} as a matrix would have {zero.numel():,} × {n:,} numbers, "
                f"and {_LARGEST_MATRIX:,} are the limit; exact regions are for small convolutions"
            )
        columns = run(torch.eye(n, dtype=torch.float64).reshape(n, *self.shape)) - zero
        self.shape = tuple(zero.shape[1:])
        return columns.flatten(1).T.contiguous().numpy(), zero.flatten().numpy()
