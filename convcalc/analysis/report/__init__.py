"""The report of a network on one input."""
