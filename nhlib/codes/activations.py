"""The real numbers behind the codes."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float32
from torch import Tensor, nn

from nhlib._interrupts import interrupts_held_back
from nhlib._progress import progress_bar
from nhlib.codes.activation_watch import ActivationWatch, network_to_watch, wanted_layers
from nhlib.networks import batches_of, device_of, dtype_of, undisturbed


def hidden_activations(
    network: nn.Module,
    inputs: Any,
    layers: str | Sequence[str] | None = None,
    batch_size: int | None = None,
    *,
    sum_space: bool = False,
    progress: bool = True,
) -> Float32[Tensor, "n units"]:
    """Compute the real numbers behind the codes: the outputs of all hidden units.

    Units come in the order of the bits of `nhlib.encode`; of a ReLU, the output is positive
    exactly where the bit is 1. The network is left as it was found.

    Parameters
    ----------
    network : torch.nn.Module
        Any network that `nhlib.encode` takes; computed where it is.
    inputs : tensor, array, nhlib.Split or torch DataLoader
        n inputs.
    layers : str or sequence of str, optional
        Names of the layers to keep, as for `nhlib.encode`. By default all.
    batch_size : int, optional
        Inputs at a time; by default as for `nhlib.encode`.
    sum_space : bool, default False
        Sum every channel of a convolution (the dimension after the batch) over all places of
        the image: one number a channel, as the authors' scripts for ImageNet do [1]_. They take
        each block's branch before the sum; those of `nhlib.resnet20` and its kin are the layers
        whose names do not end in ``_1``. Codes of the sums are
        ``NeuralCodes.from_bits(sums > 0)``: of ReLUs, is a channel on anywhere?
    progress : bool, default True
        Show a progress bar when it takes longer than two seconds.

    Returns
    -------
    float32 tensor, shape (n, units)
        On the CPU; 32 times as large as the codes, or one number a channel.

    Raises
    ------
    TypeError, ValueError
        If the network, the inputs or the layers are not what `nhlib.encode` takes, or an
        activation is not finite.

    References
    ----------
    .. [1] Code of F. He, S. Lei, J. Ji and D. Tao, "Neural networks behave as hash encoders: An
       empirical study", 2021: the repository LeavesLei/activation-code.

    Examples
    --------
    >>> import nhlib as nh
    >>> data = nh.load("digits")
    >>> network = nh.mlp(data.n_inputs, [50], data.n_classes)
    >>> outputs = nh.hidden_activations(network, data.test)
    >>> bool(((outputs > 0).numpy() == nh.encode(network, data.test).bits()).all())
    True
    >>> images = data.test.inputs.reshape(-1, 1, 8, 8)
    >>> network = nh.resnet20(in_channels=1)
    >>> nh.hidden_activations(network, images, "layer3.0.relu").shape
    torch.Size([360, 256])
    >>> nh.hidden_activations(network, images, "layer3.0.relu", sum_space=True).shape
    torch.Size([360, 64])
    """
    network = network_to_watch(network)
    home = device_of(network)
    dtype = dtype_of(network)
    batches, n = batches_of(inputs, batch_size)
    watch = ActivationWatch(network, wanted_layers(layers), smooth=False, values=True)
    parts = []
    with (
        undisturbed(network, home, train_mode=False) as interrupts,
        progress_bar("activations", n, "inputs", progress) as bar,
        interrupts.let_through(),
    ):
        for batch in batches:
            watch.run(batch.to(home, dtype if batch.is_floating_point() else batch.dtype))
            watch.check_layers()
            outputs = [x.float().flatten(1) for x in watch.outputs]
            if sum_space:
                outputs = [
                    flat.unflatten(1, (x.shape[1], -1)).sum(dim=2)
                    for flat, x in zip(outputs, watch.outputs, strict=True)
                ]
            parts.append(torch.cat(outputs, dim=1).to("cpu", torch.float32))
            if not parts[-1].isfinite().all():
                raise ValueError(
                    "inputs: an activation is nan or infinity; does encode take network and inputs?"
                )
            with interrupts_held_back():
                bar.update(len(batch))
        if not parts:
            raise ValueError("inputs: at least one example is needed, and there is none")
        return torch.cat(parts)
