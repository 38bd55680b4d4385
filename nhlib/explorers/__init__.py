"""Widgets that live in the page as they do in Jupyter: measured networks, moved by the reader."""

from nhlib.explorers.codes import CodeExplorer
from nhlib.explorers.margins import MarginExplorer
from nhlib.explorers.phases import PhaseExplorer
from nhlib.explorers.regions import RegionExplorer
from nhlib.explorers.sweeps import SweepExplorer

__all__ = [
    "CodeExplorer",
    "MarginExplorer",
    "PhaseExplorer",
    "RegionExplorer",
    "SweepExplorer",
]
