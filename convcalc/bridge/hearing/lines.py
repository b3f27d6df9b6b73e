"""Which line of the user's code is running."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import CodeType, FrameType

from convcalc.bridge.device import need_torch

OURS = str(Path(__file__).parents[2]) + os.sep
"""Where the code of convcalc is."""
TORCHS = str(Path(str(need_torch().__file__)).parent) + os.sep
"""Where the code of torch is."""


class Lines:
    """Where the user's code stands: the innermost frame that is neither convcalc's nor torch's.

    >>> Lines().is_own(Lines.line.__code__)
    True
    """

    def __init__(self) -> None:
        self._codes: dict[CodeType, bool] = {}

    def line(self) -> str | None:
        """Return the file and line of the user's code that is running, as "net.py:9"."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if not self.is_own(frame.f_code):
                return f"{frame.f_code.co_filename}:{frame.f_lineno}"
            frame = frame.f_back
        return None

    def is_own(self, code: CodeType) -> bool:
        """Whether code is of convcalc or torch, not of the user."""
        known = self._codes.get(code)
        if known is None:
            known = self._codes[code] = code.co_filename.startswith((OURS, TORCHS, "<frozen"))
        return known
