"""Lengths as tensors of torch: the same numbers as for ints, on the device of the tensor."""

import pytest

import convcalc as cc
from convcalc import BadArgument, KernelDoesNotFit

torch = pytest.importorskip("torch")
T = cc.Expr.symbol("T")
LENGTHS = torch.arange(3, 40, dtype=torch.int32).reshape(1, -1)

FORMULAS = {
    "conv": lambda n: cc.conv_out(n, k=3, s=2, p=1),
    "same": lambda n: cc.conv_out(n, k=3, s=2, p="same"),
    "tconv": lambda n: cc.conv_transpose_out(n, k=4, s=2, p=1),
    "ceil": lambda n: cc.pool_out(n, k=3, s=2, p=1, ceil_mode=True),
    "formula": ((T - 80) // 320 + 3),
    "extremes": cc.Expr.minimum(T, 9) * 2 + cc.Expr.maximum(T // 2, 4),
}


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
def test_tensors_are_as_ints(formula):
    found = formula(LENGTHS)
    assert (found.dtype, found.shape, found.device) == (torch.int64, LENGTHS.shape, LENGTHS.device)
    assert found.flatten().tolist() == [formula(n) for n in LENGTHS.flatten().tolist()]


def test_by_name_and_what_is_refused():
    assert (T // 2)(T=torch.tensor([4, 7])).tolist() == [2, 3]
    with pytest.raises(BadArgument, match=r"^n must be a tensor of integers, not of torch.float32$"):
        cc.conv_out(torch.tensor([4.0]), k=3)
    with pytest.raises(BadArgument, match=r"^T must be a tensor of integers, not of torch.bool$"):
        (T // 2)(torch.tensor([True]))
    with pytest.raises(KernelDoesNotFit, match="the padded input is 2"):
        cc.conv_out(torch.tensor([4, 2]), k=3)
    with pytest.raises(BadArgument, match="not in the int64 of a tensor"):
        (T * 8)(torch.tensor([2**61]))
    with pytest.raises(BadArgument, match="one value without a name is for a formula in one letter"):
        (T + cc.Expr.symbol("H"))(torch.tensor([4]))
