"""How far codes are apart, within classes and between."""

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from nhlib._arguments import class_labels, seed_number
from nhlib.codes import NeuralCodes, check_codes
from nhlib.plots.axes import axes_or_current

# Pairs drawn for a histogram of distances: enough for smooth bars, few enough to be instant.
_PAIRS = 1_000_000


def plot_distances(codes: NeuralCodes, labels: Any, ax: Axes | None = None, seed: int = 0) -> Axes:
    """Draw how far apart the codes of two examples are, within a class and between classes.

    Parameters
    ----------
    codes : NeuralCodes
        n codes.
    labels : int tensor or array, shape (n,)
        Their classes.
    ax : matplotlib Axes, optional
        Where to draw.
    seed : int, default 0
        Of a million pairs that are drawn where there are more pairs than that.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If there are fewer than two codes, or not as many labels as codes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import nhlib as nh
    >>> test = nh.load("digits").test
    >>> codes = nh.encode(nh.mlp(64, [50], 10), test)
    >>> _ = nh.plot_distances(codes, test.labels, ax=plt.figure().gca())
    """
    n = len(check_codes("codes", codes, 2))
    seed = seed_number(seed)
    classes = class_labels("labels", labels, n, "codes")
    ax = axes_or_current(ax)
    rows = np.arange(n)
    most = int((1 + np.sqrt(1 + 8 * _PAIRS)) / 2)
    if n > most:  # all pairs of some examples
        rows = np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
    one, other = np.triu_indices(len(rows), k=1)
    distances = codes[rows].hamming(codes[rows])[one, other]
    classes = classes[rows]
    same = np.where(classes[one] == classes[other], "same class", "different classes")
    kinds = [kind for kind in ("same class", "different classes") if kind in same]
    drawn_before = len(ax.collections)
    table = pd.DataFrame({"Hamming distance (bits)": distances, "the two examples are of": same})
    sns.histplot(
        table,
        x="Hamming distance (bits)",
        hue="the two examples are of",
        hue_order=kinds,
        stat="density",
        common_norm=False,
        discrete=True,
        element="step",
        ax=ax,
    )
    # Told by hatching too, not by colour alone. Artists come in the reversed order of hues.
    legend = ax.get_legend()
    assert legend is not None
    artists = ax.collections[drawn_before:]
    for kind, artist, handle in zip(kinds, artists[::-1], legend.get_patches(), strict=True):
        for drawn in (artist, handle):
            drawn.set_hatch("///" if kind == "same class" else "")
    ax.set(ylabel="share of pairs")
    return ax
