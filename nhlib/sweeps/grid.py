"""Grids of experiments: which networks, trained on what and how, and measured when."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product
from numbers import Real
from typing import TYPE_CHECKING, Any

from torch import nn

from nhlib._arguments import whole_number
from nhlib.data import Dataset, Split, load, with_label_noise
from nhlib.networks import mlp
from nhlib.sweeps.results import Results
from nhlib.training import Recipe

if TYPE_CHECKING:
    import pandas as pd

# Of these the first 80 % train, as in the paper.
_TRAINING = {"mnist": 48_000, "fashion-mnist": 48_000, "cifar10": 40_000}
PROTOCOLS = {"A": (Recipe(), False), "B": (Recipe.code(patience=None), True)}
# Each is kept in columns of its own; of the first these show that it was taken.
MEASURES = {
    "redundancy": ("redundancy_train", "redundancy_random_n"),
    "kmeans": ("kmeans",),
    "knn": ("knn",),
    "logreg": ("logreg",),
    "kmeans_train": ("kmeans_train",),
}
USUAL = ("redundancy", "kmeans", "knn", "logreg")


@dataclass(frozen=True)
class Configuration:
    """What a network is, and how it is trained; all but for how long."""

    data: str
    train_size: int
    widths: tuple[int, ...]
    protocol: str
    batch_norm: bool
    l2: float
    dropout: float
    label_noise: float
    seed: int

    def row(self, epoch: int) -> dict[str, Any]:
        """Return the keys of its row in a table of results."""
        return {**vars(self), "widths": "-".join(map(str, self.widths)), "epoch": epoch}

    def recipe(self, epochs: int) -> Recipe:
        """Return how it is trained."""
        return replace(PROTOCOLS[self.protocol][0], epochs=epochs, l2=self.l2)

    def network(self, whole: Dataset) -> nn.Sequential:
        """Build it, untrained."""
        return mlp(
            whole.n_inputs,
            self.widths,
            whole.n_classes,
            batch_norm=self.batch_norm,
            dropout=self.dropout,
            seed=self.seed,
        )

    def shown(self, whole: Dataset) -> int:
        """Count the examples of an epoch: a smaller set is repeated as often as fits."""
        return len(whole.train) // self.train_size * self.train_size

    def examples(self, whole: Dataset) -> tuple[Dataset, Dataset]:
        """Return what it learns, and what an epoch shows of that."""
        data = replace(whole, train=whole.train[: self.train_size])
        if self.label_noise:
            data = with_label_noise(data, self.label_noise, self.seed)
        times = self.shown(whole) // self.train_size
        if times == 1:
            return data, data
        inputs, labels = data.train.inputs, data.train.labels
        repeated = Split(inputs.repeat(times, *[1] * (inputs.ndim - 1)), labels.repeat(times))
        return data, replace(data, train=repeated)


class Grid:
    """The product of all settings of a sweep, checked before anything is trained.

    Parameters are those of `nhlib.sweep`.

    Attributes
    ----------
    data : dict of str to Dataset
        The data sets, whole, by name.
    configurations : list of Configuration
        The networks, without those that there are twice.
    epochs : list of int
        When each is measured.
    measures : list of str
        What of it.
    """

    def __init__(
        self,
        data: Any = "digits",
        widths: Any = (50,),
        epochs: Any = (0, 20),
        train_sizes: Any = None,
        protocols: Any = "A",
        seeds: Any = 0,
        *,
        batch_norm: Any = None,
        l2: Any = None,
        dropout: Any = 0,
        label_noise: Any = 0,
        measures: Any = USUAL,
    ) -> None:
        self.epochs = [whole_number("epochs", epoch, 0) for epoch in several("epochs", epochs)]
        self.measures = several("measures", measures)
        for measure in self.measures:
            if measure not in MEASURES:
                raise ValueError(f"measures: there are {', '.join(MEASURES)}, not {measure!r}")
        layers = [_layers(width) for width in several("widths", widths)]
        seed_of = [whole_number("seeds", seed, 0) for seed in several("seeds", seeds)]
        noises = [
            _share("label_noise", noise, 1.0) for noise in several("label_noise", label_noise)
        ]
        drops = [_share("dropout", share, 0.99) for share in several("dropout", dropout)]
        # Read once, since it may be an iterator, and used for each of the protocols.
        sizes, norms, penalties = (
            None if given is None else several(name, given)
            for name, given in (
                ("train_sizes", train_sizes),
                ("batch_norm", batch_norm),
                ("l2", l2),
            )
        )
        if norms and not all(norm in (False, True) for norm in norms):
            raise TypeError(f"batch_norm: True, False or both are needed, not {batch_norm!r}")
        for penalty in penalties or ():
            if not _is_number(penalty):
                raise TypeError(f"l2: numbers are needed, not {penalty!r}")
        self.data = {name: whole_data(name) for name in several("data", data)}
        grid = []
        for name, protocol in product(self.data, several("protocols", protocols)):
            if protocol not in PROTOCOLS:
                raise ValueError(f"protocols: there are A and B, not {protocol!r}")
            whole = self.data[name]
            recipe, norm = PROTOCOLS[protocol]
            grid += [
                Configuration(
                    name, size, layer, protocol, bool(has_norm), float(penalty), drop, noise, seed
                )
                for layer, size, has_norm, penalty, drop, noise, seed in product(
                    layers,
                    self._sizes(whole, sizes),
                    [norm] if norms is None else norms,
                    [recipe.l2] if penalties is None else penalties,
                    drops,
                    noises,
                    seed_of,
                )
            ]
        for c in grid:
            shown, batch_size = c.shown(self.data[c.data]), c.recipe(0).batch_size
            if c.batch_norm and shown % batch_size == 1:
                raise ValueError(
                    f"train_sizes: of {shown} examples minibatches of {batch_size} leave one by "
                    "itself, which batch normalization cannot normalize; take another size"
                )
        self.configurations = list(dict.fromkeys(grid))

    def _sizes(self, whole: Dataset, given: list[Any] | None) -> list[int]:
        sizes = [len(whole.train)] if given is None else given
        least = min(whole_number("train_sizes", size, 1, len(whole.train)) for size in sizes)
        labels = whole.train.labels[:least]
        few = least < whole.n_classes or len(labels.unique()) < 2
        if few and self.measures != ["redundancy"]:
            raise ValueError(
                f"train_sizes: {least} examples are too few to be categorized; take at least "
                f"{whole.n_classes}, of two classes, or measures='redundancy'"
            )
        return sizes

    def missing(self, results: Results) -> dict[Configuration, list[int]]:
        """Return what has to be trained, and the epochs to measure it at."""
        columns = [column for measure in self.measures for column in MEASURES[measure]]
        missing = {
            configuration: [
                e for e in self.epochs if not results.has(configuration.row(e), columns)
            ]
            for configuration in self.configurations
        }
        return {configuration: late for configuration, late in missing.items() if late}

    def rows_of(self, table: "pd.DataFrame") -> "pd.DataFrame":
        """Return the rows of a table of results that are of this grid."""
        ours = {tuple(c.row(e).values()) for c in self.configurations for e in self.epochs}
        keys = table[list(self.configurations[0].row(0))]
        mine = [tuple(row) in ours for row in keys.itertuples(index=False)]
        rows = table[mine].reset_index(drop=True)
        return rows.dropna(axis="columns", how="all")


def several(name: str, given: Any) -> list[Any]:
    """Return one value, or different ones, as a list."""
    if isinstance(given, (str, bool, int, float)):
        return [given]
    if not isinstance(given, Iterable):
        raise TypeError(f"{name}: one value or several are needed, not {given!r}")
    values = list(dict.fromkeys(tuple(one) if isinstance(one, list) else one for one in given))
    if not values:
        raise ValueError(f"{name}: at least one is needed")
    return values


def _layers(width: Any) -> tuple[int, ...]:
    layers = width if isinstance(width, tuple) else (width,)
    if not layers:
        raise ValueError("widths: one of the lists is empty; a network needs a hidden layer")
    return tuple(whole_number("widths", width, 1) for width in layers)


def _is_number(given: Any) -> bool:
    return isinstance(given, Real) and not isinstance(given, bool)


def _share(name: str, given: Any, most: float) -> float:
    if not _is_number(given) or not 0 <= given <= most:
        raise ValueError(f"{name}: fractions from 0 to {most:g} are needed, not {given!r}")
    return float(given)


def whole_data(name: str) -> Dataset:
    """Load a data set with as many training examples as the paper uses of it."""
    return load(name, _TRAINING.get(name))
