"""A file of Python that answers for one network without convcalc: its head, its code, its self-test.

The head is comments, a key a line; it is what `changes` reads of a file, which is never run for it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from convcalc.api import Net, Settings, as_captured
from convcalc.errors import BadArgument, Unreadable, brief
from convcalc.export.code.along import Along, look_along
from convcalc.export.code.length import formula_of, inputs_of, length_code
from convcalc.export.code.mask import maps_of, mask_code, table
from convcalc.network.graph import InputShapes
from convcalc.shown import Shown
from convcalc.sizes.size import flag
from convcalc.version import __version__

KINDS = {"length": "How many frames come out, and of which inputs", "mask": "Which frames of a padded batch are real"}
"""What code there is, and the first words of its file."""

_READ = ("code", "axis", "formula", "legal", "walk")
"""The keys of a head that must fit the model."""

_SELF_TEST = '''

def self_test():
    """Hold this file to numbers that were worked out when it was written."""
    for n, m in {pairs}:
        if output_length(n) != m:
            raise SystemExit(f"output_length({{n}}) is {{output_length(n)}}, not {{m}}")
    for m, inputs in {inverses}:
        if input_lengths(m) != inputs:
            raise SystemExit(f"input_lengths({{m}}) is {{input_lengths(m)}}, not {{inputs}}")
{more}    print("ok")


if __name__ == "__main__":
    self_test()
'''

_MASK_TEST = """    lengths, total = torch.tensor({lengths}), {total}
    exist, unchanged = frames_that_exist(lengths, total), frames_unchanged(lengths, total)
    if exist.sum(1).tolist() != {exist} or bool((unchanged & ~exist).any()) or not bool(unchanged[0].all()):
        raise SystemExit("the masks are not those of the lengths")
