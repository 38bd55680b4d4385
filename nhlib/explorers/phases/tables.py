"""Tables for the phase chart: checked, packed for the page, and the Python that gives them."""

import os
from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from nhlib._arguments import check_columns
from nhlib.data import can_load
from nhlib.phases import critical_size, means_over_seeds
from nhlib.sweeps import FACTORS, KEYS, PROTOCOLS, with_all_keys

# Columns of nhlib.sweep, and what they count in words.
REDUNDANCIES = {
    "redundancy_test": "all test examples",
    "redundancy_train": "examples learnt, own n",
    "redundancy_test_n": "test, at most own n",
}
ACCURACIES = {"knn": "K-NN", "kmeans": "K-Means", "logreg": "logistic regression"}
# The axes of the chart, as nhlib.phase_chart takes them.
AXES = {"size": "width", "time": "epoch", "samples": "train_size"}


def tables_by_name(tables: Any) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """Return checked tables by name, and the paths of those that came from files."""
    if isinstance(tables, (pd.DataFrame, str, os.PathLike)):
        table = _table("", tables)
        check_columns("tables", table, ["data"], "; pass what nh.sweep returns")
        tables = {str(name): tables for name in table["data"][:1]} or {"": table}
    if not (isinstance(tables, Mapping) and tables and all(isinstance(n, str) for n in tables)):
        raise TypeError(
            "tables: a table of nh.sweep, the path of its CSV file, or a dict of these by name is "
            f"needed, not {tables!r:.60}"
        )
    named = {name: check(name, _table(name, given)) for name, given in tables.items()}
    paths = {
        name: os.fspath(given)
        for name, given in tables.items()
        if not isinstance(given, pd.DataFrame)
    }
    return named, paths


def _table(name: str, given: Any) -> pd.DataFrame:
    if isinstance(given, (str, os.PathLike)):
        return pd.read_csv(given, dtype={"widths": str})
    if isinstance(given, pd.DataFrame):
        return given
    raise TypeError(f"tables: {name!r} is a table or a path, not {given!r:.60}")


