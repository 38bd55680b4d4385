"""Outputs and codes along a line."""

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from nhlib.plots.axes import axes_or_current
from nhlib.regions import Segment


def plot_segment(segment: Segment, ax: Axes | None = None) -> Axes:
    """Draw the codes along a line: one row a unit that switches, filled where it is on.

    Widths are true: a column is as wide as its region is long. Ticks on top mark where units
    switch. Rows are sorted by layer, and within a layer by where they switch first.

    Parameters
    ----------
    segment : Segment
        What `nhlib.segment` returns.
    ax : matplotlib Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    TypeError
        If `segment` is something else.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import nhlib as nh
    >>> test = nh.load("digits").test
    >>> s = nh.segment(nh.mlp(64, [50, 50], 10), test.inputs[0], test.inputs[1])
    >>> _ = nh.plot_segment(s, ax=plt.figure().gca())
    """
    if not isinstance(segment, Segment):
        raise TypeError(
            f"segment: what nhlib.segment returns is needed, not {type(segment).__name__}"
        )
    ax = axes_or_current(ax)
    bounds = np.concatenate([[0], segment.breakpoints, [1]])
    row, middles = 0, []
    for i, name in enumerate(segment.codes.layers):
        units = _in_order_of_switching(segment.codes[name].bits())
        if i and row:
            ax.axhline(row, color=plt.rcParams["text.color"], linewidth=0.8)
        ax.pcolormesh(
            bounds,
            np.arange(row, row + len(units) + 1),
            np.ma.masked_equal(units, 0),
            cmap=ListedColormap([f"C{i}"]),
            edgecolors="face",
            linewidth=0.1,
        )
        # Hairlines of paper, so that every unit is seen to be one.
        inner = np.arange(row + 1, row + len(units))
        ax.hlines(inner, 0, 1, color=plt.rcParams["figure.facecolor"], linewidth=0.6)
        middles.append(row + len(units) / 2)
        row += len(units)
    ax.plot(
        segment.breakpoints,
        np.full(len(segment.breakpoints), 1.025),
        "|",
        color=plt.rcParams["text.color"],
        markersize=6,
        markeredgewidth=0.7,
        transform=ax.get_xaxis_transform(),
        clip_on=False,
    )
    names = [f"layer {i}" for i in range(1, len(middles) + 1)]
    ax.set(xlim=(0, 1), ylim=(max(row, 1), 0), yticks=middles, yticklabels=names)
    ax.set(xlabel="position from start to end", ylabel="units that switch")
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False)
    return ax


def _in_order_of_switching(
    bits: UInt8[np.ndarray, "n_regions units"],
) -> UInt8[np.ndarray, "k n_regions"]:
    """Return the rows of the units that switch, the first to switch first."""
    switches = bits[1:] != bits[:-1]
    units = np.flatnonzero(switches.any(axis=0))
    rows: UInt8[np.ndarray, "k n_regions"] = bits.T[units]
    return rows[switches[:, units].argmax(axis=0).argsort(kind="stable")] if len(units) else rows
