"""Networks trained in the page, to the same weights as in Python."""
