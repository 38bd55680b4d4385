"""The RegionExplorer: linear regions of a network that trains in the page."""
