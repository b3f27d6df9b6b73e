"""The legal sizes of a network, as a result: the sizes, whether they are proved, and the reasons for the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from convcalc.analysis.validity.conditions import Condition, Kind, Refusal
from convcalc.errors import ConvcalcError, Unknown
from convcalc.render.words import labelled, plain
from convcalc.shown import Shown
from convcalc.sizes.axes import per_axis
from convcalc.sizes.boxes import Boxes
from convcalc.sizes.conditions import Reader
from convcalc.sizes.expr import Expr
from convcalc.sizes.sets import SizeSet, every, only
from convcalc.sizes.size import Size, is_array, numbers

SHOWN = 6
"""The most boxes of sizes of which nothing is known that are printed."""


@dataclass(frozen=True, repr=False)
class Reason(Shown):
    """Why sizes are not legal: the first condition that refuses them.

    `sizes` are those of the one axis it is about; None where the axes are coupled. `example` is one of them.
    """

    kind: Kind
    node: str
    sentence: str
    axes: tuple[str, ...]
    sizes: SizeSet | None
    example: Mapping[str, int]

    def record(self) -> dict[str, Any]:
        """Return it for JSON."""
        sizes = None if self.sizes is None else self.sizes.record()
        return {**vars(self), "axes": list(self.axes), "sizes": sizes, "example": dict(self.example)}

    def __str__(self) -> str:
        sizes = [n for axis, n in self.example.items() if axis in self.axes]
        place = self.sizes.text(self.axes[0]) if self.sizes is not None else f"other {' and '.join(self.axes)}"
        example = "" if self.sizes == only(sizes) else f" ({', '.join(map('{} = {}'.format, self.axes, sizes))})"
        return f"{place}: {self.node + ': ' if self.node else ''}{self.sentence}{example}"


@dataclass(frozen=True)
class Way:
    """What a network does at some sizes: where `path` holds, `conditions` are all that must hold.

    A model may go another way at other sizes, or raise an `error` of its own on this one. Where that is all that is
    known, the way is known at the sizes `only_at`.
    """

    path: tuple[Condition, ...] = ()
    conditions: tuple[Condition, ...] = ()
    error: ConvcalcError | None = None
    only_at: Mapping[str, int] | None = None

    def is_taken(self, sizes: Mapping[str, int], at: Reader) -> bool:
        """Whether this is known to be the way that is taken at these sizes, which `at` reads formulas at.

        >>> way = Way(path=(Condition(Expr.symbol("n") - 64, lambda at: ConvcalcError("other")),))
        >>> [way.is_taken({"n": n}, reader_at(["n"], {"n": n})) for n in (63, 64)]
        [False, True]
        """
        if self.only_at is not None:
            return sizes == self.only_at
        return all(at(one.value) >= 0 for one in self.path)


@dataclass(frozen=True, repr=False)
class Legal(Shown):
    """The input sizes that a network accepts.

    `runs` and `exact` are boxes over `axes`: the sizes that are known to run, and to be exact. `proved` says that all
    others do not; otherwise nothing is known of the sizes `unknown`: they may run or not, and `in` and `why_not` find
    out by trying that one size. `reasons` name what refuses the rest.

    >>> import convcalc as cc
    >>> v = cc.valid_sizes(cc.Sequential(cc.Conv(8, 3), cc.MaxPool(2), cc.Conv(8, 3), cc.MaxPool(2)), (1, 3, "n"))
    >>> 10 in v, 9 in v, v["n"].nearest(5), v.proved
    (True, False, (None, 10), True)
    >>> str(v.runs), str(v.exact)
    ('n >= 10', 'n >= 10 and n % 4 == 2')
    """

    axes: tuple[str, ...]
    runs: Boxes
    exact: Boxes
    proved: bool
    window: Mapping[str, int] | None
    reasons: tuple[Reason, ...]
    ways: tuple[Way, ...] = field(repr=False, compare=False)
    """What must hold, for each way that a model was seen to go: in the order in which it was walked."""
    tried: str = ""
    """What was tried where it is not proved, if not all sizes below `window`."""
    unknown: Boxes = field(default_factory=lambda: Boxes((), ()))
    """The sizes of which nothing is known: none where it is proved."""
    up_to: int | None = None
    """The last size that anything is said of, where torch's float64 rounds beyond: see `analysis.validity.rounding`."""
    export: Boxes | None = None
    """The sizes that `torch.export` takes as dynamic: see `exporting`; None where that is not known."""
    lost: tuple[str, ...] = ()
    """Where sizes became plain numbers, which is why nothing is proved of other sizes."""
    assumed: tuple[str, ...] = ()
    """What was assumed of values of the input: sizes are told of a model that goes this way."""
    inputs: Mapping[str, Sequence[Size]] = field(default_factory=dict)
    """The input shapes that are spoken of, where sizes of one are formulas in those of another: only of such inputs."""
    ask: Callable[[Mapping[str, int]], Legal] | None = field(default=None, repr=False, compare=False)
    """Tries one size of which nothing is known, and returns what is known of it alone."""

    def __contains__(self, sizes: Any) -> bool:
        """Whether a network runs at these sizes, one for each axis or one for all.

        A size of which nothing is known is tried. Raises `Unknown` where it cannot be.
        """
        return sizes in self.about(sizes).runs

    def is_exact(self, *sizes: int) -> bool:
        """Return whether a network runs at these sizes and uses them in full; raises as `in`.

        >>> import convcalc as cc
        >>> v = cc.valid_sizes(cc.Upsample(scale_factor=0.7), (1, 3, "n"))
        >>> v.proved, str(v.unknown), 5000 in v.runs, 5000 in v, v.is_exact(5000)
        (False, 'n >= 4096', False, True, True)
        """
        given = sizes[0] if len(sizes) == 1 else sizes
        return given in self.about(given).exact

    def about(self, sizes: Any) -> Legal:
        """Return what is known of these sizes: itself, or where they are `unknown` what trying them tells.

        Raises `Unknown` past `up_to`.
        """
        values = per_axis("sizes", sizes, len(self.axes))
        if self.up_to is not None and max(values, default=0) > self.up_to:
            raise Unknown(
                f"past {self.up_to} torch's float64 rounds what it scales: whether {max(values)} runs is not known"
            )
        if not self.unknown or sizes not in self.unknown:
            return self
        example = dict(zip(self.axes, values, strict=True))
        if self.ask is None:
            at = ", ".join(f"{axis} = {n}" for axis, n in example.items())
            raise Unknown(f"whether {at} runs is not known: observed for {self.observed}")
        return self.ask(example)

    def __getitem__(self, axis: str) -> SizeSet:
        """The sizes of one axis at which it runs, for some sizes of the others."""
        return self.runs[axis]

    def why_not(self, *sizes: int) -> Reason | None:
        """Return what first refuses these sizes, one for each axis or one for all; None where they are exact.

        A size of which nothing is known is tried, as by `in`.

        >>> import convcalc as cc
        >>> print(cc.valid_sizes(cc.MaxPool(2), (1, 3, "n")).why_not(7).sentence)
        1 of 7 rows dropped: no window of 2 fits at the end with stride=2; use 6 or 8
        """
        sizes = numbers(" ".join(self.axes), *per_axis("sizes", sizes[0] if len(sizes) == 1 else sizes, len(self.axes)))
        if (about := self.about(sizes)) is not self:
            return about.why_not(*sizes)
        example = dict(zip(self.axes, sizes, strict=True))
        at = reader_at(self.axes, example)
        way = next((way for way in self.ways if way.is_taken(example, at)), Way())
        first = next((one for one in way.conditions if at(one.value) < 0), None)
        if first is None:
            return None if way.error is None else raised(way.error, self.axes, None, example)
        alone = only([example[axis] for axis in first.axes]) if len(first.axes) == 1 else None
        return reason_for(Refusal(first, alone, example), self.axes, self.runs)

    def record(self, near: Sequence[int] | None = None) -> dict[str, Any]:
        """Return it for JSON, with the legal sizes nearest to the sizes `near`."""
        boxes = {"runs": self.runs, "exact": self.exact}
        beside = None if near is None else tuple(per_axis("near", near, len(self.axes)))
        return {
            "axes": list(self.axes),
            **{kind: one.records() for kind, one in boxes.items()},
            "unknown": self.unknown.records(),
            "proved": self.proved,
            "up_to": self.up_to,
            "window": self.window and dict(self.window),
            "tried": self.tried,
            "lost": list(self.lost),
            "assumed": list(self.assumed),
            "inputs": {name: plain(shape) for name, shape in self.inputs.items()},
            "near": beside and {kind: plain(one.nearest(beside)) for kind, one in boxes.items()},
            "reasons": [reason.record() for reason in self.reasons],
        }

    def __str__(self) -> str:
        observed = ("observed", f"for {self.observed}; not proved")
        unknown = self.unknown.lines() if self.unknown else []
        more = [f"{len(unknown) - SHOWN:,} more boxes"] if len(unknown) > SHOWN else []
        lines = [
            *([("of inputs", self.asked)] if self.inputs else []),
            *(("runs", line) for line in self.runs.lines()),
            *(("loses no rows", line) for line in self.exact.lines()),
            ("proved", f"for all sizes{self.end}") if self.proved else observed,
            *(("where", one) for one in self.assumed),
            *(("not known", line) for line in (*unknown[:SHOWN], *more)),
        ]
        return labelled(lines, 15)

    @property
    def asked(self) -> str:
        """The input shapes that are spoken of, in words; nothing where they are any.

        >>> n = Expr.symbol("n")
        >>> nothing = Boxes(("n",), ())
        >>> Legal(("n",), nothing, nothing, True, None, (), (), inputs={"m": (1, n), "y": (1, 8 * n)}).asked
        'm (1, n), y (1, 8*n)'
        """
        return ", ".join(f"{name} ({', '.join(map(str, shape))})" for name, shape in self.inputs.items())

    @property
    def end(self) -> str:
        """How far that reaches, to be read after "for all sizes"; nothing where it has no end."""
        return "" if self.up_to is None else f" up to {self.up_to:,}; torch's float64 rounds beyond"

    @property
    def observed(self) -> str:
        """What was tried, where it is not proved.

        >>> Legal(("n",), Boxes(("n",), ()), Boxes(("n",), ()), False, {"n": 64}, (), ()).observed
        'n < 64'
        """
        return self.tried or ", ".join(f"{axis} < {end}" for axis, end in (self.window or {}).items())


