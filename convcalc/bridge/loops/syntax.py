"""What the source of a loop says: whether each round treats its piece alike, and what goes from round to round.

A round may set names, call functions and append its result to a list; the list is joined and nothing else. It may not
count, break off, or write into what was there before. Where there is no source, or it says anything else, the loop
is not known.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import TypeAlias

from convcalc.bridge.hearing.source import assigned, read, source_of, span_at, span_of

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
    source, span = source_of(code, frame.f_globals), span_at(code, frame.f_lasti)
    if source is None or span is None or shadowed:
        return None
    around = list(source.around(span))
    for place, loop in reversed(list(enumerate(around))):
        if isinstance(loop, ast.For | Comprehension) and span in map(span_of, (loop, *_asking(_over(loop)[0]))):
            function = next((node for node in reversed(around[:place]) if isinstance(node, Function)), None)
            return None if function is None or not source.has(code) else _read(function, loop)
    return None


def _over(loop: ast.For | Comprehension) -> tuple[ast.expr, ast.expr]:
    """What a loop goes over, and what it names each piece; of several loops in one, the first."""
    head = loop if isinstance(loop, ast.For) else loop.generators[0]
    return head.iter, head.target


def _asking(over: ast.expr) -> Iterator[ast.expr]:
    """What a loop goes over, and in it the calls that ask for an iterator in its place."""
    yield over
    if isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id in _THROUGH:
        for argument in over.args:
            if isinstance(argument, ast.Call):
                yield from _asking(argument)


def _read(function: Function, loop: ast.For | Comprehension) -> Loop | None:
    sides = _side_by_side(*_over(loop))
    if sides is None or sides[1] & read([function]):
        return None
    results = _Results(function, loop)
    if isinstance(loop, ast.For):
        round_ = _Round(loop)
        if loop.orelse or not round_.walk(loop.body):
            return None
        if not all(results.are_joined(name, round_.appends) for name in round_.lists):
            return None
        outside = read(loop.body) - round_.assigned_anywhere - round_.lists
        return Loop(loop.lineno, sides[0], frozenset(round_.carried - round_.lists), frozenset(outside))
    (first, *others), entry = loop.generators, loop.elt
    if others or first.ifs or first.is_async or not _is_plain(entry) or not results.are_joined_at_once():
        return None
    return Loop(loop.lineno, sides[0], frozenset(), frozenset(read([entry]) - _names(first.target)))


def _names(target: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


def _side_by_side(over: ast.expr, target: ast.expr) -> tuple[int, set[str]] | None:
    """How many tensors are gone over side by side, and the names that hold the number of the round.

    None where something else may end the loop, or the target does not tell.
    """
    match over:
        case ast.Call(func=ast.Name(id=through), args=args) if through in _THROUGH:
            if any(isinstance(argument, ast.Starred) for argument in args):
                return None
        case _:
            return 1, set()
    match through, target:
        case "zip", ast.Tuple(elts=parts) if len(parts) == len(args):
            sides = [_side_by_side(argument, part) for argument, part in zip(args, parts, strict=True)]
            known = [side for side in sides if side is not None]
            if len(known) < len(sides):
                return None
            return sum(width for width, _ in known), set().union(*(names for _, names in known))
        case "enumerate", ast.Tuple(elts=[number, part]):
            inner = _side_by_side(args[0], part)
            return None if inner is None else (inner[0], inner[1] | _names(number))
        case "zip" | "enumerate", _:
            return None
    return _side_by_side(args[0], target) if args else None


# -- what a round may do ---------------------------------------------------------------------------------------------


def _is_plain(expression: ast.AST) -> bool:
    """Whether an expression binds no name and waits for nothing."""
    odd = (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom, ast.Lambda)
    return not any(isinstance(node, odd) for node in ast.walk(expression))


class _Round:
    """The statements of one round, in order: what they set, what they read before it is set, where they append."""

    def __init__(self, loop: ast.For) -> None:
        self.assigned = _names(loop.target)
        self.assigned_anywhere = self.assigned | assigned(loop.body)
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
            case ast.AugAssign(target=ast.Name() as grown, op=ast.Add(), value=ast.List(elts=[entry])):
                return self._appends(grown, entry, top)
            case ast.AugAssign(target=ast.Name(id=name) as target, value=value):
                return self._reads(ast.Name(name, ast.Load())) and self._reads(value) and self._sets(target)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name() as grown, attr="append"), args=[entry])):
                return self._appends(grown, entry, top)
            case ast.Expr(value=value) | ast.Assert(test=value):
                return self._reads(value)
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
        known = self.walk(body, top=False)
        after, self.assigned = self.assigned, before
        known = known and self.walk(orelse, top=False)
        self.assigned &= after
        return known

    def _reads(self, expression: ast.AST) -> bool:
        names = read([expression])
        self.carried |= {name for name in names & self.assigned_anywhere if name not in self.assigned}
        return _is_plain(expression) and not names & self.lists

    def _sets(self, target: ast.expr) -> bool:
        if isinstance(target, ast.Tuple | ast.List):
            return all(self._sets(part) for part in target.elts)
        if not isinstance(target, ast.Name) or target.id in self.lists:
            return False
        self.assigned.add(target.id)
        return True

    def _appends(self, grown: ast.Name, entry: ast.expr, top: bool) -> bool:
        if not self._reads(entry):
            return False
        if grown.id in self.assigned:  # a list of this round alone
            return True
        self.lists.add(grown.id)
        self.appends.append(grown)
        return top


# -- what the results are for -----------------------------------------------------------------------------------------


class _Results:
    """Where the results of a loop go in its function."""

    def __init__(self, function: Function, loop: ast.For | Comprehension) -> None:
        self.nodes, self.loop = list(ast.walk(function)), loop
        self.parents = {child: parent for parent in self.nodes for child in ast.iter_child_nodes(parent)}

    def are_joined_at_once(self) -> bool:
        """Whether the results of a comprehension are joined, or named and then joined."""
        inner: ast.AST = self.loop
        parent = self.parents[inner]
        while isinstance(parent, ast.Call) and getattr(parent.func, "id", None) in ("list", "tuple"):
            inner, parent = parent, self.parents[parent]
        match parent:
            case ast.Assign(targets=[ast.Name(id=name) as target]) if not isinstance(inner, ast.GeneratorExp):
                return self._is_only_joined(name, [target])
            case _:
                return _joins(parent, inner)

    def are_joined(self, name: str, appends: Sequence[ast.AST]) -> bool:
        """Whether a list that the loop appends to starts empty and is joined after it, and nothing else."""
        inside = set(ast.walk(self.loop))
        starts = [node for node in self._named(name) if isinstance(node.ctx, ast.Store) and node not in inside]
        if len(starts) != 1:
            return False
        start = self.parents[starts[0]]
        match start, self.parents.get(start):
            case ((ast.AnnAssign(value=value) | ast.Assign(targets=[_], value=value)), _):
                pass
            case ast.Tuple(elts=names), ast.Assign(value=ast.Tuple(elts=values)) if len(names) == len(values):
                value = values[names.index(starts[0])]  # a, b = [], []
            case _:
                return False
        if not (isinstance(value, ast.List) and not value.elts) or start.lineno > self.loop.lineno:
            return False
        if self._loop_around(start) is not self._loop_around(self.loop):  # the list would grow from one to the next
            return False
        return self._is_only_joined(name, [*appends, starts[0]])

    def _named(self, name: str) -> list[ast.Name]:
        return [node for node in self.nodes if isinstance(node, ast.Name) and node.id == name]

    def _loop_around(self, node: ast.AST) -> ast.AST | None:
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, ast.For | ast.While):
                return node
        return None

    def _is_only_joined(self, name: str, known: Sequence[ast.AST]) -> bool:
        """Whether a name is given to functions that join, and read nowhere else but in what is `known`."""
        return all(node in known or _joins(self.parents[node], node) for node in self._named(name))


def _joins(call: ast.AST, results: ast.AST) -> bool:
    """Whether a call joins what it is given first."""
    if not isinstance(call, ast.Call) or not call.args or call.args[0] is not results:
        return False
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", None)
    return name in _JOINS
