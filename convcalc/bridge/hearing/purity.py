"""Code that does nothing but compute a value: read from its syntax, as far as the names in it are known.

A branch of which both ways are such code leaves the rest of the program in the same state, up to the names that it
assigns. What cannot be seen to be pure is not.
"""

from __future__ import annotations

import ast
import builtins
import math
import types
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.source import assigned, read, source_of

torch = need_torch()

_DEPTH = 4
"""How deep functions of the user that call each other are followed."""

_PLAIN = frozenset(
    {len, max, min, abs, sum, any, all, tuple, list, range, zip, enumerate, round, bool, divmod, reversed, isinstance}
    | {math.ceil, math.floor, torch.Size}
)
"""What computes from numbers and does nothing else."""

_ASKS = frozenset({"size", "dim", "numel", "nelement", "ndimension"})
"""Methods of a tensor that ask for sizes."""

_METHODS = _ASKS | frozenset(
    {"contiguous", "clone", "permute", "transpose", "movedim", "flatten", "unflatten", "reshape", "view", "squeeze"}
    | {"unsqueeze", "narrow", "float", "half", "to", "type_as", "new_zeros", "expand", "repeat", "mean", "index_select"}
)
"""Methods that are a tensor's, by their name alone."""

_LOOKS_AROUND = frozenset({"locals", "globals", "vars", "eval", "exec", "id"})


def keeps_to_itself(function: ast.FunctionDef) -> bool:
    """Return whether a function's names are its own: none is global, and nothing looks at all of them.

    >>> keeps_to_itself(ast.parse("def f():\\n    global a\\n    a = 1").body[0])
    False
    """
    outer = any(isinstance(node, ast.Global | ast.Nonlocal) for node in ast.walk(function))
    return not outer and not read([function]) & _LOOKS_AROUND


UNKNOWN: Any = object()
"""What is not seen from a name."""


def meaning(node: ast.expr, scope: Mapping[str, Any]) -> Any:
    """Return what a name with its attributes stands for in `scope`; `UNKNOWN` where that is not seen.

    >>> meaning(ast.parse("math.pi").body[0].value, {"math": math}), meaning(ast.parse("len").body[0].value, {})
    (3.141592653589793, <built-in function len>)
    """
    match node:
        case ast.Name(id=name):
            return scope.get(name, getattr(builtins, name, UNKNOWN))
        case ast.Attribute(value=owner, attr=name):
            thing = meaning(owner, scope)
            if thing is UNKNOWN or isinstance(thing, torch.Tensor) or _is_computed(thing, name):
                return UNKNOWN
            try:
                return getattr(thing, name, UNKNOWN)
            except Exception:  # of a `__getattr__` of the user's
                return UNKNOWN
        case _:
            return UNKNOWN


def _is_computed(thing: Any, name: str) -> bool:
    """Whether an attribute is a property of the user's own."""
    kind = type(thing)
    if thing is UNKNOWN or _is_of_torch(kind) or isinstance(thing, torch.Tensor):
        return False
    is_own = isinstance(kind.__getattribute__, types.FunctionType)
    return is_own or isinstance(getattr(kind, name, None), property | cached_property)


