"""The Axes that a figure is drawn into."""

from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes


def axes_or_current(ax: Any) -> Axes:
    """Return the Axes given, or the current ones if there are none; refuse what is no Axes."""
    if ax is None:
        return plt.gca()
    if not isinstance(ax, Axes):
        hint = "; columns are named, as in x='width'" if isinstance(ax, str) else ""
        raise TypeError(f"ax: matplotlib Axes are needed, not {ax!r:.60}{hint}")
    return ax
