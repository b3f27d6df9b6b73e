"""Inputs past what torch counts are refused in one sentence, and those below it are captured."""

import pytest

import convcalc as cc
from convcalc.render.words import bytes_text

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("shape", [(1, 3, 2**31, 2**31), (1, 3, 10**30, 5), (1, 3, 0, 10**30)])
def test_an_input_past_two_to_the_63_is_refused(shape):
    with pytest.raises(cc.BadShape, match=r"^an input of 1x3x\d+x\d+ takes \d+ bytes: torch counts to 2\*\*63$"):
        cc.from_torch(torch.nn.Conv2d(3, 4, 1), shape)


def test_bytes_past_a_float_are_written():
    assert bytes_text(10**400 * 1024**4) == f"{10**400:,} TiB"
    assert [bytes_text(1024**4 * n) for n in (999, 1000)] == ["999 TiB", "1,000 TiB"]


def test_a_large_one_below_is_captured():
    assert cc.inspect(torch.nn.Conv2d(3, 4, 3), (1, 3, 2**29, 2**29)).output == (1, 4, 2**29 - 2, 2**29 - 2)
