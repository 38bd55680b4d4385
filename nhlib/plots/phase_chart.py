"""Figures of the activation hash phase chart."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from nhlib.phases import REGIMES, check_grid
from nhlib.plots.axes import axes_or_current

# Told by hatching too, not by colour alone. Regimes are filled; what is no regime is not.
_LOOKS: dict[str, dict[str, Any]] = {
    "under-expressive": {"facecolor": "C1", "hatch": "xxx"},
    "critically-expressive": {"facecolor": "C3", "hatch": "//"},
    "sufficiently-expressive": {"facecolor": "C0"},
    "undetermined": {"facecolor": "none", "outlined": True},
    "untrained": {"facecolor": "none", "outlined": True, "hatch": "..."},
}
# Half the side of a cell; a gap parts it from its neighbours, which are 1 away.
_HALF = 0.46
# Values on an axis beyond which only every second (third, …) is written.
_MOST_LABELS = 18


def plot_phase_chart(
    chart: pd.DataFrame,
    n: Any = None,
    size: str = "width",
    time: str = "epoch",
    samples: str = "n",
    legend: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw the regimes of networks of every size and training time, at one sample size.

    Cells stand in the order of their values, all equally large however far these are apart.
    All sample sizes of one chart have the same rows, columns and legend; the place of a cell
    that was not measured stays empty.

    Parameters
    ----------
    chart : DataFrame
        What `nhlib.phase_chart` returns.
    n : int, optional
        Sample size to draw. Not needed if the chart has only one.
    size, time, samples : str, default "width", "epoch", "n"
        Columns of the grid, as in `nhlib.phase_chart`.
    legend : bool, default True
        Write the legend above. Without it, the sample size becomes the title.
    ax : matplotlib Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If a column is missing or named twice, the chart is empty, has two rows of one cell or
        an unknown regime, or `n` is none of its sample sizes or left out where there are several.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> import nhlib as nh
    >>> chart = pd.DataFrame(
    ...     {
    ...         "width": [20, 20, 40, 40],
    ...         "epoch": [0, 10, 0, 10],
    ...         "n": 48_000,
    ...         "regime": ["untrained", "under-expressive", "untrained", "undetermined"],
    ...     }
    ... )
    >>> _ = nh.plot_phase_chart(chart, ax=plt.figure().gca())
    """
    grid = {"size": size, "time": time, "samples": samples}
    check_grid("chart", chart, {**grid, "regime": "regime"})
    unknown = chart.loc[~chart["regime"].isin(REGIMES), "regime"]
    if len(unknown):
        raise ValueError(
            f"chart: unknown regime {unknown.iloc[0]!r}; pass what phase_chart returns"
        )
    if chart.duplicated([size, time, samples]).any():
        raise ValueError("chart: one row a cell is needed, but a cell has several; choose first")
    n = _sample_size(chart[samples], n)
    ax = axes_or_current(ax)
    sizes, times = np.unique(chart[size]), np.unique(chart[time])
    panel = chart[chart[samples] == n]
    rows, columns = np.searchsorted(sizes, panel[size]), np.searchsorted(times, panel[time])
    corners = _HALF * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    for name in REGIMES:
        if not (chart["regime"] == name).any():
            continue
        cells = (panel["regime"] == name).to_numpy()
        centres = np.column_stack([columns[cells], rows[cells]]).astype(np.float64)
        look = dict(_LOOKS[name])
        if look.pop("outlined", False):
            look["edgecolor"] = plt.rcParams["axes.edgecolor"]
        outlines = list(centres[:, None] + corners)
        ax.add_collection(PolyCollection(outlines, label=name, **look), autolim=False)
    _label(ax.xaxis, times)
    _label(ax.yaxis, sizes)
    ax.set(xlim=(-0.5, len(times) - 0.5), ylim=(-0.5, len(sizes) - 0.5), xlabel=time, ylabel=size)
    ax.tick_params(length=0)
    ax.grid(visible=False)
    title = f"{samples} = {_written(n)}"
    if legend:
        ax.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=2,
            title=title,
            title_fontproperties={
                "weight": plt.rcParams["axes.titleweight"],
                "size": plt.rcParams["axes.titlesize"],
            },
            alignment="left",
            handleheight=1.2,
        )
    else:
        ax.set_title(title)
    return ax


def _sample_size(column: pd.Series, n: Any) -> Any:
    known = np.unique(column)
    if not len(known):
        raise ValueError("chart: at least one cell is needed, and there is none")
    if n is None and len(known) == 1:
        return known[0]
    if n is None or n not in known:
        what = "one sample size is drawn; name it" if n is None else f"{n!r} is no sample size"
        raise ValueError(f"n: {what}: the chart has {', '.join(map(_written, known))}")
    return n


def _label(axis: Any, values: Any) -> None:
    step = -(-len(values) // _MOST_LABELS)
    places = np.arange(0, len(values), step)
    axis.set_ticks(places, [_written(values[place]) for place in places])


def _written(value: Any) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"
