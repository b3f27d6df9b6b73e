"""Layers: one op, one class, one place."""
