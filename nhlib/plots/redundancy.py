"""Redundancy ratios of several sets of inputs."""

import pandas as pd
from matplotlib.axes import Axes

from nhlib.plots.curves import curves


def plot_redundancy(table: pd.DataFrame, ax: Axes | None = None, **names: str) -> Axes:
    """Draw redundancy ratios along epochs, widths or sample sizes.

    Parameters
    ----------
    table : DataFrame
        One row a measured network, with the ratio in column ``redundancy``.
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
    >>> table = pd.DataFrame({"epoch": [0, 1, 10], "redundancy": [0.04, 0.5, 0.2]})
    >>> _ = nh.plot_redundancy(table, ax=plt.figure().gca())
    """
    return curves(table, "redundancy", "redundancy ratio", ax, names)
