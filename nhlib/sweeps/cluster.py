"""Batches of a sweep on the workers of a Dask cluster."""

from collections.abc import Iterator
from typing import Any

from nhlib.data import load
from nhlib.sweeps.batches import Batch, Row


def rows_of_workers(client: Any, batches: list[Batch]) -> Iterator[Row]:
    """Yield the rows of batches as workers send them.

    Parameters
    ----------
    client : dask.distributed.Client
        Where they are trained and measured.
    batches : list of Batch
        Each is the work of one worker.

    Raises
    ------
    RuntimeError
        If a worker fails; its rows until then, and what others sent, have come before.
    """
    from dask.distributed import as_completed

    # Not pure: Dask would hand out what it remembers of an earlier sweep.
    futures = [client.submit(_work, batch, pure=False) for batch in batches]
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


def _work(batch: Batch) -> tuple[list[Row], str | None]:
    """Return plain rows, and what went wrong as text, so that both can travel."""
    rows: list[Row] = []
    try:
        for row in batch.rows(load(batch.data)):
            rows.append({key: _plain(key, value) for key, value in row.items()})
    except Exception as error:
        return rows, f"{type(error).__name__}: {error}"
    return rows, None


def _plain(key: str, value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise TypeError(f"{key}: a {type(value).__name__} cannot be sent")
