"""The command line: sweeps, and the experiments of the paper.

Run ``python -m nhlib --help``.
"""

import argparse
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from nhlib._arguments import torch_device, whole_number
from nhlib._files import replacing
from nhlib.sweeps import (
    EXPERIMENTS,
    FACTORS,
    KEYS,
    MEASURES,
    Grid,
    Results,
    columns,
    expected_seconds,
    experiment,
    measure,
    measure_columns,
    rehearse,
    run,
    with_all_keys,
)

if TYPE_CHECKING:
    import pandas as pd


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit status."""
    given = _parser().parse_args(arguments)
    try:
        if not (given.store or given.table or given.dry_run):
            raise ValueError("--store, --table: name a file, or all that is measured would be lost")
        if given.store == ":memory:":
            raise ValueError("--store: a file is needed; what is in memory ends with the program")
        if given.command == "sweep":
            grids = [_grid(given)]
        else:
            grids = experiment(given.experiment, given.full, given.data)
        print(_plan(given, grids) if given.dry_run else _run(given, grids))
        return 0
    except (TypeError, ValueError, OSError, RuntimeError, ImportError, sqlite3.Error) as error:
        print("nhlib:", *str(error).split(), file=sys.stderr)  # in one line
        return 2
    except KeyboardInterrupt:
        kept = _files(given)
        print(
            "\nnhlib: stopped" + f"; what was measured is in {kept}" * bool(kept), file=sys.stderr
        )
        return 130


def _run(given: argparse.Namespace, grids: list[Grid]) -> str:
    """Train and measure, and say where the rows are."""
    if given.device and not given.dask:
        torch_device("--device", given.device)
    for path in filter(None, (given.store, given.table)):
        Path(path).absolute().parent.mkdir(parents=True, exist_ok=True)
    n_rows = 0
    with Results(given.store or ":memory:") as results:
        table = _Table(given.table, grids) if given.table else None
        if table:
            table.resume(results)
        with _client(given.dask) as client:
            way = partial(measure, device=given.device, client=client, progress=True)
            try:
                for grid in grids:
                    with closing(run(grid, results, way, progress=True)) as rows:
                        for _ in rows:
                            n_rows += 1
                            if table:
                                table.grow(results)
            finally:  # however it ends
                if table and len(results):
                    table.write(results)
    keys = {key for grid in grids for key in grid.keys}
    found = f"{len(keys):,} rows are in {_files(given)}"
    return found if n_rows else f"{found}; all were there before, and nothing was trained"


def _files(given: argparse.Namespace) -> str:
    """Name the files that there are."""
    return " and ".join(file for file in (given.store, given.table) if file and Path(file).exists())


def _plan(given: argparse.Namespace, grids: list[Grid]) -> str:
    """Say how much there is to do, and how long that takes on this machine; write nothing."""
    networks, rows, seconds = 0, 0, 0.0
    with Results(":memory:") as results:
        if given.store and Path(given.store).exists():
            with Results(given.store) as kept:
                results.add_table(kept.table())
        if given.table:
            _Table(given.table, grids).resume(results)
        for grid in grids:
            missing = grid.missing(results)
            networks += len(missing)
            seconds += expected_seconds(grid, missing, given.device)
            # What is measured then need not be measured for the next grid.
            rows += sum(1 for _ in run(grid, results, rehearse))
    if not rows:
        return "nothing to do: all rows are there"
    size, unit = next(
        (seconds / each, unit)
        for each, unit in ((3600, "hours"), (60, "minutes"), (1, "seconds"))
        if seconds >= 2 * each or each == 1
    )
    return (
        f"{networks:,} networks to train, {rows:,} rows to measure: "
        f"about {max(1, round(size))} {unit} on this machine, in one process"
    )


# -- tables ------------------------------------------------------------------------------------


class _Table:
    """A CSV file of the rows of some grids, and of those that it had before."""

    def __init__(self, path: str, grids: list[Grid]) -> None:
        names = {name for grid in grids for name in grid.data}
        self._data = {_shown(name): name for name in names}
        if len(self._data) < len(names):
            raise ValueError(
                f"--table: it could not tell {', '.join(sorted(names))} apart, since it does not "
                "show where folders are; use --store alone"
            )
        self._path = Path(path)
        self._keys = {key for grid in grids for key in grid.keys}
        self._next = 0.0

    def resume(self, results: Results) -> None:
        """Add its rows to the results: they need not be measured again."""
        if not self._path.exists():
            return
        table = self._read().replace({"data": self._data})
        results.add_table(table)
        self._keys |= set(table[list(KEYS)].itertuples(index=False, name=None))

    def _read(self) -> "pd.DataFrame":
        import pandas as pd

        texts = {name: str for name, kind in KEYS.items() if kind == "TEXT"}
        try:
            table = pd.read_csv(self._path, dtype=texts)
        except ValueError as error:
            raise ValueError(f"--table: {self._path} is no table of results ({error})") from None
        table = with_all_keys(table, "--table", "; name another file")
        for column in table:
            if column not in columns():
                raise ValueError(
                    f"--table: the column {column!r} of {self._path} would be lost; name another "
                    "file"
                )
        return table

    def write(self, results: Results) -> None:
        """Write it from the results; all or nothing."""
        import pandas as pd

        whole = results.table()
        keys = pd.MultiIndex.from_frame(whole[list(KEYS)])
        table = whole[keys.isin(list(self._keys))].dropna(axis="columns", how="all")
        table = table.assign(data=table["data"].map(_shown))
        # Not the loss, which falls below any number of digits.
        shares = {column.name for column in measure_columns()} - {"train_loss"}
        table = table.round(dict.fromkeys(shares, 6))
        with replacing(self._path) as aside:
            table.to_csv(aside, index=False)

    def grow(self, results: Results) -> None:
        """Write it, so that a kill costs little; but at most a twentieth of the time."""
        start = time.monotonic()
        if start > self._next:
            self.write(results)
            self._next = start + 20 * (time.monotonic() - start)


def _shown(name: str) -> str:
    """Name a data set without the place where a machine has it."""
    folder = name.removeprefix("folder:")
    return name if folder == name else Path(folder).expanduser().resolve().name


# -- arguments ---------------------------------------------------------------------------------


@contextmanager
def _client(address: str | None) -> Iterator[Any]:
    """Connect to a Dask cluster, or start one here; nothing if none is asked for."""
    if address is None:
        yield None
        return
    try:
        from dask.distributed import Client, LocalCluster
    except ImportError:
        raise ImportError(
            "--dask needs Dask's distributed scheduler: pip install 'nhlib[dask]'"
        ) from None
    if not address.isdecimal():
        with Client(address) as client:
            yield client
        return
    n = whole_number("--dask", int(address), 1)
    # Ctrl-C is for this process, which then stops the others.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        cluster = LocalCluster(n_workers=n, threads_per_worker=1, dashboard_address="localhost:0")
    finally:
        signal.signal(signal.SIGINT, before)
    with cluster, Client(cluster) as client:
        yield client


def _grid(given: argparse.Namespace) -> Grid:
    """Make the grid; what was not given keeps its default."""
    known = (*FACTORS, "measures")
    return Grid(**{k: v for k, v in vars(given).items() if k in known and v is not None})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m nhlib",
        description="Train and measure many ReLU networks. A run may be stopped at any time, and "
        "goes on where it was when it is started again with the same files.",
    )
    commands = parser.add_subparsers(dest="command", required=True)

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--store", metavar="FILE", help="SQLite file on a local disk, kept row by row"
    )
    common.add_argument(
        "--table",
        metavar="FILE",
        help="CSV file, written again and again as rows come, and when stopped; what it has "
        "counts as measured",
    )
    common.add_argument(
        "--device", type=_device, help="where to train and measure: cpu (default), cuda, mps"
    )
    common.add_argument(
        "--dask", metavar="WORKERS|ADDRESS", help="so many processes here, or a running cluster"
    )
    common.add_argument(
        "--dry-run", action="store_true", help="say how much there is to do and how long it takes"
    )

    sweep = commands.add_parser("sweep", parents=[common], help="a grid of your own")
    for factor in FACTORS.values():
        sweep.add_argument(
            f"--{factor.argument.replace('_', '-')}",
            nargs="+",
            type=factor.read,
            choices=factor.choices,
            metavar=factor.metavar,
            help=factor.help,
        )
    sweep.add_argument(
        "--measures",
        nargs="+",
        choices=tuple(MEASURES),
        help="; ".join(f"{name}: {of.about}" for name, of in MEASURES.items()),
    )

    reproduce = commands.add_parser(
        "reproduce", parents=[common], help="an experiment of the paper"
    )
    reproduce.add_argument("experiment", choices=EXPERIMENTS)
    reproduce.add_argument("--full", action="store_true", help="as long and often as a GPU allows")
    reproduce.add_argument("--data", help="a copy of the data set, such as folder:PATH")
    return parser


def _device(text: str) -> str:
    try:
        torch.device(text)
    except RuntimeError:
        raise argparse.ArgumentTypeError(f"a device such as cpu or cuda, not {text!r}") from None
    return text


if __name__ == "__main__":
    # A shutdown does as Ctrl-C: the table is written.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    sys.exit(main())
