"""Running a network on inputs, batch by batch, and leaving it as it was found."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from nhlib._arguments import whole_number
from nhlib._interrupts import Gate, interrupts_held_back
from nhlib.data import Dataset, Split

# By default a batch holds this many inputs, or as many as have this many numbers together.
BATCH_INPUTS, BATCH_NUMBERS = 8192, 1 << 22
_FLOATS = {torch.float16, torch.bfloat16, torch.float32, torch.float64} | {
    np.dtype(name) for name in ("float16", "float32", "float64")
}


def batches_of(inputs: Any, batch_size: int | None) -> tuple[Iterable[Tensor], int | None]:
    """Cut inputs into batches; also count them, where that is known beforehand."""
    if isinstance(inputs, Dataset):
        raise TypeError("inputs: a Dataset has two splits; pass data.train or data.test")
    if isinstance(inputs, DataLoader):
        if batch_size is not None:
            raise ValueError("batch_size: a DataLoader brings its own; leave batch_size out")
        return map(_first_part, inputs), None
    if isinstance(inputs, Split):
        inputs = inputs.inputs
    if not isinstance(inputs, (Tensor, np.ndarray)):
        raise TypeError(
            "inputs: a tensor, an array, a Split or a DataLoader is needed, "
            f"not {type(inputs).__name__}"
        )
    _check_numbers(inputs)
    if inputs.ndim == 0:
        raise ValueError("inputs: the first dimension counts the inputs, but there is none")
    if inputs.ndim == 1 and inputs.dtype in _FLOATS:
        raise ValueError(
            f"inputs: one vector of {len(inputs)} numbers is no batch; pass inputs[None]"
        )
    n, size = len(inputs), batch_size_for(inputs, batch_size)
    cuts = (inputs[start : start + size] for start in range(0, n, size))
    return map(as_tensor, cuts), n


def batch_size_for(inputs: Tensor | np.ndarray, batch_size: int | None) -> int:
    """Return how many of the inputs come at a time: as many as were asked for, or the default."""
    if batch_size is not None:
        return whole_number("batch_size", batch_size, 1)
    numbers = max(1, int(np.prod(inputs.shape[1:])))
    return min(BATCH_INPUTS, max(1, BATCH_NUMBERS // numbers))


def as_tensor(numbers: Tensor | np.ndarray) -> Tensor:
    """Return a plain tensor: of a tensor the same memory, of an array a copy."""
    if isinstance(numbers, Tensor):
        return numbers if type(numbers) is Tensor else numbers.as_subclass(Tensor)
    # A copy, because an array may be read-only, reversed, mapped from a file, or of other bytes.
    return torch.from_numpy(np.array(numbers, numbers.dtype.newbyteorder("="), order="C"))


def _first_part(batch: Any) -> Tensor:
    first = batch[0] if isinstance(batch, (tuple, list)) else batch
    if not isinstance(first, Tensor):
        raise TypeError(
            "inputs: the DataLoader has to yield tensors, or tuples that begin with one, "
            f"not {type(first).__name__}"
        )
    _check_numbers(first)
    return as_tensor(first)


def _check_numbers(inputs: Tensor | np.ndarray) -> None:
    """Refuse what has no plain numbers, one beside the other in memory."""
    if isinstance(inputs, np.ndarray):
        if np.ma.is_masked(inputs):
            raise TypeError(
                "inputs: some numbers of this array are masked, and a network takes all; "
                "pass inputs.filled(0), or another number than 0"
            )
        try:
            torch.from_numpy(np.empty(0, inputs.dtype.newbyteorder("=")))
        except TypeError:
            raise TypeError(
                f"inputs: numbers are needed, and this is an array of dtype {inputs.dtype}; "
                "if it holds numbers, pass inputs.astype(np.float32)"
            ) from None
        return
    strange = not_plain(inputs)
    if strange is not None:
        kind, remedy = strange
        raise TypeError(f"inputs: a plain tensor is needed, and this one is {kind}; pass {remedy}")


def not_plain(tensor: Tensor) -> tuple[str, str] | None:
    """Say what a tensor is that has no plain numbers in memory, and what to take instead."""
    if tensor.is_quantized:
        return "quantized", "inputs.dequantize()"
    if tensor.is_nested:
        return "nested", "inputs.to_padded_tensor(0.0)"
    if tensor.is_meta:
        return "on the device meta, without numbers", "one with numbers"
    if tensor.layout is not torch.strided:
        return str(tensor.layout).removeprefix("torch."), "inputs.to_dense()"
    # A device that is written in Python has a class of tensors of its own.
    in_python = tensor.device.type == torch._C._get_privateuse1_backend_name()
    if type(tensor).__torch_dispatch__ is not Tensor.__torch_dispatch__ and not in_python:
        return f"a {type(tensor).__name__}", "a torch.Tensor"
    return None


def unwrap(network: nn.Module) -> nn.Module:
    """Return the network inside DataParallel, its distributed kin and torch.compile."""
    if isinstance(network, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        return unwrap(network.module)
    inner = getattr(network, "_orig_mod", None)
    return unwrap(inner) if isinstance(inner, nn.Module) else network


def device_of(network: nn.Module, default: str | torch.device = "cpu") -> torch.device:
    """Return the one device of a network that can be watched, or say why it cannot be."""
    tensors = dict(network.named_parameters()) | dict(network.named_buffers())
    for name, tensor in tensors.items():
        if nn.parameter.is_lazy(tensor):
            raise ValueError(f"network: {name} has no shape yet; run the network once first")
    for name, module in network.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            raise ValueError(
                f"network: {name or 'it'} is scripted, and may fuse activations out of sight; "
                "pass the network that it was scripted or traced from"
            )
    devices = {tensor.device for tensor in tensors.values()}
    if len(devices) > 1:
        raise ValueError(
            f"network: its parameters are on {', '.join(sorted(map(str, devices)))}; "
            "move it to one device first, with network.to(...)"
        )
    if torch.device("meta") in devices:
        raise ValueError(
            "network: it is on the device meta, where weights have no numbers; give it some, with "
            "network.to_empty(device='cpu') and network.load_state_dict(...)"
        )
    return devices.pop() if devices else torch.device(default)


def dtype_of(network: nn.Module) -> torch.dtype | None:
    """Return the precision of a network: that of its first floating-point parameter, if any."""
    floats = (p.dtype for p in network.parameters() if p.is_floating_point())
    return next(floats, None)


@contextmanager
def undisturbed(network: nn.Module, device: torch.device, train_mode: bool) -> Iterator[Gate]:
    """Run a network in eval or train mode without gradients, and restore all that running changes.

    Modes of all modules, buffers, and the random state of the CPU and of `device`. Interrupts are
    held back, until the block lets them through::

        with undisturbed(network, device, train_mode=False) as interrupts, interrupts.let_through():
            network(inputs)
    """
    modules = list(network.modules())
    modes = [module.training for module in modules]
    fast_path = torch.backends.mha.get_fastpath_enabled()
    with interrupts_held_back() as interrupts, ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng([device] if device.type == "cuda" else []))
        # Inference mode would spoil tensors that the network caches for a later backward pass.
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.no_grad())
        if "torch._dynamo" in sys.modules:  # else nothing is compiled, and importing it is slow
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        # Optimized, a scripted function may fuse its activations out of sight.
        stack.enter_context(torch.jit._fuser.optimized_execution(False))
        buffers = [(module, dict(module._buffers)) for module in modules]
        values = {id(b): b.clone() for _, held in buffers for b in held.values() if b is not None}
        # The fused encoder layer of transformers hides its ReLU.
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            # Not network.train(): some networks override it to do more than set the mode.
            for module in modules:
                module.training = train_mode
            yield interrupts
        finally:
            torch.backends.mha.set_fastpath_enabled(fast_path)
            for module, mode in zip(modules, modes, strict=True):
                module.training = mode
            for module, held in buffers:
                for buffer in held.values():
                    if buffer is not None and not _same(buffer, values[id(buffer)]):
                        buffer.copy_(values[id(buffer)])
                if not isinstance(module, torch.jit.ScriptModule):  # which keeps its own
                    module._buffers.clear()
                    module._buffers.update(held)


def _same(one: Tensor, other: Tensor) -> bool:
    # Of sparse tensors PyTorch does not know.
    return one.layout is torch.strided and torch.equal(one, other)
