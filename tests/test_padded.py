"""What is said of padding that torch has no word for is evaluated as it stands, and gives the values meant."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.arithmetic.padding_text import NO_WORD, in_torch
from convcalc.arithmetic.window_size import conv_size, pool_size
from convcalc.errors import Refused

torch = pytest.importorskip("torch")
F = torch.nn.functional

PADDINGS = st.one_of(
    st.sampled_from(["same", "same-lower", "valid", "causal", "full"]),
    st.integers(0, 2),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
)

SETTINGS = st.fixed_dictionaries(
    {
        "size": st.integers(1, 9),
        "kernel": st.integers(1, 5),
        "stride": st.integers(1, 4),
        "padding": PADDINGS,
        "dilation": st.integers(1, 3),
    }
)


def windows(axis):
    """The real rows that each window reads, by counting: what lies in the padding is no row."""
    for place in range(axis.output_size):
        first = place * axis.stride - axis.padding[0]
        rows = (first + axis.dilation * tap for tap in range(axis.kernel_size))
        yield [row for row in rows if 0 <= row < axis.input_size]


def pooled(x, axes, reduce):
    """A pooling of real rows alone, window by window; nothing where a window lies in padding alone."""
    out = torch.empty(*x.shape[:2], *(axis.output_size for axis in axes), dtype=x.dtype)
    for place in product(*(enumerate(windows(axis)) for axis in axes)):
        index, rows = zip(*place, strict=True)
        read = x[
            (slice(None), slice(None), *torch.meshgrid(*(torch.tensor(row).long() for row in rows), indexing="ij"))
        ].flatten(2)
        out[(slice(None), slice(None), *index)] = reduce(read)
    return out


def largest(read):
    return read.amax(-1) if read.shape[-1] else torch.full(read.shape[:2], float("-inf"), dtype=read.dtype)


def applied(text, x, layer, **settings):
    """The value of a line of advice, evaluated as it stands: "A, and padding=0", "A, where pool has B" or "B"."""
    for reason in NO_WORD.values():
        text = text.removeprefix(reason)
    what, _, words = text.replace(", where pool has ", ", and ").rpartition(", and ")
    settings |= eval(f"dict({words})")
    names = {"F": F, "torch": torch, "x": x, "pool": lambda value: layer(value, **settings)}
    if "pool(" in what:
        return eval(what, names)
    return layer(eval(what or "x", names), **settings)


def sizes(explain, given):
    """One or two axes explained; None where torch has no such pooling."""
    try:
        return [explain(one) for one in given]
    except Refused:
        return None


@given(st.lists(SETTINGS, min_size=1, max_size=2), st.booleans())
def test_max_pooling_padded_by_hand_reads_real_rows_alone(given, ceil):
    axes = sizes(
        lambda s: pool_size(
            s["size"],
            s["kernel"],
            stride=s["stride"],
            padding=s["padding"],
            dilation=s["dilation"],
            ceil_mode=ceil,
        ),
        given,
    )
    text = axes and in_torch(axes)
    if text:
        x = -1 - torch.rand(1, 2, *(axis.input_size for axis in axes), dtype=torch.float64)  # below any zero
        pool = (F.max_pool1d, F.max_pool2d)[len(axes) - 1]
        settings = {name: tuple(getattr(axis, name) for axis in axes) for name in ("kernel_size", "stride", "dilation")}
        assert torch.equal(applied(text, x, pool, ceil_mode=ceil, **settings), pooled(x, axes, largest))


@given(st.lists(SETTINGS, min_size=1, max_size=2), st.booleans())
def test_an_average_is_that_of_the_rows_that_are_there(given, ceil):
    axes = sizes(
        lambda s: pool_size(s["size"], s["kernel"], stride=s["stride"], padding=s["padding"], ceil_mode=ceil), given
    )
    text = axes and in_torch(axes, "avg")
    if text:
        x = torch.rand(1, 2, *(axis.input_size for axis in axes), dtype=torch.float64) - 2
        pool = (F.avg_pool1d, F.avg_pool2d)[len(axes) - 1]
        settings = {name: tuple(getattr(axis, name) for axis in axes) for name in ("kernel_size", "stride")}
        out = applied(text, x, pool, ceil_mode=ceil, **settings)
        torch.testing.assert_close(out, pooled(x, axes, lambda read: read.mean(-1)))


@given(st.lists(SETTINGS, min_size=1, max_size=2))
def test_a_convolution_padded_by_hand_reads_zeros(given):
    axes = sizes(
        lambda s: conv_size(s["size"], s["kernel"], stride=s["stride"], padding=s["padding"], dilation=s["dilation"]),
        given,
    )
    text = axes and in_torch(axes)
    if text:
        x = torch.rand(1, 1, *(axis.input_size for axis in axes), dtype=torch.float64)
        conv = (F.conv1d, F.conv2d)[len(axes) - 1]
        settings = {name: tuple(getattr(axis, name) for axis in axes) for name in ("stride", "dilation")}
        weight = torch.ones(1, 1, *(axis.kernel_size for axis in axes), dtype=torch.float64)
        out = applied(text, x, lambda x, **words: conv(x, weight, **words), **settings)
        torch.testing.assert_close(out, pooled(x, axes, lambda read: read.sum(-1)))


@pytest.mark.parametrize(("pooling", "said"), [("max", False), ("avg", True)])
def test_an_even_same_is_a_number(pooling, said):
    axes = [pool_size(28, 3, stride=1, padding="same")]
    text = "poolings take no padding='same': padding=1, count_include_pad=False"
    assert in_torch(axes, pooling) == (text if said else "")
