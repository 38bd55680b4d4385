"""Codes beside what they are compared with."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from nhlib._arguments import check_columns
from nhlib.plots.axes import axes_or_current


def plot_baselines(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the accuracies of codes beside those of what they are compared with.

    Parameters
    ----------
    table : DataFrame
        What `nhlib.compare_with_baselines` returns; several of them, of several seeds, become
        points at their means in bars from the smallest to the largest.
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
    >>> import pandas as pd
    >>> import nhlib as nh
    >>> table = pd.DataFrame(
    ...     {
    ...         "representation": ["codes", "raw inputs", "network"],
    ...         "method": ["knn", "knn", "network"],
    ...         "accuracy": [0.95, 0.98, 0.97],
    ...     }
    ... )
    >>> _ = nh.plot_baselines(table, ax=plt.figure().gca())
    """
    check_columns(
        "table",
        table,
        ["representation", "method", "accuracy"],
        "; nhlib.compare_with_baselines makes such tables",
    )
    ax = axes_or_current(ax)
    network = table["method"] == "network"
    names = {"kmeans": "K-Means", "knn": "K-NN", "logreg": "logistic regression"}
    methods = [name for key, name in names.items() if key in set(table["method"])]
    sns.pointplot(
        table[~network].replace({"method": names}),
        y="representation",
        x="accuracy",
        hue="method",
        hue_order=methods,
        markers=["o", "s", "D"][: len(methods)],
        linestyle="none",
        dodge=0.4 if len(methods) > 1 else False,
        errorbar=lambda values: (values.min(), values.max()),
        ax=ax,
    )
    if network.any():
        accuracy = table.loc[network, "accuracy"].mean()
        ax.axvline(
            accuracy,
            color=plt.rcParams["text.color"],
            linestyle="--",
            linewidth=1,
            label="the network itself",
        )
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, title=None)
    ax.set(ylabel="", xlabel="test accuracy")
    return ax
