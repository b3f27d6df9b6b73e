"""What stands in the place of `range` while a module runs: numbers that hear how a loop goes over them."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from convcalc.bridge.hearing.lines import is_own
from convcalc.bridge.hearing.sizeint import SizeInt
from convcalc.sizes.expr import Expr

if TYPE_CHECKING:
    from convcalc.bridge.loops.ranges import Ranges, Rounds

plain_range = builtins.range


class Numbers:
    """A `range` of sizes: it tells the loops that go over it."""

    def __init__(self, ranges: Ranges, call: Rounds) -> None:
        self.ranges, self.call = ranges, call

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return plain_range

    def __iter__(self) -> Iterator[Any]:
        return self.ranges.heard.begin(self, backwards=False)

    def __reversed__(self) -> Iterator[Any]:
        return self.ranges.heard.begin(self, backwards=True)

    def plainly(self, backwards: bool) -> Iterator[Any]:
        """The numbers, where no loop that is known asks for them."""
        places = plain_range(self.call.count)
        return iter([self.ranges.entry(self.call, n) for n in (places[::-1] if backwards else places)])

    def told(self) -> range:
        """The plain range, for whoever may do anything with it: only its length is a branch."""
        self.ranges.heard.spoiled.add(self.call.number)
        if isinstance(self.call.start, Expr) or isinstance(self.call.step, Expr):
            self.ranges.watch.lose("a range of sizes")
        return self.call.real

    def __reduce__(self) -> Any:
        real = self.told()
        return plain_range, (real.start, real.stop, real.step)

    def __getattr__(self, name: str) -> Any:
        if name in ("start", "stop", "step"):
            self.ranges.watch.lose("a range of sizes")
        return getattr(self.told(), name)


def _telling(name: str) -> Callable[..., Any]:
    def method(self: Numbers, *args: Any) -> Any:
        others = [other.told() if type(other) is Numbers else other for other in args]
        return getattr(self.told(), name)(*others)

    return method


for _name in ("__len__", "__getitem__", "__contains__", "__eq__", "__ne__", "__hash__", "__repr__"):
    setattr(Numbers, _name, _telling(_name))


@contextmanager
def heard(ranges: Ranges) -> Iterator[None]:
    """While a block runs, `range` of sizes is heard in code of the model; of plain numbers it is as ever.

    >>> class Silent:
    ...     make = None
    >>> with heard(Silent()):
    ...     isinstance(builtins.range(3), builtins.range), list(builtins.range(3)), builtins.range is plain_range
    (True, [0, 1, 2], False)
    >>> builtins.range is plain_range
    True
    """

    class Kind(type):
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            if kwargs or not any(type(value) is SizeInt for value in args) or len(args) > 3:
                return plain_range(*args, **kwargs)
            if is_own(sys._getframe(1).f_code.co_filename):
                return plain_range(*args)
            return ranges.make(*args)

        def __instancecheck__(cls, value: Any) -> bool:
            return isinstance(value, plain_range)

        def __subclasscheck__(cls, kind: type) -> bool:
            return issubclass(kind, plain_range)

        def __eq__(cls, other: object) -> bool:
            return other is cls or other is plain_range

        def __hash__(cls) -> int:
            return hash(plain_range)

    before = builtins.range
    builtins.range = Kind("range", (), {"__doc__": plain_range.__doc__})  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        builtins.range = before  # type: ignore[misc]
