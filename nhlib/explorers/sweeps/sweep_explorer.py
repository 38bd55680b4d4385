"""Stored sweeps to look through: any two factors, any measure, and new points on request."""

from collections.abc import Iterable
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import traitlets
from matplotlib.figure import Figure

from nhlib.explorers.common.running import Running
from nhlib.explorers.sweeps.slices import FACTORS, OF_PROTOCOLS, Slice, slice_of, with_factors
from nhlib.explorers.sweeps.tables import labels, measures_of, pack, tables_by_name
from nhlib.sweeps import PROTOCOLS

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
    "batch_size": "batch size",
    "l2": "L2 penalty",
}
_SIGNS, _DASHES = "os^Dv P", ("-", "--", ":", "-.", (0, (6, 2)), (0, (3, 1, 1, 1)))


class SweepExplorer(Running):
    """Measured sweeps along any two factors, with all others held.

    The reader chooses a table, a measure, the factor of the axis and that of the curves among
    those that vary, and what the others are held at. Points are means over seeds, with all that
    the seeds span. On the digits the reader has networks of her own trained, in the page; in Python
    one can add a value that nobody has measured on any data.

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
        ``"label_noise"``, ``"dropout"``, ``"batch_norm"``, ``"batch_size"``, ``"l2"`` or
        ``"protocol"``.
    lines : str
        The factor of the curves, or ``"none"``.
    width, depth, epoch, train_size, label_noise, dropout, batch_norm, batch_size, l2, protocol
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
    _protocols = traitlets.Dict(OF_PROTOCOLS).tag(sync=True)
    _words = traitlets.Dict().tag(sync=True)

    along = traitlets.Enum(FACTORS, "width").tag(sync=True, setting=True)
    lines = traitlets.Enum(["none", *FACTORS], "none").tag(sync=True, setting=True)
    width = traitlets.Int(50, min=1, max=10**6).tag(sync=True, setting=True)
    depth = traitlets.Int(1, min=1, max=1000).tag(sync=True, setting=True)
    epoch = traitlets.Int(10**6, min=0, max=10**6).tag(sync=True, setting=True)
    train_size = traitlets.Int(10**9, min=1, max=10**9).tag(sync=True, setting=True)
    label_noise = traitlets.Float(0.0, min=0.0, max=1.0).tag(sync=True, setting=True)
    dropout = traitlets.Float(0.0, min=0.0, max=1.0).tag(sync=True, setting=True)
    batch_norm = traitlets.Bool(False).tag(sync=True, setting=True)
    batch_size = traitlets.Int(PROTOCOLS["A"].recipe.batch_size, min=1, max=10**6).tag(
        sync=True, setting=True
    )
    l2 = traitlets.Float(0.0, min=0.0, max=1.0).tag(sync=True, setting=True)
    protocol = traitlets.Enum(list(PROTOCOLS), "A").tag(sync=True, setting=True)

    def __init__(self, tables: Any, **settings: Any) -> None:
        named, words = tables_by_name(tables), labels()
        # Their values are known only here.
        names = traitlets.Enum(list(named), next(iter(named)))
        columns = traitlets.Enum([*words, *TOGETHER], next(iter(words)))
        self.add_traits(
            table=names.tag(sync=True, setting=True), measure=columns.tag(sync=True, setting=True)
        )
        first = settings.get("table", next(iter(named)))
        known = measures_of(named.get(first, next(iter(named.values()))))
        super().__init__(**{"table": first, "measure": known[0], **settings})
        self._words = {"measures": words, "together": TOGETHER, "factors": _LABELS}
        self.tables = named
        self._stored = {name: pack(table) for name, table in named.items()}
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
        words = {name: label for name, (label, _) in labels().items()}
        words |= {"categorization": "accuracy", "redundancies": "redundancy ratio"}
        ax.set(xlabel=_LABELS[shown.along], ylabel=words[self.measure])
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
        known = measures_of(self.tables[self.table])
        wanted = TOGETHER.get(self.measure, [self.measure])
        return [column for column in wanted if column in known] or known[:1]

    def _slice(self) -> Slice | None:
        wanted = {factor: getattr(self, factor) for factor in FACTORS}
        lines = "none" if self.measure in TOGETHER else self.lines
        return slice_of(self.tables[self.table], self._columns(), self.along, lines, wanted)

    def _take(self, name: str, table: pd.DataFrame) -> None:
        self.tables[name] = with_factors(table)
        self._stored = {**self._stored, name: pack(self.tables[name])}


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
    names = [labels()[column][0] for column in several] if len(several) > 1 else [""]
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
        "batch_size": "minibatches of {:,}",
        "l2": "L2 penalty {:g}" if value else "no L2 penalty",
    }
    return words[factor].format(value)
