"""Stored sweeps to look through: any two factors, any measure, and new points on request."""

from collections.abc import Iterable, Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import traitlets
from matplotlib.figure import Figure

from nhlib._arguments import check_columns
from nhlib.data import can_load
from nhlib.explorers.common.running import Running
from nhlib.explorers.sweeps.slices import FACTORS, Slice, slice_of, with_factors
from nhlib.sweeps import KEYS, PROTOCOLS, Results

# Columns of nhlib.sweep, what they are called beside an axis, and what nhlib.sweep takes them
# by. Accuracies of networks come with all of these; the first is quick.
MEASURES = {
    "redundancy_train": ("redundancy ratio of the training examples", "redundancy"),
    "redundancy_train_n": ("redundancy ratio of n training examples", "redundancy"),
    "redundancy_test_n": ("redundancy ratio of n test examples", "redundancy"),
    "redundancy_test": ("redundancy ratio of all test examples", "redundancy"),
    "redundancy_random_n": ("redundancy ratio of n random inputs", "redundancy"),
    "kmeans": ("K-Means accuracy on codes", "kmeans"),
    "knn": ("K-NN accuracy on codes", "knn"),
    "logreg": ("logistic regression accuracy on codes", "logreg"),
    "test_accuracy": ("accuracy of the network", "redundancy"),
}
# Measures that are shown together, one curve for each.
TOGETHER = {
    "categorization": ["kmeans", "knn", "logreg", "test_accuracy"],
    "redundancies": ["redundancy_train", "redundancy_test", "redundancy_random_n"],
}
_LABELS = {
    "protocol": "protocol",
    "depth": "hidden layers",
    "width": "width (units)",
    "train_size": "training examples",
    "epoch": "epoch",
    "label_noise": "share of shuffled labels",
    "dropout": "dropout",
    "batch_norm": "batch norm",
    "l2": "weight decay (L2 penalty)",
}
# Measures are embedded as ten thousandths in 16 bits; this stands for none.
_STEPS, _MISSING = 10_000, 65_535
_SIGNS, _DASHES = "os^Dv P", ("-", "--", ":", "-.", (0, (6, 2)), (0, (3, 1, 1, 1)))


