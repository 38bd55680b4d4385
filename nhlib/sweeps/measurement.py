"""What is measured of a network's codes: every measure, its columns and its words, told once."""

import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from nhlib._interrupts import interrupts_held_back
from nhlib._threads import threads_for
from nhlib.codes import NeuralCodes, encode
from nhlib.data import Dataset, random_inputs
from nhlib.measures import kmeans_accuracy, knn_accuracy, logreg_accuracy, redundancy_ratio


class DataCodes:
    """The codes that a network gives a data set; they are read when they are first asked for."""

    def __init__(
        self, network: nn.Module, data: Dataset, device: str | torch.device | None = None
    ) -> None:
        self.data, self.device = data, device
        self._encode = partial(encode, network, device=device, progress=False)

    @cached_property
    def train(self) -> NeuralCodes:
        """Those of the training examples."""
        return self._encode(self.data.train)

    @cached_property
    def test(self) -> NeuralCodes:
        """Those of the test examples."""
        return self._encode(self.data.test)

    def random(self, n: int) -> NeuralCodes:
        """Return those of n random inputs."""
        return self._encode(random_inputs(self.data, n))

    @cached_property
    def categories(self) -> tuple[NeuralCodes, Tensor, NeuralCodes, Tensor, float]:
        """Training and test codes with their labels, and the share of test examples that is.

        Of classes that no training example has, nothing can be got right: their test examples
        are left out.
        """
        train, test = self.data.train, self.data.test
        known = torch.isin(test.labels, train.labels)
        codes = self.test[known.numpy()]
        return self.train, train.labels, codes, test.labels[known], known.double().mean().item()


class Column(NamedTuple):
    """A column of a table of results.

    Attributes
    ----------
    name, kind : str
        Its name, and its type in SQL.
    label : str, optional
        What it is called beside an axis. Those with a label hold shares, from 0 to 1, and
        explorers show them.
    """

    name: str
    kind: str = "REAL"
    label: str | None = None


@dataclass(frozen=True)
class Measure:
    """Something that a sweep measures of a network's codes.

    Attributes
    ----------
    columns : tuple of Column
        Where it is kept.
    function : callable
        From `DataCodes`, the values by column.
    about : str
        What it is, for who chooses among measures.
    shown_by : tuple of str
        The columns that show that it was taken; by default the first.
    usual : bool
        Whether a sweep measures it unless it is told otherwise.
    of_classes : bool
        Whether it needs examples of two classes.
    """

    columns: tuple[Column, ...]
    function: Callable[[DataCodes], dict[str, Any]]
    about: str
    shown_by: tuple[str, ...] = ()
    usual: bool = True
    of_classes: bool = True

    def __post_init__(self) -> None:
        if not self.shown_by:
            object.__setattr__(self, "shown_by", (self.columns[0].name,))


def _redundancy(codes: DataCodes) -> dict[str, Any]:
    n = min(len(codes.train), len(codes.test))
    return {
        "n": n,
        "redundancy_train": redundancy_ratio(codes.train),
        "redundancy_train_n": redundancy_ratio(codes.train, n),
        "redundancy_test_n": redundancy_ratio(codes.test, n),
        "redundancy_test": redundancy_ratio(codes.test),
        "redundancy_random_n": redundancy_ratio(codes.random(n)),
    }


def _accuracy(name: str, classify: Callable[..., float]) -> Callable[[DataCodes], dict[str, Any]]:
    """Return the function of a measure that classifies test codes."""

    def function(codes: DataCodes) -> dict[str, Any]:
        *examples, share = codes.categories
        return {name: share * classify(*examples, device=codes.device or "cpu")}

    return function


def _kmeans_train(codes: DataCodes) -> dict[str, Any]:
    labels = codes.data.train.labels
    return {"kmeans_train": kmeans_accuracy(codes.train, labels, device=codes.device or "cpu")}


# In the order of their columns.
MEASURES = {
    "redundancy": Measure(
        (
            Column("redundancy_train", label="redundancy ratio of the training examples"),
            Column("redundancy_train_n", label="redundancy ratio of n training examples"),
            Column("redundancy_test_n", label="redundancy ratio of n test examples"),
            Column("redundancy_test", label="redundancy ratio of all test examples"),
            Column("redundancy_random_n", label="redundancy ratio of n random inputs"),
            Column("n", "INTEGER"),
        ),
        _redundancy,
        "the redundancy ratios of the training and of the test codes and, at one number n of "
        "examples, of training, test and random inputs; quick",
        shown_by=("redundancy_train", "redundancy_random_n"),
        of_classes=False,
    ),
    "kmeans": Measure(
        (Column("kmeans", label="K-Means accuracy on codes"),),
        _accuracy("kmeans", kmeans_accuracy),
        "the accuracy of clusters of the training codes on test codes",
    ),
    "kmeans_train": Measure(
        (Column("kmeans_train", label="K-Means accuracy on the training codes"),),
        _kmeans_train,
        "the accuracy of these clusters on the training codes themselves",
        usual=False,
    ),
    "knn": Measure(
        (Column("knn", label="K-NN accuracy on codes"),),
        _accuracy("knn", partial(knn_accuracy, progress=False)),
        "the accuracy of the nearest training codes on test codes",
    ),
    "logreg": Measure(
        (Column("logreg", label="logistic regression accuracy on codes"),),
        _accuracy("logreg", logreg_accuracy),
        "the accuracy of logistic regression on test codes",
    ),
}
USUAL = tuple(name for name, measure in MEASURES.items() if measure.usual)
# These come from training, with whatever else is measured.
TRAINING = (
    Column("train_loss"),
    Column("train_accuracy"),
    Column("test_accuracy", label="accuracy of the network"),
)


def measure_columns() -> tuple[Column, ...]:
    """Return the columns of training and of all measures."""
    return (*TRAINING, *(column for measure in MEASURES.values() for column in measure.columns))


def describe_measures() -> str:
    """Return a list of all measures, for a docstring."""
    items = [
        textwrap.fill(f'- ``"{name}"``: {measure.about}', 88, subsequent_indent="  ")
        for name, measure in MEASURES.items()
    ]
    others = ", ".join(f'``"{name}"``' for name in MEASURES if name not in USUAL)
    return "\n".join([f"By default all but {others}:", "", *items])


def take(
    measures: Iterable[str],
    network: nn.Module,
    data: Dataset,
    device: str | torch.device | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield what each measure finds of a network, by column, one measure after another."""
    codes = DataCodes(network, data, device)
    n_products = len(data.train) * sum(p.numel() for p in network.parameters())
    for name in measures:
        with (
            interrupts_held_back() as interrupts,
            threads_for(n_products),
            interrupts.let_through(),
        ):
            found = MEASURES[name].function(codes)
        yield found
