"""What codes are to be compared with, on the same examples and with the same classifiers."""

import math
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from nhlib._arguments import seed_number, whole_number
from nhlib._progress import progress_bar
from nhlib.codes import NeuralCodes, encode, hidden_activations
from nhlib.data import Dataset, Split
from nhlib.measures.categorization import categorize
from nhlib.networks import device_of, dtype_of, undisturbed
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
    generator = torch.Generator().manual_seed(seed_number(seed))
    directions = torch.randn(
        n_bits, len(mean), dtype=torch.float64, device="cpu", generator=generator
    )
    linear: nn.Linear = skip_init(nn.Linear, len(mean), n_bits, device="cpu", dtype=torch.float32)
    linear.weight.detach().copy_(directions)
    linear.bias.detach().copy_(-directions @ mean)
    return nn.Sequential(OrderedDict(flatten=nn.Flatten(), linear1=linear, relu1=nn.ReLU()))


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
    with undisturbed(network, home, train_mode=False) as interrupts, interrupts.let_through():
        return accuracy_of(network, examples)
