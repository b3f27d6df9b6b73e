"""One thing made wrong in a working model: it is found where it is, and what is offered is made, and runs, in torch."""

from __future__ import annotations

import pytest
import torch
from click.testing import CliRunner
from mending import Mended
from mutations import mutants

from convcalc.bridge.trace import capture
from convcalc.cli import main

ELSEWHERE = {"no depth"}
"""What may be found only later: an input that is read as one without a batch."""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(2))
def test_a_mutation_is_found_undone_and_every_repair_is_true(seed):
    for mutant in mutants(seed):
        module = mutant.module.train(mutant.settings.get("train", False))
        inputs = [torch.zeros(shape) for shape in mutant.shapes]
        with pytest.raises((RuntimeError, ValueError, IndexError, AssertionError)):
            module(*inputs)
        error = capture(module, mutant.shapes, check=False, **mutant.settings).capture.error
        why = error.explanation
        named = why.place.rpartition(":")[2]
        starts_so = mutant.place.endswith("*") and named.startswith(mutant.place[:-1])
        assert mutant.kind in ELSEWHERE or starts_so or mutant.place in (named, why.place), (mutant.kind, why.place)
        assert mutant.undone(why.fixes[0].what), (mutant.kind, why.fixes)
        for fix in why.fixes:
            assert runs(Mended(module, inputs, error, fix.what)) == fix.runs, (mutant.kind, fix)


def runs(mended: Mended) -> bool:
    """Whether torch runs it."""
    try:
        mended.run()
    except (RuntimeError, ValueError, IndexError, TypeError, AssertionError):
        return False
    return True


def test_the_sizes_beside_a_repair_are_those_of_the_whole_model():
    class Net(torch.nn.Module):
        """Five levels: the first join that fails takes more sizes than all of them."""

        def __init__(self, depth=5):
            super().__init__()
            self.inc = torch.nn.Conv2d(3, 4, 3, padding=1)
            self.up = torch.nn.ModuleList(torch.nn.ConvTranspose2d(4, 4, 2, 2) for _ in range(depth))
            self.dec = torch.nn.ModuleList(torch.nn.Conv2d(8, 4, 3, padding=1) for _ in range(depth))

        def forward(self, x):
            kept = [self.inc(x)]
            for _ in self.up:
                kept.append(torch.nn.functional.max_pool2d(kept[-1], 2))
            y = kept.pop()
            for up, dec in zip(self.up, self.dec, strict=True):
                y = dec(torch.cat([kept.pop(), up(y)], 1))
            return y

    fixes = capture(Net(), (1, 3, 760, 540)).capture.error.fixes
    assert fixes[0] == "input_size=(1, 3, 768, 544) (H and W >= 32 and H and W % 32 == 0)"
    meta = Net().to("meta")
    for size in range(32, 140):
        x = torch.empty(1, 3, size, 64, device="meta")
        assert ran(meta, x) == (size % 32 == 0)


def ran(module, x) -> bool:
    try:
        module(x)
    except RuntimeError:
        return False
    return True


def test_one_equal_number_is_no_sign_of_channels_last():
    error = capture(torch.nn.Conv2d(8, 8, 3, groups=4), (1, 9, 8, 8)).capture.error
    assert "NHWC" not in error.message
    assert error.fixes == ("nn.Conv2d(9, 8, 3)", "input_size=(1, 8, 8, 8)")
    assert "NHWC" in capture(torch.nn.Conv2d(8, 8, 3), (1, 12, 12, 8)).capture.error.message


def test_pooling_that_would_enlarge_is_no_repair():
    class Generator(torch.nn.Module):
        def forward(self, z):
            return z.view(-1, 96 * 96 * 3)

    fixes = capture(Generator(), (8, 3, 64, 64)).capture.error.fixes
    assert not [fix for fix in fixes if "AdaptiveAvgPool" in fix]


def test_the_line_is_the_users_and_not_that_of_a_library(tmp_path, monkeypatch):
    library = tmp_path / "site-packages"
    library.mkdir()
    (library / "shaping.py").write_text(
        "def shaped(x):\n    if x.shape[-1] % 16:\n        raise ValueError('not 16')\n"
    )
    monkeypatch.syspath_prepend(library)

    class Net(torch.nn.Module):
        def forward(self, x):
            from shaping import shaped

            return shaped(x)

    why = capture(Net(), (1, 3, 50, 50)).capture.error.explanation
    assert why.line == "return shaped(x)"
    assert why.source.startswith("tests/test_explain_mutations.py:")


def test_the_command_line_writes_repairs_as_it_takes_them(tmp_path, monkeypatch):
    (tmp_path / "net.py").write_text(
        "from torch import nn\n"
        "norm = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8))\n"
        "classifier = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 2))\n"
    )
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(main, ["inspect", "net.py:norm", "--input", "6", "--train"])
    assert "fix    --batch 2" in said.output
    assert (
        CliRunner().invoke(main, ["inspect", "net.py:norm", "--input", "6", "--train", "--batch", "2"]).exit_code == 0
    )
    said = CliRunner().invoke(main, ["inspect", "net.py:classifier", "--input", "3x20x20"])
    line = next(line for line in said.output.splitlines() if line.startswith("fix    --input"))
    again = ["inspect", "net.py:classifier", *line.removeprefix("fix").split(" (")[0].split()]
    assert CliRunner().invoke(main, again).exit_code == 0


def test_a_model_in_another_type_is_mended_as_well():
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Conv2d(5, 4, 3))
    for kind in (torch.float32, torch.float16, torch.float64):
        assert capture(net, (1, 3, 9, 9), dtype=kind).capture.error.fixes == (
            "1: nn.Conv2d(4, 4, 3)",
            "0: nn.Conv2d(3, 5, 3)",
        )
