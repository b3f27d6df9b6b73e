"""What is known of a call that failed: what it is, where it stands, what it read, and what our own rules say."""

from __future__ import annotations

import linecache
import os
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from convcalc.bridge.capture.drawing import Drawing
from convcalc.bridge.device import need_torch
from convcalc.bridge.events import Call, Frame, Value
from convcalc.bridge.explain.modules import layer_of
from convcalc.bridge.explain.operands import operands_of
from convcalc.bridge.hearing.lines import OURS, TORCHS
from convcalc.errors import BadShape, ConvcalcError, Operand, Refused, labelled
from convcalc.layers import Conv, ConvTranspose, Layer, Recurrent, Shape

_PYTHON = sysconfig.get_path("stdlib") + os.sep

_ASSERT = need_torch()._assert
"""What models use as `assert`: it says that their own code refuses."""

DECIDE_SHAPES = frozenset(
    {
        *("nonzero", "argwhere", "masked_select", "getitem", "unique", "unique_consecutive", "unique_dim", "bincount"),
        *("repeat_interleave", "where"),
    }
)
"""The functions whose result has a shape that values decide."""

NEED_VALUES = DECIDE_SHAPES - {"getitem", "where"} | {
    *("item", "tolist", "numpy", "array", "bool", "int", "float", "complex", "index", "contains", "format"),
    *("equal", "is_nonzero", "histc", "histogram", "one_hot"),
}
"""The functions that need values, however they are called."""


@dataclass(frozen=True)
class Failure:
    """One failing call, or one failing line where no call of torch was under way."""

    run: Any
    journal: Any
    error: BaseException
    place: str
    function: str
    path: str
    module: Any
    layer: Layer | None
    values: tuple[Value, ...]
    operands: tuple[Operand, ...]
    source: str = ""
    line: str = ""
    raw: Any = None
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    by_user: bool = False
    """Whether the user's code raised, and not a call of torch."""
    of_types: bool = False
    """Whether the types of what it reads are what is refused."""

    @property
    def label(self) -> str:
        """What it is called in a sentence."""
        return labelled(self.place, self.function if self.layer is None else self.layer.op)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes it read."""
        return tuple(value.call.shapes[value.place] for value in self.values)

    def says(self, text: str, rule: str = "", kind: type[ConvcalcError] = BadShape) -> ConvcalcError:
        """Return the error that a sentence about it is."""
        return kind(f"{self.label} {text}", rule=rule, place=self.place)

    @property
    def refusal(self) -> ConvcalcError | None:
        """What our own rule says of it; None where there is no rule, or it would let it pass."""
        if self.layer is None:
            return None
        try:
            ready = self.layer.at(self.journal.numbers) if self.layer.depends_on_sizes else self.layer
            ready.out_shapes(*self.shapes)
        except Refused as refusal:
            return refusal
        except (ConvcalcError, TypeError, ValueError):
            return None
        return None


def read_failure(error: BaseException, run: Any) -> Failure:
    """Return what is known of the exception that ended a run."""
    call = run.journal.failed
    cause: BaseException | None = error
    while cause is not None and (call is None or call.error is not cause):
        cause = cause.__cause__ or cause.__context__
    if cause is not None and not _raised_by_user(cause) and call.raw is not _ASSERT:
        return _of_call(call, cause, run)
    return _of_line(error, run)


def _of_call(call: Any, error: BaseException, run: Any) -> Failure:
    frame = call.frame
    path, module = ("", None) if frame is None else (frame.path, frame.module)
    known = {name: getattr(call, name) for name in ("function", "layer", "raw", "args", "kwargs", "of_types")}
    place = _place(run, frame, call.function)
    return _failure(run, error, call.inputs, place=place, path=path, module=module, **known)


def _of_line(error: BaseException, run: Any) -> Failure:
    """What a module of torch refuses before it calls anything, or what the user's own code raises."""
    frames = [frame for frame, _ in _frames(error)]
    inner = next(filter(_is_forward, reversed(frames)), None)
    known = {"path": "", "module": None, "args": (), "kwargs": {}} if inner is None else inner.f_locals
    path, module, given = known["path"], known["module"], known["args"]
    torch = need_torch()
    values = tuple(run.journal.value(entry) for entry in given if isinstance(entry, torch.Tensor))
    own = module is not None and not type(module).__module__.startswith("torch.")
    failed = run.journal.failed
    asserts = failed is not None and failed.error is error  # by torch._assert
    by_user = _raised_by_user(error) or inner is None or frames[-1] is inner or asserts or own
    return _failure(
        run,
        error,
        values,
        place=path or run.name,
        function=type(module).__name__ if module is not None else run.name,
        path=path,
        module=module,
        layer=None if by_user else layer_of(module),
        args=given,
        kwargs=known["kwargs"],
        by_user=by_user,
    )


