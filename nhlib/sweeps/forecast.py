"""How long a sweep would take on this machine: a little of it is tried."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch

from nhlib.data import Dataset
from nhlib.sweeps.grid import Configuration, Grid
from nhlib.sweeps.measurement import measured, measures_of

# Steps that are tried, of at most so many networks.
_STEPS, _NETWORKS = 30, 16


def expected_seconds(
    grid: Grid,
    missing: dict[Configuration, list[int]],
    device: str | torch.device | None = None,
) -> float:
    """Estimate the seconds that a sweep takes in this process, within a factor of about two.

    Some networks of middling width are trained for a few steps, and one is measured.

    Parameters
    ----------
    grid : Grid
        The sweep.
    missing : dict of Configuration to list of int
        What `Grid.missing` returns.
    device : str or torch.device, optional
        Where it would run.
    """
    seconds = 0.0
    for name, whole in grid.data.items():
        ours = sorted((c for c in missing if c.data == name), key=lambda c: (c.dropout, c.widths))
        if not ours:
            continue
        middle = ours[len(ours) // 2]
        measure = partial(
            measures_of,
            middle.network(whole).to(device).eval(),
            middle.examples(whole)[0],
            grid.measures,
            device,
        )
        seconds += sum(len(missing[c]) for c in ours) * _seconds_of(measure)
        # With dropout networks are trained one by one.
        for alone in (False, True):
            some = [c for c in ours if bool(c.dropout) == alone and max(missing[c])]
            if some:
                shown = sum(max(missing[c]) * len(whole.train) for c in some)
                seconds += shown * _seconds_an_example(some, whole, device)
    return seconds


def _seconds_an_example(
    some: list[Configuration], whole: Dataset, device: str | torch.device | None
) -> float:
    """Train the middle one for a few steps, together with others like it."""
    middle = some[len(some) // 2]
    batch_size = middle.recipe(1).batch_size
    n = min(len(whole.train), _STEPS * batch_size)
    if n > 1 and n % batch_size == 1:  # one by itself, which batch norm could not normalize
        n -= 1
    little = replace(whole, train=whole.train[:n], test=whole.test[:n])
    alike = [replace(c, train_size=n, label_noise=0.0) for c in some if c.seed == middle.seed]
    alike = [c for c in dict.fromkeys(alike) if len(c.widths) == len(middle.widths)]
    first = max(0, alike.index(replace(middle, train_size=n, label_noise=0.0)) - _NETWORKS // 2)
    tried = {c: [1] for c in alike[first : first + (1 if middle.dropout else _NETWORKS)]}
    return _seconds_of(lambda: list(measured(tried, little, [], device))) / (n * len(tried))


def _seconds_of(run: Callable[[], object]) -> float:
    """Time the second run: the first one loads libraries."""
    run()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
