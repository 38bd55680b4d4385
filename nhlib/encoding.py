"""From a network and its inputs to neural codes, batch by batch, on the CPU or on CUDA."""

import copy
import difflib
import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves
from torch.utils.data import DataLoader

from nhlib.activations import ActivationWatch, NonFinite, is_out_of_memory
from nhlib.arguments import whole_number
from nhlib.codes import NeuralCodes
from nhlib.datasets import Dataset, Split
from nhlib.progress import progress_bar

# By default a batch holds this many inputs, or as many as have this many numbers together.
BATCH_INPUTS, BATCH_NUMBERS = 8192, 1 << 22
_FLOATS = {torch.float16, torch.bfloat16, torch.float32, torch.float64} | {
    np.dtype(name) for name in ("float16", "float32", "float64")
}


def encode(
    network: nn.Module,
    inputs: Any,
    layers: str | Sequence[str] | None = None,
    device: str | torch.device | None = None,
    batch_size: int | None = None,
    *,
    smooth: bool = False,
    train_mode: bool = False,
    progress: bool = True,
) -> NeuralCodes:
    """Compute the neural code of every input: which units of the network are on.

    A bit is 1 where the unit's pre-activation (what goes into the activation function) is
    greater than 0. Layers come in the order in which they run; the bits of a layer in the
    order of its tensor's dimensions, channels before rows before columns.

    Seen are ``relu``, ``leaky_relu``, ``prelu`` (the sign of their input), ``threshold``
    and ``clamp`` at 0, as modules, functions or methods, in place or not. Activations with
    two kinks (ReLU6, hardtanh, ``clamp(a, b)``, shrinkage) give two bits a unit: first all
    bits "above the lower kink", then all bits "above the upper kink". A clamp with one bound
    other than 0 is taken for a guard, not for an activation. Gates (sigmoid, softmax) are
    ignored. ``maximum``, ``where``, ``abs`` and ``x * (x > 0)`` cannot be told from other
    arithmetic and are not seen; max-pooling adds borders between linear regions that no
    code sees.

    The network runs in eval mode without gradients, and is left as it was found: modes of
    all its modules, buffers, hooks, gradients, and the random state.

    Parameters
    ----------
    network : torch.nn.Module
        Any network. A layer is named as ``torchvision.models.feature_extraction`` names it:
        by the path of its module (``layer1.0.relu``), with ``_1``, ``_2`` for later calls;
        an activation written as a function is named after the module that calls it and the
        function. Compiled networks run uncompiled.
    inputs : tensor, array, nhlib.Split or torch DataLoader
        n inputs, counted by the first dimension, here and in every activation. Of what a
        DataLoader yields, the first part is taken (and a loader that shuffles shuffles the codes).
        Floating-point inputs are converted to the network's precision.
    layers : str or sequence of str, optional
        Names of the layers to keep, in the order in which they run. By default all.
    device : str or torch.device, optional
        Where to compute; a copy of the network goes there. By default where the network is.
    batch_size : int, optional
        Inputs at a time. By default 8,192, or fewer where 8,192 inputs have more than
        2²² numbers (1,365 images of 3 × 32 × 32). Halved when memory runs out. A bit whose
        pre-activation is within
        rounding of 0 may depend on it.
    smooth : bool, default False
        Also take the sign of the input of smooth activations (GELU, SiLU, ELU, tanh, …)
        instead of refusing them. Such codes do not name linear regions.
    train_mode : bool, default False
        Run in train mode: batch norm normalizes every batch by its own mean and variance and
        dropout drops. A code then depends on the batch in which its input came.
    progress : bool, default True
        Show a progress bar when it takes longer than two seconds.

    Returns
    -------
    NeuralCodes
        n codes, in the order of the inputs.

    Raises
    ------
    ValueError
        If there is no activation to see, a smooth or fused one, or none of the name asked
        for; if inputs do not fit the network; if its output is not finite because an input,
        a weight or a pre-activation is not (nan, infinity); if the network is
        scripted, not yet initialized or spread over several devices; if an activation's
        first dimension is not the batch.
    TypeError
        If `network` or `inputs` is of a wrong kind.

    Examples
    --------
    >>> import torch
    >>> network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
    >>> with torch.no_grad():
    ...     _ = network[0].weight.copy_(torch.tensor([[1., 0.], [0., 1.], [-1., -1.]]))
    ...     _ = network[0].bias.zero_()
    >>> encode(network, torch.tensor([[1., 2.], [-1., 2.]])).bits()
    array([[1, 1, 0],
           [0, 1, 0]], dtype=uint8)
    """
    if not isinstance(network, nn.Module):
        raise TypeError(f"network: a torch.nn.Module is needed, not {type(network).__name__}")
    network = _unwrapped(network)
    home = _device(network)
    if device is not None and torch.device(device) != home:
        network = copy.deepcopy(network).to(device)
        home = _device(network, default=device)
    batches, n = _batches(inputs, batch_size)
    wanted = [layers] if isinstance(layers, str) else layers
    if wanted is not None:
        wanted = list(wanted)
        if not wanted or not all(isinstance(name, str) for name in wanted):
            raise ValueError(f"layers: names of layers are needed, or None for all; not {layers!r}")
    encoder = _Encoder(ActivationWatch(network, wanted, smooth), home, n)
    bar = progress_bar("encode", n, "inputs", progress)
    with _undisturbed(network, home, train_mode), bar:
        running: _Running | None = None
        for part in _in_parts(encoder.start, batches, may_split=not train_mode):
            # While the device works on this batch, the one before it is put away here.
            if running is not None:
                bar.update(encoder.collect(running))
            running = part
        if running is None:
            raise ValueError("inputs: at least one example is needed, and there is none")
        bar.update(encoder.collect(running))
    return encoder.codes()


