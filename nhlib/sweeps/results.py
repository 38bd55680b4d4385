"""Measured networks, kept row by row in a file that survives whatever happens to the program."""

import os
import sqlite3
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from nhlib._arguments import check_columns
from nhlib.sweeps.configuration import KEYS, LARGEST
from nhlib.sweeps.measurement import measure_columns

if TYPE_CHECKING:
    import pandas as pd

# "nhlb": marks a SQLite file as ours. The version counts changes of the keys.
_APPLICATION, _VERSION = 0x6E686C62, 3
# What stores of version 2, and tables of that time and before, do not say of their networks.
_OF_VERSION_2: dict[str, Any] = {"batch_size": 64, "step": 0}
BEFORE = {**_OF_VERSION_2, "dropout": 0.0}
_PROVENANCE = {"failed": "TEXT", "version": "TEXT", "device": "TEXT", "date": "TEXT"}

# Seconds to wait for another process that writes.
_PATIENCE = 60


def columns() -> dict[str, str]:
    """Return the columns of a table of results, and their types in SQL."""
    return {**KEYS, **{name: kind for name, kind, _ in measure_columns()}, **_PROVENANCE}


def with_all_keys(table: "pd.DataFrame", called: str, hint: str) -> "pd.DataFrame":
    """Return a table of results with all keys, also those of which there once was one value.

    Parameters
    ----------
    table : DataFrame
        The table, of any version of nhlib.
    called, hint : str
        What an error calls it, and what would work.

    Raises
    ------
    ValueError
        If it lacks another key.
    """
    check_columns(called, table, [name for name in KEYS if name not in BEFORE], hint)
    return _with_older_keys(table)


def _with_older_keys(table: "pd.DataFrame") -> "pd.DataFrame":
    # Rows of several versions in one table have it in some.
    there = {name: table[name].fillna(one) for name, one in BEFORE.items() if name in table}
    return table.assign(**{**BEFORE, **there})


