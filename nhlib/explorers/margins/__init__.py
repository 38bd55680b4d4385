"""The MarginExplorer: how far an input has to move until a bit flips."""