# -- what goes in --------------------------------------------------------------------------


def _batches(inputs: Any, batch_size: int | None) -> tuple[Iterable[Tensor], int | None]:
    """Cut inputs into batches; also count them, where that is known beforehand."""
    if batch_size is not None:
        batch_size = whole_number("batch_size", batch_size, 1)
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
    if inputs.ndim == 0:
        raise ValueError("inputs: the first dimension counts the inputs, but there is none")
    if inputs.ndim == 1 and inputs.dtype in _FLOATS:
        raise ValueError(
            f"inputs: one vector of {len(inputs)} numbers is no batch; pass inputs[None]"
        )
    n, numbers = len(inputs), int(np.prod(inputs.shape[1:]))
    size = batch_size or min(BATCH_INPUTS, max(1, BATCH_NUMBERS // max(1, numbers)))
    cuts = (inputs[start : start + size] for start in range(0, n, size))
    return (cut if isinstance(cut, Tensor) else _tensor(cut) for cut in cuts), n


def _tensor(array: np.ndarray) -> Tensor:
    # A copy, because an array may be read-only, reversed, mapped from a file, or of other bytes.
    return torch.from_numpy(np.array(array, dtype=array.dtype.newbyteorder("="), order="C"))


def _first_part(batch: Any) -> Tensor:
    first = batch[0] if isinstance(batch, (tuple, list)) else batch
    if not isinstance(first, Tensor):
        raise TypeError(
            "inputs: the DataLoader has to yield tensors, or tuples that begin with one, "
            f"not {type(first).__name__}"
        )
    return first


def _in_parts(
    start: Callable[[Tensor], "_Running"], batches: Iterable[Tensor], may_split: bool
) -> "Iterator[_Running]":
    """Start batch after batch, halving them when memory runs out."""
    limit = sys.maxsize
    for batch in batches:
        done = 0
        while done < len(batch):
            part = batch[done : done + limit]
            try:
                running = start(part)
            except (RuntimeError, MemoryError) as error:
                if not (may_split and len(part) > 1 and is_out_of_memory(error)):
                    raise
                running = None
            if running is None:  # not in the handler, where the traceback keeps tensors alive
                limit = len(part) // 2
            else:
                done += len(part)
                yield running


# -- the network, left as found ------------------------------------------------------------


def _unwrapped(network: nn.Module) -> nn.Module:
    # DataParallel and its distributed kin, and what torch.compile puts around a network.
    if isinstance(network, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        return _unwrapped(network.module)
    inner = getattr(network, "_orig_mod", None)
    return _unwrapped(inner) if isinstance(inner, nn.Module) else network


def _device(network: nn.Module, default: str | torch.device = "cpu") -> torch.device:
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
    return devices.pop() if devices else torch.device(default)


@contextmanager
def _undisturbed(network: nn.Module, device: torch.device, train_mode: bool) -> Iterator[None]:
    modules = list(network.modules())
    modes = [module.training for module in modules]
    buffers = [
        (module, name, buffer, buffer.clone())
        for module in modules
        for name, buffer in module._buffers.items()
        if buffer is not None
    ]
    fast_path = torch.backends.mha.get_fastpath_enabled()
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng([device] if device.type == "cuda" else []))
        # Inference mode would decompose operations differently, and would spoil tensors that
        # the network caches for a later backward pass.
        stack.enter_context(torch.no_grad())
        if "torch._dynamo" in sys.modules:  # else nothing is compiled, and importing it is slow
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        # The fused encoder layer of transformers hides its ReLU.
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            # Not network.train(): some networks override it to do more than set the mode.
            for module in modules:
                module.training = train_mode
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fast_path)
            for module, mode in zip(modules, modes, strict=True):
                module.training = mode
            for module, name, buffer, before in buffers:
                if not torch.equal(buffer, before):
                    buffer.copy_(before)
                module._buffers[name] = buffer


# -- batch after batch ---------------------------------------------------------------------


class _Running(NamedTuple):
    """A batch whose codes may still be on their way from the device."""

    inputs: Tensor
    shapes: dict[str, tuple[int, ...]]
    packed: UInt8[Tensor, "n n_bytes"]
    finite: Bool[Tensor, ""]  # is all of the network's output?
    arrived: torch.cuda.Event | None


class _Encoder:
    """Starts batches on the device, and puts their codes together."""

    def __init__(self, watch: ActivationWatch, device: torch.device, n: int | None) -> None:
        self.watch, self.device, self.n = watch, device, n
        floats = (p.dtype for p in watch.network.parameters() if p.is_floating_point())
        self.dtype = next(floats, None)
        self.done = 0
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.parts: list[UInt8[np.ndarray, "rows n_bytes"]] = []

    def _move(self, batch: Tensor) -> Tensor:
        if self.device.type == "cuda" and batch.device.type == "cpu":
            batch = batch.pin_memory()
        dtype = self.dtype if batch.is_floating_point() else None
        return batch.to(self.device, dtype or batch.dtype, non_blocking=True)

    def start(self, batch: Tensor) -> _Running:
        watch = self.watch
        output = watch.run(self._move(batch))
        self._check_layers()
        packed = watch.packed[0] if len(watch.packed) == 1 else torch.cat(watch.packed, dim=1)
        finite = _finite(output, self.device)
        watch.packed = []
        if self.device.type != "cuda":
            return _Running(batch, watch.shapes, packed.cpu(), finite.cpu(), None)
        packed_here = torch.empty_like(packed, device="cpu", pin_memory=True)
        packed_here.copy_(packed, non_blocking=True)
        finite_here = torch.empty_like(finite, device="cpu", pin_memory=True)
        finite_here.copy_(finite, non_blocking=True)
        arrived = torch.cuda.Event()
        arrived.record(torch.cuda.current_stream(self.device))
        return _Running(batch, watch.shapes, packed_here, finite_here, arrived)

    def _check_layers(self) -> None:
        names, wanted = list(self.watch.names), self.watch.wanted
        if not names:
            raise ValueError(
                "network: it ran without any ReLU-like activation; encode sees relu, leaky_relu, "
                "prelu, clamp, hardtanh and their kin, but not maximum, where or x * (x > 0)"
            )
        for name in wanted if wanted is not None else names:
            if name not in self.watch.names:
                near = difflib.get_close_matches(name, names, n=1)
                hint = f", did you mean {near[0]!r}?" if near else ";"
                raise ValueError(f"layers: no layer {name!r}{hint} there are {', '.join(names)}")

    def collect(self, running: _Running) -> int:
        if running.arrived is not None:
            running.arrived.synchronize()
        packed = running.packed.numpy()
        if not running.finite:
            self._locate_nonfinite(running.inputs)
        if not self.done:
            self.shapes = running.shapes
            if self.n is not None:  # one allocation, so that the codes never exist twice
                self.parts = [np.empty((self.n, packed.shape[1]), np.uint8)]
        if running.shapes != self.shapes:
            raise ValueError(
                f"network: its activations change from batch to batch: {self.shapes} at first, "
                f"{running.shapes} from example {self.done} on"
            )
        if self.n is None:
            self.parts.append(packed)
        else:
            self.parts[0][self.done : self.done + len(packed)] = packed
        self.done += len(packed)
        return len(packed)

    def codes(self) -> NeuralCodes:
        packed = self.parts[0] if len(self.parts) == 1 else np.concatenate(self.parts)
        return NeuralCodes(packed, self.shapes)

    def _locate_nonfinite(self, inputs: Tensor) -> None:
        bad = ~inputs.isfinite().reshape(len(inputs), -1).all(dim=1)
        if bad.any():
            example = self.done + int(bad.int().argmax())
            raise ValueError(f"inputs: example {example} holds nan or infinity")
        for name, parameter in self.watch.network.named_parameters():
            if not parameter.isfinite().all():
                raise ValueError(f"network: {name} holds nan or infinity; did training diverge?")
        try:
            self.watch.run(self._move(inputs), find_nonfinite=True)
        except NonFinite as found:
            raise ValueError(
                f"network: values overflow on the way to layer {found.layer}, "
                f"first for example {self.done + found.example}"
            ) from None
        # Only the output is infinite (masked scores, say): the codes are right.


def _finite(output: Any, device: torch.device) -> Bool[Tensor, ""]:
    # Looked for at the output, where it costs little: nan and infinity nearly always get there,
    # and then into the sum. That a sum of finite numbers overflows is a false alarm.
    floats = (t for t in tree_leaves(output) if isinstance(t, Tensor) and t.is_floating_point())
    sums = [leaf.sum() for leaf in floats]
    total = functools.reduce(torch.add, sums) if sums else torch.zeros((), device=device)
    return total.isfinite()
