"""Grids of experiments: many networks trained and measured, and what was measured kept."""

import datetime
import os
import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from nhlib.arguments import whole_number
from nhlib.categorization import kmeans_accuracy, knn_accuracy, logreg_accuracy
from nhlib.datasets import Dataset, Split, load, random_inputs, with_label_noise
from nhlib.determinism import redundancy_ratio
from nhlib.encoding import encode
from nhlib.networks import mlp
from nhlib.population import Population
from nhlib.progress import progress_bar
from nhlib.recipes import Recipe
from nhlib.results import Results

if TYPE_CHECKING:
    import pandas as pd

# Of these the first 80 % train, as in the paper.
_TRAINING = {"mnist": 48_000, "fashion-mnist": 48_000, "cifar10": 40_000}
# Networks are trained together until they see so many examples: what a kill can cost.
_TOGETHER = 50_000_000
_PROTOCOLS = {"A": (Recipe(), False), "B": (Recipe.code(patience=None), True)}
# Each is kept in columns of its own; of the first these show that it was taken.
_MEASURES = {
    "redundancy": ("redundancy_train", "redundancy_random_n"),
    "kmeans": ("kmeans",),
    "knn": ("knn",),
    "logreg": ("logreg",),
}
_CLASSIFIERS: dict[str, Callable[..., float]] = {
    "kmeans": kmeans_accuracy,
    "knn": partial(knn_accuracy, progress=False),
    "logreg": logreg_accuracy,
}


@dataclass(frozen=True)
class _Configuration:
    """What a network is, and how it is trained; all but for how long."""

    data: str
    train_size: int
    widths: tuple[int, ...]
    protocol: str
    batch_norm: bool
    l2: float
    label_noise: float
    seed: int

    def row(self, epoch: int) -> dict[str, Any]:
        return {**vars(self), "widths": "-".join(map(str, self.widths)), "epoch": epoch}

    def recipe(self, epochs: int) -> Recipe:
        return replace(_PROTOCOLS[self.protocol][0], epochs=epochs, l2=self.l2)

    def network(self, data: Dataset) -> nn.Sequential:
        return mlp(
            data.n_inputs, self.widths, data.n_classes, batch_norm=self.batch_norm, seed=self.seed
        )


def sweep(
    data: str = "digits",
    widths: Any = (50,),
    epochs: Any = (0, 20),
    train_sizes: Any = None,
    protocols: Any = "A",
    seeds: Any = 0,
    *,
    batch_norm: Any = None,
    l2: Any = None,
    label_noise: Any = 0,
    measures: Any = tuple(_MEASURES),
    store: str | os.PathLike[str] | None = None,
    device: str | torch.device | None = None,
    progress: bool = True,
) -> "pd.DataFrame":
    """Train and measure MLPs over a grid, and return a row for every network and epoch.

    The grid is the product of all settings of which there are several. Networks are trained as
    populations (`nhlib.Population`), and every row is written to the store as soon as it is
    measured. A sweep that was interrupted, or killed, goes on where it was: what the store has
    is not measured again.

    Parameters
    ----------
    data : str, default "digits"
        A data set, as `nhlib.load` calls it.
    widths : iterable of int, or of sequences of int
        Units of the hidden layer, or of each of several.
    epochs : iterable of int
        When to measure; 0 is before training. Training ends with the last.
    train_sizes : iterable of int, optional
        How many training examples, the first ones; by default all, that is 48,000 of MNIST and
        Fashion-MNIST and 40,000 of CIFAR-10, as in the paper. Fewer are repeated as often as
        fits, so that an epoch has about as many steps for all sizes.
    protocols : "A", "B", or both
        See `nhlib.Recipe`; no early stopping.
    seeds : iterable of int, default 0
        Of weights, of the order of examples, and of label noise.
    batch_norm, l2 : iterable, optional
        By default as the protocol has it: none and 0 in A; batch norm and 1e-6 in B.
    label_noise : iterable of float, default 0
        Fractions of training labels that are shuffled.
    measures : iterable of "redundancy", "kmeans", "knn", "logreg"
        By default all. The first is quick: the ratio of the training codes
        (``redundancy_train``) and, at one number ``n`` of examples, of training, test and random
        inputs. The others, accuracies on test codes, take some seconds a network on MNIST.
    store : path, optional
        An SQLite file on a local disk, see `nhlib.Results`; by default nothing is kept.
    device : str or torch.device, optional
        Where to train and measure.
    progress : bool, default True
        Show a progress bar when it takes longer than two seconds.

    Returns
    -------
    DataFrame
        The rows of this grid, sorted by what the networks are; ``failed`` says why a network
        has no measures, if its training diverged.

    Raises
    ------
    TypeError, ValueError
        If a setting does not fit, before anything is trained.

    Examples
    --------
    >>> import nhlib as nh
    >>> table = nh.sweep("digits", widths=[20, 50], epochs=[0, 3], measures="redundancy")
    >>> table[["widths", "epoch", "redundancy_train"]].round(2)
      widths  epoch  redundancy_train
    0     20      0              0.65
    1     20      3              0.69
    2     50      0              0.04
    3     50      3              0.17
    """
    asked = [whole_number("epochs", epoch, 0) for epoch in _several("epochs", epochs)]
    wanted = _several("measures", measures)
    for measure in wanted:
        if measure not in _MEASURES:
            raise ValueError(f"measures: there are {', '.join(_MEASURES)}, not {measure!r}")
    columns = [column for measure in wanted for column in _MEASURES[measure]]
    whole = load(data, _TRAINING.get(data))
    grid = _grid(whole, data, widths, train_sizes, protocols, batch_norm, l2, label_noise, seeds)
    if any(measure in _CLASSIFIERS for measure in wanted):
        _check_classes(whole, min(c.train_size for c in grid))
    with Results(":memory:" if store is None else store) as results:
        missing = {
            configuration: late
            for configuration in grid
            if (late := [e for e in asked if not results.has(configuration.row(e), columns)])
        }
        total = sum(len(late) for late in missing.values())
        with progress_bar("sweep", total, "networks", progress) as bar:
            for together in _batches(missing, whole):
                for row in _measured(together, whole, wanted, device):
                    results.add(row)
                    bar.update()
        table = results.table()
    ours = {tuple(c.row(e).values()) for c in grid for e in asked}
    keys = table[list(grid[0].row(0))]
    mine = [tuple(row) in ours for row in keys.itertuples(index=False)]
    return table[mine].reset_index(drop=True)


