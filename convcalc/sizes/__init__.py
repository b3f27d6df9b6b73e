"""Sizes as formulas, sets of sizes, and what must hold of them."""
