"""What convcalc raises, and why a model broke, as a value: the call, its line, what it read, the repairs tried.

::

    ConvcalcError
    ├── Unreadable           the question cannot be read: syntax, name, file, extra, device
    ├── Disagreement         convcalc and torch differ: one of them is wrong
    ├── Unknown              nothing is known of it: a call without a formula, at a size not measured
    └── Refused              (also a ValueError) read and answered, and the answer is no
        ├── BadArgument      a hyper-parameter outside its range
        │   ├── DivisionByZero   (also Python's own) a formula divided by 0
        │   └── NoSuchName       (also a KeyError) no row, total or axis has that name
        ├── KernelDoesNotFit the kernel spans more than the padded input
        ├── NoOutput         the output would be empty
        ├── BadShape         wrong rank, channels or features; a size that must divide does not
        └── NoSolution       no hyper-parameters do what was asked

The message is one sentence: what, with the numbers, the rule, the way out. The command line exits with
2 for `Unreadable` and 1 for `Refused`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any


def brief(value: object, most: int = 60) -> str:
    """Return a value as one line of a message, however long it is.

    >>> brief([1, 2]), brief("a" * 100, most=12)
    ('[1, 2]', "'aaaaaaaa...")
    """
    text = " ".join(repr(value).split())
    return text if len(text) <= most else f"{text[: most - 3]}..."


def nearest(name: object, names: Iterable[str]) -> str | None:
    """Return the one of some names that is most like a name, and is likely meant by it; None where none is.

    >>> nearest("resnet8", ["resnet18", "vgg11"]), nearest("net", ["resnet18", "vgg11"])
    ('resnet18', None)
    """
    import difflib  # for a name that is not known alone

    return next(iter(difflib.get_close_matches(str(name), list(names), 1)), None)


@dataclass(frozen=True)
class Operand:
    """A tensor that the failing call read: the node `name`, an `op`, gave it; its `shape`, in letters `symbolic`.

    `factors` is how a size came from several ("8192 = 32·16·16"), empty where it did not. `origin` is the last node
    before that gave it its shape, where that is another.

    >>> Operand("up", (1, 64, 56, 56), ("1", "64", "2*(H//2)", "2*(W//2)"), origin="up.conv").text()
    'up (1, 64, 56, 56) = (1, 64, 2*(H//2), 2*(W//2)), from up.conv'
    """

    name: str
    shape: tuple[int, ...]
    symbolic: tuple[str, ...] | None = None
    factors: str = ""
    origin: str = ""
    op: str = ""

    @property
    def label(self) -> str:
        """The name, after the op where it is a number alone, as in a `Sequential`.

        >>> Operand("0", (1, 16, 8, 8), op="conv").label, Operand("stem.conv", (1, 16, 8, 8), op="conv").label
        ('conv 0', 'stem.conv')
        """
        return labelled(self.name, self.op)

    def text(self) -> str:
        """Return it as one line."""
        plain = tuple(map(str, self.shape))
        known = self.symbolic is not None and self.symbolic != plain
        formula = f" = ({', '.join(self.symbolic or ())})" if known else ""
        factors = f", {self.factors}" if self.factors else ""
        return f"{self.label} ({', '.join(plain)}){formula}{factors}{f', from {self.origin}' if self.origin else ''}"

    def record(self) -> dict[str, Any]:
        """Return it for JSON."""
        symbolic = None if self.symbolic is None else list(self.symbolic)
        return {**vars(self), "shape": list(self.shape), "symbolic": symbolic}


def labelled(name: str, op: str) -> str:
    """Return a name, after the op where its last part is a number."""
    return f"{op} {name}" if op and name.rpartition(".")[2].isdigit() else name


@dataclass(frozen=True)
class Fix:
    """A repair that was run: with it the failing call passes, and `runs` says whether the whole model then does.

    Where it does not, `then` names the call that fails next. `command` is how the command line writes it, where that
    is another way than Python's.

    >>> Fix("fc: nn.Linear(8192, 10)", runs=True).text(), Fix("x.flatten(1)", runs=False, then="fc").text()
    ('fc: nn.Linear(8192, 10)', 'x.flatten(1); then fc fails')
    >>> Fix("input_size=(1, 3, 32, 32)", runs=True, command="--input 3x32x32").as_command().text()
    '--input 3x32x32'
    """

    what: str
    runs: bool
    then: str = ""
    command: str = ""

    def text(self) -> str:
        """Return it as a user reads it."""
        return self.what if self.runs else f"{self.what}; then {self.then or 'another call'} fails"

    def as_command(self) -> Fix:
        """Return it as the command line writes it."""
        return replace(self, what=self.command or self.what, command="")

    def record(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"what": self.what, "runs": self.runs, "then": self.then}


@dataclass(frozen=True)
class Explanation:
    """The failing call: `place` is its name in the graph, `call` the function, `source` "net.py:9", `line` its text.

    `torch` is what torch said of it, in its own words.

    >>> failure = Explanation("fc", "linear", "net.py:9", "return self.fc(x)", (Operand("flatten", (1, 8192)),))
    >>> failure.lines()
    ['at     net.py:9  return self.fc(x)', 'read   flatten (1, 8192)']
    """

    place: str
    call: str
    source: str = ""
    line: str = ""
    operands: tuple[Operand, ...] = ()
    fixes: tuple[Fix, ...] = ()
    torch: str = ""

    def lines(self) -> list[str]:
        """Return where it failed and what it read, a line each."""
        where = [f"at     {self.source}  {self.line}".rstrip()] if self.source else []
        return [*where, *(f"read   {operand.text()}" for operand in self.operands)]

    def record(self) -> dict[str, Any]:
        """Return what JSON says beside kind, message, rule and fixes."""
        return {
            "place": self.place,
            "call": self.call,
            "source": self.source,
            "line": self.line,
            "operands": [operand.record() for operand in self.operands],
            "tried": [fix.record() for fix in self.fixes],
            "torch": self.torch,
        }


class ConvcalcError(Exception):
    """Anything convcalc refuses, with the rule it broke and the ways out.

    >>> error = KernelDoesNotFit("kernel does not fit", rule="extent <= padded input", fixes=["padding=1"])
    >>> str(error), error.kind, error.rule, error.fixes
    ('kernel does not fit', 'kernel_does_not_fit', 'extent <= padded input', ('padding=1',))
    """

    kind = "error"
    explanation: Explanation | None = None
    """The failing call of a captured model, where it is one."""

    def __init__(self, message: str, *, rule: str = "", fixes: Sequence[str] = (), place: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.rule = rule
        self.fixes = tuple(fixes)
        self.place = place

    def at(self, place: str) -> ConvcalcError:
        """Return the same error with `place` (an axis, a layer) named first; its `.place` is the last one named.

        >>> error = NoOutput("output would be 0").at("axis W").at("conv1")
        >>> str(error), error.place
        ('conv1: axis W: output would be 0', 'conv1')
        """
        named = type(self)(f"{place}: {self.message}", rule=self.rule, fixes=self.fixes, place=place)
        named.explanation = self.explanation
        return named

    def lines(self) -> list[str]:
        """Return it line by line: the sentence, where and on what a call failed, the rule, the ways out.

        >>> BadArgument("stride=0", rule="stride >= 1", fixes=["stride=1"]).lines()
        ['stride=0', 'rule   stride >= 1', 'fix    stride=1']
        """
        at = [] if self.explanation is None else self.explanation.lines()
        rule = [f"rule   {self.rule}"] if self.rule else []
        return [self.message, *at, *rule, *(f"fix    {fix}" for fix in self.fixes)]

    def as_command(self) -> ConvcalcError:
        """Return the same error with repairs of a captured model as the command line writes them."""
        named = type(self)(self.message, rule=self.rule, fixes=self.fixes, place=self.place)
        if self.explanation is not None:
            tried = tuple(fix.as_command() for fix in self.explanation.fixes)
            named.explanation = replace(self.explanation, fixes=tried)
            named.fixes = tuple(fix.text() for fix in tried)
        return named

    def record(self) -> dict[str, Any]:
        """Return it for JSON: kind, message, rule, fixes; of a captured model's failing call where and on what.

        >>> NoOutput("output would be 0").record()
        {'kind': 'no_output', 'message': 'output would be 0', 'rule': '', 'fixes': []}
        """
        more = {} if self.explanation is None else self.explanation.record()
        return {"kind": self.kind, "message": self.message, "rule": self.rule, "fixes": list(self.fixes), **more}


class Unreadable(ConvcalcError):
    """The question cannot be read: syntax, an unknown name, a missing file, extra or device.

    >>> import convcalc as cc
    >>> cc.read_stack("conv 64 z7")
    Traceback (most recent call last):
    convcalc.errors.Unreadable: conv cannot read 'z7': write 64, k3, k3x5, s2, p1, p1:2, psame, d2, op1, g4 or ceil
    """

    kind = "unreadable"


class Disagreement(ConvcalcError):
    """Convcalc and torch differ: one of them is wrong.

    >>> str(Disagreement("at batch 3 it gives 5 rows, the formula 6").at("view"))
    'view: at batch 3 it gives 5 rows, the formula 6'
    """

    kind = "mismatch"


class Unknown(ConvcalcError):
    """Nothing is known: what a call without a formula gives at a size that was not measured.

    >>> import convcalc as cc
    >>> 2**60 in cc.valid_sizes(cc.Upsample(scale_factor=2), (1, 3, "L"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    convcalc.errors.Unknown: ...
    """

    kind = "unknown"


class Refused(ConvcalcError, ValueError):
    """The question was read and the answer is no: torch would refuse it, or nothing fits.

    >>> import convcalc as cc
    >>> cc.conv_out(2, k=3)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    convcalc.errors.KernelDoesNotFit: ...
    """

    kind = "refused"


class BadArgument(Refused):
    """A hyper-parameter outside its range, such as stride 0.

    >>> import convcalc as cc
    >>> cc.conv_out(28, k=3, s=0)
    Traceback (most recent call last):
    convcalc.errors.BadArgument: stride must be >= 1: 0
    """

    kind = "bad_argument"


class NoSuchName(BadArgument, KeyError):
    """No row, total or axis has that name.

    >>> import convcalc as cc
    >>> cc.inspect(cc.zoo.lenet())["conv9"]
    Traceback (most recent call last):
    convcalc.errors.NoSuchName: no layer 'conv9'; did you mean 'conv2'?
    """

    def __str__(self) -> str:
        return self.message


class DivisionByZero(BadArgument, ZeroDivisionError):
    """A formula divided by 0.

    >>> import convcalc as cc
    >>> cc.Expr.symbol("n") // 0
    Traceback (most recent call last):
    convcalc.errors.DivisionByZero: (n)//0
    """


class KernelDoesNotFit(Refused):
    """The kernel, dilated, spans more than the padded input.

    >>> import convcalc as cc
    >>> cc.conv_out(4, k=3, d=2)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    convcalc.errors.KernelDoesNotFit: kernel does not fit: it spans 5 (kernel_size=3, dilation=2) but the padded ...
    """

    kind = "kernel_does_not_fit"


class NoOutput(Refused):
    """The output would be empty or negative.

    >>> import convcalc as cc
    >>> cc.conv_transpose_out(1, k=1, p=1)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    convcalc.errors.NoOutput: output would be -1: ...
    """

    kind = "no_output"


class BadShape(Refused):
    """The shape does not suit the layer: rank, channels, features, divisibility.

    >>> import convcalc as cc
    >>> cc.Conv(8, 3, groups=4).out_shape((1, 6, 32, 32))
    Traceback (most recent call last):
    convcalc.errors.BadShape: `groups`=4 must divide `in_channels`=6
    """

    kind = "bad_shape"


class NoSolution(Refused):
    """No hyper-parameters do what was asked.

    >>> import convcalc as cc
    >>> cc.solve_conv(out=13, n=28, k=3, s=1, solve="p")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    convcalc.errors.NoSolution: ...
    """

    kind = "no_solution"
