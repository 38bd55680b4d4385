"""Figures of inputs and of their codes."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from nhlib.categorization import bit_information
from nhlib.codes import NeuralCodes

# Pairs drawn for a histogram of distances: enough for smooth bars, few enough to be instant.
_PAIRS = 1_000_000


def plot_images(
    inputs: Any,
    titles: Sequence[Any] | None = None,
    n_columns: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw inputs as pictures, in rows.

    Parameters
    ----------
    inputs : float tensor or array, shape (n, height, width) or (n, 1 or 3, height, width)
        Pictures with values from 0 to 1.
    titles : sequence, optional
        What to write below each picture.
    n_columns : int, optional
        Pictures in a row. By default all in one row, up to 12.
    ax : matplotlib Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If `inputs` has no pictures, or there are not as many titles as pictures.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import nhlib as nh
    >>> test = nh.load("digits").test
    >>> _ = nh.plot_images(test.inputs[:8], titles=test.labels[:8].tolist(), ax=plt.figure().gca())
    """
    inputs = torch.as_tensor(inputs).detach().float().cpu()
    n = len(inputs)
    channels = inputs.shape[1] if inputs.ndim == 4 else 1
    if inputs.ndim not in (3, 4) or channels not in (1, 3) or n == 0:
        raise ValueError(
            "inputs: pictures of shape (n, height, width) or (n, 1 or 3, height, width) are "
            f"needed, not {tuple(inputs.shape)}"
        )
    if titles is not None and len(titles) != n:
        raise ValueError(f"titles: {n} are needed, one a picture, not {len(titles)}")
    ax = plt.gca() if ax is None else ax
    pictures = inputs.reshape(n, channels, *inputs.shape[-2:]).numpy()
    pictures = np.broadcast_to(pictures, (n, 3, *pictures.shape[2:])).transpose(0, 2, 3, 1)
    if channels == 1:  # ink on paper, as handwriting is
        pictures = 1 - pictures
    height, width = pictures.shape[1:3]
    n_columns = min(n, 12) if n_columns is None else n_columns
    step_x, step_y = width * 1.15, height * (1.15 if titles is None else 1.55)
    for i, picture in enumerate(pictures):
        x, y = i % n_columns * step_x, i // n_columns * step_y
        ax.imshow(picture.clip(0, 1), extent=(x, x + width, y + height, y), interpolation="nearest")
        if titles is not None:
            ax.text(x + width / 2, y + height * 1.08, str(titles[i]), ha="center", va="top")
    n_rows = -(-n // n_columns)
    ax.set(xlim=(0, n_columns * step_x - width * 0.15), ylim=(n_rows * step_y, 0), aspect="equal")
    ax.axis("off")
    return ax


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
        If there are not as many labels as codes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import nhlib as nh
    >>> test = nh.load("digits").test
    >>> codes = nh.encode(nh.mlp(64, [50], 10), test)
    >>> _ = nh.plot_codes(codes, test.labels, ax=plt.figure().gca())
    """
    ax = plt.gca() if ax is None else ax
    bits = codes.bits()
    color = to_rgba(plt.rcParams["axes.prop_cycle"].by_key()["color"][0])
    if labels is None:
        ax.set(ylabel="example")
    else:
        classes = classes_of(labels, len(codes))
        bits = bits[np.argsort(classes, kind="stable")]
        names, sizes = np.unique(classes, return_counts=True)
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
    n = len(codes)
    classes = classes_of(labels, n)
    if n < 2:
        raise ValueError(f"codes: at least two are needed to have a distance, not {n}")
    ax = plt.gca() if ax is None else ax
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
    classes = classes_of(labels, len(codes))
    names = np.unique(classes)
    on = np.stack([codes[classes == name].bits().mean(axis=0) for name in names])
    order = np.argsort(-bit_information(codes, classes), kind="stable")
    ax = plt.gca() if ax is None else ax
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


def classes_of(labels: Any, n: int, each: str = "code") -> Int[np.ndarray, " n"]:
    """Return labels as an array, one for each of n things."""
    classes = torch.as_tensor(labels).cpu().numpy()
    if classes.shape != (n,):
        raise ValueError(f"labels: {n} are needed, one a {each}, not shape {classes.shape}")
    return classes
