"""The phase chart: where codes are unique, and where more would still help."""

from nhlib.phases.cell_means import check_grid, means_over_seeds
from nhlib.phases.chart import DELTA, REGIMES, TAU, critical_size, phase_chart, regime, sensitivity

__all__ = [
    "DELTA",
    "REGIMES",
    "TAU",
    "check_grid",
    "critical_size",
    "means_over_seeds",
    "phase_chart",
    "regime",
    "sensitivity",
]
