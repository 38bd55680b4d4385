"""Figures of inputs, of their codes, of what is measured on them, of regions and of phases.

Every function draws into the Axes that it is given, or into the current ones, and returns
them. ``plt.style.use("nhlib.book")`` gives the figures the look of the book.
"""

from nhlib.plots.codes import plot_class_activity, plot_codes, plot_distances, plot_images
from nhlib.plots.measures import (
    plot_accuracy,
    plot_baselines,
    plot_rarefaction,
    plot_redundancy,
)
from nhlib.plots.phases import plot_phase_chart
from nhlib.plots.regions import plot_partition, plot_segment

__all__ = [
    "plot_accuracy",
    "plot_baselines",
    "plot_class_activity",
    "plot_codes",
    "plot_distances",
    "plot_images",
    "plot_partition",
    "plot_phase_chart",
    "plot_rarefaction",
    "plot_redundancy",
    "plot_segment",
]
