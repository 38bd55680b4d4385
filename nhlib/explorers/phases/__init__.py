"""The PhaseExplorer: the phase chart of a table of measured networks."""
