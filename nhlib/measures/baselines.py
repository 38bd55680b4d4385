"""What codes are to be compared with, on the same examples and with the same classifiers."""

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from nhlib._progress import progress_bar
from nhlib.codes import NeuralCodes, encode, hidden_activations
from nhlib.data import Dataset, Split
from nhlib.measures.categorization import categorize
from nhlib.measures.hyperplanes import random_hyperplanes
from nhlib.networks import device_of, dtype_of, undisturbed
from nhlib.training import accuracy_of

if TYPE_CHECKING:
    import pandas as pd


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