def _several(name: str, given: Any) -> list[Any]:
    if isinstance(given, (str, bool, int, float)):
        return [given]
    if not isinstance(given, Iterable):
        raise TypeError(f"{name}: one value or several are needed, not {given!r}")
    several = list(dict.fromkeys(tuple(one) if isinstance(one, list) else one for one in given))
    if not several:
        raise ValueError(f"{name}: at least one is needed")
    return several


def _grid(
    whole: Dataset,
    data: str,
    widths: Any,
    train_sizes: Any,
    protocols: Any,
    batch_norm: Any,
    l2: Any,
    label_noise: Any,
    seeds: Any,
) -> list[_Configuration]:
    """Return the grid, checked."""
    sizes = _several("train_sizes", len(whole.train) if train_sizes is None else train_sizes)
    for size in sizes:
        whole_number("train_sizes", size, 1, len(whole.train))
    layers = [
        tuple(width) if isinstance(width, (list, tuple)) else (width,)
        for width in _several("widths", widths)
    ]
    if () in layers:
        raise ValueError("widths: one of the lists is empty; a network needs a hidden layer")
    grid = []
    for protocol, layer, size, noise, seed in product(
        _several("protocols", protocols),
        layers,
        sizes,
        _several("label_noise", label_noise),
        _several("seeds", seeds),
    ):
        if protocol not in _PROTOCOLS:
            raise ValueError(f"protocols: there are A and B, not {protocol!r}")
        for width in layer:
            whole_number("widths", width, 1)
        whole_number("seeds", seed, 0)
        recipe, norm = _PROTOCOLS[protocol]
        for has_norm, penalty in product(
            _several("batch_norm", norm if batch_norm is None else batch_norm),
            _several("l2", recipe.l2 if l2 is None else l2),
        ):
            if not 0 <= noise <= 1:
                raise ValueError(f"label_noise: fractions from 0 to 1 are needed, not {noise!r}")
            configuration = _Configuration(
                data, size, layer, protocol, bool(has_norm), float(penalty), float(noise), seed
            )
            configuration.recipe(0)
            grid.append(configuration)
    return grid


def _check_classes(whole: Dataset, size: int) -> None:
    labels = whole.train.labels[:size]
    if size < whole.n_classes or len(labels.unique()) < 2:
        raise ValueError(
            f"train_sizes: {size} examples are too few to be categorized; take at least "
            f"{whole.n_classes}, of two classes, or measures='redundancy'"
        )


