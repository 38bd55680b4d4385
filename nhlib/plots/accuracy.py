"""Accuracies of several methods."""

import pandas as pd
from matplotlib.axes import Axes

from nhlib.plots.curves import curves


def plot_accuracy(table: pd.DataFrame, ax: Axes | None = None, **names: str) -> Axes:
    """Draw accuracies along epochs, widths or sample sizes.

    Parameters
    ----------
    table : DataFrame
        One row a measured network and method, with the accuracy in column ``accuracy``.
    ax : matplotlib Axes, optional
        Where to draw.
    **names : str
        Columns: ``x`` (by default ``epoch``), and ``hue`` and ``style`` for several curves.
        Rows that agree in these (several seeds) become a line through their mean in a band
        from the smallest to the largest.

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
    >>> import pandas as pd
    >>> import nhlib as nh
    >>> table = pd.DataFrame({"width": [20, 40, 60], "accuracy": [0.8, 0.9, 0.93]})
    >>> _ = nh.plot_accuracy(table, x="width", ax=plt.figure().gca())
    """
    return curves(table, "accuracy", "accuracy", ax, names)
