"""Figures of inputs, of their codes, of what is measured on them, of regions and of phases.

Every function draws into the Axes that it is given, or into the current ones, and returns
them. ``plt.style.use("nhlib.book")`` gives the figures the look of the book.
"""

from nhlib.plots.accuracy import plot_accuracy
from nhlib.plots.baselines import plot_baselines
from nhlib.plots.class_activity import plot_class_activity
from nhlib.plots.codes import plot_codes
from nhlib.plots.distances import plot_distances
from nhlib.plots.images import plot_images
from nhlib.plots.partition import plot_partition
from nhlib.plots.phase_chart import plot_phase_chart
from nhlib.plots.rarefaction import plot_rarefaction
from nhlib.plots.redundancy import plot_redundancy
from nhlib.plots.segment import plot_segment

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
