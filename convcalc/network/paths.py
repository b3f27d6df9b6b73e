"""The path in a node's name: modules apart by dots, and after a colon the function called in the last of them."""

from __future__ import annotations


def path_at(name: str, depth: int) -> str:
    """Return the first `depth` steps of a node's path; the whole name where it has not so many.

    >>> [path_at(name, 2) for name in ("layer1.0.conv1", "layer1.0:add", "layer1:add", "fc")]
    ['layer1.0', 'layer1.0', 'layer1:add', 'fc']
    """
    steps = name.partition(":")[0].split(".")
    return ".".join(steps[:depth]) if len(steps) >= depth else name


def is_inside(name: str, path: str) -> bool:
    """Whether a node is the one named `path`, or stands in the block of that name.

    >>> [is_inside(name, "layer1") for name in ("layer1", "layer1.0.conv1", "layer1:add", "layer10")]
    [True, True, True, False]
    """
    return name == path or name.startswith((f"{path}.", f"{path}:"))
