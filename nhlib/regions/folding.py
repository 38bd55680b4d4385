"""From PyTorch's modules to a chain of affine layers."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import nn
from torch.nn.modules import module as module_hooks

from nhlib._arguments import real_numbers
from nhlib.networks import unwrap
from nhlib.regions.affine import FoldedNetwork, Layer

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
# What their forward methods are, before anyone replaces one.
_FORWARDS = {kind: kind.forward for kind in (nn.Sequential, *_KNOWN)}

# A convolution is written out as a matrix; beyond this many numbers (1 GiB) that is no good idea.
_LARGEST_MATRIX = 1 << 27


class Misfit(ValueError):
    """The first layer does not take the input that it gets."""


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
        is no activation; if a hook or a replaced ``forward`` may change what a layer does.

    Examples
    --------
    >>> import nhlib as nh
    >>> [layer.weights.shape for layer in fold(nh.mlp(2, [16, 8], 3), (2,)).layers]
    [(16, 2), (8, 16), (3, 8)]
    """
    if not isinstance(network, nn.Module):
        raise TypeError(f"network: a torch.nn.Module is needed, not {type(network).__name__}")
    if module_hooks._global_forward_hooks or module_hooks._global_forward_pre_hooks:
        raise ValueError(
            "network: a global hook is registered, which may do anything to the inputs and outputs "
            "of every layer; remove it first"
        )
    _check_hooks(network, "it")  # a wrapper may have its own
    network = unwrap(network)
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
    _check_hooks(network, where)
    _check_forward(network, where)
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


def _check_hooks(module: nn.Module, where: str) -> None:
    if module._forward_hooks or module._forward_pre_hooks:
        raise ValueError(
            f"network: {where} has a hook, which may do anything to its inputs; remove it, or "
            "make it permanent (pruning: prune.remove, weight norm: remove_weight_norm)"
        )


def _check_forward(module: nn.Module, where: str) -> None:
    kind = next((kind for kind in type(module).__mro__ if kind in _FORWARDS), None)
    if "forward" in vars(module) or (kind and kind.forward is not _FORWARDS[kind]):
        raise ValueError(
            f"network: the forward method of {where} was replaced, and may do anything now; put "
            "the old one back, or write what the new one does as layers of an nn.Sequential"
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
        self.biases: Float64[np.ndarray, " units"] = np.zeros(self.n)

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
