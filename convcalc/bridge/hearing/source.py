"""The source of code that runs: its syntax, whether it is still what runs, and where in it an instruction is."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from itertools import islice
from types import CodeType
from typing import Any, TypeAlias

Span: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
"""The line and column of the first character, and of the one behind the last."""


class Source:
    """A file of code as it is written today."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text, self.tree = path, text, ast.parse(text)

    @cached_property
    def _codes(self) -> frozenset[tuple[Any, ...]]:
        return frozenset(map(_key, _codes(compile(self.text, self.path, "exec", dont_inherit=True))))

    @cached_property
    def _functions(self) -> dict[tuple[str, int], ast.FunctionDef]:
        functions = (node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef))
        return {
            (node.name, min([node.lineno, *(one.lineno for one in node.decorator_list)])): node for node in functions
        }

    def has(self, code: CodeType) -> bool:
        """Whether code that runs is what is written here."""
        return _key(code) in self._codes

    def definition(self, code: CodeType) -> ast.FunctionDef | None:
        """Return the syntax of a function; None where it is not written here as it runs."""
        return self._functions.get((code.co_name, code.co_firstlineno)) if self.has(code) else None

    def around(self, span: Span) -> Iterator[ast.AST]:
        """Yield the nodes that a part of the source is in, outermost first."""
        inner: ast.AST | None = self.tree
        while inner is not None:
            inner = next((part for part in _parts(inner) if is_within(span, part)), None)
            if inner is not None:
                yield inner


def source_of(code: CodeType, scope: dict[str, Any] | None = None) -> Source | None:
    """Return the source of the file that code is from; None where it is not to be had.

    `scope` are its globals, which may know how to get it.

    >>> source_of(source_of.__code__).definition(source_of.__code__).name
    'source_of'
    """
    return _source(code.co_filename, "".join(linecache.getlines(code.co_filename, scope)))


@lru_cache(maxsize=64)
def _source(path: str, text: str) -> Source | None:
    try:
        return Source(path, text)
    except (SyntaxError, ValueError):
        return None


def _key(code: CodeType) -> tuple[Any, ...]:
    return code.co_name, code.co_firstlineno, code.co_code, code.co_names


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _codes(one)


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a node that have a place in the source."""
    for part in ast.iter_child_nodes(node):
        if hasattr(part, "lineno"):
            yield part
        else:
            yield from _parts(part)


def span_at(code: CodeType, instruction: int) -> Span | None:
    """Return the part of the source that an instruction is of, such as `frame.f_lasti`; None where that is not kept."""
    line, end, column, last = next(islice(code.co_positions(), instruction // 2, None), (None,) * 4)
    return None if line is None or end is None or column is None or last is None else ((line, column), (end, last))


def span_of(node: Any) -> Span | None:
    """Return the part of the source that a node is; None where it has no place of its own.

    >>> span_of(ast.parse("a + b").body[0].value.right)
    ((1, 4), (1, 5))
    """
    if not hasattr(node, "lineno"):
        return None
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)


def is_within(span: Span, node: ast.AST) -> bool:
    """Whether a part of the source is in that of a node."""
    whole = span_of(node)
    return whole is not None and whole[0] <= span[0] and span[1] <= whole[1]


def assigned(body: Iterable[ast.AST]) -> set[str]:
    """Return the names that some code sets.

    >>> sorted(assigned(ast.parse("a, b = c\\nif a: d = 1").body))
    ['a', 'b', 'd']
    """
    nodes = (node for part in body for node in ast.walk(part))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del)}


def read(body: Iterable[ast.AST]) -> set[str]:
    """Return the names that some code reads.

    >>> sorted(read(ast.parse("a, b = c\\nif a: d = 1").body))
    ['a', 'c']
    """
    nodes = (node for part in body for node in ast.walk(part))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
