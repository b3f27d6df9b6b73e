"""Every layer against its `torch.nn` module, on a device: the same output shape, and refused where torch refuses.

The modules are built as users build them, with all their arguments, and called on zeros in float64: torch's own
kernels check every argument, where the faster ones it may take in float32 let some pass (a transposed convolution
with an output of size 0, or a dilation of 0). "meta" checks less than any real device, and fails on empty inputs
that they take: there only what convcalc finds legal is compared, and no empty input.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from convcalc.bridge.assembly.recipe import recipe, to_module, to_source
from convcalc.bridge.device import need_device, need_torch, one_thread
from convcalc.bridge.verify.cases import draw_case
from convcalc.bridge.verify.dice import Case
from convcalc.bridge.verify.report import Comparison, Mismatch, VerifyReport, tally
from convcalc.bridge.verify.spread import spread
from convcalc.errors import ConvcalcError, Refused, Unreadable

REFUSALS = (RuntimeError, ValueError, TypeError, IndexError)
"""What torch raises for arguments and inputs it does not take."""


def verify_layers(
    device: str = "auto",
    count: int = 10_000,
    seed: int = 0,
    *,
    shapes_only: bool = False,
    workers: int = 1,
    progress: Callable[[int, int], object] | None = None,
) -> VerifyReport:
    """Compare `count` random layers with torch's on `device`, or with `shapes_only` the legal ones on "meta".

    Several `workers` are processes; they compare the same cases. `progress` is called with (done, count) after each.
    Raises `Unreadable` without torch or the device.

    >>> report = verify_layers("cpu", count=50)
    >>> report.checked + report.refused, sum(report.kinds.values()), report.ok
    (50, 50, True)
    """
    torch = need_torch()
    place = torch.device("meta") if shapes_only else need_device(device)
    results = spread(partial(_compared, str(place)), _drawn(count, seed, shapes_only), workers)
    return tally(results, count, place, seed, progress)


def _drawn(count: int, seed: int, shapes_only: bool) -> Iterator[Case]:
    rng = random.Random(seed)  # noqa: S311 -- cases, not secrets
    for _ in range(count):
        case = draw_case(rng)
        while shapes_only and 0 in case.shape:
            case = draw_case(rng)
        yield case


def _compared(place: str, cases: Iterable[Case]) -> Iterator[Comparison]:
    torch = need_torch()
    where = torch.device(place)
    with _ready(torch, where):
        for case in cases:
            yield _compare(case, torch, where)


def compare(case: Case, device: str = "cpu") -> Comparison:
    """Compare one case with torch.

    >>> from convcalc.layers import Conv
    >>> found = compare(Case(Conv(6, 5), (1, 1, 28, 28)))
    >>> found.kinds, found.refused, compare(Case(Conv(6, 5), (1, 1, 28, 4))).refused
    (('Conv2d',), 0, 1)
    """
    torch = need_torch()
    place = torch.device("meta") if device == "meta" else need_device(device)
    with _ready(torch, place):
        return _compare(case, torch, place)


def answer(shape: Callable[[], tuple[int, ...]]) -> str:
    """Return the shape that a call gives, or the first line of what it raises: what a reproducing line prints.

    >>> from convcalc.layers import MaxPool
    >>> answer(lambda: MaxPool(2).out_shape((1, 3, 7)))
    '(1, 3, 3)'
    >>> answer(lambda: MaxPool(0).out_shape((1, 3, 7)))
    'refused: BadArgument: kernel_size must be >= 1: 0'
    """
    try:
        return str(tuple(shape()))
    except Exception as error:  # its line is to be read, whatever it is
        return f"refused: {_line(error)}"


@contextmanager
def _ready(torch: Any, place: Any) -> Iterator[None]:
    """Make modules in float64 on the device, without gradients, warnings (on even kernels, say) or threads."""
    before = torch.get_default_dtype()
    with one_thread(), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.set_default_dtype(torch.float64)
        try:
            if place.type == "cpu":
                yield
            else:
                with place:
                    yield
        finally:
            torch.set_default_dtype(before)


def _compare(case: Case, torch: Any, place: Any) -> Comparison:
    try:
        calls = recipe(case.layer, case.shape)
    except ConvcalcError as error:
        kind = type(case.layer).__name__
        broke = Mismatch(kind=kind, message=f"cannot be built: {error}", code=_ours(case))
        return Comparison(kinds=(kind,), mismatches=(broke,))
    kind = calls[-1].name
    # no exception is kept: each would hold its frame, which holds it, until the garbage is collected
    broken = False
    ours: tuple[int, ...] | None = None
    theirs: tuple[int, ...] | None = None
    try:
        ours = case.layer.out_shape(case.shape)
    except Refused:
        if place.type == "meta":
            return _refused(kind)
    except Exception:  # a bug of convcalc's, to be told like a wrong shape
        broken = True
    try:
        value = torch.zeros(case.shape)
        for call in calls:
            value = call.build()(value)
        theirs = tuple(value.shape)
    except (torch.OutOfMemoryError, torch.AcceleratorError) as error:  # says nothing about shapes
        raise Unreadable(f"the device failed while verifying: {_line(error)}") from error
    except REFUSALS:
        pass
    if ours == theirs and not broken:
        return _refused(kind) if ours is None else Comparison(kinds=(kind,))
    return Comparison(kinds=(kind,), mismatches=(_mismatch(kind, case, torch, place),))


def _refused(kind: str) -> Comparison:
    return Comparison(kinds=(kind,), checked=0, refused=1)


def _mismatch(kind: str, case: Case, torch: Any, place: Any) -> Mismatch:
    there = "double()" if place.type == "cpu" else f"to({str(place)!r}, torch.float64)"
    sizes = ", ".join(map(str, case.shape))
    line = f"{to_source(case.layer, case.shape)}.{there}(torch.zeros({sizes}).{there}).shape"
    ours = answer(lambda: case.layer.out_shape(case.shape))
    theirs = answer(lambda: to_module(case.layer, case.shape)(torch.zeros(case.shape)).shape)
    return Mismatch(
        kind=kind,
        message=f"convcalc says {ours}, torch says {theirs}: {line}",
        code="import torch; from convcalc.bridge.verify.layers import answer; from convcalc.layers import *; "
        f"print(answer(lambda: {_ours(case)}), answer(lambda: {line}), sep='\\n')",
    )


def _ours(case: Case) -> str:
    words = case.layer.arguments() | ({} if case.layer.axes is None else {"axes": case.layer.axes})
    settings = ", ".join(f"{name}={value!r}" for name, value in words.items())
    return f"{type(case.layer).__name__}({settings}).out_shape({case.shape})"


def _line(error: Exception) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
