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
from dataclasses import dataclass, replace
from functools import lru_cache
from types import CodeType, FrameType

from convcalc.bridge.hearing.purity import keeps_to_itself
from convcalc.bridge.hearing.source import assigned, is_within, source_of, span_at

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
def _fork(code: CodeType, instruction: int) -> Fork | None:
    source, span = source_of(code), span_at(code, instruction)
    function = None if source is None else source.definition(code)
    if function is None or span is None or not keeps_to_itself(function):
        return None
    made = (_of_statement(function, block, number) for block, number in _blocks(function))
    return next((fork for fork in made if fork is not None and is_within(span, fork.test)), None)


def _blocks(node: ast.AST) -> Iterator[tuple[Sequence[ast.stmt], int]]:
    """Every statement inside a function, in the block that it stands in; functions inside it are others."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, [])
        for number, one in enumerate(block if isinstance(block, list) else []):
            yield block, number
            if not isinstance(one, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
                yield from _blocks(one)


def _of_statement(function: ast.FunctionDef, block: Sequence[ast.stmt], number: int) -> Fork | None:
    node, rest = block[number], block[number + 1 :]
    lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
    match node:
        case ast.If(test=test):
            sides = _sides(node, rest if block is function.body else None)
            return None if sides is None else Fork(function, test, sides, lines, returns=_returns(node))
        case ast.Assign(targets=[ast.Name() as name], value=ast.IfExp(test=test, body=a, orelse=b)):
            return Fork(function, test, ([ast.Assign([name], a)], [ast.Assign([name], b)]), lines, returns=False)
        case ast.Return(value=ast.IfExp(test=test, body=a, orelse=b)):
            return Fork(function, test, ([ast.Return(a)], [ast.Return(b)]), lines, returns=True)
        case ast.Assign(targets=[ast.Name(id=name)], value=test) if rest and _once(function, name):
            made = _of_statement(function, block, number + 1)
            asked = None if made is None else _in_place_of(name, test, made.test)
            if made is None or asked is None:
                return None
            return replace(made, test=asked, lines=range(node.lineno, made.lines.stop))
        case _:
            return None


def _once(function: ast.FunctionDef, name: str) -> bool:
    """Whether a name is set once and read once in a function."""
    nodes = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
    return len(nodes) == 2 and name not in {one.arg for one in function.args.args}


def _in_place_of(name: str, test: ast.expr, asked: ast.expr) -> ast.expr | None:
    """What is asked after `same = a == b` by `if same` or `if not same`; None where that is another test."""
    match asked:
        case ast.Name(id=other) if other == name:
            return test
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=other)) if other == name:
            return ast.copy_location(ast.UnaryOp(ast.Not(), test), test)
        case _:
            return None


def _returns(node: ast.If) -> bool:
    return any(isinstance(one, ast.Return) for part in (*node.body, *node.orelse) for one in ast.walk(part))


def _sides(node: ast.If, rest: Sequence[ast.stmt] | None) -> tuple[Sequence[ast.stmt], Sequence[ast.stmt]] | None:
    """What is done on either side; with the `rest` of the function where the other returns, None if none is at hand."""
    if not _returns(node):
        return node.body, node.orelse
    both = node.body, node.orelse
    body, orelse = (side if side and isinstance(side[-1], ast.Return) else [*side, *(rest or ())] for side in both)
    ends = all(side and isinstance(side[-1], ast.Return) for side in (body, orelse))
    return (body, orelse) if rest is not None and ends else None
