"""Grids of networks, trained and measured, and the experiments of the paper."""

from nhlib.sweeps.batches import together
from nhlib.sweeps.forecast import expected_seconds
from nhlib.sweeps.grid import MEASURES, PROTOCOLS, Grid
from nhlib.sweeps.measurement import measured
from nhlib.sweeps.paper import EXPERIMENTS, experiment
from nhlib.sweeps.results import COLUMNS, KEYS, Results
from nhlib.sweeps.running import run, sweep

__all__ = [
    "COLUMNS",
    "EXPERIMENTS",
    "KEYS",
    "MEASURES",
    "PROTOCOLS",
    "Grid",
    "Results",
    "expected_seconds",
    "experiment",
    "measured",
    "run",
    "sweep",
    "together",
]
