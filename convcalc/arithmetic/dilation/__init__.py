"""Stacks of dilated convolutions: which rates leave holes."""
