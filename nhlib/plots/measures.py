"""Figures of tables of measures: redundancy ratios and accuracies."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from nhlib.arguments import check_columns


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
    return _curves(table, "redundancy", "redundancy ratio", ax, names)


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
    return _curves(table, "accuracy", "accuracy", ax, names)


def _curves(
    table: pd.DataFrame, column: str, label: str, ax: Axes | None, names: dict[str, str]
) -> Axes:
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


def plot_rarefaction(
    table: pd.DataFrame, hue: str | None = None, bound: bool = True, ax: Axes | None = None
) -> Axes:
    """Draw redundancy ratios against the number of examples, with their bounds.

    Both axes are logarithmic, so that the bound is a straight line; ratios of 0 are not
    drawn.

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
    check_columns("table", table, ["n", "redundancy", "bound", *([] if hue is None else [hue])])
    ax = plt.gca() if ax is None else ax
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
    check_columns("table", table, ["representation", "method", "accuracy"])
    ax = plt.gca() if ax is None else ax
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
