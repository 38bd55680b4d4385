"""What goes into a network's activations, seen at the moment in which PyTorch executes them.

Activations are seen in whatever way the network's author wrote them: as a module, a function or
a method, in place or not.
"""

import difflib
import math
import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode_stack

from nhlib._arguments import one_or_several_names
from nhlib._interrupts import interrupts_held_back
from nhlib.codes.operations import MODULES, Kinks, Role, role_of
from nhlib.codes.packing import pack_on_cpu, pack_on_device
from nhlib.networks import not_plain, undisturbed, unwrap

# What Python runs when a module is called.
_CALL = nn.Module._call_impl.__code__


class Refusal(Exception):
    """Says why a network cannot be watched."""


class RowsLost(Refusal):
    """Says which activation has no row for every input."""


class InputsOverwritten(Exception):
    """Tells that the network is about to overwrite its inputs."""


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
    nan : list of bool, or of bool tensors
        Whether what went into them holds nan; a tensor where it is on another device.
    outputs : list of tensors, each of shape (n, \*units)
        Their outputs, where `values` are kept.
    """

    # PyTorch would refuse torch.cond and its kin in words of its own.
    supports_higher_order_operators = True

    def __init__(
        self,
        network: nn.Module,
        wanted: Collection[str] | None,
        smooth: bool,
        values: bool = False,
    ) -> None:
        super().__init__()
        self.network, self.wanted, self.smooth, self.values = network, wanted, smooth, values
        self.paths: dict[nn.Module, str] = {
            module: name.replace("_orig_mod.", "").removesuffix("_orig_mod")
            for name, module in network.named_modules()
        }
        # Modules of PyTorch's that are an activation, or little else, and give it their name.
        self.leaves = {
            module
            for module, path in self.paths.items()
            if path and type(module).__module__.startswith("torch.nn.")
            if not any(module.children())
        }
        shapes = {tuple(weight.shape) for weight in network.parameters()}
        self.weights = shapes | {shape[::-1] for shape in shapes}
        self.overwrites = self.rows_checked = self.modules_checked = False
        self.compiles_late = False
        self.first_layer: nn.Module | None = None
        self.elsewhere: str | None = None

    def run(self, inputs: Tensor, find: str = "") -> Any:
        """Run the network on one batch, and return its output. The inputs are not changed.

        With `find`, "nan" or "infinity", raise `NonFinite` at the first activation whose input
        has such values.
        """
        try:
            output = self._run_on_copy(inputs, find)
            if self.rows_doubtful and not self.rows_checked:
                self._check_rows(inputs)
                self.rows_checked = True
            return output
        except Refusal as refusal:
            raise ValueError(str(refusal)) from None
        except NonFinite:
            raise
        except Exception as error:
            if is_out_of_memory(error):
                raise
            raise ValueError(self._misfit(inputs, error)) from error

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

    def _run_on_copy(self, inputs: Tensor, find: str) -> Any:
        """Run the network, on a copy of the inputs if it overwrites them."""
        if not self.overwrites:
            try:
                return self._run(inputs, find)
            except InputsOverwritten:
                self.overwrites = True
        return self._run(inputs.clone(), find)

    def _run(self, inputs: Tensor, find: str = "") -> Any:
        self.n, self.find, self.thread = len(inputs), find, threading.get_ident()
        self.memory = 0 if self.overwrites else _memory(inputs)
        self.inside: list[tuple[nn.Module, int]] = []
        self.n_seen = 0
        self.rows_doubtful = False
        self.names: dict[str, None] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.packed: list[UInt8[Tensor, "n n_bytes"]] = []
        self.nan: list[Any] = []
        self.outputs: list[Tensor] = []
        compiler = "torch._dynamo" in sys.modules
        hooks = nullcontext() if self.modules_checked else self._hooks()
        eager = _eagerly() if self.compiles_late else nullcontext()
        with interrupts_held_back() as interrupts, eager, hooks, self, interrupts.let_through():
            output = self.network(inputs)
        self.modules_checked = True
        if not compiler and "torch._dynamo" in sys.modules:
            # It came while the network ran, and may have compiled a part of it: again, without.
            self.compiles_late = True
            return self._run(inputs, find)
        if self.elsewhere is not None:
            raise Refusal(
                f"network: {self.elsewhere or 'it'} ran in another thread, out of sight; run one "
                "after the other, or give each thread a copy of the network"
            )
        return output

    def _check_rows(self, inputs: Tensor) -> None:
        """Refuse a network of which an activation has no row for every input.

        One that has as many rows as there are inputs may have them by chance: members of an
        ensemble, steps of a sequence, rows of a weight. So another number of inputs is tried.
        """
        few = inputs[:2] if len(inputs) > 2 else torch.cat([inputs[:1]] * 3)
        watch = ActivationWatch(self.network, self.wanted, self.smooth)
        state = undisturbed(self.network, inputs.device, self.network.training)
        try:
            with state as interrupts, interrupts.let_through():
                watch._run_on_copy(few, find="")
        except RowsLost:
            raise
        except Exception:
            return  # the network takes no other number of inputs

    # -- where we are --------------------------------------------------------------------------

    @contextmanager
    def _hooks(self) -> Iterator[None]:
        enter = register_module_forward_pre_hook(self._enter)
        leave = register_module_forward_hook(self._leave, always_call=True)
        try:
            yield
        finally:
            enter.remove()
            leave.remove()

    def _enter(self, module: nn.Module, args: Any) -> None:
        if module not in self.paths:
            return
        if threading.get_ident() != self.thread:
            self.elsewhere = self.paths[module]
            return
        self.inside.append((module, self.n_seen))
        if self.first_layer is None and module._parameters:
            self.first_layer = module
            dimensions: Any = getattr(module, "kernel_size", ())  # of a convolution
            if dimensions and args and args[0].ndim == len(dimensions) + 1:
                raise Refusal(
                    f"inputs: layer {self.paths[module]} got one image of shape "
                    f"{tuple(args[0].shape)}, not a batch; pass inputs[None]"
                )

    def _leave(self, module: nn.Module, args: Any, output: Any) -> None:
        here = threading.get_ident() == self.thread
        if not here or not self.inside or self.inside[-1][0] is not module:
            return
        _, n_before = self.inside.pop()
        if self.n_seen == n_before and isinstance(module, MODULES) and isinstance(output, Tensor):
            raise Refusal(
                f"network: {self.paths[module]} is a {type(module).__name__}, but it ran "
                "without an operation that encode knows; write it as PyTorch's module does"
            )

    def _module(self) -> nn.Module:
        """Find the innermost module that is running: at every activation cheaper than hooks."""
        frame: FrameType | None = sys._getframe()
        while frame is not None:
            if frame.f_code is _CALL and frame.f_locals["self"] in self.paths:
                module: nn.Module = frame.f_locals["self"]
                return module
            frame = frame.f_back
        return self.network

    def _name(self, operation: str) -> str:
        module = self._module()
        name = self.paths[module]
        if module not in self.leaves:
            name = f"{name}.{operation.strip('_')}".removeprefix(".")
        first, repeat = name, 0
        while name in self.names:
            repeat += 1
            name = f"{first}_{repeat}"
        return name

    # -- operation by operation ----------------------------------------------------------------

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # PyTorch would wrap every operation to keep its compiler out; nothing is compiled here.
        return False

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        role = role_of(function)
        if role is None:
            return function(*args, **kwargs)
        if role.composite:
            # In inference mode it comes whole; else PyTorch has taken it apart before.
            with interrupts_held_back() as interrupts, self, interrupts.let_through():
                return function._op_dk(
                    torch._C.DispatchKey.CompositeImplicitAutograd, *args, **kwargs
                )
        if role.hidden:
            remedy = "write it as a step of its own, in PyTorch's operations"
            if "quantized" in role.name:
                remedy = "pass the network from which the quantized one was made"
            raise Refusal(
                f"network: {self._name(role.name)} runs {role.name}, which may apply an "
                f"activation out of sight; {remedy}"
            )
        if role.written and self.memory:
            self._check_overwritten(role, args, kwargs)
        n_kept = len(self.packed)
        if role.kinks is not None:
            # Before the call, because it may overwrite its input.
            self._record(role.name, args[0], role.kinks(*args[1:], **kwargs))
        elif role.smooth:
            if not self.smooth:
                raise Refusal(
                    f"network: {self._name(role.name)} applies {role.name}, which is smooth: its "
                    "units are never simply on or off. Pass smooth=True to take the sign of its "
                    "input as the bit"
                )
            self._record(role.name, args[0], (0.0,))
        output = function(*args, **kwargs)
        if self.values and len(self.packed) > n_kept:
            # A copy, because a later operation may overwrite it.
            self.outputs.append(output.clone())
        return output

    def _check_overwritten(self, role: Role, args: tuple[Any, ...], kwargs: Any) -> None:
        for key in role.written:
            if isinstance(key, int):
                written = args[key] if key < len(args) else None
            else:
                written = kwargs.get(key)
            for tensor in written if isinstance(written, (list, tuple)) else [written]:
                if (
                    isinstance(tensor, Tensor)
                    and tensor.layout is torch.strided
                    and _memory(tensor) == self.memory
                ):
                    raise InputsOverwritten

    def _record(self, operation: str, x: Tensor, kinks: Kinks) -> None:
        self.n_seen += 1
        strange = not_plain(x)
        if strange is not None:
            raise Refusal(
                f"network: {self._name(operation)} works on a tensor that is {strange[0]}, not "
                "plain; pass a network whose activations work on plain tensors"
            )
        # Code clamps whole numbers to keep an index in its range.
        index = operation.startswith("clamp") and not x.is_floating_point()
        if not kinks or x.ndim == 0 or index:
            return
        name = self._name(operation)
        self.names[name] = None
        if self.wanted is not None and name not in self.wanted:
            return
        bounds = [kink for kink in kinks if isinstance(kink, Tensor)]
        if bounds:
            x = torch.broadcast_tensors(x, *bounds)[0]
        if len(x) != self.n:
            raise RowsLost(
                f"network: {name} works on a tensor of shape {tuple(x.shape)}, whose first "
                f"dimension is not the batch of {self.n}; leave it out with layers=, or keep "
                "the batch first"
            )
        if self.n > 1 and (self.n in x.shape[1:] or tuple(x.shape) in self.weights):
            self.rows_doubtful = True
        if self.find:
            bad = x.isnan() if self.find == "nan" else ~x.isfinite()
            if bad.any():
                raise NonFinite(name, int(bad.reshape(self.n, -1).any(dim=1).int().argmax()))
        inner = tuple(x.shape[1:])
        self.shapes[name] = inner if len(kinks) == 1 else (len(kinks), *inner)
        on_cpu = x.device.type == "cpu"
        # nan gets into a sum, which costs a twentieth of looking for it.
        self.nan.append(math.isnan(x.sum().item()) if on_cpu else x.isnan().any())
        pack = pack_on_cpu if on_cpu else pack_on_device
        self.packed.append(pack(x, kinks))

    # -- what to say ---------------------------------------------------------------------------

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
        if not inputs.is_floating_point() and not inputs.is_complex():
            text += "; for images of whole numbers pass inputs / 255"
        if len(inputs) == 1 and "more than 1 value per channel" in str(error):
            text += "; one input alone has no variance: pass a batch_size that leaves none alone"
        if isinstance(error, (RuntimeError, IndexError)):
            return f"{text}. PyTorch says: {error}"
        return f"{text}. It says: {type(error).__name__}: {error}"


@contextmanager
def _eagerly() -> Iterator[None]:
    with torch.compiler.set_stance("force_eager"):
        yield


def _memory(tensor: Tensor) -> int:
    """Name the memory of a tensor and its views; tensors of some devices have no address there."""
    return int(tensor.untyped_storage()._cdata)


def wanted_layers(layers: Any) -> list[str] | None:
    """Return the names that `layers` asks for as a list; None asks for all."""
    return None if layers is None else one_or_several_names("layers", layers, "layers")


def network_to_watch(given: Any) -> nn.Module:
    """Return the network inside its wrappers, or say why it cannot be watched here."""
    if not isinstance(given, nn.Module):
        raise TypeError(f"network: a torch.nn.Module is needed, not {type(given).__name__}")
    # Where PyTorch traces or transforms what is computed, it is not computed.
    around = None
    if torch._C._functorch.peek_interpreter_stack() is not None:
        around = "a transform of torch.func (vmap, grad, ...)"
    elif torch._C._get_tracing_state() is not None or torch.compiler.is_compiling():
        around = "a function that PyTorch traces or compiles"
    else:
        for mode in _get_current_dispatch_mode_stack():
            if getattr(mode, "_mode_key", None) is not None:
                around = type(mode).__name__
    if around is not None:
        raise ValueError(
            f"network: it is to run inside {around}, where tensors have no numbers of their own; "
            "encode outside, and take the codes in"
        )
    return unwrap(given)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether a smaller batch might help."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
    )
