"""Numbers that C takes out of values of the input, as `float(x.mean())` and `x.numpy()` do; a capture has none.

They are guessed, each in several ways, and the model is run with each: where it does the same with all of them, it is
taken to do so with any. That is no proof, and the fields do not show what such a number reads; both are said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from convcalc.bridge.capture.assuming import ends_there, same_graph
from convcalc.bridge.device import need_torch

torch = need_torch()
Tensor = torch.Tensor

TRIED = (1, 0, -3, 2.5, 1000, float("nan"))
"""What a number is taken to be, the first one first; whole numbers leave out what is none."""

ENTRIES = 10**6
"""Arrays of more numbers than this are not made."""

_PLAIN = {Tensor.__float__: float, Tensor.__int__: int, Tensor.__index__: int, Tensor.__complex__: complex}
_WORDS = (Tensor.__format__, Tensor.item)
ARRAYS = frozenset({Tensor.numpy, Tensor.__array__, Tensor.tolist})
"""What gives Python as many numbers as the tensor has, by sizes that are plain."""


def can_guess(func: Any, tensor: Any) -> bool:
    """Return whether a function that asks for the values of a tensor on meta gives numbers, of which some can be made.

    >>> [can_guess(Tensor.item, torch.empty(n, device="meta")) for n in (1, 2)]
    [True, False]
    """
    if tensor.device.type != "meta":
        return False
    return tensor.numel() <= (ENTRIES if func in ARRAYS else 1) and func in (*ARRAYS, *_PLAIN, *_WORDS)


@dataclass(frozen=True)
class Guess:
    """What all such numbers are taken to be in a run, and what is to be said of that."""

    number: float
    whole: bool = False
    """Whether no number is an `Answer`, as where the model compares it, or gives it to C."""
    why: str = ""

    def given(self, func: Any, args: Any) -> Any:
        """Return what a function of torch that asks for values gives.

        >>> Guess(2.5).given(Tensor.__int__, [torch.empty((), device="meta")])
        2
        >>> Guess(2.5).given(Tensor.tolist, [torch.empty(2, device="meta")])
        [2.5, 2.5]
        """
        if func in _PLAIN:
            return _PLAIN[func](0 if self.number != self.number and func is not Tensor.__float__ else self.number)
        if func is Tensor.item:
            return self._filled(args[0]).item()
        if func is Tensor.__format__:
            return format(self._filled(args[0]).item(), *args[1:])
        filled = self._filled(args[0])
        return filled.tolist() if func is Tensor.tolist else filled.numpy()

    def _filled(self, tensor: Any) -> Any:
        whole = not (tensor.is_floating_point() or tensor.is_complex())
        number = int(self.number) if whole and self.number == self.number else 0 if whole else self.number
        kind = torch.float32 if tensor.dtype is torch.bfloat16 else tensor.dtype
        with torch._C.DisableTorchFunctionSubclass():
            return torch.empty(tuple(map(int, tensor.shape)), dtype=torch.float64, device="cpu").fill_(number).to(kind)


def guess(tried: Callable[[Guess], Any], *, whole: bool) -> Guess | None:
    """Return what all numbers that a model takes out of its input are taken to be; None where it matters what they are.

    Where it raises with some in its own code, as with a nan that it looks for, these are left out.
    """
    graph: Any = None
    going: list[float] = []
    places: dict[str, None] = {}
    for number in TRIED:
        run = tried(Guess(number, whole))
        asking = run.recorder.asking
        places.update(dict.fromkeys(place.written for place in asking.guesses))
        if any(ends_there(run, place) for place in asking.guesses):
            continue
        graph = graph or run.graph()
        if run.raised is not None or not same_graph(graph, run.graph()):
            return None
        going.append(number)
    if not going:
        return None
    numbers = ", ".join(f"{number:,}" for number in going)
    said = f"numbers of the input that are taken out at {', '.join(places)} are guessed: with {numbers} the model does"
    return Guess(going[0], whole, f"{said} the same; what they read is in no field")
