"""Measure which models of other libraries are captured, and how right the captures are; write docs/breadth.md.

    python docs/measure_breadth.py                              every library that is installed, about 20 minutes
    python docs/measure_breadth.py --library timm --limit 20    some models, printed and not written

Every model is built with random weights, on `meta` where its constructor allows that, and captured. Then, by torch
alone: a forward pass on a CPU where that is cheap (on `meta` elsewhere), forward passes at other sizes, parameters
and operations counted. `--import FILE` runs a file first, for an installation that needs it to import a library.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import importlib
import json
import multiprocessing
import os
import platform
import re
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from breadth_models import LIBRARIES, Model, version

PAGE = Path(__file__).with_name("breadth.md")
CHEAP_PARAMS, CHEAP_MACS = 60_000_000, 4_000_000_000
"""Up to this a forward pass runs on the CPU too."""


@dataclass
class Row:
    """What was found of one model; None is not tried."""

    name: str
    built: bool = False
    captured: bool = False
    shapes: bool | None = None
    """The output shapes equal those of a forward pass."""
    real: bool = False
    """That pass was on the CPU, with values."""
    symbolic: bool | None = None
    """Every output has a formula."""
    formulas: bool | None = None
    """At every other size that torch takes, and where the capture holds, the formulas give torch's shapes."""
    other_sizes: int = 0
    refused_alike: bool | None = None
    """Sizes that torch refuses are refused by the capture as well."""
    params: bool | None = None
    macs: bool | None = None
    counted: tuple[int, int] = (0, 0)
    opaque: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    disagreements: list[str] = field(default_factory=list)
    seconds: float = 0.0
    nodes: int = 0
    problems: list[str] = field(default_factory=list)


class TooLong(BaseException):
    """A model took more than its seconds; no library swallows it as an `Exception`."""


