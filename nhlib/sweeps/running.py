"""A grid of networks, trained and measured row by row."""

import os
import textwrap
from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from nhlib._arguments import torch_device
from nhlib._progress import progress_bar
from nhlib.sweeps.batches import Row, Stop, divide, examples_shown
from nhlib.sweeps.cluster import rows_of_workers
from nhlib.sweeps.grid import Grid, Missing
from nhlib.sweeps.measurement import MEASURES, USUAL, describe_measures
from nhlib.sweeps.results import Results

if TYPE_CHECKING:
    import pandas as pd

# From a grid, and what of it is to be measured, the rows.
Rows = Generator[Row, None, None]
Way = Callable[[Grid, Missing], Rows]


def sweep(
    data: Any = "digits",
    widths: Any = (50,),
    epochs: Any = (0, 20),
    train_sizes: Any = None,
    protocols: Any = "A",
    seeds: Any = 0,
    *,
    batch_norm: Any = None,
    batch_sizes: Any = None,
    l2: Any = None,
    dropout: Any = 0,
    label_noise: Any = 0,
    steps: Any = 0,
    measures: Any = USUAL,
    store: str | os.PathLike[str] | None = None,
    device: str | torch.device | None = None,
    client: Any = None,
    progress: bool = True,
) -> "pd.DataFrame":
    """Train and measure MLPs over a grid, and return a row for every network and epoch.

    The grid is the product of all settings of which there are several. Networks are trained as
    populations (`nhlib.Population`), and every row is written to the store as soon as it is
    measured. A sweep that was interrupted, or killed, goes on where it was: what the store has
    is not measured again. What is lost are the networks that were being trained, about ten
    seconds' work on small data; at least six train together, so that it can be some minutes on
    MNIST, and half an hour where they train for more than a thousand epochs.

    Parameters
    ----------
    data : str, or iterable of them, default "digits"
        Data sets, as `nhlib.load` calls them.
    widths : iterable of int, or of sequences of int
        Units of the hidden layer, or of each of several: ``[20, 50]`` are two networks, and
        ``[(20, 50)]`` is one of two layers.
    epochs : iterable of int
        When to measure; 0 is before training. Training ends with the last.
    train_sizes : iterable of int, optional
        How many training examples, the first ones; by default all, but 48,000 of MNIST and
        Fashion-MNIST and 40,000 of CIFAR-10, as in the paper's code. Half of that and fewer are
        repeated as often as fits, so that an epoch has about as many steps as by default.
    protocols : "A", "B", or both
        See `nhlib.Recipe`; no early stopping.
    seeds : iterable of int, default 0
        From 0 to 2⁶³ - 1: of weights, of the order of examples, and of label noise.
    batch_norm, batch_sizes, l2 : iterable, optional
        By default as the protocol has it: batch norm or none, the examples in a minibatch, and
        the penalty.
    dropout : iterable of float, default 0
        See `nhlib.mlp`. Networks with dropout are trained one by one.
    label_noise : iterable of float, default 0
        Fractions of training labels that are shuffled.
    steps : iterable of int, default 0
        Minibatches after those epochs at which to measure, fewer than an epoch has:
        ``epochs=0, steps=[25, 50]`` is within the first epoch.
    measures : str, or iterable of them
        {measures}
    store : path, optional
        An SQLite file on a local disk, see `nhlib.Results`; by default nothing is kept.
    device : str or torch.device, optional
        Where to train and measure.
    client : dask.distributed.Client, optional
        Where to train and measure instead of in this process: on the workers of a Dask cluster,
        local or of many machines, each of which needs nhlib and the data. Start them with one
        thread (``threads_per_worker=1``). Only this process writes to the store.
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
    FileNotFoundError
        If the folder of the store, or the data, is not there.
    RuntimeError
        If a worker of `client` fails. What others measured until then is in the store.

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
    grid = Grid(
        data=data,
        widths=widths,
        epochs=epochs,
        train_sizes=train_sizes,
        protocols=protocols,
        seeds=seeds,
        batch_norm=batch_norm,
        batch_sizes=batch_sizes,
        l2=l2,
        dropout=dropout,
        label_noise=label_noise,
        steps=steps,
        measures=measures,
    )
    if client is not None and not (hasattr(client, "submit") and hasattr(client, "cancel")):
        raise TypeError(f"client: a dask.distributed.Client is needed, not {client!r}")
    if client is None and device is not None:
        torch_device("device", device)
    with Results(":memory:" if store is None else store) as results:
        way = partial(measure, device=device, client=client, progress=progress)
        for _ in run(grid, results, way, progress):
            pass
        return grid.rows_of(results.table())


if sweep.__doc__:  # python -OO leaves none
    _list = textwrap.indent(describe_measures(), 8 * " ").lstrip()
    sweep.__doc__ = sweep.__doc__.replace("{measures}", _list)


def run(grid: Grid, results: Results, way: Way, progress: bool = False) -> Rows:
    """Measure what results lack of a grid: yield row by row, each once it is in the results.

    Parameters
    ----------
    grid : Grid
        The sweep.
    results : Results
        Where the rows go.
    way : callable
        How rows are made of the grid and what of it is missing: `measure`, perhaps with some of
        its arguments, or `rehearse`.
    progress : bool, default False
        Show a progress bar when it takes longer than two seconds.
    """
    missing = grid.missing(results)
    total = sum(len(late) for late in missing.values())
    with progress_bar("sweep", total, "rows", progress) as bar, closing(way(grid, missing)) as rows:
        for row in rows:
            results.add(row)
            bar.update()
            yield row


def measure(
    grid: Grid,
    missing: Missing,
    device: str | torch.device | None = None,
    client: Any = None,
    progress: bool = False,
    stop: Stop = None,
    **sizes: Any,
) -> Rows:
    """Train networks of a grid, and yield the rows that are measured of them.

    Parameters
    ----------
    grid : Grid
        The sweep.
    missing : dict of Configuration to list of Moment
        What of it to measure.
    device : str or torch.device, optional
        Where to train and measure.
    client : dask.distributed.Client, optional
        Whose workers do it, instead of this process.
    progress : bool, default False
        Show how far a training in this process is that takes longer than two seconds.
    stop : callable, optional
        Asked in this process after every minibatch and every measure; when it returns True, this
        was all.
    **sizes
        ``most`` and ``least`` of `divide`.
    """
    if client is not None:
        # Enough batches to keep all workers busy until the end.
        shown = sum(examples_shown(grid, c, late) for c, late in missing.items())
        n_threads = max(1, sum(client.nthreads().values()))
        batches = divide(grid, missing, device, shown / (3 * n_threads), least=1)
        yield from rows_of_workers(client, list(batches))
        return
    for batch in divide(grid, missing, device, **sizes):
        yield from batch.rows(grid.data[batch.data], progress, stop)
        if stop is not None and stop():
            return


def rehearse(grid: Grid, missing: Missing) -> Rows:
    """Make the rows that would be measured, with zeros for all measures."""
    zeros = {column: 0 for name in grid.measures for column in MEASURES[name].shown_by}
    for configuration, late in missing.items():
        for moment in late:
            yield {**configuration.row(moment), **zeros}