def reason_for(refusal: Refusal, axes: Sequence[str], runs: Boxes) -> Reason:
    """Return the refusal in words, at its example; sizes that do not matter to it are the smallest that run.

    >>> from convcalc.errors import NoOutput
    >>> n = Expr.symbol("n")
    >>> refusal = Refusal(Condition(n - 5, lambda at: NoOutput(f"{at(n)} < 5").at("conv1")), only(range(5)), {"n": 4})
    >>> print(reason_for(refusal, ["n"], Boxes(("n",), ())))
    n in 0..4: conv1: 4 < 5 (n = 4)
    """
    condition, sizes, given = refusal
    most = max(given.values(), default=1)
    example = {axis: given[axis] if axis in given else runs[axis].smallest or most for axis in axes}
    error = condition.error(reader_at(axes, example))
    return raised(error, [axis for axis in axes if axis in condition.axes] or axes, sizes, example, condition.kind)


def raised(
    error: ConvcalcError,
    axes: Sequence[str],
    sizes: SizeSet | None,
    example: Mapping[str, int],
    kind: Kind = "runs",
) -> Reason:
    """Return an error at some sizes as the reason for them: what a model itself raises, what a layer does.

    >>> print(raised(ConvcalcError("AssertionError: H is odd"), ["H"], SizeSet(2, (1,)), {"H": 7}))
    H % 2 == 1: AssertionError: H is odd (H = 7)
    """
    sentence = error.message.removeprefix(f"{error.place}: ") if error.place else error.message
    return Reason(kind, error.place, sentence, tuple(axes), sizes, example)