class SweepExplorer(Running):
    """Measured sweeps along any two factors, with all others held.

    The reader chooses a table, a measure, the factor of the axis and that of the curves among
    those that vary, and what the others are held at. Points are means over seeds, with all that
    the seeds span. In Python, one can also add a value that nobody has measured.

    Parameters
    ----------
    tables : table, or dict of tables by name
        What `nhlib.sweep` returned, of networks whose layers are equally wide. A table alone is
        split by its data sets; in a dict there is one data set a table.
    **settings
        Where to begin, see the attributes: ``along="epoch"``, ``lines="width"``, ``width=50``.

    Attributes
    ----------
    table : str
        Which of the tables is shown.
    measure : str
        A column, such as ``"redundancy_train"`` or ``"knn"``; or ``"categorization"`` or
        ``"redundancies"``, several together.
    along : str
        The factor of the axis: ``"width"``, ``"depth"``, ``"epoch"``, ``"train_size"``,
        ``"label_noise"``, ``"dropout"``, ``"batch_norm"``, ``"l2"`` or ``"protocol"``.
    lines : str
        The factor of the curves, or ``"none"``.
    width, depth, epoch, train_size, label_noise, dropout, batch_norm, l2, protocol
        The point that is read out, and what is held. Of values that were not measured, the
        nearest one is shown that was.
    tables : dict of str to DataFrame
        What was measured, with the rows that have been added; one row a network and epoch.

    Raises
    ------
    TypeError
        If `tables` is something else, or there is no such setting.
    ValueError
        If a table lacks a column, has no measures or more than one data set; if a value is none
        of its column; if layers are not equally wide; if nothing was measured twice.
    traitlets.TraitError
        If a setting has no such value.

    Examples
    --------
    >>> import nhlib as nh
    >>> table = nh.sweep("digits", [10, 20, 40], [0, 3], measures="redundancy")
    >>> explorer = SweepExplorer({"digits": table}, lines="epoch", width=20)
    >>> explorer.along, explorer.lines, list(explorer.tables)
    ('width', 'epoch', ['digits'])
    """

    _entry = "sweeps/sweeps.js"
    _version = traitlets.Int(1).tag(sync=True)
    _stored = traitlets.Dict().tag(sync=True)
    _protocols = traitlets.Dict(
        {name: {"l2": recipe.l2, "batch_norm": norm} for name, (recipe, norm) in PROTOCOLS.items()}
    ).tag(sync=True)
    _words = traitlets.Dict({"measures": MEASURES, "together": TOGETHER, "factors": _LABELS}).tag(
        sync=True
    )

    measure = traitlets.Enum([*MEASURES, *TOGETHER]).tag(sync=True, setting=True)
    along = traitlets.Enum(FACTORS, "width").tag(sync=True, setting=True)
    lines = traitlets.Enum(["none", *FACTORS], "none").tag(sync=True, setting=True)
    width = traitlets.Int(50, min=1, max=10**6).tag(sync=True, setting=True)
    depth = traitlets.Int(1, min=1, max=1000).tag(sync=True, setting=True)
    epoch = traitlets.Int(10**6, min=0, max=10**6).tag(sync=True, setting=True)
    train_size = traitlets.Int(10**9, min=1, max=10**9).tag(sync=True, setting=True)
    label_noise = traitlets.Float(0.0, min=0.0, max=1.0).tag(sync=True, setting=True)
    dropout = traitlets.Float(0.0, min=0.0, max=1.0).tag(sync=True, setting=True)
    batch_norm = traitlets.Bool(False).tag(sync=True, setting=True)
    l2 = traitlets.Float(0.0, min=0.0, max=1.0).tag(sync=True, setting=True)
    protocol = traitlets.Enum(list(PROTOCOLS), "A").tag(sync=True, setting=True)

    def __init__(self, tables: Any, **settings: Any) -> None:
        named = _named(tables)
        # Its values are known only here.
        names = traitlets.Enum(list(named), next(iter(named)))
        self.add_traits(table=names.tag(sync=True, setting=True))
        first = settings.get("table", next(iter(named)))
        known = _measures(named.get(first, next(iter(named.values()))))
        super().__init__(**{"table": first, "measure": known[0], **settings})
        self.tables = named
        self._stored = {name: _packed(table) for name, table in named.items()}
        shown = self._slice()
        if shown is None:
            raise ValueError(
                f"tables: nothing in {self.table!r} was measured at two values of a factor; "
                "sweep several widths or epochs"
            )
        for setting in ("along", "lines"):
            if setting in settings and getattr(shown, setting) != getattr(self, setting):
                raise ValueError(
                    f"{setting}: {self.table!r} has no chart of {self.measure} along "
                    f"{self.along} with lines={self.lines!r}; name factors that vary together"
                )
        self.along = shown.along
        for factor, value in shown.held.items():
            setattr(self, factor, value)

    def still(self) -> tuple[Figure, str, str]:
        """Draw the starting state, as the script does."""
        shown = self._slice()
        assert shown is not None
        figure, ax = plt.subplots(figsize=(7.0, 4.0))
        curves = _curves(shown, self._columns())
        for i, (name, rows, column) in enumerate(curves):
            spread = rows.groupby(shown.along)[column].agg(["mean", "min", "max"])
            marks: dict[str, Any] = {"color": f"C{i % 6}", "marker": _SIGNS[i]}
            marks["linestyle"] = _DASHES[i]
            # Of what is no number, names stand at equal distances.
            x = list(spread.index) if shown.along != "batch_norm" else ["without", "with"]
            ax.plot(x, spread["mean"], label=name, **marks)
            ax.fill_between(x, spread["min"], spread["max"], alpha=0.16, color=marks["color"])
        if shown.along in ("epoch", "train_size", "l2"):
            least = {"epoch": 1, "l2": 1e-6, "train_size": 10}[shown.along]
            ax.set_xscale("symlog", linthresh=least)
        label = "accuracy" if self.measure == "categorization" else "redundancy ratio"
        ax.set(
            xlabel=_LABELS[shown.along],
            ylabel=MEASURES[self.measure][0] if self.measure in MEASURES else label,
        )
        if self._columns()[0].startswith("redundancy"):
            ax.set_ylim(0, None)
        if len(curves) > 1 or self.measure in TOGETHER:
            ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
        held = ", ".join(
            _phrase(factor, value)
            for factor, value in shown.held.items()
            if factor not in (shown.along, shown.lines)
            and len(self.tables[self.table][factor].unique()) > 1
        )
        what = ax.get_ylabel()
        of_each = "" if shown.lines == "none" else f", a curve for each {_LABELS[shown.lines]}"
        name, rows, column = curves[0]
        means = rows.groupby(shown.along)[column].mean()
        alt = (
            f"{self.table}: {what} along {_LABELS[shown.along]}{of_each}. The curve "
            f"{name or what} goes from {means.iloc[0]:.3f} to {means.iloc[-1]:.3f}."
        )
        n = rows.dropna(subset=[column]).groupby(shown.along)["seed"].nunique()
        seeds = f"{n.min()}" if n.min() == n.max() else f"{n.min()} to {n.max()}"
        caption = (
            f"{self.table}{', ' if held else ''}{held}. Means over {seeds} seeds, in a band from "
            "the smallest to the largest."
        )
        return figure, alt, caption

    def _columns(self) -> list[str]:
        """Return the columns that the measure stands for, of those that the table has."""
        known = _measures(self.tables[self.table])
        wanted = TOGETHER.get(self.measure, [self.measure])
        return [column for column in wanted if column in known] or known[:1]

    def _slice(self) -> Slice | None:
        wanted = {factor: getattr(self, factor) for factor in FACTORS}
        lines = "none" if self.measure in TOGETHER else self.lines
        return slice_of(self.tables[self.table], self._columns(), self.along, lines, wanted)

    def _take(self, name: str, table: pd.DataFrame) -> None:
        self.tables[name] = with_factors(table)
        self._stored = {**self._stored, name: _packed(self.tables[name])}