def _failure(run: Any, error: BaseException, values: tuple[Value, ...], **known: Any) -> Failure:
    """What is known, with the user's line and what was read."""
    source, line = _written(error)
    operands = operands_of(values, run.drawn(values).names, run.journal)
    return Failure(run, run.journal, error, values=values, operands=operands, source=source, line=line, **known)


def _place(run: Any, frame: Frame | None, function: str) -> str:
    """What the failing call would be named in the graph."""
    after = None if frame is None else Frame(frame.path, frame.module, frame.nested, frame.calls + 1)
    call = Call(function, after, None, (), ())
    name: str = Drawing(run.calls, [*run.drawn([]).calls, call]).names[id(call)]
    return name


# -- the traceback -----------------------------------------------------------------------------------------------


def _frames(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    """The frames of the run, outermost first: those of this package's callers are not in a traceback."""
    step = error.__traceback__
    while step is not None:
        yield step.tb_frame, step.tb_lineno
        step = step.tb_next


def _is_forward(frame: FrameType) -> bool:
    """Whether a frame is that which a capture puts around each forward."""
    return frame.f_code.co_name == "run" and frame.f_code.co_filename.startswith(OURS) and "path" in frame.f_locals


def _is_users(frame: FrameType) -> bool:
    return not frame.f_code.co_filename.startswith((OURS, TORCHS, "<frozen"))


def _raised_by_user(error: BaseException) -> bool:
    """Whether the innermost frame is the user's: it raised, and nothing that it called."""
    frames = list(_frames(error))
    return bool(frames) and _is_users(frames[-1][0]) and not isinstance(error, ConvcalcError)


def _written(error: BaseException) -> tuple[str, str]:
    """The last line on the way that is the user's own: where it stands, and its text.

    A line of a library that is installed is of no use, unless the whole model is of one.
    """
    found = [(frame.f_code.co_filename, number) for frame, number in _frames(error) if _is_users(frame)]
    own = [one for one in found if not _is_installed(one[0])]
    for name, number in (own or found)[-1:]:
        return f"{short(name)}:{number}", linecache.getline(name, number).strip()
    return "", ""


def _is_installed(file: str) -> bool:
    """Whether a file is of an installed package, or of Python itself."""
    return file.startswith(_PYTHON) or not {"site-packages", "dist-packages"}.isdisjoint(Path(file).parts)


def short(file: str) -> str:
    """Return a file as a user knows it: relative to the working directory if it is in there, else its name.

    >>> short("/nowhere/net.py")
    'net.py'
    """
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else path.name


def axes_of(function: str) -> int | None:
    """Return how many spatial axes a call has by its name; None where that does not say.

    >>> axes_of("conv2d"), axes_of("linear")
    (2, None)
    """
    digit = function.rstrip("d")[-1:]
    return int(digit) if function.endswith("d") and digit.isdigit() else None


def is_last(failure: Failure) -> bool:
    """Return whether a convolution's channels stand last in what it read, and not where it wants them.

    One equal number may be chance: on two axes or more they are few, as of an image, or the axes before them are equal.
    """
    axes = axes_of(failure.function)
    if axes is None or not failure.operands or not isinstance(failure.layer, Conv | ConvTranspose):
        return False
    shape, wanted = failure.operands[0].shape, failure.layer.in_channels
    if len(shape) not in (axes + 1, axes + 2) or shape[-1] != wanted or shape[-axes - 1] == wanted:
        return False
    before = shape[-axes - 1 : -1]
    return axes == 1 or len(set(before)) == 1 or (wanted <= 4 and wanted < min(before))


def is_surely_last(failure: Failure) -> bool:
    """Return whether channels stand last by two signs: a sequence has but one, and its length may be chance."""
    return is_last(failure) and axes_of(failure.function) != 1


def ranks_of(failure: Failure) -> tuple[int, ...] | None:
    """Return how many axes a call takes; None where any number, or where that is not known."""
    name, axes = failure.function, axes_of(failure.function)
    if name == "BatchNorm1d":
        return 2, 3
    if name.startswith("BatchNorm") and axes:
        return (axes + 2,)
    if axes and name.startswith(("conv", "InstanceNorm", "max_pool", "avg_pool", "adaptive", "lp_pool", "fractional")):
        return axes + 1, axes + 2
    return (2, 3) if isinstance(failure.layer, Recurrent) else None


def needs_values(failure: Failure) -> bool:
    """Return whether a call failed because it needs values: by its name, or as torch has no rule for it on meta."""
    if failure.by_user or failure.of_types or failure.raw is None:
        return False
    if failure.function in NEED_VALUES or isinstance(failure.error, NotImplementedError):
        return True
    masks = (arg for arg in failure.args if getattr(arg, "dtype", None) is not None)
    return failure.function == "getitem" and any(str(arg.dtype) == "torch.bool" for arg in masks)
