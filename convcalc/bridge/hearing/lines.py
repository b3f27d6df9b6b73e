"""Which line of the user's code is running."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import FrameType

from convcalc.bridge.device import need_torch

OURS = str(Path(__file__).parents[2]) + os.sep
"""Where the code of convcalc is."""
TORCHS = str(Path(str(need_torch().__file__)).parent) + os.sep
"""Where the code of torch is."""


def line_here() -> str | None:
    """Return the file and line of the user's code that is running, as "net.py:9"."""
    frame = next(frames(), None)
    return None if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


def frames() -> Iterator[FrameType]:
    """Yield the frames of the user's code that is running, innermost first: those neither convcalc's nor torch's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if not is_own(frame.f_code.co_filename):
            yield frame
        frame = frame.f_back


@lru_cache(maxsize=4096)
def is_own(file: str) -> bool:
    """Return whether a file belongs to convcalc, torch or Python's start, not to the user.

    >>> is_own(__file__), is_own("net.py")
    (True, False)
    """
    return file.startswith((OURS, TORCHS, "<frozen"))
