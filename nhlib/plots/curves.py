"""Curves with a band over seeds."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from nhlib._arguments import check_columns


def curves(
    table: pd.DataFrame, column: str, label: str, ax: Axes | None, names: dict[str, str]
) -> Axes:
    """Draw means over seeds, with a band from the least to the most."""
    names = {"x": "epoch", **names}
    check_columns("table", table, [column, *names.values()])
    if "hue" in names:  # told by dashes and markers too, not by colour alone
        names = {"style": names["hue"], **names}
    ax = plt.gca() if ax is None else ax
    sns.lineplot(
        table,
        y=column,
        errorbar=lambda values: (values.min(), values.max()),
        markers="style" in names,
        ax=ax,
        **names,
    )
    if ax.get_legend() is not None:  # beside no curve
        sns.move_legend(ax, "lower left", bbox_to_anchor=(0, 1), ncols=3, title=None)
    ax.set(ylabel=label, ylim=(0, None))
    return ax
