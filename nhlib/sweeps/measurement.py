"""What a sweep does with some of its networks: train them together, and measure each."""

import datetime
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import nn

from nhlib._interrupts import interrupts_held_back
from nhlib._provenance import device_name, versions
from nhlib._threads import threads_for
from nhlib.codes import encode
from nhlib.data import Dataset, random_inputs
from nhlib.measures import kmeans_accuracy, knn_accuracy, logreg_accuracy, redundancy_ratio
from nhlib.sweeps.grid import Configuration
from nhlib.training import History, Population, fit

_CLASSIFIERS: dict[str, Callable[..., float]] = {
    "kmeans": kmeans_accuracy,
    "knn": partial(knn_accuracy, progress=False),
    "logreg": logreg_accuracy,
}


def measured(
    batch: dict[Configuration, list[int]],
    whole: Dataset,
    measures: list[str],
    device: str | torch.device | None,
    progress: bool = False,
) -> Iterator[dict[str, Any]]:
    """Train networks of one data set, and yield a row for every one and epoch asked for.

    Parameters
    ----------
    batch : dict of Configuration to list of int
        The networks, and the epochs to measure each at.
    whole : Dataset
        What their examples are taken from.
    measures : list of str
        Of `nhlib.sweeps.grid.MEASURES`.
    device : str or torch.device, optional
        Where to train and measure.
    progress : bool, default False
        Show how far a training is that takes longer than two seconds.
    """
    # Those that learn the same examples get the same object: they share minibatches.
    same: dict[Any, tuple[Dataset, Dataset]] = {}
    for c in batch:
        if _learns(c) not in same:
            same[_learns(c)] = c.examples(whole)
    examples = {c: same[_learns(c)] for c in batch}
    about = {
        "version": versions("nhlib", "PyTorch"),
        "device": device_name(device),
        "date": datetime.date.today().isoformat(),
    }
    for configuration, history, failure in _trained(batch, whole, examples, device, progress):
        data, _ = examples[configuration]
        for epoch in batch[configuration]:
            row = {**configuration.row(epoch), **about}
            if failure and epoch > history.epochs:
                yield {**row, "failed": failure}
                continue
            if epoch:
                row["train_loss"] = history.train_loss[epoch - 1]
                row["train_accuracy"] = history.train_accuracy[epoch - 1]
                row["test_accuracy"] = history.test_accuracy[epoch - 1]
            network = history.network(epoch)
            n_products = len(data.train) * sum(p.numel() for p in network.parameters())
            with (
                interrupts_held_back() as interrupts,
                threads_for(n_products),
                interrupts.let_through(),
            ):
                found = measures_of(network, data, measures, device)
            yield {**row, **found}


def measures_of(
    network: nn.Module, data: Dataset, measures: list[str], device: str | torch.device | None
) -> dict[str, Any]:
    """Measure the codes that a network gives its training and test examples."""
    codes = partial(encode, network, device=device, progress=False)
    train, test = codes(data.train), codes(data.test)
    found: dict[str, Any] = {}
    if "redundancy" in measures:
        n = min(len(train), len(test))
        random = codes(random_inputs(data, n))
        found = {
            "n": n,
            "redundancy_train": redundancy_ratio(train),
            "redundancy_train_n": redundancy_ratio(train, n),
            "redundancy_test_n": redundancy_ratio(test, n),
            "redundancy_test": redundancy_ratio(test),
            "redundancy_random_n": redundancy_ratio(random),
        }
    # Of classes that no training example has, nothing can be got right.
    known = torch.isin(data.test.labels, data.train.labels)
    share = known.double().mean().item()
    examples = (train, data.train.labels, test[known.numpy()], data.test.labels[known])
    for measure in measures:
        if measure in _CLASSIFIERS:
            accuracy = _CLASSIFIERS[measure](*examples, device=device or "cpu")
            found[measure] = share * accuracy
    if "kmeans_train" in measures:
        found["kmeans_train"] = kmeans_accuracy(*examples[:2], device=device or "cpu")
    return found


def _learns(configuration: Configuration) -> tuple[int, float, int]:
    noise = configuration.label_noise
    return configuration.train_size, noise, configuration.seed if noise else 0


def _trained(
    batch: dict[Configuration, list[int]],
    whole: Dataset,
    examples: dict[Configuration, tuple[Dataset, Dataset]],
    device: str | torch.device | None,
    progress: bool,
) -> Iterator[tuple[Configuration, History, str | None]]:
    """Train networks, and yield what happened to each, and why it failed if it did."""
    together = [c for c in batch if not c.dropout]
    if together:
        epochs = {epoch for c in together for epoch in batch[c]}
        population = Population(
            [c.network(whole) for c in together],
            [examples[c][1] for c in together],
            [c.recipe(max(epochs)) for c in together],
            [c.seed for c in together],
            snapshots=epochs,
            device=device,
        )
        population.fit(progress)
        for i, c in enumerate(together):
            yield c, population.histories[i], population.failed.get(i)
    # Dropout draws random numbers in every step, which a population has no place for.
    for c in batch:
        if c.dropout:
            network, epochs = c.network(whole), set(batch[c])
            settings: dict[str, Any] = {"snapshots": epochs, "seed": c.seed, "device": device}
            try:
                history = fit(
                    network, examples[c][1], c.recipe(max(epochs)), progress=progress, **settings
                )
            except FloatingPointError as error:
                yield c, error.history, str(error)  # type: ignore[attr-defined]
            else:
                yield c, history, None
