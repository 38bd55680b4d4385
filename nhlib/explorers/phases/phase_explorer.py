"""The phase chart to be drawn first, and then explored: borders, thresholds, and what is behind."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import traitlets
from matplotlib.figure import Figure

from nhlib.explorers.common.running import Running
from nhlib.explorers.phases.tables import (
    ACCURACIES,
    AXES,
    REDUNDANCIES,
    check,
    measures,
    pack,
    tables_by_name,
)
from nhlib.phases import DELTA, TAU, critical_size, phase_chart
from nhlib.plots import plot_phase_chart

_WORDS = {"width": "width (units)", "epoch": "epoch", "train_size": "training examples"}


class PhaseExplorer(Running):
    """The activation hash phase chart of measured networks, whose borders the reader moves.

    At first it shows only where networks were measured, and the redundancy ratio of a few. The
    reader draws where the under-expressive ones end, then reveals the regimes. After that every
    cell tells its numbers and why it has its regime, beside the curves of its network; sliders
    move both thresholds and the third axis. On the digits the reader has networks of her own
    trained, in the page; in Python one can train cells that are missing on any data.

    Parameters
    ----------
    tables : table or path, or dict of these by name
        What `nhlib.sweep` returned, or a CSV file of it; of one hidden layer, one data set and one
        protocol each. A redundancy ratio and an accuracy of codes must have been measured.
    **settings
        Where to begin, see the attributes: ``table="MNIST"``, ``tau=0.1``, ``revealed=True``.
        By default at the largest sample size and the last epoch, with the smallest width past the
        border.

    Attributes
    ----------
    table : str
        Which of the tables is shown.
    redundancy : str
        Its column for the ratio, such as ``"redundancy_test"``.
    accuracy : str
        Its column for the accuracy that has to gain: ``"knn"``, ``"kmeans"`` or ``"logreg"``.
    held : "train_size", "epoch" or "width"
        Which axis is a slider; the chart shows the other two.
    width, epoch, train_size : int
        The cell that is looked at.
    tau, delta : float
        Thresholds of ratio and gain, see `nhlib.regime`.
    revealed : bool
        Whether regimes are shown. Otherwise the reader draws.
    tables : dict of str to DataFrame
        What was measured, with the cells that have been filled in.

    Raises
    ------
    TypeError
        If `tables` is something else, or there is no such setting.
    ValueError
        If a table lacks a column, is of several data sets or protocols, or has several layers; if
        it is not one that `nhlib.phase_chart` takes; if it has no such measure or cell.
    traitlets.TraitError
        If a setting has no such value.

    Examples
    --------
    >>> import nhlib as nh
    >>> table = nh.sweep("digits", [10, 20, 40], [0, 3], measures=("redundancy", "knn"))
    >>> explorer = PhaseExplorer({"digits": table}, width=20, tau=0.1)
    >>> explorer.table, explorer.width, explorer.epoch, explorer.revealed
    ('digits', 20, 3, False)
    """

    _entry = "phases/phases.js"
    _version = traitlets.Int(1).tag(sync=True)
    _grids = traitlets.Dict().tag(sync=True)
    _words = traitlets.Dict({"redundancy": REDUNDANCIES, "accuracy": ACCURACIES}).tag(sync=True)

    redundancy = traitlets.Enum(list(REDUNDANCIES)).tag(sync=True, setting=True)
    accuracy = traitlets.Enum(list(ACCURACIES)).tag(sync=True, setting=True)
    held = traitlets.Enum(["train_size", "epoch", "width"], "train_size").tag(
        sync=True, setting=True
    )
    width = traitlets.Int(1, min=1, max=10**9).tag(sync=True, setting=True)
    epoch = traitlets.Int(0, min=0, max=10**9).tag(sync=True, setting=True)
    train_size = traitlets.Int(1, min=1, max=10**9).tag(sync=True, setting=True)
    tau = traitlets.Float(TAU, min=0.0, max=1.0).tag(sync=True, setting=True)
    delta = traitlets.Float(DELTA, min=1e-4, max=1.0).tag(sync=True, setting=True)
    revealed = traitlets.Bool(False).tag(sync=True, setting=True)

    def __init__(self, tables: Any, **settings: Any) -> None:
        named, paths = tables_by_name(tables)
        first = next(iter(named))
        # Its values are known only here.
        names = traitlets.Enum(list(named), first).tag(sync=True, setting=True)
        self.add_traits(table=names)
        self._paths = paths
        self._stored = {name: len(named[name]) for name in paths}
        grids = {name: self._pack(name, table) for name, table in named.items()}
        shown = grids.get(settings.get("table", first), grids[first])
        start = {kind: shown["kinds"][kind][0] for kind in ("redundancy", "accuracy")}
        ratio = settings.get("redundancy", start["redundancy"])
        start |= zip(_WORDS, shown["start"].get(ratio, ()), strict=False)
        super().__init__(**{**start, **settings})
        self.tables = named
        self._grids = grids
        for setting, known in {**shown["kinds"], **{axis: shown[axis] for axis in _WORDS}}.items():
            if getattr(self, setting) not in known:
                raise ValueError(
                    f"{setting}: table {self.table!r} has {', '.join(map(str, known))}, "
                    f"not {getattr(self, setting)}"
                )

    def still(self) -> tuple[Figure, str, str]:
        """Draw the regimes, revealed or not: where this picture stays, nothing reveals them."""
        measured = {"redundancy": self.redundancy, "accuracy": self.accuracy}
        table = self.tables[self.table]
        chart = phase_chart(table, **AXES, **measured, tau=self.tau, delta=self.delta)
        here = {axis: getattr(self, axis) for axis in _WORDS}
        # Widths always go upwards, and epochs to the right.
        up, right = {"train_size": ("width", "epoch"), "epoch": ("width", "train_size")}.get(
            self.held, ("train_size", "epoch")
        )
        title = f"{self.table}, {_WORDS[self.held]}: {here[self.held]:,}"
        figure, (ax, beside) = plt.subplots(
            1, 2, figsize=(7.6, 4.2), width_ratios=[1.2, 1], layout="constrained"
        )
        plot_phase_chart(chart, here[self.held], up, right, self.held, legend=False, ax=ax)
        ax.set(title=title, xlabel=_WORDS[right], ylabel=_WORDS[up])
        same = (chart[["epoch", "train_size"]] == [here["epoch"], here["train_size"]]).all(axis=1)
        cells = chart[same]
        accuracy = f"{ACCURACIES[self.accuracy]} accuracy"
        beside.plot(cells["width"], cells[self.redundancy], "o-C4", label="redundancy ratio")
        beside.plot(cells["width"], cells[self.accuracy], "s--C2", label=accuracy)
        beside.axhline(self.tau, color=plt.rcParams["text.color"], linestyle=":", linewidth=1)
        beside.annotate("τ", (cells["width"].max(), self.tau), (0, 3), textcoords="offset points")
        where = f"epoch {here['epoch']}, {here['train_size']:,} examples"
        beside.set(title=where, xlabel=_WORDS["width"], ylim=(-0.03, 1.03))
        handles, texts = ax.get_legend_handles_labels()
        lines, curves = beside.get_legend_handles_labels()
        figure.legend(handles + lines, texts + curves, loc="outside upper left", ncols=3)
        border = critical_size(table, **AXES, redundancy=self.redundancy, tau=self.tau)
        below, critical = border[
            (border["epoch"] == here["epoch"]) & (border["train_size"] == here["train_size"])
        ][["below", "critical_size"]].to_numpy()[0]
        ends = (
            "no width is under-expressive"
            if np.isnan(below)
            else "all widths are under-expressive"
            if np.isnan(critical)
            else f"the border lies between widths {below:.0f} and {critical:.0f}"
        )
        alt = (
            f"Phase chart of networks on {self.table}, {_WORDS[up]} against {_WORDS[right]}, "
            f"{_WORDS[self.held]} {here[self.held]:,}; at {where} {ends}. Beside it, redundancy "
            f"ratio and {accuracy} against the width."
        )
        caption = (
            f"Regimes at τ = {self.tau:g} and δ = {self.delta:g}; the redundancy ratio counts "
            f"{REDUNDANCIES[self.redundancy]}. At {where} {ends}."
        )
        return figure, alt, caption

    def _pack(self, name: str, table: pd.DataFrame) -> dict[str, Any]:
        return pack(name, table, self._paths.get(name), self._stored.get(name, 0))

    def _take(self, name: str, table: pd.DataFrame) -> None:
        columns = [column for kind in measures(name, self.tables[name]).values() for column in kind]
        # New rows come last, after those of the file; those of trainings that diverged do not.
        keys = ["width", "epoch", "train_size", "seed"]
        table = check(name, table).dropna(subset=columns)
        both = pd.concat([self.tables[name], table], ignore_index=True)
        self.tables[name] = both.drop_duplicates(keys, ignore_index=True)
        self._grids = {**self._grids, name: self._pack(name, self.tables[name])}
