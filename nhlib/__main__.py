"""The command line: sweeps, and the experiments of the paper.

Run ``python -m nhlib --help``.
"""

import argparse
import signal
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from nhlib._arguments import check_columns, whole_number
from nhlib.sweeps import (
    COLUMNS,
    EXPERIMENTS,
    KEYS,
    MEASURES,
    PROTOCOLS,
    Grid,
    Results,
    expected_seconds,
    experiment,
    run,
)
from nhlib.sweeps import MEASURES as MEASURED

if TYPE_CHECKING:
    import pandas as pd


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit status."""
    given = _parser().parse_args(arguments)
    try:
        if not (given.store or given.table or given.dry_run):
            raise ValueError("--store, --table: name a file, or all that is measured would be lost")
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
    if given.table and not Path(given.table).absolute().parent.is_dir():
        raise FileNotFoundError(f"--table: there is no folder {Path(given.table).parent}")
    with Results(given.store or ":memory:") as results:
        before = _resume(given.table, grids, results)
        with _client(given.dask) as client:
            for grid in grids:
                try:
                    run(grid, results, given.device, client)
                finally:  # however it ends
                    if given.table and len(results):
                        _write(given.table, grids, results, before)
    return f"{len(_keys(grids)):,} rows are in {_files(given)}"


def _files(given: argparse.Namespace) -> str:
    """Name the files that there are."""
    return " and ".join(file for file in (given.store, given.table) if file and Path(file).exists())


def _keys(grids: list[Grid]) -> set[tuple[Any, ...]]:
    """Return what the rows of grids are called; several grids may have the same."""
    return {
        tuple(c.row(epoch).values()) for g in grids for c in g.configurations for epoch in g.epochs
    }


def _plan(given: argparse.Namespace, grids: list[Grid]) -> str:
    """Say how much there is to do, and how long that takes on this machine; write nothing."""
    networks, rows, seconds = 0, 0, 0.0
    with Results(":memory:") as results:
        if given.store and Path(given.store).exists():
            with Results(given.store) as kept:
                results.add_table(kept.table())
        _resume(given.table, grids, results)
        for grid in grids:
            missing = grid.missing(results)
            networks += len(missing)
            rows += sum(len(late) for late in missing.values())
            seconds += expected_seconds(grid, missing, given.device)
            # What is measured then need not be measured for the next grid.
            done = {column: 0 for measure in grid.measures for column in MEASURES[measure]}
            for configuration, late in missing.items():
                for epoch in late:
                    results.add({**configuration.row(epoch), **done})
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


def _resume(path: str | None, grids: list[Grid], results: Results) -> set[tuple[Any, ...]]:
    """Add the rows that a table has, and return what they are called."""
    if not path:
        return set()
    names = {name for grid in grids for name in grid.data}
    called = {_shown(name): name for name in names}
    if len(called) < len(names):
        raise ValueError(
            f"--table: it could not tell {', '.join(sorted(names))} apart, since it does not show "
            "where folders are; use --store alone"
        )
    if not Path(path).exists():
        return set()
    table = _read(path).replace({"data": called})
    results.add_table(table)
    return set(table[list(KEYS)].itertuples(index=False, name=None))


def _read(path: str) -> "pd.DataFrame":
    import pandas as pd

    texts = {name: str for name, kind in KEYS.items() if kind == "TEXT"}
    try:
        table = pd.read_csv(path, dtype=texts)
    except ValueError as error:
        raise ValueError(f"--table: {path} is no table of results ({error})") from None
    if "dropout" not in table:  # which older tables don't have
        table["dropout"] = 0.0
    check_columns("--table", table, KEYS, "; name another file")
    for column in table:
        if column not in COLUMNS:
            raise ValueError(
                f"--table: the column {column!r} of {path} would be lost; name another file"
            )
    return table


def _write(path: str, grids: list[Grid], results: Results, before: set[tuple[Any, ...]]) -> None:
    """Write the rows of the grids, and those that the table had before; all or nothing."""
    import pandas as pd

    whole = results.table()
    keys = pd.MultiIndex.from_frame(whole[list(KEYS)])
    table = whole[keys.isin(list(_keys(grids) | before))].dropna(axis="columns", how="all")
    table = table.assign(data=table["data"].map(_shown)).round(dict.fromkeys(MEASURED, 6))
    partial = Path(f"{path}.partial")
    table.to_csv(partial, index=False)
    partial.replace(path)


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
    others = ("command", "store", "table", "device", "dask", "dry_run")
    settings = {k: v for k, v in vars(given).items() if k not in others and v is not None}
    return Grid(**settings)


def _widths(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(width) for width in text.split("-"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"50, or 50-50 for two layers, not {text!r}") from None


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
        help="CSV file, written after every step and when stopped; resumed too",
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
    sweep.add_argument("--data", nargs="+", help="data sets, as nhlib.load calls them")
    sweep.add_argument(
        "--widths", nargs="+", type=_widths, metavar="WIDTH", help="50, or 50-50 for two layers"
    )
    sweep.add_argument("--epochs", nargs="+", type=int, metavar="EPOCH", help="when to measure")
    sweep.add_argument("--train-sizes", nargs="+", type=int, metavar="N")
    sweep.add_argument("--protocols", nargs="+", choices=tuple(PROTOCOLS))
    sweep.add_argument("--seeds", nargs="+", type=int, metavar="SEED")
    sweep.add_argument("--batch-norm", nargs="+", type=_yes_or_no, metavar="yes|no")
    sweep.add_argument("--l2", nargs="+", type=float, metavar="L2")
    sweep.add_argument("--dropout", nargs="+", type=float, metavar="SHARE")
    sweep.add_argument("--label-noise", nargs="+", type=float, metavar="SHARE")
    sweep.add_argument("--measures", nargs="+", choices=tuple(MEASURES))

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


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"yes or no, not {text!r}")
    return text == "yes"


if __name__ == "__main__":
    sys.exit(main())
