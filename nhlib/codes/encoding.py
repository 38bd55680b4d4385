"""From a network and its inputs to neural codes, batch by batch, on the CPU or on CUDA."""

import copy
import functools
import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from nhlib._progress import progress_bar
from nhlib.codes.activation_watch import ActivationWatch, NonFinite, is_out_of_memory, wanted_layers
from nhlib.codes.code_file import CodeFile
from nhlib.codes.neural_codes import NeuralCodes
from nhlib.data import Split
from nhlib.networks import (
    batch_size_for,
    batches_of,
    device_of,
    dtype_of,
    undisturbed,
    unwrapped,
)

# Numbers that are hashed at once.
_HASHED = 1 << 22


def encode(
    network: nn.Module,
    inputs: Any,
    layers: str | Sequence[str] | None = None,
    device: str | torch.device | None = None,
    batch_size: int | None = None,
    *,
    smooth: bool = False,
    train_mode: bool = False,
    out: str | os.PathLike[str] | None = None,
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
    out : path, optional
        Write the codes to this file, batch by batch, and return them mapped from it: they may
        be larger than the memory. What a killed run has written stays in ``OUT.partial``, and
        the same call goes on from there; once all is written, it returns at once. The inputs
        have to be a tensor, an array (a ``numpy.memmap``, too) or a Split; they and the weights
        are read once to recognise them.
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
    FileNotFoundError, FileExistsError
        If the folder of `out` does not exist; if `out` holds something else than these codes.

    Notes
    -----
    Many machines can share the work: each encodes a shard of the inputs to a file of its own.
    With Dask, and inputs in a file that all of them reach::

        def shard(start, stop):
            inputs = np.load("inputs.npy", mmap_mode="r")[start:stop]
            nhlib.encode(network, inputs, out=f"codes-{start:07}.safetensors")

        starts = range(0, n, 5_000)
        client.gather(client.map(shard, starts, [start + 5_000 for start in starts]))

    A shard whose machine dies is begun again by another one, and goes on where it was.

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
    network = unwrapped(network)
    home = device_of(network)
    if device is not None and torch.device(device) != home:
        network = copy.deepcopy(network).to(device)
        home = device_of(network, default=device)
    wanted = wanted_layers(layers)
    batches, n = batches_of(inputs, batch_size)
    file = None
    if out is not None:
        inputs = _array_of(inputs)
        rows = batch_size_for(inputs, batch_size)
        origin = _origin(network, inputs, wanted, smooth, train_mode, rows)
        file = CodeFile(out, len(inputs), origin, rows)
        batches, _ = batches_of(inputs[file.n_done :], rows)
    encoder = _Encoder(ActivationWatch(network, wanted, smooth), home, n, file)
    bar = progress_bar("encode", n, "inputs", progress, initial=encoder.done)
    with undisturbed(network, home, train_mode), bar:
        running: _Running | None = None
        for part in _in_parts(encoder.start, batches, may_split=not train_mode):
            # While the device works on this batch, the one before it is put away here.
            if running is not None:
                bar.update(encoder.collect(running))
            running = part
        if running is not None:
            bar.update(encoder.collect(running))
    if not encoder.done:
        raise ValueError("inputs: at least one example is needed, and there is none")
    return encoder.codes()


def _array_of(inputs: Any) -> Tensor | np.ndarray:
    if isinstance(inputs, Split):
        inputs = inputs.inputs
    if not isinstance(inputs, (Tensor, np.ndarray)):
        raise TypeError(
            "out: of a DataLoader nobody knows how many inputs it has, and whether they come "
            "again in this order; pass a tensor or an array, or leave out away"
        )
    return inputs


def _origin(network: nn.Module, inputs: Tensor | np.ndarray, *options: Any) -> str:
    """Name what codes are made from: a hash of the network, the inputs and the options."""
    found = hashlib.blake2b(repr((str(network), inputs.dtype, inputs.shape, options)).encode())
    for name, weight in network.state_dict().items():
        found.update(name.encode())
        found.update(_bytes(weight))
    step = max(1, _HASHED // max(1, int(np.prod(inputs.shape[1:]))))
    for start in range(0, len(inputs), step):
        found.update(_bytes(inputs[start : start + step]))
    return found.hexdigest()[:32]


def _bytes(array: Tensor | np.ndarray) -> memoryview:
    tensor = torch.from_numpy(np.array(array)) if isinstance(array, np.ndarray) else array
    return tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data


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

    def __init__(
        self, watch: ActivationWatch, device: torch.device, n: int | None, file: CodeFile | None
    ) -> None:
        self.watch, self.device, self.n, self.file = watch, device, n, file
        self.dtype = dtype_of(watch.network)
        self.done = file.n_done if file else 0
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
        watch.check_layers()
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

    def collect(self, running: _Running) -> int:
        if running.arrived is not None:
            running.arrived.synchronize()
        packed = running.packed.numpy()
        if not running.finite:
            self._locate_nonfinite(running.inputs)
        if not self.shapes:
            self.shapes = running.shapes
            if (
                self.n is not None and not self.file
            ):  # one allocation, so that the codes never exist twice
                self.parts = [np.empty((self.n, packed.shape[1]), np.uint8)]
        if running.shapes != self.shapes:
            raise ValueError(
                f"network: its activations change from batch to batch: {self.shapes} at first, "
                f"{running.shapes} from example {self.done} on"
            )
        if self.file:
            self.file.append(packed, self.shapes)
        elif self.n is None:
            self.parts.append(packed)
        else:
            self.parts[0][self.done : self.done + len(packed)] = packed
        self.done += len(packed)
        return len(packed)

    def codes(self) -> NeuralCodes:
        if self.file:
            return self.file.codes()
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
