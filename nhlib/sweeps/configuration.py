"""What tells the networks of a sweep apart: each setting, its column and its flag, told once."""

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from itertools import chain
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from nhlib._arguments import whole_number
from nhlib.data import Dataset, Split, with_label_noise
from nhlib.networks import mlp
from nhlib.training import Recipe


class Moment(NamedTuple):
    """When a network is measured: after so many epochs, and minibatches of the next."""

    epoch: int
    step: int

    @property
    def last_epoch(self) -> int:
        """The epoch that it is in, or that it ends."""
        return self.epoch + (self.step > 0)


class Protocol(NamedTuple):
    """How the networks of a protocol are trained and built, where a sweep says nothing else."""

    recipe: Recipe
    batch_norm: bool


PROTOCOLS = {
    "A": Protocol(Recipe(), batch_norm=False),
    "B": Protocol(Recipe.code(patience=None), batch_norm=True),
}
# Of these the paper's code trains on the first 80 %.
_TRAINING = {"mnist": 48_000, "fashion-mnist": 48_000, "cifar10": 40_000}
# SQLite keeps whole numbers in 64 bits.
LARGEST = 2**63 - 1


def usual_size(data: str, n: int) -> int:
    """Return how many of n training examples a sweep takes unless it is told otherwise."""
    return min(n, _TRAINING.get(data, n))


@dataclass(frozen=True)
class Factor:
    """A setting of a sweep, of which there may be several values, and the column that keeps it.

    Attributes
    ----------
    argument : str
        What `nhlib.sweep` calls it; with dashes, the flag of the command line.
    column, kind : str
        What a table of results calls it, and the type that it has there in SQL.
    check : callable
        From the argument and a list of values as given, the list of values that are meant; it
        raises what is wrong with one.
    default : object
        That of `nhlib.sweep`. None stands for what the protocol has, or for the whole data set.
    by_protocol : callable, optional
        What a protocol has.
    read : callable
        One value from a word of the command line.
    choices, metavar, help
        What the command line says of it.
    """

    argument: str
    column: str
    kind: str
    check: Callable[[str, list[Any]], list[Any]]
    default: Any = None
    by_protocol: Callable[[Protocol], Any] | None = None
    read: Callable[[str], Any] = str
    choices: tuple[str, ...] | None = None
    metavar: str | None = None
    help: str | None = None

    def values(self, given: Any) -> list[Any] | None:
        """Return the values that are meant, each once; None where the default is None."""
        if given is None and self.default is None:
            return None
        return list(dict.fromkeys(self.check(self.argument, one_or_several(self.argument, given))))


def one_or_several(name: str, given: Any) -> list[Any]:
    """Return one value, or several, as a list."""
    given = _plain(given)
    if isinstance(given, (str, Real)):
        return [given]
    if not isinstance(given, Iterable):
        raise TypeError(f"{name}: one value or several are needed, not {given!r}")
    values = [_plain(one) for one in given]
    if not values:
        raise ValueError(f"{name}: at least one is needed")
    return values


def _plain(value: Any) -> Any:
    """Return a number of an array or a tensor as Python's, and a list of layers as a tuple."""
    if getattr(value, "ndim", None) == 0:
        return value.item()
    return tuple(value) if isinstance(value, (list, np.ndarray)) else value


# -- what is wrong with values -----------------------------------------------------------------


def _whole(least: int) -> Callable[[str, list[Any]], list[int]]:
    def check(name: str, given: list[Any]) -> list[int]:
        numbers = [whole_number(name, one, least) for one in given]
        if max(numbers) > LARGEST:
            raise ValueError(
                f"{name}: whole numbers of at most {LARGEST} can be kept, not {max(numbers)}"
            )
        return numbers

    return check


def _shares(most: float) -> Callable[[str, list[Any]], list[float]]:
    def check(name: str, given: list[Any]) -> list[float]:
        for one in given:
            if not _is_number(one) or not 0 <= one <= most:
                raise ValueError(f"{name}: fractions from 0 to {most:g} are needed, not {one!r}")
        return [float(one) for one in given]

    return check


def _numbers(name: str, given: list[Any]) -> list[float]:
    for one in given:
        if not _is_number(one):
            raise TypeError(f"{name}: numbers are needed, not {one!r}")
    return [float(one) for one in given]


def _is_number(given: Any) -> bool:
    return isinstance(given, Real) and not isinstance(given, bool)


def _flags(name: str, given: list[Any]) -> list[bool]:
    for one in given:
        if one not in (False, True):
            raise TypeError(f"{name}: True, False or both are needed, not {one!r}")
    return [bool(one) for one in given]


def _names(name: str, given: list[Any]) -> list[str]:
    for one in given:
        if not isinstance(one, str):
            raise TypeError(f"{name}: names such as 'digits' are needed, not {one!r:.60}")
    return given


def _protocols(name: str, given: list[Any]) -> list[str]:
    for one in given:
        if one not in PROTOCOLS:
            raise ValueError(f"{name}: there are {' and '.join(PROTOCOLS)}, not {one!r}")
    return given


