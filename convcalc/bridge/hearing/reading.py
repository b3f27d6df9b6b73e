"""What a model does with a size that it reads as text or as a key, told from the line of code that reads it.

Text that is printed, logged or raised goes nowhere; any other may come back as a number. A key that is looked up in a
set or dict at hand is as many comparisons as it has entries.
"""

from __future__ import annotations

import ast
import logging
import sys
import warnings
from collections import ChainMap
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any, Literal, TypeAlias

from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.lines import OURS
from convcalc.bridge.hearing.purity import meaning
from convcalc.bridge.hearing.source import Span, is_within, source_of, span_at, span_of

Fate: TypeAlias = Literal["told", "raised", "kept"]
"""What becomes of text: told to a reader, part of an exception, or anything else."""

Scope: TypeAlias = Mapping[str, Any]
"""What the names in some code mean."""

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
    if place is None:
        return "kept"
    span, around, scope = place
    match next((node for node in reversed(around) if isinstance(node, ast.stmt)), None):
        case ast.Expr(ast.Call() as call) if _goes_to(call, call, span, scope):
            if meaning(call.func, scope) is need_torch()._assert:
                return "told" if len(call.args) == 2 and is_within(span, call.args[1]) else "kept"
            return "told" if _tells(call, scope) else "kept"
        case ast.Raise(ast.Call() as call) if _goes_to(call, call, span, scope):
            return "raised"
        case ast.Assert(msg=ast.expr() as message) if is_within(span, message) and _goes_to(message, None, span, scope):
            return "raised"
    return "kept"


def keys(frame: FrameType | None) -> tuple[Any, ...] | None:
    """Return what a key is compared with where this frame looks one up; None where that is not seen.

    >>> keys(None) is None
    True
    """
    place = None if frame is None else _place(frame)
    if place is None:
        return None
    span, around, scope = place
    match next((node for node in around if isinstance(node, ast.expr) and span_of(node) == span), None):
        case (
            ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[held])
            | ast.Subscript(value=held)
            | ast.Call(func=ast.Attribute(value=held, attr="get"))
        ):
            return _entries(held, scope)
    return None


def _place(frame: FrameType) -> tuple[Span, list[ast.AST], Scope] | None:
    """The part of the source that a frame is at, the nodes around it, outermost first, and what names mean there."""
    source, span = source_of(frame.f_code), span_at(frame.f_code, frame.f_lasti)
    if source is None or span is None:
        return None
    return span, list(source.around(span)), ChainMap(frame.f_locals, frame.f_globals)


def _goes_to(root: ast.expr, outer: ast.Call | None, span: Span, scope: Scope) -> bool:
    """Whether what is asked for at a place goes to `root` and nowhere else: what lies between only makes values of it.

    `outer` is the call that is known to keep nothing.
    """
    ways = list(_ways(root, span))
    return bool(ways) and all(
        node is outer or _passes_on(node, scope, asks=node is way[-1]) for way in ways for node in way
    )


def _ways(node: ast.AST, span: Span) -> Iterator[tuple[ast.AST, ...]]:
    """The nodes from `node` down to each that stands exactly there."""
    if isinstance(node, ast.expr) and span_of(node) == span:
        yield (node,)
    for part in ast.iter_child_nodes(node):
        for way in _ways(part, span):
            yield (node, *way)


def _passes_on(node: ast.AST, scope: Scope, *, asks: bool) -> bool:
    """Whether a node gives on what it is given, and keeps none of it; `asks` where it is the one that asks for it."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name)) if asks:
            return name in _ASKED
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()) | ast.JoinedStr(), attr="format" | "join")):
            return True
        case ast.Call(func=called):
            made = meaning(called, scope)
            return any(made is one for one in _MAKING)
        case ast.NamedExpr() | ast.Await() | ast.Yield() | ast.YieldFrom() | ast.Lambda():
            return False
    return True


def _tells(call: ast.Call, scope: Scope) -> bool:
    made = meaning(call.func, scope)
    if made is print:
        files = [meaning(one.value, scope) for one in call.keywords if one.arg in ("file", None)]
        return all(file is sys.stdout or file is sys.stderr for file in files)
    if made is warnings.warn or _is_log(call.func, scope):
        return True
    match call.func:
        case ast.Attribute(value=owner, attr="write"):
            file = meaning(owner, scope)
            if file is sys.stdout or file is sys.stderr:
                return True
    return _is_of_tellers(str(getattr(made, "__module__", None) or ""))


def _is_of_tellers(room: str) -> bool:
    return any(room == one or room.startswith(f"{one}.") for one in _TELLERS)


def _is_log(func: ast.expr, scope: Scope) -> bool:
    if not isinstance(func, ast.Attribute) or func.attr not in _TELLING:
        return False
    if isinstance(func.value, ast.Call):
        return meaning(func.value.func, scope) is logging.getLogger
    owner = meaning(func.value, scope)
    return owner is logging or isinstance(owner, logging.Logger)


def _entries(node: ast.expr, scope: Scope) -> tuple[Any, ...] | None:
    """What is in a set, or the keys of a dict, that stands in the source or has a name; None where that is unknown."""
    try:
        held = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        held = meaning(node, scope)
    if isinstance(node, ast.Dict):
        some = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
        held = None if None in some else dict.fromkeys(some)
    if type(held) not in (set, frozenset, dict) or len(held) > _MANY:
        return None
    found = tuple(held)
    return found if all(type(one) in (int, float, bool, str, type(None)) for one in found) else None
