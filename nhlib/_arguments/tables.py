"""What is said when something else than a table, or one without a column, is given."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def check_columns(name: str, table: Any, columns: Iterable[str], hint: str = "") -> None:
    """Refuse what is no table, or a table that lacks a column.

    Parameters
    ----------
    name : str
        What the argument is called.
    table : DataFrame
        What was given for it.
    columns : iterable of str
        Those that it needs.
    hint : str, optional
        What to try, for the end of either message; ``{column}`` stands for the missing one.

    Raises
    ------
    TypeError
        If it is no DataFrame; the message says how to make one of it.
    ValueError
        If a column is missing.
    """
    import pandas as pd

    if not isinstance(table, pd.DataFrame):
        how = _to_table(table) or hint
        raise TypeError(f"{name}: a DataFrame is needed, not {type(table).__name__}{how}")
    for column in columns:
        if column not in table.columns:
            raise ValueError(
                f"{name}: no column {column!r}; there are {', '.join(map(str, table.columns))}"
                + hint.format(column=column)
            )


def _to_table(given: Any) -> str:
    """Say how to make a table of what is none."""
    if callable(getattr(given, "table", None)):  # History, Results
        return "; pass its .table()"
    if isinstance(given, (str, Path)):
        return f"; read the file first: pandas.read_csv({str(given)!r})"
    if isinstance(given, Mapping):
        return "; pass pandas.DataFrame(...) of it"
    return ""
