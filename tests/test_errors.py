"""The exception tree, and the sentences of refusals with their values."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc import errors
from convcalc.arithmetic.formulas import conv_out, conv_transpose_out, pool_out
from convcalc.arithmetic.resizing import interpolate_out, pad_out, pixel_unshuffle_out
from convcalc.errors import (
    BadArgument,
    BadShape,
    ConvcalcError,
    Disagreement,
    DivisionByZero,
    KernelDoesNotFit,
    NoOutput,
    NoSolution,
    NoSuchName,
    Refused,
    Unknown,
    Unreadable,
)
from convcalc.layers import AvgPool, Conv, ConvTranspose, Fold, LpPool, MaxPool, Pad, PixelShuffle, Unfold, Upsample
from convcalc.sizes.axes import each_axis, per_axis

TREE = {
    Unreadable: (ConvcalcError, "unreadable"),
    Disagreement: (ConvcalcError, "mismatch"),
    Unknown: (ConvcalcError, "unknown"),
    Refused: (ConvcalcError, "refused"),
    BadArgument: (Refused, "bad_argument"),
    DivisionByZero: (BadArgument, "bad_argument"),
    NoSuchName: (BadArgument, "bad_argument"),
    KernelDoesNotFit: (Refused, "kernel_does_not_fit"),
    NoOutput: (Refused, "no_output"),
    BadShape: (Refused, "bad_shape"),
    NoSolution: (Refused, "no_solution"),
}


def test_the_tree_is_the_one_drawn_at_the_top_of_the_module():
    found = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)}
    assert found == {ConvcalcError, *TREE}
    drawn = errors.__doc__.split("::")[1]
    for error, (parent, kind) in TREE.items():
        assert error.__mro__[1] is parent
        assert error.kind == kind
        assert error.__name__ in drawn
    assert issubclass(Refused, ValueError)
    assert not issubclass(Unreadable, ValueError)


@pytest.mark.parametrize("error", [ConvcalcError, *TREE])
def test_an_error_moved_to_a_place_keeps_all_else(error):
    there = error("it is so", rule="it is not", fixes=["this", "that"]).at("axis W")
    assert type(there) is error
    assert str(there) == there.message == "axis W: it is so"
    assert (there.rule, there.fixes) == ("it is not", ("this", "that"))


IMAGE = (1, 10, 6, 6)
SENTENCES = [
    (
        lambda: conv_out(6, 5, p=1, d=2),
        KernelDoesNotFit,
        "kernel does not fit: it spans 9 (kernel_size=5, dilation=2) but the padded input is 8 (6 + 1 + 1); use an "
        "input of at least 7, or 1 more padding",
    ),
    (
        lambda: pool_out(2, 5, 1, ceil_mode=True),
        KernelDoesNotFit,
        "kernel does not fit: it spans 5 (kernel_size=5, dilation=1) but the padded input is 2 (2 + 0 + 0); use an "
        "input of at least 5, or 3 more padding",
    ),
    (lambda: conv_out(0, 3), BadArgument, "input size must be >= 1: 0"),
    (lambda: conv_out(5, 0), BadArgument, "kernel_size must be >= 1: 0"),
    (lambda: conv_out(5, 3, s=-1), BadArgument, "stride must be >= 1: -1"),
    (lambda: conv_out(5, 3, d=0), BadArgument, "dilation must be >= 1: 0"),
    (lambda: conv_out(5, 3, p=(1, -2)), BadArgument, "padding must be >= 0: -2"),
    (lambda: conv_out(5.0, 3), BadArgument, "n must be an integer: 5.0"),
    (
        lambda: conv_out(5, 3, p="sane"),
        BadArgument,
        "unknown padding 'sane': use a number, a pair, or one of valid, same, same-upper, same-lower, full, causal",
    ),
    (
        lambda: conv_out(5, 3, p=(1, 2, 3)),
        BadArgument,
        "padding on one axis is a number or a pair (before, after): (1, 2, 3)",
    ),
    (
        lambda: conv_transpose_out(3, 3, 2, op=2),
        BadArgument,
        "output_padding must be >= 0 and < max(stride, dilation): 2 with stride=2, dilation=1",
    ),
    (
        lambda: conv_transpose_out(3, 3, p="same"),
        BadArgument,
        "transposed convolution takes padding as numbers, not 'same'; for an output of n*1, as Keras's 'same', "
        "cut 1 before and 1 after",
    ),
    (
        lambda: conv_transpose_out(1, 2, p=(1, 2)),
        NoOutput,
        "output would be -1: 3 cut from what 1 gives; it needs at least 2 less padding or a larger input",
    ),
    (
        lambda: pool_out(6, 3, p=2),
        BadArgument,
        "pooling needs padding <= kernel_size/2: padding=2 with kernel_size=3; use padding <= 1",
    ),
    (
        lambda: interpolate_out(3, scale_factor=0.25),
        NoOutput,
        "output would be 0: floor(3 * 0.25); use a scale_factor of at least 1/3",
    ),
    (
        lambda: pixel_unshuffle_out(25, 3),
        BadShape,
        "downscale_factor=3 must divide the size 25; use 24 or 27",
    ),
    (lambda: pixel_unshuffle_out(2, 3), BadShape, "downscale_factor=3 must divide the size 2; use 3"),
    (
        lambda: pad_out(5, 5, "reflect"),
        BadArgument,
        "reflect padding must be less than the size: 5, at most 4",
    ),
    (
        lambda: pad_out(5, (-8, 9)),
        NoOutput,
        "output would be -3: 8 cut from what 5 gives; it needs at least 4 less padding or a larger input",
    ),
    (lambda: Conv(8, 3, groups=4).out_shape(IMAGE), BadShape, "`groups`=4 must divide `in_channels`=10"),
    (lambda: Conv(9, 3, groups=2).out_shape(IMAGE), BadShape, "`groups`=2 must divide `out_channels`=9"),
    (lambda: Conv(8, 3, in_channels=3).out_shape(IMAGE), BadShape, "in_channels=3 but the input has 10 channels"),
    (
        lambda: Conv(8, 3, padding="same", stride=2).out_shape(IMAGE),
        BadArgument,
        "torch's padding='same' needs stride 1: got 2x2; 'same-upper' gives ceil(n/stride) at any stride, as "
        "TensorFlow does",
    ),
    (
        lambda: Conv(8, 3).out_shape((5, 6)),
        BadShape,
        "conv takes (N, C, L) or (N, C, H, W) or (N, C, D, H, W): got (5, 6), which has 2 axes",
    ),
    (
        lambda: Conv(8, (3, 5, 7)).out_shape(IMAGE),
        BadArgument,
        "kernel_size needs one value for all axes or 2, one for each: (3, 5, 7)",
    ),
    (
        lambda: Conv(8, (3, 7)).out_shape(IMAGE),
        KernelDoesNotFit,
        "axis W: kernel does not fit: it spans 7 (kernel_size=7, dilation=1) but the padded input is 6 (6 + 0 + 0); "
        "use an input of at least 7, or 1 more padding",
    ),
    (
        lambda: Conv(8, 3, padding=1, padding_mode="mirror").out_shape(IMAGE),
        BadArgument,
        "unknown padding_mode 'mirror': use one of zeros, reflect, replicate, circular",
    ),
    (
        lambda: ConvTranspose(8, 1, padding=3).out_shape(IMAGE),
        NoOutput,
        "axis H: output would be 0: 6 cut from what 6 gives; it needs at least 1 less padding or a larger input",
    ),
    (
        lambda: MaxPool(3, padding=2).out_shape(IMAGE),
        BadArgument,
        "axis H: pooling needs padding <= kernel_size/2: padding=2 with kernel_size=3; use padding <= 1",
    ),
    (
        lambda: AvgPool(3, padding=1).out_shape((1, 1, 2, 5, 5)),
        KernelDoesNotFit,
        "axis D: avgpool in 3-D takes a kernel no longer than the input without padding: kernel_size=3 on 2",
    ),
    (
        lambda: LpPool(3, ceil_mode=True).out_shape((1, 1, 5, 2, 5)),
        KernelDoesNotFit,
        "axis H: lppool in 3-D takes a kernel no longer than the input without padding: kernel_size=3 on 2",
    ),
    (lambda: Unfold(3).out_shape((1, 3, 9)), BadShape, "unfold takes 2 spatial axes: got 1"),
    (
        lambda: Fold(3, output_size=8).out_shape((1, 28, 36)),
        BadShape,
        "prod(kernel_size)=9 must divide the channels: got 28",
    ),
    (
        lambda: Fold(3, output_size=8).out_shape((1, 27, 35)),
        BadShape,
        "output_size 8x8 has 6*6 = 36 windows, but the input has 35",
    ),
    (lambda: PixelShuffle(3).out_shape(IMAGE), BadShape, "upscale_factor**2 = 9 must divide the channels: got 10"),
    (
        lambda: Upsample(size=4, mode="trilinear").out_shape(IMAGE),
        BadShape,
        "mode 'trilinear' takes 3 spatial axes: got 2",
    ),
    (lambda: Upsample(), BadArgument, "upsample takes a size or a scale_factor, and not both"),
    (
        lambda: Pad(1, mode="mirror").out_shape(IMAGE),
        BadArgument,
        "unknown padding mode 'mirror': use one of constant, reflect, replicate, circular",
    ),
    (
        lambda: per_axis("stride", (1, 2), 3),
        BadArgument,
        "stride needs one value for all axes or 3, one for each: (1, 2)",
    ),
    (
        lambda: each_axis(conv_out, [(9, 3), (2, 3)]),
        KernelDoesNotFit,
        "axis W: kernel does not fit: it spans 3 (kernel_size=3, dilation=1) but the padded input is 2 (2 + 0 + 0); "
        "use an input of at least 3, or 1 more padding",
    ),
]


@pytest.mark.parametrize(("act", "kind", "sentence"), SENTENCES, ids=[sentence[:50] for *_, sentence in SENTENCES])
def test_a_refusal_says_what_with_the_numbers_then_the_way_out(act, kind, sentence):
    with pytest.raises(ConvcalcError) as refusal:
        act()
    assert type(refusal.value) is kind
    assert str(refusal.value) == sentence


SIDE = st.integers(0, 6)


@given(
    st.sampled_from([conv_out, pool_out, partial(pool_out, ceil_mode=True)]),
    st.integers(1, 9),
    st.integers(2, 9),
    st.integers(1, 5),
    st.one_of(SIDE, st.tuples(SIDE, SIDE)),
    st.integers(1, 4),
)
def test_the_ways_out_of_a_kernel_that_does_not_fit_are_the_least_that_lead_out(formula, n, k, s, p, d):
    refusal = refusal_of(formula, n, k, s, p, d)
    if not isinstance(refusal, KernelDoesNotFit):
        return
    ways = {what: int(number) for what, number in (fix.rsplit(" ", 1) for fix in refusal.fixes)}
    assert f"use an input of at least {ways['input size']}" in str(refusal)
    assert formula(ways["input size"], k, s, p, d) == 1
    assert refusal_of(formula, ways["input size"] - 1, k, s, p, d)
    if "padding" in ways:
        assert formula(n, k, s, ways["padding"], d) >= 1
        assert refusal_of(formula, n, k, s, ways["padding"] - 1, d)
    else:
        assert all(refusal_of(formula, n, k, s, padding, d) for padding in range(50))


def refusal_of(formula, *values):
    try:
        formula(*values)
    except ConvcalcError as error:
        return error
    return None
