"""Exact linear regions: along a line, in a plane, in the whole space, and how many there can be."""

from nhlib.regions.borders import border_distances
from nhlib.regions.bounds import hanin_rolnick_scale, montufar_bound, serra_bound, zaslavsky_bound
from nhlib.regions.cutting import partition
from nhlib.regions.folding import fold
from nhlib.regions.graph import RegionGraph, walk
from nhlib.regions.one_layer import arrangement_count
from nhlib.regions.partitions import Partition
from nhlib.regions.plane import Plane, pairs
from nhlib.regions.polyhedra import Region, region
from nhlib.regions.ragged_arrays import Ragged
from nhlib.regions.segments import Segment, segment
from nhlib.regions.topology import Topology

__all__ = [
    "Partition",
    "Plane",
    "Ragged",
    "Region",
    "RegionGraph",
    "Segment",
    "Topology",
    "arrangement_count",
    "border_distances",
    "fold",
    "hanin_rolnick_scale",
    "montufar_bound",
    "pairs",
    "partition",
    "region",
    "segment",
    "serra_bound",
    "walk",
    "zaslavsky_bound",
]