"""


@dataclass(frozen=True, kw_only=True, repr=False)
class Emitted(Shown):
    """A file of Python, `source`, that says something of a network along one axis.

    >>> import convcalc as cc
    >>> code = cc.emit(cc.Conv(8, 10, stride=5), "length", input_size=(1, 1, "T"))
    >>> code.formula, code.legal
    ('(T - 5)//5', 'T >= 10')
    >>> code.changes(code.source)
    ()
    """

    kind: str
    network: str
    axis: str
    formula: str
    legal: str
    source: str

    def save(self, file: str | Path) -> None:
        """Write the source to a file."""
        Path(file).write_text(self.source, encoding="utf-8", newline="\n")

    def changes(self, text: str) -> tuple[str, ...]:
        """Return in which answers the source of a file differs from this one; its head is read, and nothing run.

        Raises `Unreadable` for what has no such head.
        """
        before, now = read_head(text), read_head(self.source)
        return tuple(
            f"{key}: the file has {before.get(key, 'none')}, the model gives {now.get(key, 'none')}"
            for key in _READ
            if before.get(key) != now.get(key)
        )

    def record(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "code": self.kind,
            "target": self.network,
            **{key: value for key, value in vars(self).items() if key not in ("kind", "network")},
        }

    def __str__(self) -> str:
        return self.source.rstrip("\n")


def emit(
    net: Net,
    kind: str,
    input_size: InputShapes | None = None,
    *,
    axis: str | None = None,
    numpy: bool = False,
    command: str = "",
    network: str = "",
    **settings: Unpack[Settings],
) -> Emitted:
    """Return a file of Python that answers for a network along one axis: a "length" or a "mask".

    `net`, `input_size` and `settings` are as `convcalc.inspect` has them; `axis` is the letter of the axis where
    several sizes are letters. The file needs torch alone, or with `numpy` NumPy alone. `command` and
    `network`, a name, are said at its top. Raises `BadArgument` for another kind, `BadShape` for several inputs or
    outputs, `NoSolution` where there is no exact code.

    >>> import convcalc as cc
    >>> code = {}
    >>> exec(cc.emit(cc.Conv(8, 10, stride=5), "length", input_size=(1, 1, "T")).source, code)
    >>> code["output_length"](16000), code["input_lengths"](3199), code["SMALLEST"]
    (3199, (16000, 16004), 10)
    """
    if not isinstance(kind, str) or kind not in KINDS:
        raise BadArgument(f"code is one of {', '.join(KINDS)}: got {brief(kind)}")
    if flag("numpy", numpy) and kind != "length":
        raise BadArgument(f"numpy goes with length: a {kind} is of tensors")
    for word, value in {"axis": axis or "", "command": command, "network": network}.items():
        if not isinstance(value, str):
            raise BadArgument(f"{word} is a text: got {brief(value)}")
    graph = as_captured(net, input_size, **settings)
    if graph.capture is not None and graph.capture.error is not None:
        raise graph.capture.error
    along = look_along(graph, input_size, axis)
    name = network or graph.name or type(net).__name__
    head = {
        "code": kind,
        "command": command or f"convcalc.emit(model, {kind!r}, input_size={_written(input_size)})",
        "network": name,
        "axis": f"{along.letter}, axis {along.places[0]} of the input and {along.places[1]} of the output",
        "formula": formula_of(along, along.letter),
        "legal": along.legal.text(along.letter),
    }
    code, more = length_code(along, numpy=numpy), ""
    if kind == "mask":
        maps = maps_of(along)
        head["walk"] = hashlib.sha256(table(maps, along.letter).encode()).hexdigest()[:16]
        code, more = code + mask_code(along, maps), _mask_test(along)
    title = f'"""{KINDS[kind]}, along one axis of a network: see the lines above."""'
    library = "import numpy as np" if numpy else "import torch"
    parts = [_head(head, "NumPy" if numpy else "torch"), f"{title}\n\n{library}\n", code, _self_test(along, more)]
    return Emitted(
        kind=kind,
        network=name,
        axis=along.letter,
        formula=head["formula"],
        legal=head["legal"],
        source=re.sub(r"\n{4,}", "\n\n\n", "".join(parts)),
    )


def read_head(text: str) -> dict[str, str]:
    """Return the keys at the top of a file that was written by `emit`; raises `Unreadable` for another.

    >>> read_head("# Written by convcalc 0.1.0.\\n#\\n# code     length\\n# formula  T//2\\nimport torch\\n")
    {'code': 'length', 'formula': 'T//2'}
    """
    lines = text.splitlines()
    if not lines or not lines[0].startswith("# Written by convcalc "):
        raise Unreadable("this is no file that convcalc wrote: its first line is not '# Written by convcalc ...'")
    found = {}
    for line in lines[1:]:
        if not line.startswith("#"):
            break
        key, _, value = line[1:].strip().partition(" ")
        if key:
            found[key] = value.strip()
    return found


def _head(keys: dict[str, Any], library: str) -> str:
    lines = [
        f"# Written by convcalc {__version__}; it is yours, and needs {library} alone. Run it for a self-test.",
        "#",
    ]
    lines += [f"# {key:<8} {' '.join(str(value).split())}" for key, value in keys.items()]
    return "\n".join(lines) + "\n"


def _written(input_size: Any) -> str:
    return "None" if input_size is None else str(tuple(input_size))


def _sizes(along: Along) -> list[int]:
    """A few sizes that run."""
    smallest = next(iter(along.legal))
    wanted = (smallest, smallest + 1, 2 * smallest + 3, smallest + 1000, smallest + 16001)
    near = [along.legal.nearest(size)[1] for size in wanted]
    return sorted({size for size in near if size is not None})


def _self_test(along: Along, more: str) -> str:
    pairs = [(size, along.formula(**{along.letter: size})) for size in _sizes(along)]
    inverses = [(rows, inputs_of(along, rows)) for rows in sorted({rows for _, rows in pairs})]
    return _SELF_TEST.format(pairs=pairs, inverses=inverses, more=more)


def _mask_test(along: Along) -> str:
    sizes = _sizes(along)[:4]
    lengths = [sizes[-1], *sizes[:-1], max(0, sizes[0] - 1)]
    exist = [along.formula(**{along.letter: size}) if size in along.legal else 0 for size in lengths]
    return _MASK_TEST.format(lengths=lengths, total=sizes[-1], exist=exist)