class Purity:
    """Whether code is pure where its names mean what they do in `scope`; with `asks`, it may only ask for sizes."""

    def __init__(self, scope: Mapping[str, Any], *, asks: bool = False, depth: int = 0) -> None:
        self.scope, self.asks, self.depth = scope, asks, depth

    def without(self, names: set[str]) -> Purity:
        """Return the same where these names mean something else."""
        scope = {name: value for name, value in self.scope.items() if name not in names}
        return Purity(scope, asks=self.asks, depth=self.depth)

    def of_body(self, body: Sequence[ast.stmt]) -> bool:
        """Whether statements set names of their own and return, and do nothing else."""
        return all(map(self._of_statement, body))

    def _of_statement(self, node: ast.stmt) -> bool:
        match node:
            case ast.Assign(targets=targets, value=value):
                return all(map(_is_names, targets)) and self.of(value)
            case ast.AnnAssign(target=ast.Name(), value=ast.expr() as value) | ast.Return(value=ast.expr() as value):
                return self.of(value)
            case ast.If(test=test, body=body, orelse=orelse):
                return self.of(test) and self.of_body(body) and self.of_body(orelse)
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                return True
            case _:
                return False

    def of(self, node: ast.AST) -> bool:
        """Whether an expression is pure."""
        match node:
            case ast.Call(func=func, args=args, keywords=keywords):
                plain = all(keyword.arg not in (None, "out") for keyword in keywords)
                return plain and self._of_call(func) and all(map(self.of, [*args, *(one.value for one in keywords)]))
            case ast.Attribute(value=value, attr=name):
                return self.of(value) and not _is_computed(meaning(value, self.scope), name)
            case ast.comprehension(target=target):
                return _is_names(target) and not node.is_async and all(map(self.of, [node.iter, *node.ifs]))
            case ast.GeneratorExp() | ast.ListComp():
                inner = self.without(assigned(one.target for one in node.generators))
                return all(map(inner.of, [node.elt, *node.generators]))
            case ast.Constant() | ast.Name(ctx=ast.Load()):
                return True
            case ast.NamedExpr() | ast.Lambda() | ast.Await() | ast.Yield() | ast.YieldFrom():
                return False
            case ast.expr() | ast.Slice():
                return all(self.of(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
            case _:
                return False

    def _of_call(self, func: ast.expr) -> bool:
        if isinstance(func, ast.Call):  # nn.Upsample(size=size)(x)
            made = meaning(func.func, self.scope)
            inner = all(map(self.of, [*func.args, *(one.value for one in func.keywords)]))
            return not self.asks and isinstance(made, type) and _is_of_torch(made) and inner
        thing = meaning(func, self.scope)
        if thing is UNKNOWN:
            known = _ASKS if self.asks else _METHODS
            return isinstance(func, ast.Attribute) and func.attr in known and self.of(func.value)
        try:
            if thing in _PLAIN:
                return True
        except TypeError:
            return False
        if isinstance(thing, torch.nn.Module):
            return not self.asks and self._of_module(thing)
        if isinstance(thing, types.MethodType):
            return not _is_of_torch(type(thing.__self__)) and self._of_function(thing.__func__, thing.__self__)
        name = getattr(thing, "__name__", "_")
        if _is_of_torch(thing) or any(getattr(room, name, None) is thing for room in (torch, torch.nn.functional)):
            return not self.asks and not name.endswith("_") and not name.startswith("set_")
        return isinstance(thing, types.FunctionType) and self._of_function(thing)

    def _of_module(self, module: Any) -> bool:
        if module._forward_hooks or module._forward_pre_hooks or self.depth > _DEPTH:
            return False
        own = getattr(module.__dict__.get("forward"), "__wrapped__", None)
        if own is not None and getattr(own, "__func__", None) is not type(module).forward:
            return False
        if _is_of_torch(type(module)):
            inner = Purity(self.scope, depth=self.depth + 1)
            return all(map(inner._of_module, module.children()))
        return self._of_function(type(module).forward, module)

    def _of_function(self, function: Any, owner: Any = None) -> bool:
        source = source_of(function.__code__, function.__globals__) if self.depth <= _DEPTH else None
        syntax = None if source is None else source.definition(function.__code__)
        if syntax is None or not keeps_to_itself(syntax):
            return False
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        scope = {**function.__globals__, **{name: cell.cell_contents for name, cell in cells}}
        names = [one.arg for one in (*syntax.args.posonlyargs, *syntax.args.args, *syntax.args.kwonlyargs)]
        inner = Purity(scope, asks=self.asks, depth=self.depth + 1).without({*names, *assigned(syntax.body)})
        if owner is not None and names:
            inner.scope = {**inner.scope, names[0]: owner}
        return inner.of_body(syntax.body)


def _is_of_torch(thing: Any) -> bool:
    return (getattr(thing, "__module__", None) or "").split(".")[0] in ("torch", "torchvision")


def _is_names(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) or (isinstance(node, ast.Tuple) and all(map(_is_names, node.elts)))
