"""Cells of a grid of measured networks: checked, and averaged over seeds."""

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from nhlib._arguments import check_columns

if TYPE_CHECKING:
    import pandas as pd


def means_over_seeds(
    table: Any, grid: dict[str, str], measures: dict[str, str], seed: str
) -> "pd.DataFrame":
    """Check a table of measured networks; return the means over seeds, one row a cell, sorted."""
    check_grid("table", table, {**grid, **measures, "seed": seed})
    if not len(table):
        raise ValueError("table: at least one measured network is needed, and there is none")
    cell, measured = list(grid.values()), list(measures.values())
    table = table[[*cell, *measured, seed]]
    for column in cell:
        _check_values(table[column], "finite numbers of at least 0", sys.float_info.max)
    for column in measured:
        _check_values(table[column], "numbers from 0 to 1", 1.0)
    twice = table.duplicated([*cell, seed]).to_numpy()
    if twice.any():
        first = next(table.loc[twice, [*cell, seed]].itertuples(index=False, name=None))
        network = ", ".join(
            f"{name} {value}" for name, value in zip([*cell, seed], first, strict=True)
        )
        raise ValueError(
            f"table: one row a network is needed, but two have {network}; keep those of one "
            "protocol, data set and method"
        )
    # Sorted by values too, so that no last digit depends on the order of rows.
    table = table.astype(dict.fromkeys(measured, np.float64)).sort_values([*cell, *measured])
    means = {name: (name, "mean") for name in measured}
    averaged: pd.DataFrame = table.groupby(cell, as_index=False).agg(**means, seeds=(seed, "size"))
    return averaged


def check_grid(name: str, table: Any, columns: dict[str, str]) -> None:
    """Say which column of a table is missing, or given for two of the named arguments."""
    check_columns(name, table, (), "; nhlib.sweep makes such tables")
    for argument, column in columns.items():
        hint = f". Name another with {argument}=, or add it: {name}.assign({{column}}=...)"
        check_columns(name, table, [column], hint)
    if len(set(columns.values())) < len(columns):
        given = ", ".join(f"{argument}={column!r}" for argument, column in columns.items())
        raise ValueError(f"{name}: a column for each argument is needed, not {given}")


def _check_values(column: "pd.Series", wanted: str, most: float) -> None:
    from pandas.api.types import is_float_dtype, is_integer_dtype

    if not (is_float_dtype(column) or is_integer_dtype(column)):
        raise ValueError(
            f"table: {wanted} are needed in column {column.name!r}, not {column.dtype}"
        )
    values = column.to_numpy(np.float64, na_value=np.nan)
    strange = values[~((values >= 0) & (values <= most))]
    if strange.size:
        hint = f"; leave such rows out: table.dropna(subset=[{column.name!r}])"
        raise ValueError(
            f"table: {wanted} are needed in column {column.name!r}, but there is {strange[0]:g}"
            + hint * bool(np.isnan(strange[0]))
        )
