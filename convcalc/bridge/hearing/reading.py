"""What a model does with a size that it reads as text or as a key, told from the line of code that reads it.

Text that is printed, logged or raised goes nowhere; any other may come back as a number. A key that is looked up in a
set or dict at hand is as many comparisons as it has entries.
"""

from __future__ import annotations

import ast
import builtins
import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any, Literal, TypeAlias

from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.lines import OURS
from convcalc.bridge.hearing.source import Span, is_within, source_of, span_at, span_of

Fate: TypeAlias = Literal["told", "raised", "kept"]
"""What becomes of text: told to a reader, part of an exception, or anything else."""

_MANY = 64
"""Sets of more entries than this are not compared one by one."""

_TELLING = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log"})
_TELLERS = ("logging", "warnings", "tqdm", "loguru", "rich", "wandb", "tensorboardX", "torch.utils.tensorboard")
"""Rooms of code that tells what it is given, and gives none of it back."""
_MAKING = frozenset(
    {str, repr, format, int, float, bool, complex, round, abs, len, tuple, list, sum, max, min, sorted, type}
)
"""What makes one value of another, and keeps neither."""
_ASKED = frozenset({"format", "join", "size", "dim", "item", "tolist", "numpy", "cpu", "detach", "numel"})
"""Methods, written in C, of a text or a tensor that is asked; they keep nothing."""


def asking(beyond: tuple[str, ...] = ()) -> FrameType | None:
    """Return the frame of the code that asks: the innermost that is not of this room, nor of the files `beyond`."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith((OURS, *beyond)):
        frame = frame.f_back
    return frame


def fate(frame: FrameType | None) -> Fate:
    """Return what becomes of text that this frame is making.

    >>> fate(None)
    'kept'
    """
    room = "" if frame is None else str(frame.f_globals.get("__name__", ""))
    if _is_of_tellers(room):
        return "told"
    if room.startswith("_pytest."):  # which writes an assertion that failed
        return "raised"
    place = None if frame is None else _place(frame)
    if frame is None or place is None:
        return "kept"
    span, around = place
    match next((node for node in reversed(around) if isinstance(node, ast.stmt)), None):
        case ast.Expr(ast.Call() as call) if _goes_to(call, call, span, frame):
            if _resolved(call.func, frame) is need_torch()._assert:
                return "told" if len(call.args) == 2 and is_within(span, call.args[1]) else "kept"
            return "told" if _tells(call, frame) else "kept"
        case ast.Raise(ast.Call() as call) if _goes_to(call, call, span, frame):
            return "raised"
        case ast.Assert(msg=ast.expr() as message) if is_within(span, message) and _goes_to(message, None, span, frame):
            return "raised"
    return "kept"


def keys(frame: FrameType | None) -> tuple[Any, ...] | None:
    """Return what a key is compared with where this frame looks one up; None where that is not seen.

    >>> keys(None) is None
    True
    """
    place = None if frame is None else _place(frame)
    if frame is None or place is None:
        return None
    span, around = place
    match next((node for node in around if isinstance(node, ast.expr) and span_of(node) == span), None):
        case (
            ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[held])
            | ast.Subscript(value=held)
            | ast.Call(func=ast.Attribute(value=held, attr="get"))
        ):
            return _entries(held, frame)
    return None


def _place(frame: FrameType) -> tuple[Span, list[ast.AST]] | None:
    """The part of the source that a frame is at, and the nodes around it, outermost first."""
    source, span = source_of(frame.f_code), span_at(frame.f_code, frame.f_lasti)
    return None if source is None or span is None else (span, list(source.around(span)))


def _goes_to(root: ast.expr, outer: ast.Call | None, span: Span, frame: FrameType) -> bool:
    """Whether what is asked for at a place goes to `root` and nowhere else: what lies between only makes values of it.

    `outer` is the call that is known to keep nothing.
    """
    ways = list(_ways(root, span))
    return bool(ways) and all(
        node is outer or _passes_on(node, frame, asks=node is way[-1]) for way in ways for node in way
    )


def _ways(node: ast.AST, span: Span) -> Iterator[tuple[ast.AST, ...]]:
    """The nodes from `node` down to each that stands exactly there."""
    if isinstance(node, ast.expr) and span_of(node) == span:
        yield (node,)
    for part in ast.iter_child_nodes(node):
        for way in _ways(part, span):
            yield (node, *way)


def _passes_on(node: ast.AST, frame: FrameType, *, asks: bool) -> bool:
    """Whether a node gives on what it is given, and keeps none of it; `asks` where it is the one that asks for it."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name)) if asks:
            return name in _ASKED
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()) | ast.JoinedStr(), attr="format" | "join")):
            return True
        case ast.Call(func=called):
            made = _resolved(called, frame)
            return any(made is one for one in _MAKING)
        case ast.NamedExpr() | ast.Await() | ast.Yield() | ast.YieldFrom() | ast.Lambda():
            return False
    return True


def _tells(call: ast.Call, frame: FrameType) -> bool:
    made = _resolved(call.func, frame)
    if made is print:
        files = [_resolved(one.value, frame) for one in call.keywords if one.arg in ("file", None)]
        return all(file is sys.stdout or file is sys.stderr for file in files)
    if made is warnings.warn or _is_log(call.func, frame):
        return True
    match call.func:
        case ast.Attribute(value=owner, attr="write"):
            file = _resolved(owner, frame)
            if file is sys.stdout or file is sys.stderr:
                return True
    return _is_of_tellers(str(getattr(made, "__module__", None) or ""))


def _is_of_tellers(room: str) -> bool:
    return any(room == one or room.startswith(f"{one}.") for one in _TELLERS)


def _is_log(func: ast.expr, frame: FrameType) -> bool:
    if not isinstance(func, ast.Attribute) or func.attr not in _TELLING:
        return False
    if isinstance(func.value, ast.Call):
        return _resolved(func.value.func, frame) is logging.getLogger
    owner = _resolved(func.value, frame)
    return owner is logging or isinstance(owner, logging.Logger)


_NOTHING: Any = object()


def _resolved(node: ast.expr, frame: FrameType) -> Any:
    """What a name, or an attribute of one, stands for, without running anything."""
    match node:
        case ast.Name(id=name):
            for room in (frame.f_locals, frame.f_globals, vars(builtins)):
                if name in room:
                    return room[name]
        case ast.Attribute(value=inner, attr=name):
            owner = _resolved(inner, frame)
            rooms: Sequence[Any] = (owner, *type(owner).__mro__) if owner is not _NOTHING else ()
            if isinstance(owner, type):
                rooms = owner.__mro__
            for room in rooms:
                held = getattr(room, "__dict__", {})
                if name in held:
                    return held[name]
    return _NOTHING


def _entries(node: ast.expr, frame: FrameType) -> tuple[Any, ...] | None:
    """What is in a set, or the keys of a dict, that stands in the source or has a name; None where that is unknown."""
    try:
        held = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        held = _resolved(node, frame)
    if isinstance(node, ast.Dict):
        some = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
        held = None if None in some else dict.fromkeys(some)
    if type(held) not in (set, frozenset, dict) or len(held) > _MANY:
        return None
    found = tuple(held)
    return found if all(type(one) in (int, float, bool, str, type(None)) for one in found) else None
