"""What code ran while a loop went round, and whether it leaves a trace that the next round could read.

A round of a loop does what the round before did, on shapes alike, if nothing that ran keeps anything: no attribute,
entry or global variable is set, no list grows, no iterator moves on. Code of torch is trusted to keep that.
"""

from __future__ import annotations

import builtins
import dis
import math
import os
import sys
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

from convcalc.bridge.hearing.lines import OURS, is_own

_PYTHON = (str(Path(os.__file__).parent) + os.sep, "<frozen", "<string>")

_STORES = frozenset(
    {"STORE_ATTR", "STORE_SUBSCR", "STORE_SLICE", "STORE_GLOBAL", "STORE_NAME"}
    | {"DELETE_ATTR", "DELETE_SUBSCR", "DELETE_GLOBAL", "DELETE_NAME"}
    | {"YIELD_VALUE", "RETURN_GENERATOR", "SEND"}
)
"""What leaves a trace beyond the variables of a function, or goes on where it stood."""

_PURE = frozenset(
    {"abs", "all", "any", "callable", "chr", "divmod", "format", "getattr", "hasattr", "isinstance", "issubclass"}
    | {"len", "max", "min", "ord", "pow", "print", "repr", "round"}
)
"""The builtin functions that keep nothing."""


class Effects:
    """The user's code objects and builtin functions that ran, of all loops that go round at the moment."""

    def __init__(self) -> None:
        self._open: list[Ran] = []
        self._before: Any = None
        self._depth = 0
        """How deep calls are nested below one that is convcalc's own work, or torch's."""

    def start(self, loop: CodeType) -> Ran:
        """Begin to listen for one more loop, which stands in this code."""
        if not self._open:
            self._before, self._depth = sys.getprofile(), 0
            sys.setprofile(self._hear)
        ran = Ran(loop)
        self._open.append(ran)
        return ran

    def stop(self, ran: Ran) -> bool:
        """Listen no longer for that loop; whether it was listened for."""
        if ran not in self._open:
            return False
        self._open.remove(ran)
        if not self._open:
            sys.setprofile(self._before)
        return True

    def _hear(self, frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event == "call":
            if self._depth or _works_alone(frame):
                self._depth += 1
            elif not is_own(code.co_filename):
                for ran in self._open:
                    ran.codes.add(code)
        elif event == "return":
            self._depth = max(0, self._depth - 1)
        elif event == "c_call" and not self._depth and not is_own(code.co_filename):
            for ran in self._open:
                ran.builtins.append((code, argument))


class Ran:
    """What ran while one loop went round."""

    def __init__(self, loop: CodeType) -> None:
        self.loop = loop
        self.codes: set[CodeType] = set()
        self.builtins: list[tuple[CodeType, Any]] = []

    @property
    def leaves_no_trace(self) -> bool:
        """Whether nothing that ran keeps anything; in the code of the loop itself, appending is looked at elsewhere."""
        return all(code is self.loop or keeps_nothing(code) for code in self.codes) and all(
            _is_pure(function) or (code is self.loop and _appends(function)) for code, function in self.builtins
        )


def _works_alone(frame: FrameType) -> bool:
    """Whether this is work of convcalc, or of Python's library for it or torch, in which no code of the model runs."""
    code, caller = frame.f_code, frame.f_back
    if code.co_filename.startswith(OURS):
        return not code.co_qualname.startswith("Standing._around")  # which stands around the model's own code
    for_us = caller is not None and is_own(caller.f_code.co_filename)
    return for_us and code.co_filename.startswith(_PYTHON)


@lru_cache(maxsize=1024)
def keeps_nothing(code: CodeType) -> bool:
    """Whether a function sets local variables alone.

    >>> def pure(x): y = x + 1; return y
    >>> def counts(self): self.calls = 1
    >>> keeps_nothing(pure.__code__), keeps_nothing(counts.__code__)
    (True, False)
    """
    before, taken = None, set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    for step in dis.get_instructions(code):
        if step.opname in _STORES or (step.opname == "STORE_DEREF" and step.argval in code.co_freevars):
            return False
        in_place = before is not None and before.opname == "BINARY_OP" and before.argrepr.endswith("=")
        if in_place and step.argval in taken:  # it may be a list of the caller
            return False
        before = step
    return True


def _is_pure(function: Any) -> bool:
    """Whether a builtin function keeps nothing: one of torch, of numbers, of text, or a question."""
    owner = getattr(function, "__self__", None)
    if owner is builtins:
        return function.__name__ in _PURE
    if isinstance(owner, ModuleType):
        return owner is math or owner.__name__.partition(".")[0] == "torch"
    if isinstance(owner, int | float | str | bytes | tuple):
        return True
    if isinstance(owner, dict):
        return function.__name__ in ("get", "keys", "values", "items", "copy")
    kind = owner if isinstance(owner, type) else type(owner) if owner is not None else None
    kind = kind or getattr(function, "__objclass__", None)
    homes = (getattr(kind, "__module__", None), getattr(function, "__module__", None))
    return any(str(home).partition(".")[0] == "torch" for home in homes)


def _appends(function: Any) -> bool:
    return isinstance(getattr(function, "__self__", None), list) and function.__name__ == "append"
