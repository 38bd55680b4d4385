"""Which operations are activations, and what went into them.

Every activation is seen at the moment in which PyTorch executes it, in whatever way the
network's author wrote it: as a module, a function or a method, in place or not.
"""

import difflib
import functools
import math
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode

# Piecewise linear activations: the inputs at which the slope changes, from the call's arguments.
Number = int | float | Tensor
Kinks = tuple[Number, ...]


def _one_sided(bound: Number) -> Kinks:
    # Clamping at another bound is how code guards a division or a logarithm.
    zero = not bound.any() if isinstance(bound, Tensor) else bound == 0
    return (0.0,) if zero else ()


def _clamp(low: Number | None = None, high: Number | None = None) -> Kinks:
    bounds = [b for b in (low, high) if b is not None and not _is_infinite(b)]
    return _one_sided(bounds[0]) if len(bounds) == 1 else tuple(bounds)


def _is_infinite(bound: Number) -> bool:
    return not isinstance(bound, Tensor) and math.isinf(bound)


_PIECEWISE_LINEAR: dict[str, Callable[..., Kinks]] = {
    "relu": lambda **_: (0.0,),
    "leaky_relu": lambda *_, **__: (0.0,),
    "_prelu_kernel": lambda *_: (0.0,),
    "rrelu_with_noise": lambda *_, **__: (0.0,),
    "relu6": lambda **_: (0.0, 6.0),
    "hardtanh": lambda min_val=-1.0, max_val=1.0, **_: (min_val, max_val),
    "threshold": lambda threshold, value, **_: (threshold,),
    "softshrink": lambda lambd=0.5, **_: (-lambd, lambd),
    "hardshrink": lambda lambd=0.5, **_: (-lambd, lambd),
    "clamp": lambda min=None, max=None, **_: _clamp(min, max),
    "clamp_min": lambda min, **_: _clamp(min),
    "clamp_max": lambda max, **_: _clamp(None, max),
}
_SMOOTH = frozenset(
    {
        *("gelu", "silu", "mish", "elu", "celu", "selu", "softplus"),
        *("hardswish", "tanh", "log_sigmoid_forward"),
    }
)
# Operations that apply an activation inside, where its input cannot be seen.
_FUSED = frozenset(
    {
        *("_addmm_activation", "_transformer_encoder_layer_fwd"),
        *("_cudnn_rnn", "miopen_rnn", "mkldnn_rnn_layer"),
        *("_thnn_fused_lstm_cell", "_thnn_fused_gru_cell"),
        *("cudnn_convolution_relu", "cudnn_convolution_add_relu"),
    }
)


@functools.cache
def _operation(function: Any) -> str:
    return str(function._schema.name).removeprefix("aten::").rstrip("_")


class NonFinite(Exception):
    """Tells at which activation, and for which example of the batch, values overflow."""

    def __init__(self, layer: str, example: int) -> None:
        super().__init__(layer, example)
        self.layer, self.example = layer, example