@contextlib.contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Raise `TooLong` in a block that runs for longer."""

    def end(*_: Any) -> None:
        raise TooLong

    signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def measure(model: Model) -> Row:
    """Return what is found of one model."""
    row = Row(model.name)
    try:
        with at_most(_SECONDS), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _measure(model, row)
    except TooLong:
        row.problems.append(f"more than {_SECONDS} s: {row_stage(row)}")
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        row.problems.append(f"{short(error)} ({Path(where.filename).name}:{where.lineno})")
    row.problems = [placeless(problem) for problem in row.problems]
    return row


def row_stage(row: Row) -> str:
    """Return what was going on."""
    return "building" if not row.built else "capturing" if not row.captured else "comparing"


def short(error: BaseException) -> str:
    """Return an exception in a line, without places of this machine."""
    text = f"{type(error).__name__}: {error}".strip().splitlines()[0]
    return placeless(text)[:200]


def placeless(text: str) -> str:
    """Return a text without the folders of this machine."""
    return re.sub(r"(/[\w.@+-]+)+/", "", text)


def _build(model: Model) -> Any:
    """Build on meta; on the CPU where the constructor reads values, or leaves some elsewhere."""
    import torch

    torch.manual_seed(0)
    try:
        with torch.device("meta"):
            return model.build().eval()
    except Exception:
        return model.build().eval()


@dataclass(frozen=True)
class Inputs:
    """Input shapes; the type of each, None for that of the parameters; what they are called, where that is needed."""

    shapes: list[tuple[Any, ...]]
    kinds: list[Any]
    names: tuple[str, ...] = ()

    def zeros(self, shapes: list[tuple[int, ...]], net: Any, device: str) -> Any:
        """Tensors of these shapes, in order or by name."""
        import torch

        usual = next((value.dtype for value in net.parameters() if value.is_floating_point()), torch.float32)
        made = [
            torch.zeros(shape, dtype=kind or usual, device=device)
            for shape, kind in zip(shapes, self.kinds, strict=True)
        ]
        return dict(zip(self.names, made, strict=True)) if self.names else made


def _inputs(model: Model, net: Any) -> Inputs:
    import torch

    given = model.inputs(net) if callable(model.inputs) else model.inputs
    names, given = (tuple(given), list(given.values())) if isinstance(given, dict) else ((), given)
    kinds = [torch.long if entry[0] == "long" else None for entry in given]
    shapes = [tuple(entry[1]) if kind else tuple(entry) for entry, kind in zip(given, kinds, strict=True)]
    return Inputs(shapes, kinds, names)


def _measure(model: Model, row: Row) -> None:

    from convcalc.analysis.report.inspection import inspect_graph
    from convcalc.bridge.trace import capture
    from convcalc.layers import Opaque

    net = _build(model)
    row.built = True
    inputs = _inputs(model, net)
    start = time.perf_counter()
    if inputs.names or any(inputs.kinds):
        graph = capture(net, example_inputs=inputs.zeros(inputs.shapes, net, "meta"))
    else:
        graph = capture(net, inputs.shapes)
    row.seconds = time.perf_counter() - start
    found = graph.capture
    if found is None:
        raise TypeError("no capture")
    if found.error is not None:
        row.problems.append(f"not captured: {short(found.error)}")
        try:
            _run(_meta(net), inputs.zeros([tuple(shape) for shape in graph.example or ()], net, "meta"))
        except Exception:
            row.problems[-1] += " (torch alone does not run it on meta either)"
        return
    row.captured, row.nodes, row.lost = True, len(graph), len(found.lost)
    row.disagreements = [remark for remark in found.remarks if "by rule" in remark]
    row.problems += [f"rule and torch differ: {remark}" for remark in row.disagreements]
    live = _live(graph)
    row.opaque = dict(Counter(node.layer.op for node in graph if isinstance(node.layer, Opaque) and node.name in live))
    row.problems += sorted(
        {
            f"opaque {node.layer.op}: {node.layer.why}"
            for node in graph
            if isinstance(node.layer, Opaque) and node.name in live
        }
    )
    numbers = [tuple(shape) for shape in graph.example or ()]

    report = inspect_graph(graph)
    known = {id(value): value.numel() for value in net.parameters()}
    expected = sum(known.values()) - found.unused.params
    row.params = report.params == expected
    if not row.params:
        row.problems.append(f"parameters: {report.params:,} by capture, {expected:,} by torch")

    ours = _ends(graph, numbers)
    theirs, macs, by_op = _forward(net, numbers, inputs)
    row.shapes = ours == theirs
    if not row.shapes:
        row.problems.append(f"outputs: {ours} by capture, {theirs} by torch"[:300])
    row.counted = (int(report.macs), macs)
    row.macs = report.macs == macs
    if not row.macs:
        row.problems.append(f"MACs: {_difference(graph, report.macs, macs, by_op)}")
    if report.params <= CHEAP_PARAMS and report.macs <= CHEAP_MACS:
        _on_cpu(net, numbers, inputs, ours, row)
    _other_sizes(net, graph, numbers, inputs, row)


def _live(graph: Any) -> set[str]:
    """The nodes that an input reaches: the rest are constants."""
    reached = set(graph.inputs)
    for node in graph:
        if any(name in reached for name in node.inputs):
            reached.update(node.outputs)
    return reached


def _difference(graph: Any, ours: int, theirs: int, by_op: Mapping[str, int]) -> str:
    from convcalc.analysis.report.inspection import inspect_graph

    mine: Counter[str] = Counter()
    for row in inspect_graph(graph).layers:
        if row.macs:
            mine[row.op] += int(row.macs)
    texts = [", ".join(f"{op} {count:,}" for op, count in some.items()) for some in (mine, by_op)]
    return f"{ours:,} by capture ({texts[0]}), {theirs:,} by FlopCounterMode ({texts[1]})"


def _ends(graph: Any, shapes: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The output shapes by the rules of the captured layers."""
    from convcalc.network.shapes import node_shapes

    known = dict(zip(graph.inputs, shapes, strict=True))
    for node in graph.at(known):
        known |= node_shapes(node, known)
    return [tuple(known[name]) for name in graph.outputs]