def reader_at(axes: Sequence[str], sizes: Mapping[str, int]) -> Reader:
    """Return what reads formulas at `sizes`, and arrays over a window from 0 at their place.

    >>> reader_at(["n"], {"n": 7})(Expr.symbol("n") // 2)
    3
    """

    def at(size: Size) -> Any:
        if isinstance(size, Expr):
            return size(**sizes)
        if is_array(size):
            return int(
                size[tuple(sizes[axis] if length > 1 else 0 for axis, length in zip(axes, size.shape, strict=True))]
            )
        return size

    return at


def all_sizes(axes: Sequence[str], minimum: int = 0) -> Boxes:
    """Return the box of all sizes of `axes`, from `minimum` on.

    >>> all_sizes(["H", "W"], 1).lines()
    ['H >= 1, W >= 1']
    """
    return Boxes(tuple(axes), ((every(minimum),) * len(axes),))


def one_size(
    axes: Sequence[str],
    sizes: Mapping[str, int],
    *,
    runs: bool,
    exact: bool,
    reasons: Sequence[Reason],
    ways: Sequence[Way],
) -> Legal:
    """Return what is known of one size, as the legal sizes among it alone."""
    point = Boxes(tuple(axes), (tuple(only([sizes[axis]]) for axis in axes),))
    nothing = Boxes(tuple(axes), ())
    return Legal(
        axes=tuple(axes),
        runs=point if runs else nothing,
        exact=point if exact else nothing,
        proved=False,
        window=None,
        reasons=tuple(reasons),
        ways=tuple(ways),
        tried="x".join(str(sizes[axis]) for axis in axes),
        unknown=all_sizes(axes) - point,
    )
