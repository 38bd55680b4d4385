"""How often every unit is on, class by class."""

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from nhlib._arguments import class_labels
from nhlib.codes import NeuralCodes, check_codes
from nhlib.measures import bit_information
from nhlib.plots.axes import axes_or_current


def plot_class_activity(codes: NeuralCodes, labels: Any, ax: Axes | None = None) -> Axes:
    """Draw, for every class and unit, the share of examples for which the unit is on.

    Units are sorted by how much they tell about the class (`nhlib.bit_information`), the
    most informative first.

    Parameters
    ----------
    codes : NeuralCodes
        n codes.
    labels : int tensor or array, shape (n,)
        Their classes.
    ax : matplotlib Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If there are not as many labels as codes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import nhlib as nh
    >>> test = nh.load("digits").test
    >>> codes = nh.encode(nh.mlp(64, [50], 10), test)
    >>> _ = nh.plot_class_activity(codes, test.labels, ax=plt.figure().gca())
    """
    classes = class_labels("labels", labels, len(check_codes("codes", codes, 1)), "codes")
    names = np.unique(classes)
    on = np.stack([codes[classes == name].bits().mean(axis=0) for name in names])
    order = np.argsort(-bit_information(codes, classes), kind="stable")
    ax = axes_or_current(ax)
    sns.heatmap(
        pd.DataFrame(on[:, order], index=names),
        vmin=0,
        vmax=1,
        cmap="viridis",
        xticklabels=False,
        cbar_kws={"label": "share of examples with the unit on"},
        rasterized=True,
        ax=ax,
    )
    ax.set(xlabel="units, the most informative first", ylabel="class")
    ax.tick_params(axis="y", rotation=0)
    return ax
