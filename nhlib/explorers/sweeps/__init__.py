"""The SweepExplorer: measures along one factor."""
