"""Exact linear regions: along a line, in a plane, and how many there can be."""

from nhlib.regions.arrangements import arrangement_count
from nhlib.regions.bounds import (
    hanin_rolnick_scale,
    montufar_bound,
    serra_bound,
    zaslavsky_bound,
)
from nhlib.regions.cutting import partition
from nhlib.regions.line import Segment, segment
from nhlib.regions.margins import border_distances
from nhlib.regions.partitions import Partition
from nhlib.regions.plane import Plane

__all__ = [
    "Partition",
    "Plane",
    "Segment",
    "arrangement_count",
    "border_distances",
    "hanin_rolnick_scale",
    "montufar_bound",
    "partition",
    "segment",
    "serra_bound",
    "zaslavsky_bound",
]