def _named(tables: Any) -> dict[str, pd.DataFrame]:
    """Return checked tables by name."""
    if isinstance(tables, pd.DataFrame):
        check_columns("tables", tables, ["data"], "; pass what nh.sweep returns")
        tables = {str(name): part for name, part in tables.groupby("data", sort=False)}
    if not (isinstance(tables, Mapping) and tables and all(isinstance(n, str) for n in tables)):
        raise TypeError(
            f"tables: a table of nh.sweep, or a dict of some by name, is needed, not {tables!r:.60}"
        )
    return {name: _checked(name, table) for name, table in tables.items()}


def _checked(name: str, table: Any) -> pd.DataFrame:
    """Return a table with one row a network and epoch, sorted."""
    if not isinstance(table, pd.DataFrame):
        raise TypeError(f"tables: {name!r} is a table of nh.sweep, not {table!r:.60}")
    check_columns(f"tables[{name!r}]", table, KEYS, "; pass what nh.sweep returns")
    if len(table["data"].unique()) != 1:
        raise ValueError(
            f"tables[{name!r}]: rows of one data set are needed, not of "
            f"{', '.join(map(str, table['data'].unique())) or 'none'}; give each a name of its own"
        )
    strange = sorted(set(table["protocol"]) - set(PROTOCOLS))
    if strange:
        raise ValueError(f"tables[{name!r}]: protocols are A and B, not {strange[0]!r}")
    known = _measures(table)
    if not known:
        raise ValueError(f"tables[{name!r}]: no measures; there are {', '.join(MEASURES)}")
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


def _measures(table: pd.DataFrame) -> list[str]:
    return [column for column in MEASURES if column in table and table[column].notna().any()]


def _packed(table: pd.DataFrame) -> dict[str, Any]:
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
    for name in _measures(table):
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


def _curves(shown: Slice, columns: Iterable[str]) -> list[tuple[str, pd.DataFrame, str]]:
    """Return the name, the rows and the column of every curve."""
    if shown.lines != "none":
        (column,) = columns
        points = shown.points
        return [
            (_phrase(shown.lines, value), points[points[shown.lines] == value], column)
            for value in shown.drawn
        ]
    several = list(columns)
    names = [MEASURES[column][0] for column in several] if len(several) > 1 else [""]
    return [(name, shown.points, column) for name, column in zip(names, several, strict=True)]


def _phrase(factor: str, value: Any) -> str:
    """Say what a factor is held at, or what a curve is of."""
    words = {
        "protocol": "protocol {}",
        "depth": "{} hidden layers" if value != 1 else "one hidden layer",
        "width": "{} units",
        "train_size": "{:,} training examples",
        "epoch": "epoch {}" if value else "untrained",
        "label_noise": "{:g} of the labels shuffled" if value else "true labels",
        "dropout": "dropout {:g}" if value else "no dropout",
        "batch_norm": "with batch norm" if value else "no batch norm",
        "l2": "weight decay {:g}" if value else "no weight decay",
    }
    return words[factor].format(value)