class Results:
    """A table of measured networks in an SQLite file.

    Every row is on the disk when `add` returns: a program that is killed at any moment loses
    none, and repeats none when it goes on. Several processes may write to one file on a local
    disk. (Not on a network's disk, where SQLite's locks cannot be relied on.)

    Parameters
    ----------
    path : str or path
        The file; it is made if it does not exist. ``":memory:"`` keeps the table in memory.

    Raises
    ------
    ValueError
        If the file is no such table, or one of another version of nhlib.
    FileNotFoundError
        If its folder does not exist.

    Examples
    --------
    >>> with Results(":memory:") as results:
    ...     results.add({"data": "digits", "widths": "50", "seed": 0, "epoch": 3, "knn": 0.9})
    ...     results.add({"data": "digits", "widths": "50", "seed": 0, "epoch": 3, "kmeans": 0.7})
    ...     results.table()[["data", "widths", "epoch", "knn", "kmeans"]]
         data widths  epoch  knn  kmeans
    0  digits     50      3  0.9     0.7
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        if not self.path:  # of which SQLite would make a file that nobody finds
            raise ValueError("store: a file is needed, not ''")
        if self.path != ":memory:" and not Path(self.path).absolute().parent.is_dir():
            raise FileNotFoundError(f"store: there is no folder {Path(self.path).parent}")
        try:
            self._connection = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)
        except sqlite3.OperationalError as error:  # a folder, say
            raise ValueError(f"store: {self.path} is no file to write to ({error})") from None
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise ValueError(
                f"store: {self.path} is no table of results ({error}); name another file"
            ) from None
        except ValueError:
            self._connection.close()
            raise

    def _open(self) -> None:
        execute = self._connection.execute
        self._write_ahead()
        execute("PRAGMA synchronous = FULL")
        with _Transaction(self._connection):
            (application,) = execute("PRAGMA application_id").fetchone()
            (version,) = execute("PRAGMA user_version").fetchone()
            (tables,) = execute("SELECT count(*) FROM sqlite_master").fetchone()
            if not application and not tables:
                self._create()
                execute(f"PRAGMA application_id = {_APPLICATION}")
            elif application != _APPLICATION:
                raise ValueError(
                    f"store: {self.path} is an SQLite file of another program; name another file"
                )
            elif version == 2:
                self._upgrade()
            elif version != _VERSION:
                raise ValueError(
                    f"store: {self.path} has columns of version {version}, and this nhlib writes "
                    f"version {_VERSION}; keep it, and name another file"
                )
            # A file that is older than a measure lacks its columns.
            there = {name for _, name, *_ in execute("PRAGMA table_info(results)")}
            for name, kind in columns().items():
                if name not in there:
                    execute(f'ALTER TABLE results ADD COLUMN "{name}" {kind}')

    def _create(self) -> None:
        all_columns = ", ".join(f'"{name}" {kind}' for name, kind in columns().items())
        self._connection.execute(
            f"CREATE TABLE results ({all_columns}, PRIMARY KEY ({', '.join(KEYS)}))"
        )
        self._connection.execute(f"PRAGMA user_version = {_VERSION}")

    def _upgrade(self) -> None:
        """Give a store of version 2 the keys of today: SQLite cannot change a primary key."""
        execute = self._connection.execute
        execute("ALTER TABLE results RENAME TO before")
        self._create()
        there = [name for _, name, *_ in execute("PRAGMA table_info(before)")]
        new = ", ".join(map(str, _OF_VERSION_2.values()))
        execute(
            f"INSERT INTO results ({_in_quotes([*there, *_OF_VERSION_2])}) "
            f"SELECT {_in_quotes(there)}, {new} FROM before"
        )
        execute("DROP TABLE before")

    def _write_ahead(self) -> None:
        """Let readers and a writer not wait for each other."""
        # To begin with it SQLite needs the file alone for a moment, and does not wait for that.
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def add(self, row: Mapping[str, Any]) -> None:
        """Write a row, or what is new in it if its network was measured then before.

        Parameters
        ----------
        row : mapping
            Values by column; missing ones, None and NaN stay as they are. A missing key is
            written as 0 or an empty text.

        Raises
        ------
        ValueError
            If there is no such column, or a number is larger than SQLite's.
        """
        known = columns()
        unknown = sorted(set(row) - set(known))
        if unknown:
            raise ValueError(f"row: no column {unknown[0]!r}; there are {', '.join(known)}")
        full = _whole_row(row)
        names = list(full)
        news = [
            f'"{name}" = coalesce(excluded."{name}", "{name}")'
            for name in names
            if name not in KEYS
        ]
        self._connection.execute(
            f"INSERT INTO results ({_in_quotes(full)}) VALUES ({', '.join('?' * len(full))}) "
            f"ON CONFLICT DO " + (f"UPDATE SET {', '.join(news)}" if news else "NOTHING"),
            list(full.values()),
        )

    def add_table(self, table: "pd.DataFrame") -> None:
        """Write all rows of a table, such as a stored one: they need not be measured again."""
        known, table = columns(), _with_older_keys(table)
        rows = table[[name for name in table.columns if name in known]].astype(object)
        rows = rows.where(rows.notna(), None)
        with _Transaction(self._connection):
            for values in rows.itertuples(index=False):
                self.add(dict(zip(rows.columns, values, strict=True)))

    def has(self, keys: Mapping[str, Any], measured: Iterable[str]) -> bool:
        """Tell whether columns are known of a network at an epoch, or its training failed."""
        full = _whole_row(keys)
        where = " AND ".join(f"{name} = ?" for name in KEYS)
        there = " AND ".join(f'"{name}" IS NOT NULL' for name in measured) or "1"
        found = self._connection.execute(
            f"SELECT 1 FROM results WHERE {where} AND (failed IS NOT NULL OR ({there}))",
            [full[name] for name in KEYS],
        ).fetchone()
        return found is not None

    def table(self) -> "pd.DataFrame":
        """Return all rows, sorted by their keys; columns in which nothing is known are left out.

        Widths are sorted as numbers: 9 before 10, and 9-10 between them.
        """
        import pandas as pd

        names = list(columns())
        rows = self._connection.execute(f"SELECT {_in_quotes(names)} FROM results").fetchall()
        place = names.index("widths")
        rows.sort(
            key=lambda row: [
                *row[:place],
                [(len(width), width) for width in row[place].split("-")],
                *row[place + 1 : len(KEYS)],
            ]
        )
        table = pd.DataFrame(rows, columns=names)
        table["batch_norm"] = table["batch_norm"].astype(bool)
        return table.drop(columns=[c for c in table if c not in KEYS and table[c].isna().all()])

    def __len__(self) -> int:
        (n,) = self._connection.execute("SELECT count(*) FROM results").fetchone()
        return int(n)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> "Results":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class _Transaction:
    """All or nothing; the lock is taken at once, where SQLite would wait for the first write."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        self._connection.execute("COMMIT" if kind is None else "ROLLBACK")


def _in_quotes(names: Iterable[str]) -> str:
    # In quotes, since a measure may be called what SQL calls something.
    return ", ".join(f'"{name}"' for name in names)


def _whole_row(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all keys, and what else is given, as SQLite takes it."""
    # Not NULL, which would be unequal to itself in the primary key. (Nor is NaN equal to itself.)
    row = {name: "" if kind == "TEXT" else 0 for name, kind in KEYS.items()}
    known = {name: value for name, value in given.items() if value is not None and value == value}
    return row | {name: _plain(name, value) for name, value in known.items()}


def _plain(name: str, value: Any) -> Any:
    """Return NumPy's numbers and booleans as Python's."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, int) and not -LARGEST <= value <= LARGEST:
        raise ValueError(f"{name}: whole numbers of at most {LARGEST} can be kept, not {value}")
    return int(value) if isinstance(value, bool) else value
