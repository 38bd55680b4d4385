"""Distinct codes among more and more examples."""

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from nhlib._arguments import check_columns
from nhlib.plots.axes import axes_or_current


def plot_rarefaction(
    table: pd.DataFrame, hue: str | None = None, bound: bool = True, ax: Axes | None = None
) -> Axes:
    """Draw redundancy ratios against the number of examples, with their bounds.

    Both axes are logarithmic, so that the bound, which grows with n - 1, is nearly a straight
    line until it is cut at 1; ratios of 0 are not drawn.

    Parameters
    ----------
    table : DataFrame
        What `nhlib.rarefaction_curve` returns; or several such tables, one below the other,
        with a column that tells them apart.
    hue : str, optional
        That column.
    bound : bool, default True
        Also draw the bounds, as thin dotted lines.
    ax : matplotlib Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If a column is missing.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import nhlib as nh
    >>> data = nh.load("digits")
    >>> codes = nh.encode(nh.mlp(64, [20], 10), data.train)
    >>> _ = nh.plot_rarefaction(nh.rarefaction_curve(codes), ax=plt.figure().gca())
    """
    check_columns(
        "table",
        table,
        ["n", "redundancy", "bound", *([] if hue is None else [hue])],
        "; nhlib.rarefaction_curve(codes) makes such tables",
    )
    ax = axes_or_current(ax)
    drawn = table[table["redundancy"] > 0]
    if hue is not None:  # of numbers, seaborn would draw the smallest first
        drawn = drawn.assign(**{hue: drawn[hue].astype(str)})
    n_before = len(ax.lines)
    if len(drawn):
        sns.lineplot(drawn, x="n", y="redundancy", hue=hue, style=hue, ax=ax)
    if bound and len(drawn):
        for line, (_, curve) in zip(
            ax.lines[n_before:],
            [(None, drawn)] if hue is None else drawn.groupby(hue, sort=False),
            strict=False,
        ):
            ax.plot(curve["n"], curve["bound"], ":", color=line.get_color(), linewidth=1)
    if ax.get_legend() is not None:
        sns.move_legend(ax, "lower left", bbox_to_anchor=(0, 1), ncols=3, title=None)
    ax.set(xscale="log", yscale="log", xlabel="number of examples n", ylabel="redundancy ratio")
    if len(drawn):
        ax.set_ylim(top=1.1)
    return ax
