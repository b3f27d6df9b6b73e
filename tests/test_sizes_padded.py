"""What is lost of the padding of another layer is no row of the input: counted, window by window."""

from __future__ import annotations

import pytest
from chain import valid_sizes_of_chain
from hypothesis import given, settings
from hypothesis import strategies as st

import convcalc as cc
from convcalc import valid_sizes
from convcalc.layers import Conv, MaxPool, Pad, ReLU
from convcalc.network.blocks import Sequential


def loses_a_row(n, sides, k, s, p, d):
    """Whether the next window would read a row of the input behind the last; `sides` and p are padding."""
    first, last = sides[0] + p, sides[1] + p
    total, reach = n + first + last, d * (k - 1)
    start = max(range(0, total - reach, s))
    following = {start + s + d * tap for tap in range(k)}
    return any(start + reach < row and first <= row < first + n for row in following)


@settings(max_examples=150, deadline=None)
@given(
    sides=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    k=st.integers(1, 5),
    s=st.integers(1, 5),
    p=st.integers(0, 2),
    d=st.integers(1, 3),
    between=st.booleans(),
)
def test_rows_that_only_padding_loses_are_not_lost(sides, k, s, p, d, between):
    layers = [Pad((sides,)), *([ReLU()] if between else []), Conv(1, k, stride=s, padding=p, dilation=d)]
    v = valid_sizes_of_chain(layers, (1, 1, "n"))
    assert v.proved
    for n in range(1, 50):
        runs = n + sum(sides) + 2 * p >= d * (k - 1) + 1
        assert (n in v.runs) == runs
        assert (n in v.exact) == (runs and not loses_a_row(n, sides, k, s, p, d)), (n, str(v))


def test_padding_twice_is_padding_by_both():
    twice = valid_sizes_of_chain([Pad(1), Pad(1), MaxPool(3, stride=3)], (1, 1, "n"))
    assert [n for n in range(1, 30) if n in twice.exact] == [
        n for n in range(1, 30) if not loses_a_row(n, (2, 2), 3, 3, 0, 1)
    ]


def test_what_a_convolution_made_of_padding_is_a_row_like_others():
    net = Sequential(Pad(1), Conv(1, 3), MaxPool(2))
    assert (
        valid_sizes(net, (1, 1, "n")).exact
        == valid_sizes(Sequential(Conv(1, 3, padding=1), MaxPool(2)), (1, 1, "n")).exact
    )


def test_a_table_that_reads_no_input_has_no_padding():
    torch = pytest.importorskip("torch")
    nn = torch.nn

    class Placed(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Parameter(torch.zeros(1, 12, 8))

        def forward(self, tokens):
            return tokens + self.table[:, : tokens.shape[1]]

    found = cc.valid_sizes(Placed(), (1, "T", 8))
    assert found.proved
    assert [n for n in range(1, 30) if n in found["T"]] == list(range(1, 13))
