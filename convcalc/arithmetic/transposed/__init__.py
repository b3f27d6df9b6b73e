"""Transposed convolution: its size in three ways, its values in three ways, its overlaps."""
