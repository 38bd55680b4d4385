"""Settings that are rows of numbers: places, and points with their classes."""

from typing import Any

import traitlets


class Limits:
    """The least and the greatest value of a number, which is whole if they are of type int."""

    def __init__(self, least: int | float, most: int | float) -> None:
        self.least, self.most, self.whole = least, most, isinstance(least, int)

    def take(self, value: Any) -> bool:
        """Tell whether a value is such a number."""
        kinds = (int,) if self.whole else (int, float)
        right = isinstance(value, kinds) and not isinstance(value, bool)
        return right and self.least <= value <= self.most

    def as_state(self) -> dict[str, Any]:
        """Return what the scripts need to tell it, too."""
        return {"min": self.least, "max": self.most, "whole": self.whole}

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} from {self.least:g} to {self.most:g}"


class Row(traitlets.TraitType[Any, Any]):
    """A list with one number for each of its columns."""

    def __init__(self, default: Any, *columns: Limits) -> None:
        self.columns = columns
        super().__init__(default)
        self.info_text = f"a row: {', '.join(map(str, columns))}"

    def validate(self, obj: Any, value: Any) -> list[Any]:
        """Return the row as a list, if it is one."""
        row = row_of(self.columns, value)
        if row is None:
            self.error(obj, value)
        return row

    def allowed(self) -> dict[str, Any]:
        """Return what the scripts need to tell such rows."""
        return {"row": [column.as_state() for column in self.columns]}


class Rows(traitlets.TraitType[Any, Any]):
    """A list of rows, not fewer and not more than so many."""

    def __init__(self, default: Any, *columns: Limits, least: int, most: int) -> None:
        self.columns, self.least, self.most = columns, least, most
        super().__init__(default)
        self.info_text = f"{least} to {most} rows, each: {', '.join(map(str, columns))}"

    def validate(self, obj: Any, value: Any) -> list[Any]:
        """Return the rows as lists, if they are such."""
        try:
            rows = [row_of(self.columns, row) for row in value]
        except TypeError:
            self.error(obj, value)
        if not self.least <= len(rows) <= self.most or None in rows:
            self.error(obj, value)
        return rows

    def allowed(self) -> dict[str, Any]:
        """Return what the scripts need to tell such rows."""
        columns = [column.as_state() for column in self.columns]
        return {"rows": columns, "least": self.least, "most": self.most}


def row_of(columns: tuple[Limits, ...], value: Any) -> list[Any] | None:
    """Return a row as a list of Python's numbers, or None if it is none."""
    try:
        row = [one.item() if hasattr(one, "item") else one for one in value]
    except TypeError:
        return None
    fits = len(row) == len(columns) and all(map(Limits.take, columns, row))
    return row if fits else None
