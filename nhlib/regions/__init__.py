"""Exact linear regions: along a line, in a plane, and how many there can be."""

from nhlib.regions.line import Segment, segment
from nhlib.regions.plane import Partition, Plane, partition

__all__ = [
    "Partition",
    "Plane",
    "Segment",
    "partition",
    "segment",
]
