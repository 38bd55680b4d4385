"""Grids of experiments: which networks, trained on what and how, and measured when."""

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

from nhlib._arguments import whole_number
from nhlib.data import load
from nhlib.sweeps.configuration import (
    FACTORS,
    KEYS,
    PROTOCOLS,
    Configuration,
    Moment,
    one_or_several,
    usual_size,
)
from nhlib.sweeps.measurement import MEASURES, USUAL
from nhlib.sweeps.results import Results

if TYPE_CHECKING:
    import pandas as pd

# Networks, and when to measure each.
Missing = dict[Configuration, list[Moment]]


class Grid:
    """The product of all settings of a sweep, checked before anything is trained.

    Parameters
    ----------
    measures : str, or iterable of them
        What to measure, of `nhlib.sweeps.MEASURES`.
    **settings
        Those of `nhlib.sweep` that say which networks there are, see `nhlib.sweeps.FACTORS`.

    Attributes
    ----------
    data : dict of str to Dataset
        The data sets, whole, by name.
    configurations : list of Configuration
        The networks, without those that there are twice.
    moments : list of Moment
        When each is measured.
    measures : list of str
        What of it.
    """

    def __init__(self, *, measures: Any = USUAL, **settings: Any) -> None:
        for name in settings:
            if name not in FACTORS:
                raise TypeError(f"{name}: a grid has {', '.join(FACTORS)} and measures")
        self.measures = list(dict.fromkeys(one_or_several("measures", measures)))
        for measure in self.measures:
            if measure not in MEASURES:
                raise ValueError(f"measures: there are {', '.join(MEASURES)}, not {measure!r}")
        values = {
            name: factor.values(settings.get(name, factor.default))
            for name, factor in FACTORS.items()
        }
        epochs, steps = values.pop("epochs") or [], values.pop("steps") or []
        self.moments = [Moment(epoch, step) for epoch in epochs for step in steps]
        self.data = {name: load(name) for name in values.pop("data") or ()}
        self._check_sizes(values["train_sizes"])
        self.configurations = list(dict.fromkeys(self._product(values)))
        self._check_minibatches()

    def _product(self, values: dict[str, list[Any] | None]) -> Iterator[Configuration]:
        for name, protocol in product(self.data, values["protocols"] or ()):
            usual: dict[str, Any] = {"train_sizes": usual_size(name, len(self.data[name].train))}
            chosen: dict[str, list[Any]] = {}
            for argument, given in values.items():
                factor = FACTORS[argument]
                if factor.by_protocol is not None:
                    usual[argument] = factor.by_protocol(PROTOCOLS[protocol])
                chosen[factor.column] = [usual[argument]] if given is None else given
            chosen |= {"data": [name], "protocol": [protocol]}
            for one_of_each in product(*chosen.values()):
                yield Configuration(**dict(zip(chosen, one_of_each, strict=True)))

    def _check_sizes(self, sizes: list[int] | None) -> None:
        """Refuse more training examples than there are, and too few for what is measured."""
        for whole in self.data.values():
            n = len(whole.train)
            least = min(whole_number("train_sizes", size, 1, n) for size in sizes or [n])
            few = least < whole.n_classes or len(whole.train.labels[:least].unique()) < 2
            if few and any(MEASURES[measure].of_classes for measure in self.measures):
                others = [repr(name) for name in MEASURES if not MEASURES[name].of_classes]
                raise ValueError(
                    f"train_sizes: {least} examples are too few to be categorized; take at least "
                    f"{whole.n_classes}, of two classes, or measures={' or '.join(others)}"
                )

    def _check_minibatches(self) -> None:
        """Refuse what training would refuse."""
        latest = max((moment.step for moment in self.moments), default=0)
        for c in self.configurations:
            n, batch_size = c.examples_an_epoch(self.data[c.data]), c.recipe(0).batch_size
            if latest >= -(-n // batch_size):
                raise ValueError(
                    f"steps: an epoch of {n} examples in minibatches of {batch_size} has "
                    f"{-(-n // batch_size)} of them, so that none is within it after {latest}"
                )
            if c.batch_norm and n % batch_size == 1:
                raise ValueError(
                    f"train_sizes: of {n} examples minibatches of {batch_size} leave one by "
                    "itself, which batch normalization cannot normalize; take another size"
                )

    def missing(self, results: Results) -> Missing:
        """Return what has to be trained, and when to measure it."""
        shown_by = [column for name in self.measures for column in MEASURES[name].shown_by]
        missing = {
            configuration: [
                m for m in self.moments if not results.has(configuration.row(m), shown_by)
            ]
            for configuration in self.configurations
        }
        return {configuration: late for configuration, late in missing.items() if late}

    @property
    def keys(self) -> set[tuple[Any, ...]]:
        """What the rows of this grid are called, in the order of `KEYS`."""
        rows = (c.row(moment) for c in self.configurations for moment in self.moments)
        return {tuple(row[name] for name in KEYS) for row in rows}

    def rows_of(self, table: "pd.DataFrame") -> "pd.DataFrame":
        """Return the rows of a table of results that are of this grid."""
        keys = self.keys
        mine = [row in keys for row in table[list(KEYS)].itertuples(index=False, name=None)]
        return table[mine].reset_index(drop=True).dropna(axis="columns", how="all")
