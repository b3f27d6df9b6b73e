"""What the source of a loop says: whether each round treats its piece alike, and what goes from round to round.

A round may set names, call functions and append its result to a list; the list is joined and nothing else. It may not
count, break off, or write into what was there before. Where there is no source, or it says anything else, the loop
is not known.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FrameType
from typing import TypeAlias

Function: TypeAlias = ast.FunctionDef | ast.Lambda
Comprehension: TypeAlias = ast.ListComp | ast.GeneratorExp

_JOINS = frozenset({"cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack", "column_stack", "sum"})
"""What a list of results may be given to: functions that join tensors, however many."""

_THROUGH = frozenset({"enumerate", "zip", "reversed", "list", "tuple", "iter"})
"""Builtins that a loop may go over its pieces through."""


@dataclass(frozen=True)
class Loop:
    """A loop that treats its pieces alike: `width` tensors are cut for it, `carried` are names that rounds hand on."""

    line: int
    width: int
    carried: frozenset[str]
    read: frozenset[str]
    """The names from outside that a round reads."""


def loop_at(frame: FrameType) -> Loop | None:
    """Return the loop that asks for an iterator where a frame stands; None where there is none that is known."""
    code = frame.f_code
    shadowed = {name for name in _THROUGH if name in frame.f_globals or name in code.co_varnames}
    place = _place(code, frame.f_lasti)
    source = "".join(linecache.getlines(code.co_filename, frame.f_globals))
    if place is None or not source or shadowed:
        return None
    found = _loops(source, code.co_filename).get(place)
    if found is None or not _is_of(code, source, code.co_filename):
        return None
    return _read(*found)


def _place(code: CodeType, offset: int) -> tuple[int, int, int, int] | None:
    for number, (line, end_line, column, end_column) in enumerate(code.co_positions()):
        if number == offset // 2:
            if line is None or end_line is None or column is None or end_column is None:
                return None
            return line, end_line, column, end_column
    return None


@lru_cache(maxsize=64)
def _loops(source: str, filename: str) -> dict[tuple[int, int, int, int], tuple[Function, ast.For | Comprehension]]:
    """The loops of a file, by the place of each expression that may ask for their iterator."""
    try:
        tree = ast.parse(source, filename)
    except (SyntaxError, ValueError):
        return {}
    found: dict[tuple[int, int, int, int], tuple[Function, ast.For | Comprehension]] = {}
    for function in ast.walk(tree):
        if not isinstance(function, Function):
            continue
        for loop in ast.walk(function):  # the innermost function comes last
            if isinstance(loop, ast.For):
                wholes: tuple[ast.expr | ast.stmt, ...] = (loop, *_asking(loop.iter))
            elif isinstance(loop, Comprehension) and len(loop.generators) == 1:
                wholes = (loop, *_asking(loop.generators[0].iter))
            else:
                continue
            for node in wholes:
                end = node.end_lineno or 0, node.end_col_offset or 0
                found[node.lineno, end[0], node.col_offset, end[1]] = function, loop
    return found


def _asking(over: ast.expr) -> Iterator[ast.expr]:
    """What a loop goes over, and in it the calls that ask for an iterator in its place."""
    yield over
    if isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id in _THROUGH:
        for argument in over.args:
            if isinstance(argument, ast.Call):
                yield from _asking(argument)


@lru_cache(maxsize=256)
def _is_of(code: CodeType, source: str, filename: str) -> bool:
    """Whether a code object is what the source says today."""
    try:
        waiting = [compile(source, filename, "exec", dont_inherit=True)]
    except (SyntaxError, ValueError):
        return False
    same = code.co_name, code.co_firstlineno, code.co_code, code.co_names
    while waiting:
        known = waiting.pop()
        if (known.co_name, known.co_firstlineno, known.co_code, known.co_names) == same:
            return True
        waiting += [some for some in known.co_consts if isinstance(some, CodeType)]
    return False


def _read(function: Function, loop: ast.For | Comprehension) -> Loop | None:
    over = loop.iter if isinstance(loop, ast.For) else loop.generators[0].iter
    target = loop.target if isinstance(loop, ast.For) else loop.generators[0].target
    width = _width(over)
    counters = _counters(over, target)
    if width is None or counters is None:
        return None
    if any(isinstance(node, ast.Name) and node.id in counters and _is_read(node) for node in ast.walk(function)):
        return None
    if isinstance(loop, ast.For):
        round_ = _Round(function, loop)
        if loop.orelse or not round_.walk(loop.body):
            return None
        lists = round_.lists
        carried = frozenset(round_.carried - lists)
        if not all(_is_joined(function, name, loop, round_.appends) for name in lists):
            return None
        inside: Sequence[ast.AST] = loop.body
        bound = round_.assigned_anywhere | lists
    else:
        if loop.generators[0].ifs or loop.generators[0].is_async or not _is_plain(loop.elt):
            return None
        if not _is_joined_at_once(function, loop):
            return None
        carried, inside, bound = frozenset(), [loop.elt], set(_names(target))
    read = {node.id for part in inside for node in ast.walk(part) if isinstance(node, ast.Name) and _is_read(node)}
    return Loop(loop.lineno, width, carried, frozenset(read - bound))


def _is_read(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


def _names(target: ast.AST) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]


def _width(over: ast.expr) -> int | None:
    """How many tensors are gone over side by side; None where something else may end the loop."""
    if not (isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id in _THROUGH):
        return 1
    if any(isinstance(argument, ast.Starred) for argument in over.args):
        return None
    if over.func.id == "zip":
        widths = [_width(argument) for argument in over.args]
        return None if None in widths else sum(width or 0 for width in widths)
    return _width(over.args[0]) if over.args else None


def _counters(over: ast.expr, target: ast.expr) -> set[str] | None:
    """The names that hold the number of the round; None where the target does not tell."""
    if not (isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id in _THROUGH):
        return set()
    if over.func.id == "enumerate":
        if not (isinstance(target, ast.Tuple) and len(target.elts) == 2):
            return None
        deeper = _counters(over.args[0], target.elts[1])
        return None if deeper is None else {*_names(target.elts[0]), *deeper}
    if over.func.id == "zip":
        if not (isinstance(target, ast.Tuple) and len(target.elts) == len(over.args)):
            return None
        found: set[str] = set()
        for argument, part in zip(over.args, target.elts, strict=True):
            deeper = _counters(argument, part)
            if deeper is None:
                return None
            found |= deeper
        return found
    return _counters(over.args[0], target)


# -- what a round may do ---------------------------------------------------------------------------------------------


def _is_plain(expression: ast.AST) -> bool:
    """Whether an expression binds no name and waits for nothing."""
    odd = (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom, ast.Lambda)
    return not any(isinstance(node, odd) for node in ast.walk(expression))


class _Round:
    """The statements of one round, in order: what they set, what they read before it is set, where they append."""

    def __init__(self, function: Function, loop: ast.For) -> None:
        self.function = function
        self.assigned_anywhere = {*_names(loop.target)}
        for statement in loop.body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    self.assigned_anywhere.add(node.id)
        self.assigned = set(_names(loop.target))
        self.carried: set[str] = set()
        self.lists: set[str] = set()
        self.appends: list[ast.AST] = []
        """The mentions of these lists that append."""

    def walk(self, statements: Sequence[ast.stmt], top: bool = True) -> bool:
        """Go through statements; whether all are of a kind that is known."""
        return all(self._statement(statement, top) for statement in statements)

    def _statement(self, statement: ast.stmt, top: bool) -> bool:
        match statement:
            case ast.Pass():
                return True
            case ast.Assign(targets=targets, value=value):
                return self._reads(value) and all(self._sets(target) for target in targets)
            case ast.AnnAssign(target=ast.Name() as target, value=value):
                return value is not None and self._reads(value) and self._sets(target)
            case ast.AugAssign(target=ast.Name(), op=ast.Add(), value=ast.List(elts=[entry])):
                return self._appends(statement.target, entry, top)
            case ast.AugAssign(target=ast.Name(id=name) as target, value=value):
                return self._reads(ast.Name(name, ast.Load())) and self._reads(value) and self._sets(target)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name() as grown, attr="append"), args=[entry])):
                return self._appends(grown, entry, top)
            case ast.Expr(value=value):
                return self._reads(value)
            case ast.Assert(test=test):
                return self._reads(test)
            case ast.If(test=test, body=body, orelse=orelse):
                return self._reads(test) and self._either(body, orelse)
            case ast.With(items=items, body=body):
                plain = all(item.optional_vars is None and self._reads(item.context_expr) for item in items)
                return plain and self.walk(body, top)
            case ast.For(target=target, iter=over, body=body, orelse=[]):
                before = set(self.assigned)
                known = self._reads(over) and self._sets(target) and self.walk(body, top=False)
                self.assigned = before
                return known
            case _:
                return False

    def _either(self, body: Sequence[ast.stmt], orelse: Sequence[ast.stmt]) -> bool:
        before = set(self.assigned)
        if not self.walk(body, top=False):
            return False
        after, self.assigned = self.assigned, before
        if not self.walk(orelse, top=False):
            return False
        self.assigned &= after
        return True

    def _reads(self, expression: ast.AST) -> bool:
        names = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name) and _is_read(node)}
        self.carried |= {name for name in names & self.assigned_anywhere if name not in self.assigned}
        return _is_plain(expression) and not names & self.lists

    def _sets(self, target: ast.expr) -> bool:
        if isinstance(target, ast.Tuple | ast.List):
            return all(self._sets(part) for part in target.elts)
        if not isinstance(target, ast.Name) or target.id in self.lists:
            return False
        self.assigned.add(target.id)
        return True

    def _appends(self, grown: ast.expr, entry: ast.expr, top: bool) -> bool:
        assert isinstance(grown, ast.Name)  # noqa: S101 -- as matched
        if not self._reads(entry):
            return False
        if grown.id in self.assigned:  # a list of this round alone
            return True
        self.lists.add(grown.id)
        self.appends.append(grown)
        return top


# -- what the results are for -----------------------------------------------------------------------------------------


def _is_joined_at_once(function: Function, results: Comprehension) -> bool:
    """Whether the results of a comprehension are joined, or named and then joined."""
    parents = {child: parent for parent in ast.walk(function) for child in ast.iter_child_nodes(parent)}
    inner, parent = results, parents[results]
    while isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id in ("list", "tuple"):
        inner, parent = parent, parents[parent]  # type: ignore[assignment]
    if _joins(parent, inner):
        return True
    if isinstance(parent, ast.Assign) and len(parent.targets) == 1 and isinstance(parent.targets[0], ast.Name):
        if isinstance(inner, ast.GeneratorExp):
            return False
        return _is_only_joined(function, parent.targets[0].id, [parent.targets[0]], parents)
    return False


def _is_joined(function: Function, name: str, loop: ast.For, appends: Sequence[ast.AST]) -> bool:
    """Whether a list that a loop appends to starts empty and is joined after it, and nothing else."""
    parents = {child: parent for parent in ast.walk(function) for child in ast.iter_child_nodes(parent)}
    inside = {node for statement in loop.body for node in ast.walk(statement)}
    starts = []
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store) and node not in inside:
            starts.append(node)
    if len(starts) != 1:
        return False
    start = parents[starts[0]]
    if isinstance(start, ast.AnnAssign) or (isinstance(start, ast.Assign) and len(start.targets) == 1):
        value = start.value
    elif isinstance(start, ast.Tuple) and isinstance(parents[start], ast.Assign):  # a, b = [], []
        whole = parents[start].value  # type: ignore[attr-defined]
        paired = isinstance(whole, ast.Tuple) and len(whole.elts) == len(start.elts)
        value = whole.elts[start.elts.index(starts[0])] if paired else None
    else:
        return False
    if not (isinstance(value, ast.List) and not value.elts) or start.lineno > loop.lineno:
        return False
    if _loop_around(start, parents) is not _loop_around(loop, parents):  # the list would grow from one to the next
        return False
    return _is_only_joined(function, name, [*appends, starts[0]], parents)


def _loop_around(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> ast.AST | None:
    while node in parents:
        node = parents[node]
        if isinstance(node, ast.For | ast.While):
            return node
    return None


def _is_only_joined(function: Function, name: str, known: Sequence[ast.AST], parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a name is given to functions that join, and read nowhere else but in what is `known`."""
    others = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
    return all(node in known or _joins(parents[node], node) for node in others)


def _joins(call: ast.AST, results: ast.AST) -> bool:
    """Whether a call joins what it is given first."""
    if not isinstance(call, ast.Call) or not call.args or call.args[0] is not results:
        return False
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", None)
    return name in _JOINS
