"""Many networks trained and measured, and what was measured kept."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from nhlib._progress import progress_bar
from nhlib.sweeps.grid import USUAL, Configuration, Grid, whole_data
from nhlib.sweeps.measurement import measured
from nhlib.sweeps.results import Results

if TYPE_CHECKING:
    import pandas as pd
from nhlib.sweeps.batches import examples_shown, together

# Networks are trained together until they see so many examples: what a kill can cost.
_TOGETHER = 50_000_000


def sweep(
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
    store: str | os.PathLike[str] | None = None,
    device: str | torch.device | None = None,
    client: Any = None,
    progress: bool = True,
) -> "pd.DataFrame":
    """Train and measure MLPs over a grid, and return a row for every network and epoch.

    The grid is the product of all settings of which there are several. Networks are trained as
    populations (`nhlib.Population`), and every row is written to the store as soon as it is
    measured. A sweep that was interrupted, or killed, goes on where it was: what the store has
    is not measured again.

    Parameters
    ----------
    data : str, or iterable of them, default "digits"
        Data sets, as `nhlib.load` calls them.
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
    dropout : iterable of float, default 0
        See `nhlib.mlp`. Networks with dropout are trained one by one.
    label_noise : iterable of float, default 0
        Fractions of training labels that are shuffled.
    measures : iterable of "redundancy", "kmeans", "knn", "logreg", "kmeans_train"
        By default the first four. The first is quick: the ratios of the training and of the
        test codes (``redundancy_train``, ``redundancy_test``) and, at one number ``n`` of
        examples, of training, test and random inputs. The others are accuracies, and take some
        seconds a network on MNIST: on test codes, but the last, clusters of the training codes
        counted on these themselves.
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
        data,
        widths,
        epochs,
        train_sizes,
        protocols,
        seeds,
        batch_norm=batch_norm,
        l2=l2,
        dropout=dropout,
        label_noise=label_noise,
        measures=measures,
    )
    if client is not None and not (hasattr(client, "submit") and hasattr(client, "cancel")):
        raise TypeError(f"client: a dask.distributed.Client is needed, not {client!r}")
    with Results(":memory:" if store is None else store) as results:
        run(grid, results, device, client, progress)
        return grid.rows_of(results.table())


def run(
    grid: Grid,
    results: Results,
    device: str | torch.device | None = None,
    client: Any = None,
    progress: bool = True,
) -> None:
    """Measure what results lack of a grid, and add it to them row by row."""
    missing = grid.missing(results)
    total = sum(len(late) for late in missing.values())
    with progress_bar("sweep", total, "rows", progress) as bar:
        for row in _rows(grid, missing, device, client, progress):
            results.add(row)
            bar.update()


def _rows(
    grid: Grid,
    missing: dict[Configuration, list[int]],
    device: str | torch.device | None,
    client: Any,
    progress: bool,
) -> Iterator[dict[str, Any]]:
    if client is None:
        for batch in together(missing, grid, _TOGETHER):
            (name,) = {configuration.data for configuration in batch}
            yield from measured(batch, grid.data[name], grid.measures, device, progress)
        return
    # Enough pieces to keep all workers busy until the end.
    cost = sum(examples_shown(c, late, grid) for c, late in missing.items())
    n_threads = sum(client.nthreads().values())
    pieces = together(missing, grid, min(_TOGETHER, cost // (3 * max(1, n_threads))))
    yield from _rows_of_workers(client, list(pieces), grid.measures, device)


def _rows_of_workers(
    client: Any,
    pieces: list[dict[Configuration, list[int]]],
    measures: list[str],
    device: str | torch.device | None,
) -> Iterator[dict[str, Any]]:
    from dask.distributed import as_completed

    # Not pure: Dask would hand out what it remembers of an earlier sweep.
    futures = [client.submit(_work, piece, measures, device, pure=False) for piece in pieces]
    try:
        for future in as_completed(futures, loop=client.loop):
            try:
                rows, failure = future.result()
            except Exception as error:  # lost workers, or ones that have no nhlib
                raise RuntimeError(f"client: a worker failed: {error}") from error
            yield from rows
            if failure:
                raise RuntimeError(f"client: a worker failed: {failure}")
    finally:
        if client.status == "running":  # or there is nobody to ask
            client.cancel(futures)


def _work(
    batch: dict[Configuration, list[int]],
    measures: list[str],
    device: str | torch.device | None,
) -> tuple[list[dict[str, Any]], str | None]:
    """What a worker does: plain rows, and what went wrong as text, so that both can travel."""
    rows: list[dict[str, Any]] = []
    try:
        (name,) = {configuration.data for configuration in batch}
        for row in measured(batch, whole_data(name), measures, device):
            rows.append({key: _travels(key, value) for key, value in row.items()})
    except Exception as error:
        return rows, f"{type(error).__name__}: {error}"
    return rows, None


def _travels(key: str, value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise TypeError(f"{key}: a {type(value).__name__} cannot be sent")
