"""Calls that need the values of a tensor, which a capture does not have."""

from __future__ import annotations

from convcalc.bridge.explain.failure import Failure

DECIDE_SHAPES = frozenset(
    {
        *("nonzero", "argwhere", "masked_select", "getitem", "unique", "unique_consecutive", "unique_dim", "bincount"),
        *("repeat_interleave", "where"),
    }
)
"""The functions whose result has a shape that values decide."""

NEED_VALUES = DECIDE_SHAPES - {"getitem", "where"} | {
    *("item", "tolist", "numpy", "array", "bool", "int", "float", "complex", "index", "contains", "format"),
    *("equal", "is_nonzero", "histc", "histogram", "one_hot"),
}
"""The functions that need values, however they are called."""


def needs_values(failure: Failure) -> bool:
    """Return whether a call failed because it needs values: by its name, or as torch has no rule for it on meta."""
    if failure.by_user or failure.of_types or failure.raw is None:
        return False
    if failure.function in NEED_VALUES or isinstance(failure.error, NotImplementedError):
        return True
    masks = (arg for arg in failure.args if getattr(arg, "dtype", None) is not None)
    return failure.function == "getitem" and any(str(arg.dtype) == "torch.bool" for arg in masks)
