"""Pieces of a sweep: networks that are trained together, and then measured one by one."""

import datetime
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch

from nhlib._provenance import device_name, versions
from nhlib.data import Dataset
from nhlib.sweeps.configuration import Configuration, Moment
from nhlib.sweeps.grid import Grid, Missing
from nhlib.sweeps.measurement import take
from nhlib.training import Diverged, History, Population, Stopped, fit

# Examples to show to all networks of a batch: about ten seconds of a core on the digits. Where
# steps are bound by launches and not by arithmetic, more networks cost little time.
_ON_CPU, _ON_ACCELERATOR = 6e6, 50e6
# On images of 28×28 a network trained alone takes 2.5 times as long as one of so many, and these a
# fifth longer than networks of which there are many more.
_AT_LEAST = 6

# In what the networks of one program may differ: examples and their order, and widths.
_WITHIN = {"train_size", "label_noise", "seed", "widths"}

Row = dict[str, Any]
Stop = Callable[[], bool] | None
# A network that was trained, what happened, and why its training failed if it did.
Ended = tuple[Configuration, History, str | None]


@dataclass(frozen=True)
class Batch:
    """Networks of one data set that are trained as one program, and what is measured of each.

    Attributes
    ----------
    data : str
        Their data set, as `nhlib.load` calls it.
    networks : dict of Configuration to list of Moment
        The networks, and when to measure each.
    measures : tuple of str
        Of `nhlib.sweeps.MEASURES`.
    device : str or torch.device, optional
        Where to train and measure.
    """

    data: str
    networks: Missing
    measures: tuple[str, ...]
    device: str | torch.device | None = None

    def rows(self, whole: Dataset, progress: bool = False, stop: Stop = None) -> Iterator[Row]:
        """Train the networks, and yield a row for every one and moment.

        Parameters
        ----------
        whole : Dataset
            What their examples are taken from.
        progress : bool, default False
            Show how far a training is that takes longer than two seconds.
        stop : callable, optional
            Asked after every minibatch and every measure; when it returns True, this was all.
        """
        # Those that learn the same examples get the same object: they share minibatches.
        of_each = {source(c): c for c in self.networks}
        read = {key: c.examples(whole) for key, c in of_each.items()}
        examples = {c: read[source(c)] for c in self.networks}
        about = {
            "version": versions("nhlib", "PyTorch"),
            "device": device_name(self.device),
            "date": datetime.date.today().isoformat(),
        }
        # Dropout draws random numbers in every step, which a population has no place for.
        train = self._one_by_one if any(c.dropout for c in self.networks) else self._together
        shown = {c: an_epoch for c, (_, an_epoch) in examples.items()}
        try:
            for c, history, failure in train(whole, shown, progress, stop):
                for moment in self.networks[c]:
                    row = {**c.row(moment), **about}
                    if failure and moment.last_epoch > history.epochs:
                        yield {**row, "failed": failure}
                        continue
                    if moment.epoch and not moment.step:  # they belong to whole epochs
                        row["train_loss"] = history.train_loss[moment.epoch - 1]
                        row["train_accuracy"] = history.train_accuracy[moment.epoch - 1]
                        row["test_accuracy"] = history.test_accuracy[moment.epoch - 1]
                    network, (data, _) = history.network(*moment), examples[c]
                    for found in take(self.measures, network, data, self.device):
                        row |= found
                        if stop is not None and stop():
                            return
                    yield row
        except Stopped:
            return

    def _together(
        self, whole: Dataset, shown: dict[Configuration, Dataset], progress: bool, stop: Stop
    ) -> Iterator[Ended]:
        population = Population(
            [c.network(whole) for c in self.networks],
            list(shown.values()),
            [c.recipe(self._end()) for c in self.networks],
            [c.seed for c in self.networks],
            snapshots=self._moments(),
            device=self.device,
        )
        population.fit(progress, stop)
        for i, c in enumerate(self.networks):
            yield c, population.histories[i], population.failed.get(i)

    def _one_by_one(
        self, whole: Dataset, shown: dict[Configuration, Dataset], progress: bool, stop: Stop
    ) -> Iterator[Ended]:
        for c in self.networks:
            try:
                history = fit(
                    c.network(whole),
                    shown[c],
                    c.recipe(self._end()),
                    snapshots=self._moments(),
                    seed=c.seed,
                    device=self.device,
                    progress=progress,
                    stop=stop,
                )
            except Diverged as error:
                yield c, error.history, str(error)
            else:
                yield c, history, None

    def _moments(self) -> set[Moment]:
        return {moment for late in self.networks.values() for moment in late}

    def _end(self) -> int:
        return last_epoch(self._moments())


# -- what is trained together ------------------------------------------------------------------


def divide(
    grid: Grid,
    missing: Missing,
    device: str | torch.device | None = None,
    most: float = math.inf,
    least: int = _AT_LEAST,
) -> Iterator[Batch]:
    """Cut what is to do into batches.

    Parameters
    ----------
    grid : Grid
        The sweep.
    missing : dict of Configuration to list of Moment
        What `Grid.missing` returns.
    device : str or torch.device, optional
        Where to train and measure.
    most : float, optional
        Examples to show to the networks of a batch; never more than about ten seconds' worth.
    least : int
        Networks that a batch has even if they see more, if there are so many.
    """
    on_cpu = torch.device(device or "cpu").type == "cpu"
    most = min(most, _ON_CPU if on_cpu else _ON_ACCELERATOR)

    def program(c: Configuration) -> tuple[Any, ...]:
        settings = {name: value for name, value in vars(c).items() if name not in _WITHIN}
        # No network is trained on because another one is.
        end, n = last_epoch(missing[c]), c.examples_an_epoch(grid.data[c.data])
        return (*settings.values(), len(c.widths), end, n)

    def shown(networks: Iterable[Configuration]) -> int:
        return sum(examples_shown(grid, c, missing[c]) for c in networks)

    order = sorted(missing, key=lambda c: (*program(c), *source(c), c.seed, c.widths))
    for _, networks in groupby(order, program):
        for block in _blocks(list(networks), shown, most, least):
            parts = max(1, min(round(shown(block) / most), len(block) // least))
            for i in range(parts):
                part = block[i * len(block) // parts : (i + 1) * len(block) // parts]
                late = {c: missing[c] for c in part}
                yield Batch(part[0].data, late, tuple(grid.measures), device)


def _blocks(
    networks: list[Configuration],
    shown: Callable[[Iterable[Configuration]], int],
    most: float,
    least: int,
) -> Iterator[list[Configuration]]:
    """Put networks together as long as they are few, and those of a stream in any case."""
    block: list[Configuration] = []
    for _, members in groupby(networks, lambda c: (*source(c), c.seed)):
        stream = list(members)
        if len(block) >= least and shown([*block, *stream]) > most:
            yield block
            block = []
        block += stream
    yield block


def examples_shown(grid: Grid, configuration: Configuration, late: list[Moment]) -> int:
    """Count the examples that a network sees, in training and when it is measured."""
    an_epoch = configuration.examples_an_epoch(grid.data[configuration.data])
    return (last_epoch(late) + len(late)) * an_epoch


def last_epoch(late: Iterable[Moment]) -> int:
    """Return for how many epochs a network is trained that is measured then."""
    return max(moment.last_epoch for moment in late)


def source(configuration: Configuration) -> tuple[int, float, int]:
    """Return what tells apart the examples that networks learn."""
    noise = configuration.label_noise
    return configuration.train_size, noise, configuration.seed if noise else 0
