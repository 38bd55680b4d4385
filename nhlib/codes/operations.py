"""Which of PyTorch's operations are activations, and where their slopes change."""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch._ops import OpOverload

Number = int | float | Tensor
Kinks = tuple[Number, ...]


def _one_sided(bound: Number) -> Kinks:
    # Clamping at another bound is how code guards a division or a logarithm.
    zero = not bound.any() if isinstance(bound, Tensor) else bound == 0
    return (0.0,) if zero else ()


def _finite(*bounds: Number | None) -> Kinks:
    return tuple(
        bound
        for bound in bounds
        if bound is not None and (isinstance(bound, Tensor) or not math.isinf(bound))
    )


def _clamp(low: Number | None = None, high: Number | None = None) -> Kinks:
    bounds = _finite(low, high)
    return _one_sided(bounds[0]) if len(bounds) == 1 else bounds


# Piecewise linear activations: the inputs at which the slope changes, from the call's arguments.
_PIECEWISE_LINEAR: dict[str, Callable[..., Kinks]] = {
    "relu": lambda **_: (0.0,),
    "leaky_relu": lambda *_, **__: (0.0,),
    "_prelu_kernel": lambda *_: (0.0,),
    "rrelu_with_noise": lambda *_, **__: (0.0,),
    "rrelu_with_noise_functional": lambda *_, **__: (0.0,),
    "relu6": lambda **_: (0.0, 6.0),
    "hardtanh": lambda min_val=-1.0, max_val=1.0, **_: _finite(min_val, max_val),
    "threshold": lambda threshold, value, **_: (threshold,),
    "softshrink": lambda lambd=0.5, **_: (-lambd, lambd),
    "hardshrink": lambda lambd=0.5, **_: (-lambd, lambd),
    "clamp": lambda min=None, max=None, **_: _clamp(min, max),
    "clamp_min": lambda min, **_: _clamp(min),
    "clamp_max": lambda max, **_: _clamp(None, max),
}
# Modules that are one of these; how a subclass computes is its own affair.
MODULES = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU),
    *(nn.Hardtanh, nn.Threshold, nn.Softshrink, nn.Hardshrink),
)
_SMOOTH = frozenset(
    {
        *("gelu", "silu", "mish", "elu", "celu", "selu", "softplus"),
        *("hardswish", "tanh", "log_sigmoid_forward"),
    }
)
# Operations that apply an activation inside, where its input cannot be seen.
_FUSED = frozenset(
    {
        *("_addmm_activation", "_add_relu", "_transformer_encoder_layer_fwd"),
        *("_cudnn_rnn", "miopen_rnn", "mkldnn_rnn_layer", "_lstm_mps"),
        *("_thnn_fused_lstm_cell", "_thnn_fused_gru_cell", "quantized_lstm", "quantized_gru"),
        *("cudnn_convolution_relu", "cudnn_convolution_add_relu"),
        *("miopen_convolution_relu", "miopen_convolution_add_relu"),
        *("_foreach_clamp_min", "_foreach_clamp_max", "_foreach_tanh"),
    }
)
# Where operations come from that have no activation inside, except those above. Of the quantized
# ones, these two alone give real numbers, and apply nothing.
_KNOWN = frozenset(
    {"aten", "prims", "profiler", "rngprims", "c10d", "_c10d_functional", "torchvision"}
)
_QUANTIZED = frozenset({"quantized::linear_dynamic", "quantized::linear_dynamic_fp16"})


class Role(NamedTuple):
    """What an operation means to who looks for activations.

    Attributes
    ----------
    name : str
        The operation's, without the underscore of those in place; with its library, if foreign.
    kinks : callable or None
        Returns the kinks of a piecewise linear activation, from all arguments but the first.
    smooth, hidden, composite : bool
        A smooth activation; something that may apply one out of sight; made of other operations.
    written : tuple of int or str
        Which arguments it overwrites: their positions, or the names of those given by name.
    """

    name: str
    kinks: Callable[..., Kinks] | None = None
    smooth: bool = False
    hidden: bool = False
    composite: bool = False
    written: tuple[int | str, ...] = ()


@functools.cache
def role_of(operation: Any) -> Role | None:
    """Return what an operation means, or None if it is no activation and overwrites nothing.

    Examples
    --------
    >>> role_of(torch.ops.aten.relu_.default).kinks()
    (0.0,)
    >>> role_of(torch.ops.aten.mm.default) is None
    True
    """
    if not isinstance(operation, OpOverload):  # torch.cond and its kin
        return Role(str(operation), hidden=True)
    schema = operation._schema
    library, _, full_name = schema.name.partition("::")
    name = full_name.rstrip("_") if library == "aten" else schema.name
    composite = torch._C._dispatch_has_kernel_for_dispatch_key(
        operation.name(), "CompositeImplicitAutograd"
    )
    role = Role(
        name,
        kinks=_PIECEWISE_LINEAR.get(name),
        smooth=name in _SMOOTH,
        hidden=name in _FUSED or not (library in _KNOWN or name in _QUANTIZED),
        composite=composite,
        written=tuple(
            argument.name if argument.kwarg_only else i
            for i, argument in enumerate(schema.arguments)
            if argument.alias_info is not None and argument.alias_info.is_write
        ),
    )
    return None if role == Role(name) else role
