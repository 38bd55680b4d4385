"""How long a sweep would take on this machine: a little of it is tried."""

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from typing import Any

import torch

from nhlib.data import Dataset
from nhlib.sweeps.batches import Batch, divide, last_epoch, source
from nhlib.sweeps.configuration import Moment
from nhlib.sweeps.grid import Grid, Missing
from nhlib.sweeps.measurement import take

# Steps of an epoch that is tried, and epochs.
_STEPS, _EPOCHS = 20, 3


def expected_seconds(
    grid: Grid, missing: Missing, device: str | torch.device | None = None
) -> float:
    """Estimate the seconds that a sweep takes in this process, within a factor of about two.

    Of networks of one kind (depth, batch norm, dropout) a batch is trained for a few steps, and one
    network is measured.

    Parameters
    ----------
    grid : Grid
        The sweep.
    missing : dict of Configuration to list of Moment
        What `Grid.missing` returns.
    device : str or torch.device, optional
        Where it would run.
    """
    seconds = 0.0
    batches = sorted(divide(grid, missing, device), key=_kind)
    for (name, *_), alike in groupby(batches, _kind):
        some, whole = list(alike), grid.data[name]
        all_late = [late for batch in some for late in batch.networks.values()]
        middle = some[len(some) // 2]
        seconds += sum(map(len, all_late)) * _seconds_a_row(middle, whole)
        shown = sum(
            last_epoch(late) * c.examples_an_epoch(whole)
            for batch in some
            for c, late in batch.networks.items()
        )
        if shown:
            seconds += shown * _seconds_an_example(middle, whole)
    return seconds


def _kind(batch: Batch) -> tuple[Any, ...]:
    c = next(iter(batch.networks))
    return batch.data, len(c.widths), c.batch_norm, c.dropout > 0


def _seconds_a_row(batch: Batch, whole: Dataset) -> float:
    """Measure the middle network."""
    c = list(batch.networks)[len(batch.networks) // 2]
    network, (data, _) = c.network(whole).to(batch.device).eval(), c.examples(whole)
    return _seconds_of(lambda: list(take(batch.measures, network, data, batch.device)))


def _seconds_an_example(batch: Batch, whole: Dataset) -> float:
    """Train the networks of a batch for a few steps."""
    networks = list(batch.networks)
    if networks[0].dropout:  # these are trained one by one
        networks = networks[len(networks) // 2 :][:1]
    batch_size = networks[0].batch_size
    n = min(len(whole.train), _STEPS * batch_size)
    if n > 1 and n % batch_size == 1:  # one by itself, which batch norm could not normalize
        n -= 1
    n_test = -(-n * len(whole.test) // len(whole.train))
    little = replace(whole, train=whole.train[:n], test=whole.test[:n_test])
    # Those that saw other examples, or in another order, still do: it takes longer.
    streams = list(dict.fromkeys((source(c), c.seed) for c in networks))
    tried = [
        replace(c, train_size=n, label_noise=0.0, seed=streams.index((source(c), c.seed)))
        for c in networks
    ]

    def seconds(epochs: int) -> float:
        trial = replace(batch, networks={c: [Moment(epochs, 0)] for c in tried}, measures=())
        return _seconds_of(lambda: list(trial.rows(little)))

    one, several = seconds(1), seconds(_EPOCHS)
    # Less what is done once. (On a machine that does much else it may come out as nothing.)
    return max(several - one, several / 10) / ((_EPOCHS - 1) * n * len(tried))


def _seconds_of(run: Callable[[], object]) -> float:
    """Time the quicker of two runs, after one that loads libraries."""
    run()
    times = []
    for _ in range(2):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)
