"""Grids of networks, trained and measured, and the experiments of the paper."""

from nhlib.sweeps.configuration import FACTORS, KEYS, PROTOCOLS
from nhlib.sweeps.forecast import expected_seconds
from nhlib.sweeps.grid import Grid
from nhlib.sweeps.measurement import MEASURES, TRAINING, measure_columns
from nhlib.sweeps.paper import EXPERIMENTS, experiment
from nhlib.sweeps.results import BEFORE, Results, columns, with_all_keys
from nhlib.sweeps.running import measure, rehearse, run, sweep

__all__ = [
    "BEFORE",
    "EXPERIMENTS",
    "FACTORS",
    "KEYS",
    "MEASURES",
    "PROTOCOLS",
    "TRAINING",
    "Grid",
    "Results",
    "columns",
    "expected_seconds",
    "experiment",
    "measure",
    "measure_columns",
    "rehearse",
    "run",
    "sweep",
    "with_all_keys",
]