def _batches(
    missing: dict[_Configuration, list[int]], whole: Dataset
) -> Iterator[dict[_Configuration, list[int]]]:
    """Cut what is to do into pieces: what shares minibatches together, and not too much."""
    order = sorted(
        missing,
        key=lambda c: (
            c.train_size,
            c.label_noise,
            c.protocol,
            c.seed,
            c.batch_norm,
            c.l2,
            c.widths,
        ),
    )
    batch: dict[_Configuration, list[int]] = {}
    cost = 0
    for configuration in order:
        here = max(missing[configuration]) * len(whole.train)
        if batch and cost + here > _TOGETHER:
            yield batch
            batch, cost = {}, 0
        batch[configuration] = missing[configuration]
        cost += here
    if batch:
        yield batch


def _measured(
    batch: dict[_Configuration, list[int]],
    whole: Dataset,
    measures: list[str],
    device: str | torch.device | None,
) -> Iterator[dict[str, Any]]:
    """Train networks together, and yield a row for every epoch asked for."""
    # One data set for all that learn the same: they share minibatches.
    examples = cache(partial(_data, whole))
    of = [examples(c.train_size, c.label_noise, c.seed if c.label_noise else 0) for c in batch]
    epochs = {epoch for late in batch.values() for epoch in late}
    population = Population(
        [c.network(data) for c, (data, _) in zip(batch, of, strict=True)],
        [repeated for _, repeated in of],
        [c.recipe(max(epochs)) for c in batch],
        [c.seed for c in batch],
        snapshots=epochs,
        device=device,
    )
    population.fit(progress=False)
    about = {
        "version": _version(),
        "device": _device(device),
        "date": datetime.date.today().isoformat(),
    }
    for i, (configuration, late) in enumerate(batch.items()):
        history = population.histories[i]
        for epoch in late:
            row = {**configuration.row(epoch), **about}
            if i in population.failed and epoch > history.epochs:
                yield {**row, "failed": population.failed[i]}
                continue
            if epoch:
                row["train_loss"] = history.train_loss[epoch - 1]
                row["train_accuracy"] = history.train_accuracy[epoch - 1]
                row["test_accuracy"] = history.test_accuracy[epoch - 1]
            yield {**row, **_measure(history.network(epoch), of[i][0], measures, device)}


def _data(whole: Dataset, size: int, noise: float, seed: int) -> tuple[Dataset, Dataset]:
    """Return the examples of a configuration, and what an epoch shows of them."""
    data = replace(whole, train=whole.train[:size])
    if noise:
        data = with_label_noise(data, noise, seed)
    times = len(whole.train) // size
    if times == 1:
        return data, data
    inputs, labels = data.train.inputs, data.train.labels
    repeated = Split(inputs.repeat(times, *[1] * (inputs.ndim - 1)), labels.repeat(times))
    return data, replace(data, train=repeated)


def _measure(
    network: nn.Module, data: Dataset, measures: list[str], device: str | torch.device | None
) -> dict[str, Any]:
    train, test = (encode(network, split, device=device) for split in (data.train, data.test))
    measured: dict[str, Any] = {}
    if "redundancy" in measures:
        n = min(len(train), len(test))
        random = encode(network, random_inputs(data, n), device=device)
        measured = {
            "n": n,
            "redundancy_train": redundancy_ratio(train),
            "redundancy_train_n": redundancy_ratio(train, n),
            "redundancy_test_n": redundancy_ratio(test, n),
            "redundancy_random_n": redundancy_ratio(random),
        }
    # Of classes that no training example has, nothing can be got right.
    known = torch.isin(data.test.labels, data.train.labels)
    share = known.double().mean().item()
    examples = (train, data.train.labels, test[known.numpy()], data.test.labels[known])
    for measure in measures:
        if measure in _CLASSIFIERS:
            accuracy = _CLASSIFIERS[measure](*examples, device=device or "cpu")
            measured[measure] = share * accuracy
    return measured


def _version() -> str:
    from nhlib import __version__

    return f"nhlib {__version__}, PyTorch {torch.__version__}"


def _device(device: str | torch.device | None) -> str:
    kind = torch.device(device or "cpu")
    if kind.type == "cuda":
        return torch.cuda.get_device_name(kind)
    return platform.machine()
