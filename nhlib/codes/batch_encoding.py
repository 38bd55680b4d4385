"""Batches on their way through the network: started, perhaps on a device, and put together."""

import math
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.utils._pytree import tree_leaves

from nhlib.codes.activation_watch import ActivationWatch, NonFinite, is_out_of_memory
from nhlib.codes.code_file import CodeFile
from nhlib.codes.neural_codes import NeuralCodes
from nhlib.networks import batches_of, dtype_of


class Running(NamedTuple):
    """A batch whose codes may still be on their way from the device."""

    inputs: Tensor
    shapes: dict[str, tuple[int, ...]]
    packed: UInt8[Tensor, "n n_bytes"]
    healthy: Any  # two: is the output finite, and what goes into activations free of nan?
    arrived: torch.cuda.Event | None


class BatchEncoder:
    """Starts batches on the device, and puts their codes together.

    Parameters
    ----------
    watch : ActivationWatch
        Runs the network.
    device : torch.device
        Where that is.
    n : int or None
        Number of inputs, if it is known.
    file : CodeFile, optional
        Where the codes go. By default they stay in memory.
    """

    def __init__(
        self,
        watch: ActivationWatch,
        device: torch.device,
        n: int | None,
        file: CodeFile | None = None,
    ) -> None:
        self.watch, self.device, self.n, self.file = watch, device, n, file
        self.dtype = dtype_of(watch.network)
        self.done = file.n_done if file else 0
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.parts: list[UInt8[np.ndarray, "rows n_bytes"]] = []

    def start_all(self, batches: Iterable[Tensor], may_split: bool) -> Iterator[Running]:
        """Start batch after batch, halving them when memory runs out."""
        limit = sys.maxsize
        for batch in batches:
            done = 0
            while done < len(batch):
                part = batch[done : done + limit]
                try:
                    running = self._start(part)
                except (RuntimeError, MemoryError) as error:
                    if not (may_split and len(part) > 1 and is_out_of_memory(error)):
                        raise
                    running = None
                if running is None:  # not in the handler, where the traceback keeps tensors alive
                    limit = len(part) // 2
                else:
                    done += len(part)
                    yield running

    def collect(self, running: Running) -> int:
        """Put the codes of a batch away, and return how many there are."""
        packed = self._arrivals(running)
        if not self.shapes:
            self.shapes = running.shapes
            if self.n is not None and not self.file:
                # One allocation, so that the codes never exist twice.
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

    def check_file(self, inputs: Tensor | np.ndarray, batch_size: int, may_split: bool) -> None:
        """Encode the first and the last batch that the file has once more, and compare."""
        assert self.file is not None
        starts = {0, (self.done - 1) // batch_size * batch_size} if self.done else set()
        for start in sorted(starts):
            batches, _ = batches_of(inputs[start : min(start + batch_size, self.done)], batch_size)
            for running in self.start_all(batches, may_split):
                packed = self._arrivals(running)
                self.file.check_layers(running.shapes)
                self.file.check_rows(packed, start)
                start += len(packed)

    def codes(self) -> NeuralCodes:
        """Return all codes, once they are there."""
        if self.file:
            return self.file.codes()
        packed = self.parts[0] if len(self.parts) == 1 else np.concatenate(self.parts)
        return NeuralCodes._own(packed, self.shapes)

    def _start(self, batch: Tensor) -> Running:
        watch = self.watch
        output = watch.run(self._move(batch))
        watch.check_layers()
        packed = watch.packed[0] if len(watch.packed) == 1 else torch.cat(watch.packed, dim=1)
        watch.packed = []
        if self.device.type == "cpu":
            total = sum(leaf.sum().item() for leaf in _floats(output))
            return Running(
                batch, watch.shapes, packed, (math.isfinite(total), not any(watch.nan)), None
            )
        sums = [leaf.sum() for leaf in _floats(output)] or [torch.zeros((), device=self.device)]
        finite = torch.stack([part.isfinite() for part in sums]).all()
        healthy = torch.stack([finite, ~torch.stack(watch.nan).any()])
        if self.device.type != "cuda":
            return Running(batch, watch.shapes, packed.cpu(), healthy.cpu(), None)
        packed_here = torch.empty_like(packed, device="cpu", pin_memory=True)
        packed_here.copy_(packed, non_blocking=True)
        healthy_here = torch.empty_like(healthy, device="cpu", pin_memory=True)
        healthy_here.copy_(healthy, non_blocking=True)
        arrived = torch.cuda.Event()
        arrived.record(torch.cuda.current_stream(self.device))
        return Running(batch, watch.shapes, packed_here, healthy_here, arrived)

    def _move(self, batch: Tensor) -> Tensor:
        if self.device.type == "cuda" and batch.device.type == "cpu":
            batch = batch.pin_memory()
        dtype = self.dtype if batch.is_floating_point() else None
        return batch.to(self.device, dtype or batch.dtype, non_blocking=True)

    def _arrivals(self, running: Running) -> UInt8[np.ndarray, "rows n_bytes"]:
        """Wait for the codes of a batch, and refuse them if the network computed nonsense."""
        if running.arrived is not None:
            running.arrived.synchronize()
        if not all(running.healthy):
            self._locate(running)
        packed: UInt8[np.ndarray, "rows n_bytes"] = running.packed.numpy()
        return packed

    def _locate(self, running: Running) -> None:
        inputs = running.inputs
        bad = ~inputs.isfinite().reshape(len(inputs), -1).all(dim=1)
        if bad.any():
            example = self.done + int(bad.int().argmax())
            raise ValueError(f"inputs: example {example} holds nan or infinity")
        for name, parameter in self.watch.network.named_parameters():
            if not parameter.isfinite().all():
                raise ValueError(f"network: {name} holds nan or infinity; did training diverge?")
        try:
            for what, healthy in zip(("infinity", "nan"), running.healthy, strict=True):
                if not healthy:
                    self.watch.run(self._move(inputs), find=what)
        except NonFinite as found:
            raise ValueError(
                f"network: values overflow on the way to layer {found.layer}, "
                f"first for example {self.done + found.example}"
            ) from None
        # Only the output is infinite (masked scores, say): the codes are right.


def _floats(output: Any) -> Iterator[Tensor]:
    # Infinity nearly always gets to the output, where looking for it costs little, and then into
    # the sum. That a sum of finite numbers overflows is a false alarm.
    return (t for t in tree_leaves(output) if isinstance(t, Tensor) and t.is_floating_point())
