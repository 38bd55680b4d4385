"""Curves with a band over seeds."""

from typing import Any

import seaborn as sns
from matplotlib.axes import Axes

from nhlib._arguments import check_columns
from nhlib.plots.axes import axes_or_current


def curves(table: Any, column: str, label: str, ax: Any, names: dict[str, str]) -> Axes:
    """Draw means over seeds, with a band from the least to the most."""
    names = {"x": "epoch", **names}
    columns = [column, *names.values()]
    check_columns("table", table, columns, "; nhlib.sweep makes such tables")
    if "hue" in names:  # told by dashes and markers too, not by colour alone
        names = {"style": names["hue"], **names}
    drawn_in = axes_or_current(ax)
    sns.lineplot(
        table,
        y=column,
        errorbar=lambda values: (values.min(), values.max()),
        markers="style" in names,
        ax=drawn_in,
        **names,
    )
    if drawn_in.get_legend() is not None:  # beside no curve
        sns.move_legend(drawn_in, "lower left", bbox_to_anchor=(0, 1), ncols=3, title=None)
    drawn_in.set(ylabel=label, ylim=(0, None))
    return drawn_in