def _run(net: Any, tensors: Any) -> list[tuple[int, ...]]:
    """The shapes of all that comes out, a tensor that comes out twice once."""
    import torch

    with torch.no_grad():
        out = net(**tensors) if isinstance(tensors, dict) else net(*tensors)
    return list({id(value): tuple(value.shape) for value in _tensors(out)}.values())


def _tensors(value: Any) -> Iterator[Any]:
    import torch

    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _tensors(entry)
    elif isinstance(value, tuple | list):
        for entry in value:
            yield from _tensors(entry)
    elif hasattr(value, "__dict__") and not isinstance(value, type):
        for key, entry in vars(value).items():
            if not key.startswith("_"):
                yield from _tensors(entry)


def _meta(net: Any) -> Any:
    """The model on meta, what it holds beside parameters and buffers too."""
    from convcalc.bridge.capture.meta_copy import Copier

    return Copier().module(net).eval().requires_grad_(requires_grad=False)


def _forward(net: Any, shapes: list[tuple[int, ...]], inputs: Inputs) -> tuple[Any, int, dict[str, int]]:
    """The output shapes on meta, and the multiply-accumulates that torch counts, by operation."""
    from torch.utils.flop_counter import FlopCounterMode

    copy = _meta(net)
    with FlopCounterMode(display=False) as counter:
        shapes_out = _run(copy, inputs.zeros(shapes, net, "meta"))
    by_op = {str(op).removeprefix("aten."): count // 2 for op, count in counter.get_flop_counts()["Global"].items()}
    return shapes_out, counter.get_total_flops() // 2, by_op


def _on_cpu(net: Any, shapes: list[tuple[int, ...]], inputs: Inputs, ours: Any, row: Row) -> None:
    """Run it with zeros everywhere, on the CPU; where something of it stays on meta, the pass there must do."""
    if any(value.device.type == "meta" for value in (*net.parameters(), *net.buffers())):
        net = _real(net)
    try:
        theirs = _run(net, inputs.zeros(shapes, net, "cpu"))
    except Exception:
        return
    row.real = True
    row.shapes = row.shapes and theirs == ours
    if theirs != ours:
        row.problems.append(f"outputs: {ours} by capture, {theirs} on the CPU"[:300])


def _real(net: Any) -> Any:
    """A copy of a model from meta on the CPU, zeros in all its tensors."""
    import copy

    import torch

    memo: dict[int, Any] = {}
    for value in (*net.parameters(), *net.buffers()):
        if value.device.type == "meta":
            zeros = torch.zeros(value.shape, dtype=value.dtype)
            memo[id(value)] = (
                torch.nn.Parameter(zeros, requires_grad=value.requires_grad)
                if isinstance(value, torch.nn.Parameter)
                else zeros
            )
    return copy.deepcopy(net, memo)


_STEPS = ((32, 32, 32), (1, 3, 2), (-9, 13, 16))
"""By how much the sizes of the axes change."""


def _other_sizes(net: Any, graph: Any, numbers: list[tuple[int, ...]], inputs: Inputs, row: Row) -> None:
    """Compare formulas with torch at other sizes, of other residues too."""
    from convcalc.sizes.expr import Expr

    known: dict[str, Any] = dict(zip(graph.inputs, graph.capture.letters, strict=True))
    for node in graph:
        try:
            known |= dict(zip(node.outputs, node.layer.out_shapes(*(known[name] for name in node.inputs)), strict=True))
        except Exception:
            known |= dict.fromkeys(node.outputs)
            known = {name: shape for name, shape in known.items() if shape is not None}
        if any(name not in known for name in node.inputs):
            continue
    forms = [known.get(name) for name in graph.outputs]
    row.symbolic = all(form is not None for form in forms)
    if not row.symbolic:
        row.problems.append("an output has no formula")
    copy = _meta(net)
    for step in _STEPS:
        values: dict[str, int] = {}
        most = max(map(len, numbers))
        for letters, shape in zip(graph.capture.letters, numbers, strict=True):
            for place, (letter, size) in enumerate(zip(letters, shape, strict=True)):
                if isinstance(letter, Expr):
                    values.setdefault(str(letter), size + step[place % 3] * (len(shape) == most))
        if not values:
            return
        shapes = [
            tuple(values[str(s)] if isinstance(s, Expr) else s for s in letters) for letters in graph.capture.letters
        ]
        given = dict(zip(graph.inputs, shapes, strict=True))
        holds = graph.holds(given)
        try:
            theirs = _run(copy, inputs.zeros(shapes, net, "meta"))
        except Exception as error:
            refused = not holds
            if holds:
                try:
                    _ends(graph, shapes)
                except Exception:
                    refused = True
            row.refused_alike = refused and row.refused_alike is not False
            if not refused:
                row.problems.append(f"torch refuses {shapes[0]}, the capture does not: {short(error)}")
            continue
        if not holds:
            continue
        row.other_sizes += 1
        by_rules: Any = None  # an opaque call says nothing of other sizes
        if not row.opaque:
            try:
                by_rules = _ends(graph, shapes)
            except Exception as error:
                by_rules = short(error)
        right = by_rules == theirs or bool(row.opaque)
        for form, shape in zip(forms, theirs, strict=False):
            if form is not None:
                got = tuple(s(**{n: values[n] for n in s.symbols}) if isinstance(s, Expr) else s for s in form)
                right = right and got == shape
        row.formulas = right and row.formulas is not False
        if not right:
            row.problems.append(f"at {shapes[0]}: {by_rules} by formula, {theirs} by torch"[:300])


# -- all of them ------------------------------------------------------------------------------------------------

_TODO: list[Model] = []
_SECONDS = 60


def _number(place: int) -> Row:
    return measure(_TODO[place])


def measure_all(library: str, limit: int | None, only: str | None, jobs: int, seconds: int) -> list[Row]:
    """Return a row for each model of a library."""
    import torch

    global _TODO, _SECONDS
    _SECONDS = seconds
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)  # which no counter sees into
    _TODO = [model for model in LIBRARIES[library][1]() if only is None or re.search(only, model.name)]
    if limit is not None:
        _TODO = [_TODO[place * len(_TODO) // limit] for place in range(min(limit, len(_TODO)))]
    rows = []
    with multiprocessing.get_context("fork").Pool(jobs, maxtasksperchild=25) as pool:
        for row in pool.imap(_number, range(len(_TODO))):
            rows.append(row)
            print(
                f"{library} {len(rows)}/{len(_TODO)} {row.name} {row.seconds:.1f} s  {'; '.join(row.problems)}",
                file=sys.stderr,
                flush=True,
            )
    return rows


def _share(rows: list[Row], what: str) -> str:
    tried = [row for row in rows if getattr(row, what) is not None]
    return f"{sum(bool(getattr(row, what)) for row in tried)}/{len(tried)}"


HEADINGS = (
    "library",
    "models",
    "built",
    "captured",
    "output shapes",
    "of which on CPU",
    "formula for every output",
    "formulas right",
    "refusals alike",
    "parameters",
    "MACs",
    "without opaque calls",
    "median s",
    "most s",
)


def summary(name: str, rows: list[Row]) -> list[str]:
    """Return the cells of one library."""
    captured = [row for row in rows if row.captured]
    times = sorted(row.seconds for row in captured) or [0.0]
    return [
        name,
        str(len(rows)),
        f"{sum(row.built for row in rows)}",
        f"{len(captured)}",
        _share(rows, "shapes"),
        str(sum(row.real for row in rows)),
        _share(rows, "symbolic"),
        _share(rows, "formulas"),
        _share(rows, "refused_alike"),
        _share(rows, "params"),
        _share(rows, "macs"),
        f"{sum(not row.opaque for row in captured)}/{len(captured)}",
        f"{times[len(times) // 2]:.2f}",
        f"{times[-1]:.1f}",
    ]


def page(results: dict[str, list[Row]]) -> str:
    """Return docs/breadth.md."""
    import torch

    today = datetime.datetime.now(tz=datetime.UTC).date()
    names = {library: f"{LIBRARIES[library][0]} {version(library)}" for library in results}
    lines = [
        INTRODUCTION.format(date=today, torch=torch.__version__.partition("+")[0], python=platform.python_version())
    ]
    lines += [f"| {' | '.join(HEADINGS)} |", f"|{' --- |' * len(HEADINGS)}"]
    lines += [f"| {' | '.join(summary(names[library], rows))} |" for library, rows in results.items()]
    lines += ["", LEGEND]
    for library, rows in results.items():
        opaque: Counter[str] = Counter()
        for row in rows:
            opaque.update(row.opaque)
        lines += ["", f"## {names[library]}", ""]
        lines += ["Tried: " + ", ".join(f"`{row.name}`" for row in rows) + ".", ""]
        some = ", ".join(f"`{name}` {count}" for name, count in opaque.most_common())
        lines += [f"Opaque calls: {some or 'none'}."]
        troubled = [row for row in rows if row.problems]
        if troubled:
            lines += ["", "| model | what is not as it should be |", "| --- | --- |"]
        lines += [f"| `{row.name}` | {'; '.join(row.problems).replace('|', chr(92) + '|')} |" for row in troubled]
    return "\n".join(lines) + "\n"


INTRODUCTION = """# Breadth: models of other libraries, measured

Written by `python docs/measure_breadth.py` on {date}, with torch {torch} (CPU), Python {python}. Every model is built
with random weights and captured; nothing is downloaded. What fails stays in the tables.
"""

LEGEND = """\
Cells such as 3/4 are right/tried. **Output shapes**: those of the captured layers equal those of a forward pass, on
`meta`, and on the CPU with zeros for models of at most 60 M parameters and 4 GMACs. **Formula for every output**: no
size lost its formula on the way. **Formulas right**: at up to three other sizes, odd ones too, they give the shapes
of a forward pass, wherever torch takes the size and the capture says that it holds there. **Refusals alike**: what
torch refuses, the capture refuses. **Parameters**: all that are read, each once. **MACs**: the total equals
`torch.utils.flop_counter.FlopCounterMode`/2; where it does not, both are in the tables. **Seconds**: one capture."""


def main() -> None:
    """Measure, print, and write the page where every library was measured in full."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--library", action="append", choices=LIBRARIES, help="repeatable; all that are installed unless given"
    )
    parser.add_argument("--limit", type=int, help="so many models of each, evenly spread")
    parser.add_argument("--only", help="models whose name has this regular expression")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--seconds", type=int, default=_SECONDS, help="for one model, all in all")
    parser.add_argument("--import", dest="first", type=Path, help="a Python file to run first")
    parser.add_argument("--keep", type=Path, help="a JSON file that collects the rows of several runs")
    parser.add_argument("--write", action="store_true", help="write docs/breadth.md")
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    warnings.simplefilter("ignore")
    if options.first is not None:
        sys.path.insert(0, str(options.first.parent))
        importlib.import_module(options.first.stem)
    results: dict[str, list[Row]] = {}
    if options.keep is not None and options.keep.exists():
        results = {name: [Row(**row) for row in rows] for name, rows in json.loads(options.keep.read_text()).items()}
    for library in options.library or LIBRARIES:
        try:
            results[library] = measure_all(library, options.limit, options.only, options.jobs, options.seconds)
        except ModuleNotFoundError as error:
            print(f"{library} is not installed: {error.name}", file=sys.stderr)
        if options.keep is not None:
            options.keep.write_text(json.dumps({name: [asdict(row) for row in rows] for name, rows in results.items()}))
    results = {name: results[name] for name in LIBRARIES if name in results}
    text = page(results)
    if options.write:
        PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