def _layers(name: str, given: list[Any]) -> list[tuple[int, ...]]:
    if any(isinstance(one, tuple) and not one for one in given):
        raise ValueError(f"{name}: one of the lists is empty; a network needs a hidden layer")
    alone = [whole_number(name, one, 1) for one in given if not isinstance(one, tuple)]
    for width in alone:
        # Whoever knows nhlib.mlp may mean two layers.
        if alone.count(width) > 1:
            raise ValueError(
                f"{name}: {width} is there twice, and each is a network of one hidden layer; one "
                f"network of two layers is ({width}, {width}), on the command line {width}-{width}"
            )
    layers = [one if isinstance(one, tuple) else (one,) for one in given]
    units = iter(_whole(1)(name, [*chain.from_iterable(layers)]))
    return [tuple(next(units) for _ in layer) for layer in layers]


# -- words of the command line -----------------------------------------------------------------


def _read_widths(text: str) -> int | tuple[int, ...]:
    try:
        widths = tuple(int(width) for width in text.split("-"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"50, or 50-50 for two layers, not {text!r}") from None
    return widths if len(widths) > 1 else widths[0]


def _read_flag(text: str) -> bool:
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"yes or no, not {text!r}")
    return text == "yes"


# -- the settings ------------------------------------------------------------------------------


def _key(argument: str, kind: str, check: Callable[..., Any], **more: Any) -> Any:
    """Say what a field of `Configuration` is as a `Factor`."""
    return field(metadata={"argument": argument, "kind": kind, "check": check, **more})


@dataclass(frozen=True)
class Configuration:
    """What a network is, and how it is trained; all but for how long."""

    data: str = _key(
        "data", "TEXT", _names, default="digits", help="data sets, as nhlib.load calls them"
    )
    train_size: int = _key("train_sizes", "INTEGER", _whole(1), read=int, metavar="N")
    widths: tuple[int, ...] = _key(
        "widths",
        "TEXT",
        _layers,
        default=(50,),
        read=_read_widths,
        metavar="WIDTH",
        help="50, or 50-50 for two layers",
    )
    protocol: str = _key("protocols", "TEXT", _protocols, default="A", choices=tuple(PROTOCOLS))
    batch_norm: bool = _key(
        "batch_norm",
        "INTEGER",
        _flags,
        by_protocol=lambda protocol: protocol.batch_norm,
        read=_read_flag,
        metavar="yes|no",
    )
    batch_size: int = _key(
        "batch_sizes",
        "INTEGER",
        _whole(1),
        by_protocol=lambda protocol: protocol.recipe.batch_size,
        read=int,
        metavar="N",
        help="examples in a minibatch",
    )
    l2: float = _key(
        "l2",
        "REAL",
        _numbers,
        by_protocol=lambda protocol: protocol.recipe.l2,
        read=float,
        metavar="L2",
    )
    dropout: float = _key("dropout", "REAL", _shares(0.99), default=0, read=float, metavar="SHARE")
    label_noise: float = _key(
        "label_noise", "REAL", _shares(1.0), default=0, read=float, metavar="SHARE"
    )
    seed: int = _key("seeds", "INTEGER", _whole(0), default=0, read=int, metavar="SEED")

    def row(self, moment: Moment) -> dict[str, Any]:
        """Return the keys of its row in a table of results."""
        widths = "-".join(map(str, self.widths))
        return {**vars(self), "widths": widths, "epoch": moment.epoch, "step": moment.step}

    def recipe(self, epochs: int) -> Recipe:
        """Return how it is trained."""
        usual = PROTOCOLS[self.protocol].recipe
        return replace(usual, epochs=epochs, batch_size=self.batch_size, l2=self.l2)

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

    def examples_an_epoch(self, whole: Dataset) -> int:
        """Count the examples of an epoch: a smaller set is repeated as often as fits."""
        times = usual_size(self.data, len(whole.train)) // self.train_size
        return max(times, 1) * self.train_size

    def examples(self, whole: Dataset) -> tuple[Dataset, Dataset]:
        """Return what it learns, and what an epoch shows of that."""
        data = replace(whole, train=whole.train[: self.train_size])
        if self.label_noise:
            data = with_label_noise(data, self.label_noise, self.seed)
        times = self.examples_an_epoch(whole) // self.train_size
        if times == 1:
            return data, data
        inputs, labels = data.train.inputs, data.train.labels
        repeated = Split(inputs.repeat(times, *[1] * (inputs.ndim - 1)), labels.repeat(times))
        return data, replace(data, train=repeated)


# By the arguments of nhlib.sweep, in the order of the columns. The last two say when a network of
# a configuration is measured.
FACTORS = {
    factor.argument: factor
    for factor in (
        *(Factor(column=setting.name, **setting.metadata) for setting in fields(Configuration)),
        Factor(
            "epochs",
            "epoch",
            "INTEGER",
            _whole(0),
            default=(0, 20),
            read=int,
            metavar="EPOCH",
            help="when to measure",
        ),
        Factor(
            "steps",
            "step",
            "INTEGER",
            _whole(0),
            default=0,
            read=int,
            metavar="STEP",
            help="minibatches after these epochs; 0 (default) is at their end",
        ),
    )
}
# What a network is, and when it was measured: no two rows of a table agree in all of these.
KEYS = {factor.column: factor.kind for factor in FACTORS.values()}
