"""What a model does with a size that it reads as text or as a key, told from the line of code that reads it.

Text that is printed, logged or raised goes nowhere; any other may come back as a number. A key that is looked up in a
set or dict at hand is as many comparisons as it has entries.
"""

from __future__ import annotations

import ast
import builtins
import linecache
import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from functools import lru_cache
from types import FrameType
from typing import Any, Literal, TypeAlias

from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.lines import OURS

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
    place = None if frame is None else _Place.of(frame)
    if frame is None or place is None:
        return "kept"
    match place.statement():
        case ast.Expr(ast.Call() as call) if _goes_to(call, call, place, frame):
            if _resolved(call.func, frame) is need_torch()._assert:
                return "told" if len(call.args) == 2 and place.within(call.args[1]) else "kept"
            return "told" if _tells(call, frame) else "kept"
        case ast.Raise(ast.Call() as call) if _goes_to(call, call, place, frame):
            return "raised"
        case ast.Assert(msg=ast.expr() as message) if place.within(message) and _goes_to(message, None, place, frame):
            return "raised"
    return "kept"


def keys(frame: FrameType | None) -> tuple[Any, ...] | None:
    """Return what a key is compared with where this frame looks one up; None where that is not seen.

    >>> keys(None) is None
    True
    """
    place = None if frame is None else _Place.of(frame)
    if frame is None or place is None:
        return None
    match place.expression():
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[held]):
            return _entries(held, frame)
        case ast.Subscript(value=held):
            return _entries(held, frame)
        case ast.Call(func=ast.Attribute(value=held, attr="get")):
            return _entries(held, frame)
    return None


class _Place:
    """Where in its file a frame is: the lines and columns of the instruction that runs."""

    def __init__(self, tree: ast.Module, span: tuple[int, int, int, int]) -> None:
        self.tree = tree
        self.first, self.last = (span[0], span[2]), (span[1], span[3])

    @classmethod
    def of(cls, frame: FrameType) -> _Place | None:
        """Return the place of a frame; None where its source is not to be had."""
        tree = _tree(frame.f_code.co_filename)
        spans = list(frame.f_code.co_positions())
        line, end, column, last = spans[frame.f_lasti // 2]
        if tree is None or line is None or end is None or column is None or last is None:
            return None
        return cls(tree, (line, end, column, last))

    def within(self, node: ast.AST) -> bool:
        """Whether it is in this part of the source."""
        span = _span(node)
        return span is not None and span[0] <= self.first and self.last <= span[1]

    def statement(self) -> ast.stmt | None:
        """Return the innermost statement that it is in."""
        found = [node for node in _around(self.tree, self) if isinstance(node, ast.stmt)]
        return found[-1] if found else None

    def expression(self) -> ast.expr | None:
        """Return the expression that it is."""
        exact = (node for node in _around(self.tree, self) if _span(node) == (self.first, self.last))
        return next((node for node in exact if isinstance(node, ast.expr)), None)


def _around(tree: ast.AST, place: _Place) -> Iterator[ast.AST]:
    """The nodes that a place is in, outermost first."""
    inner: ast.AST | None = tree
    while inner is not None:
        inner = next(filter(place.within, _parts(inner)), None)
        if inner is not None:
            yield inner


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a node that have a place in the source."""
    for part in ast.iter_child_nodes(node):
        if hasattr(part, "lineno"):
            yield part
        else:
            yield from _parts(part)


def _span(node: ast.AST) -> tuple[tuple[int, int], tuple[int, int]] | None:
    places = [getattr(node, name, None) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")]
    if None in places:
        return None
    line, column, end, last = map(int, places)  # type: ignore[arg-type]
    return (line, column), (end, last)


@lru_cache(maxsize=64)
def _tree(file: str) -> ast.Module | None:
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return None


def _goes_to(root: ast.expr, outer: ast.Call | None, place: _Place, frame: FrameType) -> bool:
    """Whether what is asked for at a place goes to `root` and nowhere else: what lies between only makes values of it.

    `outer` is the call that is known to keep nothing.
    """
    ways = list(_ways(root, (place.first, place.last)))
    return bool(ways) and all(
        node is outer or _passes_on(node, frame, asks=node is way[-1]) for way in ways for node in way
    )


def _ways(node: ast.AST, span: tuple[tuple[int, int], tuple[int, int]]) -> Iterator[tuple[ast.AST, ...]]:
    """The nodes from `node` down to each that stands exactly there."""
    if isinstance(node, ast.expr) and _span(node) == span:
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
