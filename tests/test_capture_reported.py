"""What users see of captures that are easily misread: sequences, letters with a size, views that mix samples."""

from __future__ import annotations

import pytest
import torch
from click.testing import CliRunner
from torch import nn

import convcalc as cc
from convcalc.bridge.trace import capture
from convcalc.cli import main
from convcalc.sizes.expr import Expr

ODD = """
import torch
from torch import nn

class Views(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(48, 2)

    def forward(self, x):
        return self.fc(x.view(-1, 48))

class Silent(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        self.conv(x)

class Cut(nn.Module):
    def forward(self, x):
        return nn.functional.interpolate(x, size=(int(x.shape[2] * 0.5), x.shape[3] // 2))

class Named(nn.Module):
    def __init__(self):
        super().__init__()
        self.meta = nn.Linear(5, 8)

    def forward(self, image, meta):
        return image.mean((2, 3)) + self.meta(meta)[:, :3]
"""


class Attend(nn.Module):
    """Attention of tokens (N, T, C)."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(8, 24)

    def forward(self, x):
        n, length, features = x.shape
        q, k, v = self.qkv(x).view(n, length, 3, features).unbind(2)
        return (q @ k.transpose(1, 2)).softmax(-1) @ v


@pytest.fixture
def odd(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd.py").write_text(ODD, encoding="utf-8")


def invoke(*arguments):
    return CliRunner().invoke(main, list(arguments))


def test_the_letter_of_tokens_is_their_length_where_no_other_number_of_features_runs():
    report = cc.inspect(Attend(), input_size=(1, 10, 8))
    (length,) = {size for size in report.layers[-1].symbolic if isinstance(size, Expr)}
    for tokens in (1, 7, 64):
        shape = Attend()(torch.rand(1, tokens, 8)).shape
        assert tuple(
            size(**dict.fromkeys(size.symbols, tokens)) if isinstance(size, Expr) else size
            for size in report.layers[-1].symbolic
        ) == tuple(shape), length
    assert report.remarks == ()


def test_a_check_at_the_captured_size_is_none():
    graph = capture(nn.Sequential(nn.Flatten(), nn.Linear(8, 2)), (1, 2, 4))
    assert graph.capture.remarks == ("at no other size near is it the same and runs: its formulas are not checked",)


def test_a_letter_with_a_size_is_that_letter_on_any_axis(odd, tmp_path):
    (tmp_path / "odd.py").write_text(f"{ODD}\nnet = nn.GRU(8, 4, batch_first=True)\n", encoding="utf-8")
    found = invoke("inspect", "odd.py:net", "--input", "T=10x8", "-q")
    assert found.output.splitlines()[0] == "Tx4"


def test_a_view_that_mixes_samples_is_noted(odd):
    found = invoke("inspect", "odd.py:Views", "--input", "3x4x8")
    assert "view: 1 sample becomes 2 rows of 48: a sample has another number of values (mixed_samples)" in found.output
    assert "mixed_samples" not in invoke("inspect", "odd.py:Views", "--input", "3x4x4").output


def test_a_forward_without_a_return_fails(odd):
    found = invoke("inspect", "odd.py:Silent", "--input", "3x8x8", "--expect", "4x6x6")
    assert found.exit_code == 1
    assert "Silent.forward returns nothing: it ends without a return" in found.stderr


def test_a_lost_size_is_said_with_its_line_and_letters_give_way_to_one_size(odd):
    found = invoke("inspect", "odd.py:Cut", "--input", "3xHxW")
    assert found.exit_code == 0, found.output
    assert "as a size lost its formula: int(size / number) at" in found.output
    assert "odd.py:23" in found.output
    assert "sizes by letter are not known from interpolate on" in found.output


def test_a_module_keeps_its_name_beside_an_input_of_that_name(odd):
    found = invoke("inspect", "odd.py:Named", "--input", "3x8x8", "--input", "5")
    assert "\nmeta  " in found.output
    assert "meta_input 5" in found.output


def test_a_report_as_a_target_is_sent_to_compare(odd):
    found = invoke("inspect", "old.json")
    assert found.exit_code == 2
    assert "'old.json' is a saved report: convcalc compare takes it" in found.stderr


def test_a_model_that_fails_before_and_after_is_no_unchanged_model(odd, tmp_path):
    saved = invoke("inspect", "odd.py:Silent", "--input", "3x8x8", "--json")
    (tmp_path / "old.json").write_text(saved.stdout, encoding="utf-8")
    found = invoke("compare", "old.json", "odd.py:Silent")
    assert found.exit_code == 1
    assert "returns nothing" in found.stderr


def test_a_batch_in_the_input_is_told(odd, tmp_path):
    (tmp_path / "conv.py").write_text("from torch import nn\nnet = nn.Conv2d(3, 4, 3)\n", encoding="utf-8")
    found = invoke("inspect", "conv.py:net", "--input", "1x3x8x8")
    assert "fix    --batch none, as --input has the batch too" in found.stderr
    assert invoke("inspect", "conv.py:net", "--input", "1x3x8x8", "--batch", "none", "-q").output == "4x6x6\n"
