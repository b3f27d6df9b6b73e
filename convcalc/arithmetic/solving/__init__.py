"""The formulas backwards."""
