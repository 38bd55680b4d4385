"""Widgets that live in the page as they do in Jupyter: measured networks, moved by the reader."""

from nhlib.explorers.codes.code_explorer import CodeExplorer
from nhlib.explorers.margins.margin_explorer import MarginExplorer
from nhlib.explorers.phases.phase_explorer import PhaseExplorer
from nhlib.explorers.regions.region_explorer import RegionExplorer
from nhlib.explorers.sweeps.sweep_explorer import SweepExplorer

__all__ = [
    "CodeExplorer",
    "MarginExplorer",
    "PhaseExplorer",
    "RegionExplorer",
    "SweepExplorer",
]
