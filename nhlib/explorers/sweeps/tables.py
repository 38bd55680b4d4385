"""Tables for the SweepExplorer: checked, put into words, and packed for the page."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nhlib._arguments import check_columns
from nhlib.data import can_load
from nhlib.explorers.sweeps.slices import FACTORS, with_factors
from nhlib.sweeps import MEASURES, PROTOCOLS, TRAINING, Results, with_all_keys

# Measures are embedded as ten thousandths in 16 bits; this stands for none.
_STEPS, _MISSING = 10_000, 65_535


def labels() -> dict[str, tuple[str, str]]:
    """Return what columns are called beside an axis, and the measures that nhlib.sweep takes."""
    of_measures = [(c, name) for name, measure in MEASURES.items() for c in measure.columns]
    # What comes from training comes with every measure; the first is quick.
    of_training = [(c, next(iter(MEASURES))) for c in TRAINING]
    return {c.name: (c.label, name) for c, name in of_measures + of_training if c.label}


def tables_by_name(tables: Any) -> dict[str, pd.DataFrame]:
    """Return tables by name, and say what is wrong with one."""
    if isinstance(tables, pd.DataFrame):
        check_columns("tables", tables, ["data"], "; pass what nh.sweep returns")
        tables = {str(name): part for name, part in tables.groupby("data", sort=False)}
    if not (isinstance(tables, Mapping) and tables and all(isinstance(n, str) for n in tables)):
        raise TypeError(
            f"tables: a table of nh.sweep, or a dict of some by name, is needed, not {tables!r:.60}"
        )
    return {name: _check(name, table) for name, table in tables.items()}


def _check(name: str, table: Any) -> pd.DataFrame:
    """Return a table with one row a network and epoch, sorted, or say what is wrong with it."""
    if not isinstance(table, pd.DataFrame):
        raise TypeError(f"tables: {name!r} is a table of nh.sweep, not {table!r:.60}")
    table = with_all_keys(table, f"tables[{name!r}]", "; pass what nh.sweep returns")
    if len(table["data"].unique()) != 1:
        raise ValueError(
            f"tables[{name!r}]: rows of one data set are needed, not of "
            f"{', '.join(map(str, table['data'].unique())) or 'none'}; give each a name of its own"
        )
    strange = sorted(set(table["protocol"]) - set(PROTOCOLS))
    if strange:
        raise ValueError(f"tables[{name!r}]: protocols are A and B, not {strange[0]!r}")
    known = measures_of(table)
    if not known:
        raise ValueError(f"tables[{name!r}]: no measures; there are {', '.join(labels())}")
    for column in known:
        outside = table[column].dropna()
        outside = outside[~outside.between(0, 1)]
        if len(outside):
            raise ValueError(
                f"tables[{name!r}]: numbers from 0 to 1 are needed in {column!r}, not "
                f"{outside.iloc[0]}"
            )
    # Several experiments put together have networks in common.
    with Results(":memory:") as results:
        results.add_table(table)
        return with_factors(results.table())


def measures_of(table: pd.DataFrame) -> list[str]:
    """Return the columns of a table that can be shown."""
    return [column for column in labels() if column in table and table[column].notna().any()]


def pack(table: pd.DataFrame) -> dict[str, Any]:
    """Return a table as few bytes: values once and their numbers by row, measures in 16 bits."""
    keys = {}
    n = table["n"] if "n" in table else pd.Series(np.nan, table.index)
    for name, column in {**table[[*FACTORS, "seed"]], "n": n.fillna(0).astype(int)}.items():
        values, codes = np.unique(column.to_numpy(), return_inverse=True)
        small = np.uint8 if len(values) <= 256 else np.uint16
        keys[name] = {"values": values.tolist()}
        if len(values) > 1:
            keys[name]["codes"] = codes.astype(small).tobytes()
    measures = {}
    for name in measures_of(table):
        steps = (table[name] * _STEPS).round().fillna(_MISSING)
        measures[name] = steps.to_numpy().astype("<u2").tobytes()
    data = str(table["data"].iloc[0])
    return {
        "data": data,
        "trainable": can_load(data),
        "rows": len(table),
        "keys": keys,
        "measures": measures,
    }
