"""Why a model broke, as a value: the call, its line of code, what it read, and the repairs that were tried.

It hangs on the error as `error.explanation`; whoever prints the error may print it too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


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
