"""The one table from functions of torch to layers: what a call does to shapes, positions and cost.

A spec takes what the function takes and returns a `Spec`: a layer, the tensors it reads, the weights it holds. It
raises `NotKnown`, or any `convcalc.errors.ConvcalcError`, for arguments it has no answer to; then the call is opaque.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from convcalc.bridge.device import need_torch
from convcalc.errors import BadArgument, ConvcalcError
from convcalc.layers import Layer

F = TypeVar("F", bound=Callable[..., Any])


class NotKnown(ConvcalcError):
    """A call with arguments that no spec answers; the message says why, as in "a mask decides the shape"."""

    kind = "not_known"


@dataclass(frozen=True)
class Spec:
    """What one call is: `layer` on the tensors `inputs`, holding `weights`.

    `inputs` may be of any number; weights that are None are left out. Raises `NotKnown` where an input is no tensor, as
    where torch takes a number in its place.
    """

    layer: Layer
    inputs: tuple[Any, ...]
    weights: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        if not all(map(is_tensor, self.inputs)):
            raise NotKnown("a number in the place of a tensor")


SPECS: dict[Any, Callable[..., Spec | None]] = {}
"""The spec of each function; one that returns None has no values of its own: it gives its first tensor again."""

NAMES: dict[Any, str] = {}
"""What each function is called in reports."""


def homes() -> tuple[Any, ...]:
    """Return where functions of one name are looked for."""
    torch = need_torch()
    return torch, torch.Tensor, torch.nn.functional, torch._C._nn, torch.special, torch._VF


def functions(name: str) -> Iterator[Any]:
    """Yield every function of that name, those that work in place (`name_`) too; "fft.rfft" is in that part of torch.

    >>> need_torch().Tensor.relu_ in set(functions("relu")), len(list(functions("fft.rfft")))
    (True, 1)
    """
    seen = set()
    folder, _, last = name.rpartition(".")
    for home in (getattr(need_torch(), folder),) if folder else homes():
        for variant in (last, f"{last}_"):
            found = getattr(home, variant, None)
            if callable(found) and found not in seen:
                seen.add(found)
                yield found


def spec(*names: str) -> Callable[[F], F]:
    """Register the decorated spec for all functions of these names; a function has one spec.

    >>> @spec("relu")
    ... def again(x): ...
    Traceback (most recent call last):
    ...
    convcalc.errors.BadArgument: relu has a spec already
    """

    def register(made: F) -> F:
        for name in names:
            add(functions(name), made, name)
        return made

    return register


def spec_each(names: Iterable[str], make: Callable[[str], Callable[..., Spec | None]]) -> None:
    """Register `make(name)` for all functions of each name that this torch has, and that have no spec under another."""
    for name in names:
        some = [function for function in functions(name) if function not in SPECS]
        if some:
            add(some, make(name.rpartition(".")[2]), name)


def add(some: Iterable[Any], made: Callable[..., Spec | None], name: str) -> None:
    """Register a spec for functions; raises `BadArgument` where one has a spec already, or there are none."""
    count = 0
    for function in some:
        count += 1
        if function in SPECS:
            raise BadArgument(f"{name} has a spec already")
        SPECS[function] = made
        NAMES[function] = name.rpartition(".")[2].strip("_")
    if not count:
        raise BadArgument(f"no function of torch is called {name}")


def name_of(function: Any) -> str:
    """Return what a function is called, without underscores.

    >>> name_of(need_torch().Tensor.__getitem__), name_of(need_torch().Tensor.add_)
    ('getitem', 'add')
    """
    known = NAMES.get(function)
    if known is not None:
        return known
    name = getattr(function, "__name__", None) or type(function).__name__
    if name == "__get__":  # a property
        name = getattr(getattr(function, "__self__", None), "__name__", name)
    return str(name).strip("_") or "call"


_WORDS = {"axis": "dim", "keepdims": "keepdim", "x": "input"}


def in_torch_words(named: dict[str, Any]) -> dict[str, Any]:
    """Return arguments by name where NumPy's names for them are given, which torch takes too.

    >>> in_torch_words({"axis": 1, "keepdims": True})
    {'dim': 1, 'keepdim': True}
    """
    return {_WORDS.get(name, name): value for name, value in named.items()}


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor."""
    return isinstance(value, need_torch().Tensor)