class ActivationWatch(TorchDispatchMode):
    r"""Runs a network and keeps, of every activation, the packed bits of its input.

    Parameters
    ----------
    network : torch.nn.Module
        The network to run.
    wanted : collection of str or None
        Names of the activations to keep; None keeps all.
    smooth : bool
        Keep the sign of the input of smooth activations instead of refusing them.
    values : bool, default False
        Keep the outputs of the activations too.

    Attributes
    ----------
    names : dict
        Names of all activations that the last run met, as keys, in the order of their calls.
    shapes : dict of str to tuple of int
        Shape of one example's bits, for every activation kept.
    packed : list of uint8 tensors, each of shape (n, n_bytes)
        Their bits, packed as ``np.packbits`` does, on the device of the network.
    outputs : list of tensors, each of shape (n, \*units)
        Their outputs, where `values` are kept.
    """

    def __init__(
        self,
        network: nn.Module,
        wanted: Collection[str] | None,
        smooth: bool,
        values: bool = False,
    ) -> None:
        super().__init__()
        self.network, self.wanted, self.smooth, self.values = network, wanted, smooth, values
        self.paths = {
            module: name.replace("_orig_mod.", "").removesuffix("_orig_mod")
            for name, module in network.named_modules()
        }

    def run(self, inputs: Tensor, find_nonfinite: bool = False) -> Any:
        """Run the network on one batch, and return its output.

        With `find_nonfinite`, raise `NonFinite` at the first activation whose input is not.
        """
        self.n, self.find_nonfinite = len(inputs), find_nonfinite
        self.inside: list[nn.Module] = []
        self.first_layer: nn.Module | None = None
        self.names: dict[str, None] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.packed: list[UInt8[Tensor, "n n_bytes"]] = []
        self.outputs: list[Tensor] = []
        enter = register_module_forward_pre_hook(self._enter)
        leave = register_module_forward_hook(self._leave, always_call=True)
        try:
            with self:
                return self.network(inputs)
        except (RuntimeError, IndexError) as error:
            if is_out_of_memory(error):
                raise
            raise ValueError(self._misfit(inputs, error)) from error
        finally:
            enter.remove()
            leave.remove()

    def check_layers(self) -> None:
        """Raise ValueError if the last run met no activation, or not all that are wanted."""
        names = list(self.names)
        if not names:
            raise ValueError(
                "network: it ran without any ReLU-like activation; encode sees relu, leaky_relu, "
                "prelu, clamp, hardtanh and their kin, but not maximum, where or x * (x > 0)"
            )
        for name in self.wanted if self.wanted is not None else names:
            if name not in self.names:
                near = difflib.get_close_matches(name, names, n=1)
                hint = f", did you mean {near[0]!r}?" if near else ";"
                raise ValueError(f"layers: no layer {name!r}{hint} there are {', '.join(names)}")

    def _enter(self, module: nn.Module, args: Any) -> None:
        if module in self.paths:
            self.inside.append(module)
            if self.first_layer is None and module._parameters:
                self.first_layer = module
                dimensions: Any = getattr(module, "kernel_size", ())  # of a convolution
                if dimensions and args and args[0].ndim == len(dimensions) + 1:
                    raise ValueError(
                        f"inputs: layer {self.paths[module]} got one image of shape "
                        f"{tuple(args[0].shape)}, not a batch; pass inputs[None]"
                    )

    def _leave(self, module: nn.Module, args: Any, output: Any) -> None:
        if self.inside and self.inside[-1] is module:
            self.inside.pop()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # PyTorch would wrap every operation to keep its compiler out; nothing is compiled here.
        return False

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        operation, n_kept = _operation(function), len(self.packed)
        if operation in _PIECEWISE_LINEAR:
            kinks = _PIECEWISE_LINEAR[operation](*args[1:], **kwargs)
            # Before the call, because it may overwrite its input.
            self._record(operation, args[0], kinks)
        elif operation in _SMOOTH:
            if not self.smooth:
                raise ValueError(
                    f"network: {self._name(operation)} applies {operation}, which is smooth: its "
                    "units are never simply on or off. Pass smooth=True to take the sign of its "
                    "input as the bit"
                )
            self._record(operation, args[0], (0.0,))
        elif operation in _FUSED:
            raise ValueError(
                f"network: {self._name(operation)} runs {operation}, which may apply an "
                "activation out of sight; write it as a step of its own"
            )
        output = function(*args, **kwargs)
        if self.values and len(self.packed) > n_kept:
            # A copy, because a later operation may overwrite it.
            self.outputs.append(output.clone())
        return output

    def _name(self, operation: str) -> str:
        module = self.inside[-1] if self.inside else self.network
        path = self.paths[module]
        leaf = type(module).__module__.startswith("torch.nn.") and not any(module.children())
        parts = [path] if leaf and path else [path, operation.strip("_")]
        name = first = ".".join(part for part in parts if part)
        repeat = 0
        while name in self.names:
            repeat += 1
            name = f"{first}_{repeat}"
        return name

    def _record(self, operation: str, x: Tensor, kinks: Kinks) -> None:
        if not kinks or x.ndim == 0 or not x.is_floating_point():
            return
        name = self._name(operation)
        self.names[name] = None
        if self.wanted is not None and name not in self.wanted:
            return
        if len(x) != self.n:
            raise ValueError(
                f"network: {name} works on a tensor of shape {tuple(x.shape)}, whose first "
                f"dimension is not the batch of {self.n}; leave it out with layers=, or keep "
                "the batch first"
            )
        if self.find_nonfinite and not x.isfinite().all():
            bad = ~x.isfinite().reshape(self.n, -1).all(dim=1)
            raise NonFinite(name, int(bad.int().argmax()))
        inner = tuple(x.shape[1:])
        self.shapes[name] = inner if len(kinks) == 1 else (len(kinks), *inner)
        pack = pack_on_cpu if x.device.type == "cpu" else pack_on_device
        self.packed.append(pack(x, kinks))

    def _misfit(self, inputs: Tensor, error: Exception) -> str:
        text = f"inputs: the network failed on {inputs.dtype} inputs of shape {tuple(inputs.shape)}"
        layer = self.first_layer
        wants = {
            "in_features": "vectors of {} numbers",
            "in_channels": "images of {} channels",
            "num_features": "{} features",
            "num_embeddings": "whole numbers below {}",
        }
        for attribute, phrase in wants.items():
            if layer is not None and hasattr(layer, attribute):
                size = phrase.format(getattr(layer, attribute))
                text += f"; its first layer, {self.paths[layer]}, wants {size}"
                break
        if not inputs.is_floating_point():
            text += "; for images of whole numbers pass inputs / 255"
        return f"{text}. PyTorch says: {error}"


