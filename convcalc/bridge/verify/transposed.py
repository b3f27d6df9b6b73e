"""The transposed convolution against torch: values, gradients and the adjoint identity, 1-D to 3-D.

Data are small integers in float64, so a result is right to the last bit or wrong. On the CPU every comparison is
bit for bit. Other devices may choose algorithms that round on the way (FFT, Winograd): there a result must be
within 1e-6 of the integer, which still tells any two integers apart.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from convcalc.arithmetic.transposed.arrays import Array, conv_matrix, convolve
from convcalc.arithmetic.transposed.size import TransposedSize, transposed_sizes
from convcalc.arithmetic.transposed.views import (
    flip_kernel,
    insert_zeros,
    transposed_by_matrix,
    transposed_by_stamps,
    transposed_by_zeros,
)
from convcalc.bridge.device import need_device, need_torch, one_thread
from convcalc.bridge.verify.report import Comparison, Mismatch, VerifyReport, tally
from convcalc.bridge.verify.spread import spread
from convcalc.errors import Refused

ROUNDING = 1e-6


@dataclass(frozen=True, kw_only=True)
class Case:
    """One transposed convolution; the number of axes is that of `input_size`, the data follow from `seed`."""

    batch: int
    groups: int
    in_channels: int
    out_channels: int
    input_size: tuple[int, ...]
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    output_padding: tuple[int, ...]
    dilation: tuple[int, ...]
    seed: int

    @property
    def forward(self) -> dict[str, Any]:
        """The settings that the forward convolution shares."""
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation, "groups": self.groups}

    @property
    def settings(self) -> dict[str, Any]:
        """All settings."""
        return self.forward | {"output_padding": self.output_padding}

    def sizes(self) -> tuple[TransposedSize, ...]:
        """Return the size of every axis; raises `Refused` where convcalc refuses the case."""
        settings = {name: value for name, value in self.settings.items() if name != "groups"}
        return transposed_sizes(self.input_size, self.kernel_size, **settings)


def verify_transposed(
    device: str = "cpu",
    count: int = 200,
    seed: int = 0,
    progress: Callable[[int, int], object] | None = None,
    workers: int = 1,
) -> VerifyReport:
    """Try `count` random transposed convolutions on `device` and compare all views with torch.

    Each case checks the three NumPy views, the equivalent convolution run by torch itself, the forward matrix,
    the adjoint identity <Wx, y> = <x, Wᵀy>, and the gradients; a case that torch refuses must be refused here
    too. Several `workers` are processes; they compare the same cases. `progress` is called with (done, count) after
    each. Raises `Unreadable` without torch or the device.

    >>> report = verify_transposed(count=20)
    >>> report.checked + report.refused, report.ok
    (20, True)
    """
    place = need_device(device)
    return tally(spread(partial(_compared, device), draw_cases(count, seed), workers, 5), count, place, seed, progress)


def _compared(device: str, cases: Iterable[Case]) -> Iterator[Comparison]:
    with one_thread():
        for case in cases:
            yield compare(case, device)


def draw_cases(count: int, seed: int) -> Iterator[Case]:
    """Yield `count` cases, the same for the same seed; some are not legal.

    >>> next(draw_cases(1, seed=0)) == next(draw_cases(1, seed=0))
    True
    """
    rng = random.Random(seed)  # noqa: S311 -- cases, not secrets
    for number in range(count):
        axes = 1 + number % 3
        largest = (9, 5, 2)[axes - 1]

        def each(low: int, high: int, axes: int = axes) -> tuple[int, ...]:
            return tuple(rng.randint(low, high) for _ in range(axes))

        stride, dilation = each(1, 4 if axes < 3 else 3), each(1, 3)
        groups = rng.randint(1, 3)
        yield Case(
            batch=rng.randint(1, 2),
            groups=groups,
            in_channels=groups * rng.randint(1, 2),
            out_channels=groups * rng.randint(1, 2),
            input_size=each(1, largest),
            kernel_size=each(1, 4 if axes < 3 else 3),
            stride=stride,
            padding=each(0, 2),
            # up to one past the largest that is legal, now and then
            output_padding=tuple(
                rng.randrange(max(s, d) + (rng.random() < 0.05)) for s, d in zip(stride, dilation, strict=True)
            ),
            dilation=dilation,
            seed=rng.randrange(2**32),
        )


def compare(case: Case, device: str = "cpu") -> Comparison:
    """Compare one case with torch; this is the line that a mismatch names to reproduce itself.

    >>> compare(next(draw_cases(1, seed=1))).mismatches
    ()
    """
    torch = need_torch()
    data = _Data.of(case, torch, need_device(device))
    try:
        theirs, said = _transposed(case, data), ""
    except (RuntimeError, ValueError) as error:
        theirs, said = None, str(error).splitlines()[0]
    try:
        sizes: tuple[TransposedSize, ...] | None = case.sizes()
    except Refused as error:
        sizes, said = None, str(error)
    code = f"from convcalc.bridge.verify.transposed import *; print(compare({case!r}, {device!r}))"
    if theirs is None and sizes is None:
        return Comparison(checked=0, refused=1)
    if theirs is None or sizes is None:
        who = "torch alone" if theirs is None else "convcalc alone"
        return Comparison(mismatches=(Mismatch(kind="refusal", message=f"{who} refuses: {said}", code=code),))
    exact = data.x.device.type == "cpu"
    kinds: list[str] = []
    mismatches: list[Mismatch] = []
    for kind, ours, reference in _comparisons(case, sizes, data, theirs):
        name = f"{len(sizes)}-D {kind}"
        kinds.append(name)
        if message := _difference(ours, reference, exact):
            mismatches.append(Mismatch(kind=name, message=message, code=code))
    return Comparison(kinds=tuple(kinds), mismatches=tuple(mismatches))


class _Data(NamedTuple):
    """The tensors of a case, and the same as arrays of integers."""

    torch: Any
    x: Any
    weight: Any
    x_array: Array
    weight_array: Array

    @classmethod
    def of(cls, case: Case, torch: Any, device: Any) -> _Data:
        rng = np.random.default_rng(case.seed)
        x = rng.integers(-5, 6, (case.batch, case.in_channels, *case.input_size))
        weight = rng.integers(-5, 6, (case.in_channels, case.out_channels // case.groups, *case.kernel_size))
        tensors = [torch.tensor(a, dtype=torch.float64, device=device, requires_grad=True) for a in (x, weight)]
        return cls(torch, tensors[0], tensors[1], x, weight)

    def tensor(self, array: Array) -> Any:
        return self.torch.tensor(array, dtype=self.torch.float64, device=self.x.device)


def _transposed(case: Case, data: _Data) -> Any:
    call = getattr(data.torch.nn.functional, f"conv_transpose{len(case.input_size)}d")
    return call(data.x, data.weight, **case.settings)


def _comparisons(
    case: Case, sizes: tuple[TransposedSize, ...], data: _Data, theirs: Any
) -> Iterator[tuple[str, Any, Any]]:
    """Yield (kind, one side, torch's side)."""
    x, weight = data.x_array, data.weight_array
    for kind, view in (
        ("stamp view", transposed_by_stamps),
        ("zero-insertion view", transposed_by_zeros),
        ("matrix view", transposed_by_matrix),
    ):
        yield kind, view(x, weight, **case.settings), theirs
    equivalent = _equivalent(case, sizes, data)
    yield "equivalent convolution", equivalent, theirs

    y = np.random.default_rng([case.seed, 1]).integers(-5, 6, theirs.shape)
    call = getattr(data.torch.nn.functional, f"conv{len(sizes)}d")
    down = call(data.tensor(y), data.weight, **case.forward)
    yield "forward convolution", convolve(y, weight, **case.forward), down
    matrix = conv_matrix(weight, y.shape[2:], **case.forward)
    yield "forward matrix", (matrix @ y.reshape(case.batch, -1).T).T.reshape(down.shape), down

    # output_padding >= stride gives the forward convolution rows past the input; see transpose.forward_matrix
    rows = down[(..., *(slice(size) for size in case.input_size))]
    yield "adjoint identity", (rows * data.x).sum(), (data.tensor(y) * theirs).sum()

    wanted = data.torch.autograd.grad(theirs, (data.x, data.weight), data.tensor(y))
    yield "gradient of the input", rows, wanted[0]
    found = data.torch.autograd.grad(equivalent, (data.x, data.weight), data.tensor(y))
    yield "gradients of the equivalent convolution", found[0], wanted[0]
    yield "gradients of the equivalent convolution", found[1], wanted[1]


def _equivalent(case: Case, sizes: tuple[TransposedSize, ...], data: _Data) -> Any:
    """Let torch compute the ordinary convolution that the sizes describe.

    Where its numbers go is found by moving indices as `insert_zeros` and `flip_kernel` move values: torch only
    gathers, so that gradients flow through.
    """
    functional = data.torch.nn.functional
    spread = _moved(data, data.x, lambda places: insert_zeros(places, case.stride))
    kernel = _moved(data, data.weight, lambda places: flip_kernel(places, case.groups))
    sides = [side for axis in reversed(sizes) for side in axis.equivalent.padding]
    padded = functional.pad(spread, [max(0, side) for side in sides])
    kept = (
        slice(max(0, -axis.equivalent.padding[0]), padded.shape[2 + number] - max(0, -axis.equivalent.padding[1]))
        for number, axis in enumerate(sizes)
    )
    call = getattr(functional, f"conv{len(sizes)}d")
    return call(padded[(..., *kept)], kernel, dilation=case.dilation, groups=case.groups)


def _moved(data: _Data, tensor: Any, move: Callable[[Array], Array]) -> Any:
    """Return `tensor` with its values moved as `move` moves their places, counted from 1; 0 is a zero."""
    places = move(np.arange(1, tensor.numel() + 1).reshape(tuple(tensor.shape)))
    values = data.torch.cat([tensor.new_zeros(1), tensor.flatten()])
    return values[data.torch.tensor(places.copy(), device=tensor.device)]


def _difference(ours: Any, theirs: Any, exact: bool) -> str:
    """Say where two results differ, or nothing."""
    ours, theirs = (np.asarray(v.detach().cpu().numpy() if hasattr(v, "detach") else v) for v in (ours, theirs))
    if ours.shape != theirs.shape:
        return f"shape {ours.shape} against torch's {theirs.shape}"
    wrong = ours != theirs if exact else ~(abs(ours - theirs) < ROUNDING)
    if not wrong.any():
        return ""
    first = tuple(map(int, np.argwhere(wrong)[0]))
    return f"{int(wrong.sum())} of {wrong.size} differ, first at {first}: {ours[first]} against torch's {theirs[first]}"
