"""Loops over pieces of a tensor: what is done with the pieces, and what holds for any number of them."""
