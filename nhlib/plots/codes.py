"""Codes as rows of black and white."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from nhlib._arguments import class_labels
from nhlib.codes import NeuralCodes, check_codes
from nhlib.plots.axes import axes_or_current


def plot_codes(
    codes: NeuralCodes,
    labels: Any = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw codes as a matrix: one row an example, one column a unit, filled where it is on.

    Parameters
    ----------
    codes : NeuralCodes
        n codes.
    labels : int tensor or array, shape (n,), optional
        Classes; rows are then sorted by class, and the classes set apart by lines.
    ax : matplotlib Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If there are no codes, or not as many labels.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import nhlib as nh
    >>> test = nh.load("digits").test
    >>> codes = nh.encode(nh.mlp(64, [50], 10), test)
    >>> _ = nh.plot_codes(codes, test.labels, ax=plt.figure().gca())
    """
    bits = check_codes("codes", codes).bits()
    if not len(codes):
        raise ValueError("codes: there are none, and at least one is needed")
    if labels is not None:
        labels = class_labels("labels", labels, len(codes), "codes")
    ax = axes_or_current(ax)
    color = to_rgba(plt.rcParams["axes.prop_cycle"].by_key()["color"][0])
    if labels is None:
        ax.set(ylabel="example")
    else:
        bits = bits[np.argsort(labels, kind="stable")]
        names, sizes = np.unique(labels, return_counts=True)
        ends = np.cumsum(sizes)
        for end in ends[:-1]:
            ax.axhline(end, color=plt.rcParams["text.color"], linewidth=0.8)
        ax.set(ylabel="class", yticks=ends - sizes / 2, yticklabels=names)
        ax.tick_params(axis="y", length=0)
    # Off is transparent, so that the page's own colour shows, be it light or dark.
    image = np.empty((*bits.shape, 4), np.uint8)
    image[..., :3], image[..., 3] = np.multiply(color[:3], 255).round(), 255 * bits
    ax.imshow(
        image, aspect="auto", interpolation="nearest", extent=(0, bits.shape[1], len(bits), 0)
    )
    ax.set(xlabel="unit")
    ax.grid(visible=False)
    return ax
