"""Where the two ways of an `if` on sizes begin and end: the statement, read from the code, and its sides.

A side is *idle* if it calls nothing: it leaves its names as they are, or sets them to others. What the other side does
ends behind the statement, or where the function returns.

    if x.shape != y.shape:              x if x.shape == y.shape else resize(x, y)       if h % 8 == 0:
        x = resize(x, y)                                                                    return x
                                                                                        return pad(x)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FrameType

from convcalc.bridge.hearing.purity import assigned, definition, keeps_to_itself

_INNER = frozenset({"<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>"})


@dataclass(frozen=True, eq=False)
class Fork:
    """One `if` of a function: what it tests, what is done on either side, the lines it takes."""

    function: ast.FunctionDef
    test: ast.expr
    sides: tuple[Sequence[ast.stmt], Sequence[ast.stmt]]
    """What is done where the test is true, and where it is not."""
    lines: range
    returns: bool
    """Whether both sides return from the function; else they go on behind the statement."""

    def idle(self, side: bool) -> dict[str, str] | None:
        """Return what a side leaves each name that it sets as: the name of something before; None if it does more.

        What it returns stands under "return".
        """
        found: dict[str, str] = {}
        for node in self.sides[0 if side else 1]:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=other)) if other not in found:
                    found[name] = other
                case ast.Return(value=ast.Name(id=other)) if other not in found:
                    found["return"] = other
                case ast.Pass():
                    continue
                case _:
                    return None
        return found

    @property
    def left(self) -> set[str]:
        """The names that either side sets and something else reads."""
        if self.returns:
            return {"return"}
        names = assigned([*self.sides[0], *self.sides[1]])
        own = {id(node) for part in (*self.sides[0], *self.sides[1]) for node in ast.walk(part)}
        repeated = any(isinstance(node, ast.For | ast.While) for node in ast.walk(self.function))
        others = (
            node.id
            for node in ast.walk(self.function)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and (repeated or id(node) not in own)
        )
        return names & set(others)


def fork_at(frame: FrameType) -> tuple[Fork, FrameType] | None:
    """Return the fork whose test runs in a frame, and the frame of its function; None where there is none."""
    inner = frame
    while inner.f_code.co_name in _INNER and inner.f_back is not None:
        inner = inner.f_back
    found = _fork(inner.f_code, inner.f_lasti)
    return None if found is None else (found, inner)


@lru_cache(maxsize=4096)
def _fork(code: CodeType, place: int) -> Fork | None:
    function = definition(code)
    position = _position(code, place)
    if function is None or position is None or not keeps_to_itself(function):
        return None
    for block, number in _blocks(function):
        node = block[number]
        made = _of_statement(function, block, number, node)
        tested = made is not None and (_holds(made.test, position))
        if tested:
            return made
    return None


def _position(code: CodeType, place: int) -> tuple[int, int, int, int] | None:
    positions = list(code.co_positions())
    line, end, column, last = positions[place // 2] if place // 2 < len(positions) else (None,) * 4
    return None if line is None or end is None or column is None or last is None else (line, column, end, last)


def _holds(node: ast.expr, position: tuple[int, int, int, int]) -> bool:
    begin, end = (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
    return begin <= position[:2] and position[2:] <= end


def _blocks(node: ast.AST) -> Iterator[tuple[Sequence[ast.stmt], int]]:
    """Every statement inside a function, in the block that it stands in; functions inside it are others."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, [])
        for number, one in enumerate(block if isinstance(block, list) else []):
            yield block, number
            if not isinstance(one, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
                yield from _blocks(one)


def _of_statement(function: ast.FunctionDef, block: Sequence[ast.stmt], number: int, node: ast.stmt) -> Fork | None:
    after = block[number + 1] if number + 1 < len(block) else None
    match node:
        case ast.If():
            return _of_if(function, block, number, node, node.test, node.lineno)
        case ast.Assign(targets=[ast.Name() as name], value=ast.IfExp(test=test, body=a, orelse=b)):
            sides = ([ast.Assign([name], a)], [ast.Assign([name], b)])
            return Fork(function, test, sides, _lines(node), returns=False)
        case ast.Return(value=ast.IfExp(test=test, body=a, orelse=b)):
            return Fork(function, test, ([ast.Return(a)], [ast.Return(b)]), _lines(node), returns=True)
        case ast.Assign(targets=[ast.Name(id=name)], value=test) if after is not None and _once(function, name):
            return _of_name(function, block, number + 1, after, name, test, node.lineno)
        case _:
            return None


def _once(function: ast.FunctionDef, name: str) -> bool:
    """Whether a name is set once and read once in a function."""
    nodes = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
    return len(nodes) == 2 and name not in {one.arg for one in function.args.args}


def _of_name(
    function: ast.FunctionDef,
    block: Sequence[ast.stmt],
    number: int,
    node: ast.stmt,
    name: str,
    test: ast.expr,
    first: int,
) -> Fork | None:
    """`same = a == b`, and then `if same` or `if not same`."""
    asked: ast.expr
    match node:
        case ast.If(test=asked):
            made = _of_if(function, block, number, node, asked, first)
        case _:
            made = _of_statement(function, block, number, node)
    if made is None:
        return None
    match made.test:
        case ast.Name(id=other) if other == name:
            turned = test
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=other)) if other == name:
            turned = ast.copy_location(ast.UnaryOp(ast.Not(), test), test)
        case _:
            return None
    return Fork(function, turned, made.sides, range(first, made.lines.stop), made.returns)


def _of_if(
    function: ast.FunctionDef, block: Sequence[ast.stmt], number: int, node: ast.If, test: ast.expr, first: int
) -> Fork | None:
    lines = range(first, (node.end_lineno or node.lineno) + 1)
    if not any(isinstance(one, ast.Return) for part in (*node.body, *node.orelse) for one in ast.walk(part)):
        return Fork(function, test, (node.body, node.orelse), lines, returns=False)
    rest = block[number + 1 :]
    both = (node.body, node.orelse)
    sides = tuple(side if side and isinstance(side[-1], ast.Return) else [*side, *rest] for side in both)
    ends = all(side and isinstance(side[-1], ast.Return) for side in sides)
    if block is not function.body or not ends:
        return None
    return Fork(function, test, (sides[0], sides[1]), lines, returns=True)


def _lines(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)
