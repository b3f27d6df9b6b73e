"""The second algebra: which inputs each output reads."""
