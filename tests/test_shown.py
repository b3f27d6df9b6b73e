"""What a result shows of itself: `repr` is what `print` shows, and fits a screen."""

import importlib
import pkgutil
import re

import pytest

import convcalc as cc
from convcalc import find_tiles, find_window
from convcalc.analysis.catalogue import list_networks
from convcalc.arithmetic.transposed.example import worked_example
from convcalc.shown import Shown

n = cc.Expr.symbol("n")
LONG = [layer for _ in range(60) for layer in (cc.Conv(8, 3, padding=1), cc.ReLU())]
REPORT = cc.inspect(cc.zoo.resnet18())
LEGAL = cc.valid_sizes(cc.Sequential(cc.Conv(8, 3, stride=2), cc.MaxPool(2)), (1, 3, "H", "W"))
RESULTS = {
    "report": REPORT,
    "long report": cc.inspect(cc.zoo.densenet121()),
    "failing report": cc.inspect(cc.Sequential(cc.Conv(8, 3), cc.Linear(10)), (1, 3, 2, 2)),
    "row": REPORT["conv1"],
    "field": REPORT["conv1"].field,
    "footprint": REPORT["conv1"].field.axes[0],
    "legal": LEGAL,
    "reason": LEGAL.reasons[0],
    "boxes": LEGAL.runs,
    "size set": LEGAL["H"],
    "hdc": cc.hdc([1, 2, 9]),
    "wide hdc": cc.hdc([1, 2, 300]),
    "comparison": cc.compare(cc.zoo.lenet(), cc.zoo.alexnet()),
    "long comparison": cc.compare(cc.zoo.densenet121(), cc.zoo.resnet50()),
    "count": cc.compare(cc.zoo.lenet(), cc.zoo.lenet()).counts[0],
    "notes": cc.find_notes(cc.zoo.alexnet()),
    "note": cc.find_notes(cc.zoo.alexnet())[0],
    "no notes": cc.find_notes(cc.Conv(8, 3), (1, 3, 8, 8)),
    "tiles": find_tiles(cc.Conv(1, 3, padding=1), (1, 1, "H", "W"), tile=8, image=12),
    "axis of tiles": find_tiles(cc.Conv(1, 3, padding=1), (1, 1, "n"), tile=8, image=12).axes[0],
    "window": find_window(cc.Conv(1, 3, padding=1), "conv", [0], (1, 1, 9))[0],
    "reads": cc.Reads.conv(400, 3),
    "few reads": cc.Reads.conv(4, 3),
    "solutions": cc.solve_conv(n=224, out=112, solve=["k", "s", "p"]),
    "one solution": cc.solve_conv(n=5, k=3, out=1, solve="s"),
    "chain": cc.run_chain([cc.Conv(8, 3)], (1, 3, 28, 28)),
    "long chain": cc.run_chain(LONG, (1, 3, 28, 28)),
    "failing chain": cc.run_chain([cc.Conv(8, 3)], (1, 3, 2, 2)),
    "step": cc.run_chain([cc.Conv(8, 3)], (1, 3, 28, 28)).steps[0],
    "graph": cc.zoo.resnet18(),
    "node": cc.zoo.resnet18()["conv1"],
    "overlap": cc.overlap(3, stride=2),
    "conv": cc.conv_size(28, 5, padding=2),
    "symbolic conv": cc.conv_size(n, 5, padding=2, stride=2),
    "pool": cc.pool_size(28, 3, stride=2, ceil_mode=True),
    "transposed": cc.transposed_size(7, 3, stride=2),
    "example": worked_example(cc.transposed_sizes([3], 3, stride=2)),
    "network": list_networks(["lenet"])[0],
}


def subclasses(cls):
    return {cls, *(one for sub in cls.__subclasses__() for one in subclasses(sub))}


@pytest.mark.parametrize("name", RESULTS)
def test_a_repr_is_what_print_shows_on_a_screen(name):
    short, whole = repr(RESULTS[name]), str(RESULTS[name])
    lines = short.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100
    if max(map(len, whole.splitlines())) <= 100 and len(whole.splitlines()) <= 24:
        assert short == whole
    assert not re.search(r"\b[A-Z]\w+\(\w+=", short), "text of a dataclass"
    assert len(short) >= 2


@pytest.mark.parametrize("name", RESULTS)
def test_a_notebook_shows_the_same(name):
    text = re.sub(r"(?s)<iframe.*</iframe><details>.*?</summary>", "", RESULTS[name]._repr_html_())
    assert text.startswith(("<pre>", "<table>"))
    assert text.count("<pre>") == text.count("</pre>")
    first = re.sub(r"\W+", "", repr(RESULTS[name]).split()[0])
    assert first in re.sub(r"\W+", "", text)


def test_what_is_cut_is_counted():
    short = repr(RESULTS["reads"]).splitlines()
    (said,) = re.findall(r"^\.\.\. (\d+) lines more; print\(\) shows them$", "\n".join(short), re.MULTILINE)
    assert len(short) == 24
    assert int(said) + 23 == len(str(RESULTS["reads"]).splitlines())


def test_every_result_has_a_text_of_its_own():
    for module in pkgutil.walk_packages(cc.__path__, "convcalc."):
        if ".bridge" not in module.name and "__main__" not in module.name:
            importlib.import_module(module.name)
    for cls in subclasses(Shown) - {Shown}:
        assert cls.__repr__ is Shown.__repr__, f"{cls.__name__}: dataclass(repr=False) is missing"
        assert cls.__str__ is not Shown.__str__, cls.__name__


def test_formulas_have_latex():
    assert cc.conv_size(28, 5, stride=2)._repr_latex_() == (
        r"$\displaystyle \left\lfloor \frac{n + 1}{2} \right\rfloor - 2$"
    )
    assert cc.run_chain([cc.Conv(8, 3)], (1, 3, 28))._repr_latex_() == r"$\displaystyle L - 2$"
    assert (n // 2)._repr_latex_() == r"$\displaystyle \left\lfloor \frac{n}{2} \right\rfloor$"
    assert REPORT._repr_latex_() is None
    assert repr(n // 2) == str(n // 2) == "n//2"