def wanted_layers(layers: Any) -> list[str] | None:
    """Return the names that `layers` asks for as a list; None asks for all."""
    if layers is None:
        return None
    wanted = [layers] if isinstance(layers, str) else list(layers)
    if not wanted or not all(isinstance(name, str) for name in wanted):
        raise ValueError(f"layers: names of layers are needed, or None for all; not {layers!r}")
    return wanted


def pack_on_cpu(x: Float[Tensor, "n *inner"], kinks: Kinks) -> UInt8[Tensor, "n n_bytes"]:
    """Pack the bits ``x > kink``, kink after kink, a row an example, as ``np.packbits`` does."""
    # NumPy compares and packs faster than PyTorch here, and packs rows of whole bytes fastest.
    values = (x.float() if x.dtype == torch.bfloat16 else x).detach().numpy()
    n, units = len(x), values[0].size
    room = np.zeros((n, -(-len(kinks) * units // 8) * 8), bool)
    for i, kink in enumerate(kinks):
        bound = kink.to(x.dtype).float().numpy() if isinstance(kink, Tensor) else kink
        on = room[:, i * units : (i + 1) * units].reshape(values.shape)  # a view
        np.greater(values, bound, out=on)
    return torch.from_numpy(np.packbits(room).reshape(n, -1))


def pack_on_device(x: Float[Tensor, "n *inner"], kinks: Kinks) -> UInt8[Tensor, "n n_bytes"]:
    """Do what `pack_on_cpu` does, with operations that every device has."""
    on = torch.cat([(x > kink).reshape(len(x), -1) for kink in kinks], dim=1)
    padded = nn.functional.pad(on, (0, -on.shape[1] % 8)).contiguous()
    # Eight bytes of 0 or 1 in one integer: multiplied so, bit i of them lands on place 63 - i,
    # and no two partial products share a place.
    gather = sum(1 << (63 - 9 * i) for i in range(8)) - (1 << 64)
    return (padded.view(torch.int64) * gather >> 56).to(torch.uint8)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether a smaller batch might help."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
    )