def check(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with a column of widths, if its networks differ only where axes are."""
    called = f"tables[{name!r}]"
    table = with_all_keys(table, called, "; pass what nh.sweep returns")
    if not len(table):
        raise ValueError(f"{called}: at least one measured network is needed, and there is none")
    for column in [column for column in KEYS if column not in {"widths", *_VARIED}]:
        values = sorted(set(table[column]))
        if len(values) > 1:
            raise ValueError(
                f"{called}: networks must not differ in column {column!r}, and there are "
                f"{', '.join(map(str, values))}; keep one: "
                f"table[table[{column!r}] == {values[0]!r}]"
            )
    widths = table["widths"].astype(str)
    deep = widths[~widths.str.fullmatch(r"\d+")]
    if len(deep):
        raise ValueError(
            f"{called}: networks of one hidden layer are needed, not of widths {deep.iloc[0]}"
        )
    return table.assign(width=widths.astype(int)).reset_index(drop=True)


def measures(name: str, table: pd.DataFrame) -> dict[str, list[str]]:
    """Return which columns a table has: of redundancy ratios, and of accuracies."""
    found = {}
    for kind, words in (("redundancy", REDUNDANCIES), ("accuracy", ACCURACIES)):
        found[kind] = [c for c in words if c in table.columns and table[c].notna().any()]
        if not found[kind]:
            raise ValueError(
                f"tables[{name!r}]: one of the columns {', '.join(words)} is needed; "
                'nh.sweep(..., measures=("redundancy", "knn")) measures both kinds'
            )
    return found


def pack(name: str, table: pd.DataFrame, path: str | None, stored: int) -> dict[str, Any]:
    """Return what is embedded of a table: its means over seeds, and how to come by it.

    Arrays are in the order of width, epoch and sample size, means in float64, so that the page
    names the same regimes as `nhlib.phase_chart`. Of tables from a file, the first `stored` rows
    are in it.
    """
    kinds = measures(name, table)
    columns = [*chain.from_iterable(kinds.values())]
    cells = means_over_seeds(table, AXES, {column: column for column in columns}, "seed")
    spread = table.groupby(list(AXES.values()))[columns].agg(["min", "max"])
    axes = {axis: np.unique(cells[axis]) for axis in AXES.values()}
    shape = tuple(len(values) for values in axes.values())
    places = tuple(np.searchsorted(values, cells[axis]) for axis, values in axes.items())

    def pack(values: pd.Series, kind: type, absent: float) -> bytes:
        array: np.ndarray = np.full(shape, absent, kind)
        array[places] = values.to_numpy()
        return array.tobytes()

    asked = _shared_arguments(table, kinds["accuracy"])
    lines = [] if path is None else [f"pd.read_csv({path!r})"]
    for block in _blocks(table.iloc[stored:]):
        arguments = {**block, **asked}
        written = "".join(f"    {key}={value!r},\n" for key, value in arguments.items())
        lines.append(f"nh.sweep(\n    {str(table['data'].iloc[0])!r},\n{written})")
    return {
        **{axis: values.tolist() for axis, values in axes.items()},
        "kinds": kinds,
        "seeds": pack(cells["seeds"], np.uint16, 0.0),
        "means": {column: pack(cells[column], np.float64, np.nan) for column in columns},
        "low": {column: pack(spread[column, "min"], np.float32, np.nan) for column in columns},
        "high": {column: pack(spread[column, "max"], np.float32, np.nan) for column in columns},
        "start": {ratio: _start(cells, ratio) for ratio in kinds["redundancy"]},
        "source": lines,
        "fixed": {c: _plain(table[c].iloc[0]) for c in KEYS if c not in {"widths", *_VARIED}},
        # Besides the cell, if nhlib can train what is missing.
        "asked": {**asked, "seeds": sorted(map(int, set(table["seed"])))}
        if can_load(str(table["data"].iloc[0]))
        else None,
    }


def _start(cells: pd.DataFrame, ratio: str) -> list[int]:
    """Choose the cell to begin at: the first past the border, of the longest and largest."""
    cells = cells[cells["train_size"] == cells["train_size"].max()]
    cells = cells[cells["epoch"] == cells["epoch"].max()]
    border = critical_size(cells.assign(seed=0), **AXES, redundancy=ratio)["critical_size"][0]
    width = cells["width"].max() if np.isnan(border) else border
    return [int(width), *(int(cells[axis].iloc[0]) for axis in ("epoch", "train_size"))]


def _shared_arguments(table: pd.DataFrame, accuracies: list[str]) -> dict[str, Any]:
    """Return the arguments of nhlib.sweep that all networks of a table share."""
    first = table.iloc[0]
    protocol = str(first["protocol"])
    asked: dict[str, Any] = {"protocols": protocol}
    for argument, factor in FACTORS.items():
        usual = factor.by_protocol(PROTOCOLS[protocol]) if factor.by_protocol else factor.default
        value = first[factor.column]
        if argument not in {"data", "protocols", *_VARIED.values()} and value != usual:
            asked[argument] = _plain(value)
    return {**asked, "measures": ["redundancy", *accuracies]}


def _plain(value: Any) -> Any:
    """Return NumPy's numbers and booleans as Python's."""
    return value.item() if hasattr(value, "item") else value


# What differs between the networks of a table, and how nhlib.sweep calls it.
_VARIED = {"width": "widths", "epoch": "epochs", "train_size": "train_sizes", "seed": "seeds"}


def _blocks(table: pd.DataFrame) -> list[dict[str, list[int]]]:
    """Cut a table into products of widths, epochs, sample sizes and seeds: one sweep each."""
    rows = table[list(_VARIED)].itertuples(index=False, name=None)
    blocks: list[tuple[tuple[int, ...], ...]] = [tuple((value,) for value in row) for row in rows]
    for axis in (1, 3, 0, 2):
        joined: dict[Any, list[int]] = {}
        for block in blocks:
            joined.setdefault(block[:axis] + block[axis + 1 :], []).extend(block[axis])
        blocks = [
            (*others[:axis], tuple(sorted(values)), *others[axis:])
            for others, values in joined.items()
        ]
    return [
        {name: list(values) for name, values in zip(_VARIED.values(), block, strict=True)}
        for block in blocks
    ]
