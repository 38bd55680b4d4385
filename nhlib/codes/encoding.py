"""From a network and its inputs to neural codes, batch by batch, on the CPU or on CUDA."""

import copy
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nhlib._arguments import torch_device
from nhlib._interrupts import interrupts_held_back
from nhlib._progress import progress_bar
from nhlib.codes.activation_watch import (
    ActivationWatch,
    is_out_of_memory,
    network_to_watch,
    wanted_layers,
)
from nhlib.codes.batch_encoding import BatchEncoder, Running
from nhlib.codes.code_file import CodeFile
from nhlib.codes.neural_codes import NeuralCodes
from nhlib.codes.origin import origin_of
from nhlib.data import Split
from nhlib.networks import batch_size_for, batches_of, device_of, undisturbed


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
    greater than 0, where the slope of a ReLU changes. Layers come in the order in which they
    run; the bits of a layer in the order of its tensor's dimensions, channels before rows
    before columns.

    Seen are ``relu``, ``leaky_relu``, ``prelu``, ``rrelu`` (the sign of their input), ``clamp``
    at 0, and ``threshold`` (is the input above the threshold?), as modules, functions or
    methods, in place or not. Activations with two kinks (ReLU6, hardtanh, ``clamp(a, b)``,
    shrinkage) give two bits a unit: first all bits "above the lower kink", then all bits "above
    the upper kink". A clamp with one bound other than 0, or of whole numbers, is taken for a
    guard, not for an activation. Gates (sigmoid, softmax) are ignored. What PyTorch has no
    operation for (``maximum``, ``where``, ``abs``, ``x * (x > 0)``, softsign) cannot be told
    from other arithmetic and is not seen; max-pooling adds borders between linear regions that
    no code sees.

    The network runs in eval mode without gradients, and is left as it was found: modes of
    all its modules, buffers, hooks, gradients, and the random state. So are the inputs. Inside
    ``torch.inference_mode`` codes are the same; under ``torch.autocast`` they are those of the
    network as it runs there.

    Parameters
    ----------
    network : torch.nn.Module
        Any network. A layer is named as ``torchvision.models.feature_extraction`` names it:
        by the path of its module (``layer1.0.relu``), with ``_1``, ``_2`` for later calls;
        an activation written as a function is named after the module that calls it and the
        function. Compiled networks run uncompiled. A network may not apply activations out of
        sight: in quantized or fused operations, in those of another library, or in a thread.
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
        the same call goes on from there. The inputs have to be a tensor, an array (a
        ``numpy.memmap``, too) or a Split. To recognise them, the inputs, the weights and the
        code of a ``forward`` of your own are read once, and the first and the last batch that
        the file has are encoded again: all of their bits have to be equal.
    progress : bool, default True
        Show a progress bar when it takes longer than two seconds.

    Returns
    -------
    NeuralCodes
        n codes, in the order of the inputs.

    Raises
    ------
    ValueError
        If there is no activation to see, one that PyTorch calls by a smooth function's name, one
        out of sight, or none of the name asked for; if inputs do not fit the network; if a
        pre-activation is nan, or its output is not finite because an input, a weight or a
        pre-activation is not; if the network is scripted, on the device meta, not yet
        initialized or spread over several devices, or cannot be copied to `device`; if an
        activation's first dimension is not the batch; if `train_mode` is to normalize a last
        batch of one input; inside ``torch.func.vmap`` and its kin, or where PyTorch traces.
    TypeError
        If `network`, `inputs`, `layers` or `device` is of a wrong kind.
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
    network = network_to_watch(network)
    home = device_of(network)
    if device is not None and torch_device("device", device) != home:
        network = _copy_on(device, network)
        home = device_of(network, default=device)
    watch = ActivationWatch(network, wanted_layers(layers), smooth)
    batches, n = batches_of(inputs, batch_size)
    file, rows, may_split = None, 1, not train_mode
    if out is not None:
        inputs = _array_of(inputs)
        rows = batch_size_for(inputs, batch_size)
        origin = origin_of(network, inputs, watch.wanted, smooth, train_mode, rows)
        file = CodeFile(out, len(inputs), origin, rows)
        batches, _ = batches_of(inputs[file.n_done :], rows)
    encoder = BatchEncoder(watch, home, n, file)
    with (
        undisturbed(network, home, train_mode) as interrupts,
        progress_bar("encode", n, "inputs", progress, initial=encoder.done) as bar,
        interrupts.let_through(),
    ):
        if file is not None:
            encoder.check_file(inputs, rows, may_split)
        before: Running | None = None
        for running in encoder.start_all(batches, may_split):
            # While the device works on this batch, the one before it is put away here.
            if before is not None:
                with interrupts_held_back():
                    bar.update(encoder.collect(before))
            before = running
        if before is not None:
            with interrupts_held_back():
                bar.update(encoder.collect(before))
    if not encoder.done:
        raise ValueError("inputs: at least one example is needed, and there is none")
    return encoder.codes()


def _copy_on(device: str | torch.device, network: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(network).to(device)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise ValueError(
            f"device: the network cannot be copied there ({type(error).__name__}: {error}); "
            f"move it yourself, by network.to({str(device)!r}), and leave device away"
        ) from error


def _array_of(inputs: Any) -> Tensor | np.ndarray:
    if isinstance(inputs, Split):
        inputs = inputs.inputs
    if not isinstance(inputs, (Tensor, np.ndarray)):
        raise TypeError(
            "out: of a DataLoader nobody knows how many inputs it has, and whether they come "
            "again in this order; pass a tensor or an array, or leave out away"
        )
    return inputs
