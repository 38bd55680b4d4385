"""Inputs as pictures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes

from nhlib._arguments import check_range, whole_number
from nhlib.plots.axes import axes_or_current


def plot_images(
    inputs: Any,
    titles: Sequence[Any] | None = None,
    n_columns: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw inputs as pictures, in rows.

    Parameters
    ----------
    inputs : tensor or array, shape (n, height, width) or (n, 1 or 3, height, width)
        Pictures with values from 0 to 1. In grey ones 0 is white and 1 is black, as ink on paper;
        in colour ones 0 is dark.
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
    TypeError, ValueError
        If `inputs` has no pictures, or values outside 0 to 1; if there are not as many titles as
        pictures; if `n_columns` is no whole number from 1 on.

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
    check_range("inputs", inputs, (0.0, 1.0), "scale them")
    if titles is not None and len(titles) != n:
        raise ValueError(f"titles: {n} are needed, one a picture, not {len(titles)}")
    n_columns = min(n, 12) if n_columns is None else whole_number("n_columns", n_columns, 1)
    ax = axes_or_current(ax)
    pictures = inputs.reshape(n, channels, *inputs.shape[-2:]).numpy()
    pictures = np.broadcast_to(pictures, (n, 3, *pictures.shape[2:])).transpose(0, 2, 3, 1)
    if channels == 1:  # ink on paper, as handwriting is
        pictures = 1 - pictures
    height, width = pictures.shape[1:3]
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
