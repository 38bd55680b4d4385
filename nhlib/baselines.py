"""What codes are to be compared with, on the same examples and with the same classifiers."""

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn
from torch.nn.utils import skip_init

from nhlib.activations import ActivationWatch, wanted_layers
from nhlib.arguments import whole_number
from nhlib.categorization import categorize
from nhlib.codes import NeuralCodes
from nhlib.datasets import Dataset, Split
from nhlib.encoding import encode
from nhlib.inference import batches_of, device_of, dtype_of, undisturbed, unwrapped
from nhlib.progress import progress_bar
from nhlib.training import accuracy_of

if TYPE_CHECKING:
    import pandas as pd


def random_hyperplanes(inputs: Any, n_bits: int, seed: int = 0) -> nn.Sequential:
    r"""Build a layer of units whose borders are random hyperplanes through the mean input.

    Unit :math:`j` is on where :math:`w_j \cdot (x - \bar x) > 0`, with :math:`w_j` drawn from
    the normal distribution and :math:`\bar x` the mean of the inputs. The codes of this
    layer are those of *locality-sensitive hashing* by random projection [1]_: two inputs
    differ in a bit with probability θ/π, where θ is the angle under which the mean sees
    them. The layer knows no labels and learns nothing: what its codes do, any codes of
    equal length should beat.

    Hyperplanes through the origin would be a weaker opponent: images have no negative
    pixels, so that the origin sees them all under small angles.

    Parameters
    ----------
    inputs : float tensor of shape (n, \*shape), or nhlib.Split
        The inputs whose mean the hyperplanes go through: training inputs.
    n_bits : int
        How many hyperplanes, at least 1.
    seed : int, default 0
        Seed of their directions; the global random state is not used.

    Returns
    -------
    torch.nn.Sequential
        Layers ``flatten``, ``linear1`` and ``relu1``, in float32, for `nhlib.encode`.

    Raises
    ------
    TypeError, ValueError
        If there are no inputs, or a number is out of range.

    References
    ----------
    .. [1] M. Charikar, "Similarity estimation techniques from rounding algorithms", STOC
       2002.

    Examples
    --------
    >>> import nhlib as nh
    >>> data = nh.load("digits")
    >>> nh.encode(nh.random_hyperplanes(data.train, 50), data.test)
    NeuralCodes(360 examples × 50 bits, relu1: 50)
    """
    points = inputs.inputs if isinstance(inputs, Split) else inputs
    if isinstance(points, (np.ndarray, list, tuple)):
        points = torch.from_numpy(np.array(points, np.float64, order="C"))
    if not isinstance(points, Tensor):
        raise TypeError(
            f"inputs: a tensor, an array or a Split is needed, not {type(inputs).__name__}"
        )
    if points.ndim < 2 or not len(points):
        raise ValueError(f"inputs: shape (n, *shape) is needed, not {tuple(points.shape)}")
    mean = points.flatten(1).to(torch.float64).mean(dim=0).cpu()
    n_bits = whole_number("n_bits", n_bits, 1)
    generator = torch.Generator().manual_seed(whole_number("seed", seed, 0))
    directions = torch.randn(n_bits, len(mean), dtype=torch.float64, generator=generator)
    linear: nn.Linear = skip_init(nn.Linear, len(mean), n_bits, device="cpu", dtype=torch.float32)
    with torch.no_grad():
        linear.weight.copy_(directions)
        linear.bias.copy_(-directions @ mean)
    return nn.Sequential(OrderedDict(flatten=nn.Flatten(), linear1=linear, relu1=nn.ReLU()))


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
        the image: one number a channel, as the paper describes networks for ImageNet [1]_. Of a
        residual network it takes the first layer and each block's branch before the sum; those
        of `nhlib.resnet20` and its kin are the layers whose names do not end in ``_1``. Codes
        of the sums are ``NeuralCodes.from_bits(sums > 0)``: of ReLUs, is a channel on anywhere?
    progress : bool, default True
        Show a progress bar when it takes longer than two seconds.

    Returns
    -------
    float32 tensor, shape (n, units)
        On the CPU; 32 times as large as the codes, or one number a channel.

    Raises
    ------
    TypeError, ValueError
        If the network, the inputs or the layers are not what `nhlib.encode` takes.

    References
    ----------
    .. [1] F. He, S. Lei, J. Ji and D. Tao, "Neural networks behave as hash encoders: An
       empirical study", arXiv:2101.05490, 2021.

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
    if not isinstance(network, nn.Module):
        raise TypeError(f"network: a torch.nn.Module is needed, not {type(network).__name__}")
    network = unwrapped(network)
    home = device_of(network)
    dtype = dtype_of(network)
    batches, n = batches_of(inputs, batch_size)
    watch = ActivationWatch(network, wanted_layers(layers), smooth=False, values=True)
    parts = []
    with (
        undisturbed(network, home, train_mode=False),
        progress_bar("activations", n, "inputs", progress) as bar,
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
            bar.update(len(batch))
    if not parts:
        raise ValueError("inputs: at least one example is needed, and there is none")
    return torch.cat(parts)


def compare_with_baselines(
    network: nn.Module,
    untrained: nn.Module,
    data: Dataset,
    seed: int = 0,
    device: str | torch.device = "cpu",
    progress: bool = True,
) -> "pd.DataFrame":
    """Measure how well classes are told by codes, and by what codes should be compared with.

    All learn from ``data.train`` and are asked about ``data.test``, and all by the same
    classifiers (see `nhlib.categorize`). The real numbers are taken as they are.

    Parameters
    ----------
    network : torch.nn.Module
        The trained network.
    untrained : torch.nn.Module
        The same before training: ``history.network(0)``.
    data : Dataset
        What it was trained and tested on.
    seed : int, default 0
        Of the random hyperplanes.
    device : str or torch.device, default "cpu"
        Where the classifiers compute.
    progress : bool, default True
        Show a progress bar when it takes longer than two seconds.

    Returns
    -------
    DataFrame
        One row a representation and a method: ``representation``, one of ``"codes"``,
        ``"untrained codes"``, ``"random hyperplanes"`` (as many bits), ``"activations"``
        (the numbers behind the codes), ``"raw inputs"``; ``size``, bits or numbers an example;
        ``method``, one of ``"kmeans"``, ``"knn"``, ``"logreg"``; ``accuracy``. The last row is
        the network's own accuracy: representation and method are ``"network"``.

    Raises
    ------
    TypeError, ValueError
        If a network does not fit the data, or a test label does not occur in training.

    Examples
    --------
    >>> import nhlib as nh
    >>> data = nh.load("digits")
    >>> network = nh.mlp(data.n_inputs, [50], data.n_classes, batch_norm=True)
    >>> history = nh.fit(network, data, nh.Recipe.code(epochs=10), snapshots=[0])
    >>> table = nh.compare_with_baselines(network, history.network(0), data)
    >>> table.pivot(index="representation", columns="method", values="accuracy").shape
    (6, 4)
    >>> table.query("representation == 'random hyperplanes' and method == 'knn'").round(1)
           representation  size method  accuracy
    7  random hyperplanes    50    knn       0.9
    """
    import pandas as pd

    splits = data.train, data.test
    codes = [encode(network, split, progress=progress) for split in splits]
    hyperplanes = random_hyperplanes(data.train, codes[0].n_bits, seed)
    representations: dict[str, list[Any]] = {
        "codes": codes,
        "untrained codes": [encode(untrained, split, progress=progress) for split in splits],
        "random hyperplanes": [encode(hyperplanes, split, progress=progress) for split in splits],
        "activations": [hidden_activations(network, s, progress=progress) for s in splits],
        "raw inputs": [split.inputs for split in splits],
    }
    rows: list[dict[str, Any]] = []
    with progress_bar("compare", len(representations), "representations", progress) as bar:
        for name, (train, test) in representations.items():
            found = categorize(
                train, data.train.labels, test, data.test.labels, device=device, progress=progress
            )
            size = train.n_bits if isinstance(train, NeuralCodes) else math.prod(train.shape[1:])
            rows += [
                {"representation": name, "size": size, "method": method, "accuracy": accuracy}
                for method, accuracy in found.items()
            ]
            bar.update()
    rows.append(
        {
            "representation": "network",
            "size": data.n_inputs,
            "method": "network",
            "accuracy": _network_accuracy(network, data.test),
        }
    )
    return pd.DataFrame(rows)


def _network_accuracy(network: nn.Module, test: Split) -> float:
    home = device_of(network)
    examples = test.inputs.to(home, dtype_of(network)), test.labels.to(home)
    with undisturbed(network, home, train_mode=False):
        return accuracy_of(network, examples)
