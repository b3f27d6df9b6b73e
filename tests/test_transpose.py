"""The three views of a transposed convolution, its size in three ways, and its overlap; no torch."""

import math
import subprocess
import sys

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from convcalc.arithmetic.transposed.arrays import conv_matrix, convolve, pad_or_crop
from convcalc.arithmetic.transposed.checkerboard import overlap
from convcalc.arithmetic.transposed.example import READABLE, worked_example
from convcalc.arithmetic.transposed.size import transposed_size, transposed_sizes
from convcalc.arithmetic.transposed.views import (
    flip_kernel,
    forward_matrix,
    insert_zeros,
    transposed_by_matrix,
    transposed_by_stamps,
    transposed_by_zeros,
)
from convcalc.errors import BadArgument, BadShape, KernelDoesNotFit, NoOutput, Refused
from convcalc.sizes.expr import Expr

VIEWS = [transposed_by_stamps, transposed_by_zeros, transposed_by_matrix]


@st.composite
def cases(draw, most_axes=3, pairs=True):
    """(x, weight, settings) of a legal transposed convolution on small integers."""
    axes = draw(st.integers(1, most_axes))
    numbers = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(axes))  # noqa: E731
    n, k, s, d = numbers(1, 4), numbers(1, 3), numbers(1, 4), numbers(1, 3)
    op = tuple(draw(st.integers(0, max(a, b) - 1)) for a, b in zip(s, d, strict=True))
    p = tuple(zip(numbers(0, 3), numbers(0, 3), strict=True)) if pairs else numbers(0, 3)
    groups, into, out = (draw(st.integers(1, 2)) for _ in range(3))
    settings = {"stride": s, "padding": p, "output_padding": op, "dilation": d}
    try:
        transposed_sizes(n, k, **settings)
    except NoOutput:
        assume(False)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    x = rng.integers(-9, 10, (draw(st.integers(0, 2)), groups * into, *n))
    weight = rng.integers(-9, 10, (groups * into, out, *k))
    return x, weight, settings | {"groups": groups}


def forward(settings):
    return {name: value for name, value in settings.items() if name != "output_padding"}


# -- the views ---------------------------------------------------------------------------------------------------


def test_each_input_stamps_the_kernel_a_stride_apart():
    x, weight = np.array([[[1, 2, 3]]]), np.array([[[1, 10, 100]]])
    stamps = np.zeros(7, int)
    for i, value in enumerate([1, 2, 3]):
        stamps[2 * i : 2 * i + 3] += value * np.array([1, 10, 100])
    for view in VIEWS:
        assert view(x, weight, stride=2).tolist() == [[stamps.tolist()]]
        assert view(x, weight, stride=2, padding=1).tolist() == [[stamps[1:-1].tolist()]]
        assert view(x, weight, stride=2, output_padding=1).tolist() == [[[*stamps.tolist(), 0]]]


@given(cases())
def test_the_three_views_agree(case):
    x, weight, settings = case
    stamps, zeros, matrix = (view(x, weight, **settings) for view in VIEWS)
    sizes = transposed_sizes(
        x.shape[2:], weight.shape[2:], **{name: value for name, value in settings.items() if name != "groups"}
    )
    assert stamps.shape == (len(x), settings["groups"] * weight.shape[1], *(axis.output_size for axis in sizes))
    np.testing.assert_array_equal(zeros, stamps, strict=True)
    np.testing.assert_array_equal(matrix, stamps, strict=True)


@given(cases(), st.integers(0, 2**32))
def test_it_is_the_adjoint_of_the_convolution(case, seed):
    x, weight, settings = case
    up = transposed_by_stamps(x, weight, **settings)
    y = np.random.default_rng(seed).integers(-9, 10, up.shape)
    down = convolve(y, weight, **forward(settings))
    rows = down[(..., *map(slice, x.shape[2:]))]  # output_padding >= stride makes the convolution give more
    assert (rows * x).sum() == (y * up).sum()


@given(cases(most_axes=2))
def test_the_matrix_is_the_convolution(case):
    x, weight, settings = case
    y = transposed_by_stamps(x, weight, **settings)  # any array of the right shape
    matrix = conv_matrix(weight, y.shape[2:], **forward(settings))
    image = convolve(y, weight, **forward(settings))
    np.testing.assert_array_equal(matrix @ y.reshape(len(y), matrix.shape[1]).T, image.reshape(len(y), len(matrix)).T)


def test_the_matrix_repeats_the_kernel_along_its_diagonals():
    matrix = conv_matrix(np.array([[[1, 2, 3]]]), [7], stride=2)
    assert [[row.tolist().index(1), *row[row != 0]] for row in matrix] == [[0, 1, 2, 3], [2, 1, 2, 3], [4, 1, 2, 3]]


@given(cases(most_axes=2))
def test_the_forward_convolution_of_its_shape_restores_the_shape_when_output_padding_is_below_stride(case):
    x, weight, settings = case
    assume(all(op < s for op, s in zip(settings["output_padding"], settings["stride"], strict=True)))
    y = transposed_by_stamps(x, weight, **settings)
    assert convolve(y, weight, **forward(settings)).shape == x.shape


def test_shape_comes_back_and_values_do_not():
    x, weight = np.arange(1, 29).reshape(1, 1, 28), np.ones((1, 1, 4), int)
    down = convolve(x, weight, stride=2, padding=1)
    back = transposed_by_stamps(down, weight, stride=2, padding=1)
    assert back.shape == x.shape
    assert (back != x).any()


def test_a_crop_may_reach_past_the_input_into_the_zeros_of_the_other_side():
    x, weight = np.array([[[7]]]), np.array([[[1]]])
    for view in VIEWS:  # the canvas is 7 0 0 0 0, of which padding=2 leaves the middle
        assert view(x, weight, stride=5, padding=2, output_padding=4).tolist() == [[[0]]]


@given(cases(most_axes=2))
def test_python_ints_stay_exact_and_dtypes_stay(case):
    x, weight, settings = case
    huge = 10**30
    for view in VIEWS:
        exact = view(x.astype(object) * huge, weight.astype(object), **settings)
        plain = view(x, weight, **settings)
        assert exact.dtype == object
        assert plain.dtype == np.int64
        assert (exact == plain.astype(object) * huge).all()
        assert view(x.astype(np.float32), weight.astype(np.float32), **settings).dtype == np.float32


@given(cases())
def test_a_one_value_setting_serves_every_axis(case):
    x, weight, settings = case
    axes = x.ndim - 2
    same = {name: value[0] for name, value in settings.items() if name != "groups"}
    if isinstance(same["padding"], tuple):  # on its own, a pair would be read as one value an axis
        same["padding"] = same["padding"][0]
    spelled = {name: (value,) * axes for name, value in same.items()}
    try:
        expected = transposed_by_zeros(x, weight, **spelled, groups=settings["groups"])
    except Refused as refused:
        with pytest.raises(type(refused)):
            transposed_by_zeros(x, weight, **same, groups=settings["groups"])
    else:
        np.testing.assert_array_equal(
            transposed_by_zeros(x, weight, **same, groups=settings["groups"]), expected, strict=True
        )


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_flipping_twice_gives_the_kernel_back(groups, into, out, kernel_size):
    weight = np.arange(groups * into * out * math.prod(kernel_size)).reshape(groups * into, out, *kernel_size)
    np.testing.assert_array_equal(flip_kernel(flip_kernel(weight, groups), groups), weight)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(1, 4))
def test_zeros_stand_between_and_nowhere_else(size, stride):
    x = np.arange(1, math.prod(size) + 1).reshape(1, 1, *size)
    spread = insert_zeros(x, stride)
    assert spread.shape[2:] == tuple((n - 1) * stride + 1 for n in size)
    assert (spread[spread != 0] == x.ravel()).all()
    assert spread[(0, 0, *(-1 for _ in size))] == x.max()


# -- refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    ("x", "weight", "settings", "error", "sentence"),
    [
        ((1, 3, 5), (2, 2, 3), {}, BadShape, "the data has 3 channels, the weight takes 2: (1, 3, 5) with weight"),
        ((1, 3, 5), (3, 2, 3), {"groups": 2}, BadShape, "groups=2 must divide in_channels=3"),
        ((1, 3, 5), (3, 2, 3), {"groups": 0}, BadArgument, "groups must be >= 1: 0"),
        ((3, 5), (3, 2, 3), {}, BadShape, "data is (batch, channels, *spatial) and the weight has as many axes"),
        ((1, 0, 5), (0, 2, 3), {}, BadShape, "the weight has no channels: (0, 2, 3)"),
        ((1, 1, 5), (1, 1, 3), {"stride": (1, 2)}, BadArgument, "stride needs one value for all axes or 1, one for"),
        ((1, 1, 5), (1, 1, 3), {"stride": 1.5}, BadArgument, "stride must be an integer: 1.5"),
        ((1, 1, 5), (1, 1, 3), {"padding": -1}, BadArgument, "padding must be >= 0: -1"),
        ((1, 1, 5), (1, 1, 3), {"padding": "same"}, BadArgument, "transposed convolution takes padding as numbers"),
        ((1, 1, 5), (1, 1, 3), {"output_padding": 1}, BadArgument, "1 with stride=1, dilation=1"),
        ((1, 1, 5, 2), (1, 1, 3, 3), {"padding": (0, 2)}, NoOutput, "axis W: output would be 0: 4 cut from what 2"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_numbers(view, x, weight, settings, error, sentence):
    with pytest.raises(error) as caught:
        view(np.ones(x), np.ones(weight), **settings)
    assert sentence in str(caught.value)


def test_the_forward_convolution_refuses_with_its_numbers():
    with pytest.raises(KernelDoesNotFit, match=r"axis H: kernel does not fit: it spans 5"):
        convolve(np.ones((1, 1, 4, 9)), np.ones((1, 1, 3, 3)), dilation=2)
    with pytest.raises(BadShape, match="groups=4 must divide out_channels=10"):
        convolve(np.ones((1, 4, 9)), np.ones((10, 1, 3)), groups=4)
    with pytest.raises(NoOutput, match="output would be -1"):
        pad_or_crop(np.ones(3), [(-2, -2)])


# -- the size ----------------------------------------------------------------------------------------------------

AXIS = {
    "n": st.integers(1, 50),
    "kernel_size": st.integers(1, 9),
    "stride": st.integers(1, 7),
    "padding": st.tuples(st.integers(0, 6), st.integers(0, 6)),
    "output_padding": st.integers(0, 6),
    "dilation": st.integers(1, 5),
}


@st.composite
def sizes(draw):
    case = draw(st.fixed_dictionaries(AXIS))
    assume(case["output_padding"] < max(case["stride"], case["dilation"]))
    try:
        return transposed_size(**case)
    except NoOutput:
        assume(False)


@given(sizes())
def test_counting_the_canvas_gives_the_size(size):
    reached = {i * size.stride + t * size.dilation for i in range(size.input_size) for t in range(size.kernel_size)}
    canvas = max(reached) + 1 + size.output_padding
    assert size.output_size == canvas - sum(size.padding)
    assert size.formula(n=size.input_size) == size.output_size


@given(sizes())
def test_the_second_way_always_agrees_and_the_third_iff_output_padding_is_below_stride(size):
    same = size.equivalent
    span = size.dilation * (size.kernel_size - 1) + 1
    assert same.inserted == len(range(size.input_size)) + same.zeros * (size.input_size - 1)
    assert size.output_size == same.output_size == len(range(same.padded - span + 1))
    assert size.inversion.exact == (size.output_padding < size.stride)
    assert (size.inversion.output_size == size.output_size) == size.inversion.exact
    assert (size.inversion.back == size.input_size) == size.inversion.exact
    assert size.inversion.back == size.input_size + size.output_padding // size.stride


@given(sizes())
def test_the_inversion_names_every_size_the_forward_convolution_maps_here(size):
    span = size.dilation * (size.kernel_size - 1) + 1

    def windows(m):
        return len(range(0, m + sum(size.padding) - span + 1, size.stride))

    beyond = size.input_size * size.stride + span + size.stride
    assert list(size.inversion.sizes) == [m for m in range(1, beyond) if windows(m) == size.input_size]


def test_the_three_ways_are_one_polynomial():
    n, k, s, op, d = sympy.symbols("n k s op d", integer=True, positive=True)
    p = sympy.symbols("p", integer=True, nonnegative=True)
    size = transposed_size(n, k, stride=s, padding=p, output_padding=op, dilation=d)
    assert sympy.expand(size.output_size - size.equivalent.output_size) == 0
    r = sympy.Symbol("r", integer=True, nonnegative=True)
    o = size.inversion.least + r
    forward = sympy.floor(sympy.expand((o + 2 * p - d * (k - 1) - 1) / s)) + 1
    assert sympy.expand(forward - n - sympy.floor(r / s)) == 0  # n exactly while r < s
    assert sympy.expand(size.output_size - o) == op - r  # so the third way is exact iff r = op


def test_the_three_ways_agree_in_the_light_expression_too():
    n, k, s, p, d = map(Expr.symbol, "nkspd")
    size = transposed_size(n, k, stride=s, padding=p, dilation=d)
    assert size.output_size == size.equivalent.output_size == size.inversion.output_size
    assert size.inversion.exact is True
    assert size.inversion.back == n
    assert size.overlap is None
    loose = transposed_size(n, k, stride=s, padding=p, output_padding=Expr.symbol("op"), dilation=d)
    assert loose.output_size == loose.equivalent.output_size
    assert loose.inversion.exact is None


@pytest.mark.parametrize(  # the transposed twins of Dumoulin & Visin, arXiv:1603.07285, section 4
    ("forward_input", "small", "kernel_size", "stride", "padding"),
    [
        (4, 2, 3, 1, 0),
        (5, 6, 4, 1, 2),
        (5, 5, 3, 1, 1),
        (5, 7, 3, 1, 2),
        (5, 2, 3, 2, 0),
        (5, 3, 3, 2, 1),
        (6, 3, 3, 2, 1),
    ],
)
def test_published_twins(forward_input, small, kernel_size, stride, padding):
    sizes = transposed_size(small, kernel_size, stride=stride, padding=padding).inversion.sizes
    assert forward_input in sizes


# -- overlap -----------------------------------------------------------------------------------------------------

HYPER = (st.integers(1, 12), st.integers(1, 9), st.integers(1, 9))


@given(*HYPER)
def test_overlap_counts_the_stamps_that_meet(kernel_size, stride, dilation):
    n = dilation * kernel_size + 3  # long enough for one whole period away from the borders
    ones = transposed_by_stamps(
        np.ones((1, 1, n), int), np.ones((1, 1, kernel_size), int), stride=stride, dilation=dilation
    )[0, 0]
    start = -(-dilation * (kernel_size - 1) // stride) * stride  # a multiple of the stride: phase 0
    found = overlap(kernel_size, stride, dilation)
    assert list(found.counts) == ones[start : start + stride].tolist()
    assert (found.fewest, found.most) == (min(found.counts), max(found.counts))


@given(*HYPER)
def test_overlap_is_even_iff_the_stride_divides_the_kernel_and_shares_no_factor_with_dilation(
    kernel_size, stride, dilation
):
    found = overlap(kernel_size, stride, dilation)
    assert found.even == (len(set(found.counts)) == 1)
    assert found.even == (math.gcd(stride, dilation) == 1 and kernel_size % stride == 0)
    assert (found.remedy == "") == found.even
    q = stride // math.gcd(stride, dilation)
    empty = {0} if math.gcd(stride, dilation) > 1 else set()
    assert set(found.counts) == {kernel_size // q, -(-kernel_size // q)} | empty


@given(*HYPER)
def test_the_remedy_works(kernel_size, stride, dilation):
    found = overlap(kernel_size, stride, dilation)
    assume(not found.even)
    words = found.remedy.split(", or upsample")[0].replace("use ", "").split(" and ")
    offered = {name: values.split(" or ") for name, values in (word.split(" ", 1) for word in words)}
    for size in offered.get("kernel_size", [kernel_size]):
        for rate in offered.get("dilation", [dilation]):
            assert overlap(int(size), stride, int(rate)).even


def test_overlap_of_a_huge_stride_is_answered_at_once():
    found = overlap(3, stride=10**18)
    assert (found.fewest, found.most, found.count(2), found.count(3)) == (0, 1, 1, 0)


def test_overlap_refuses_what_is_no_hyper_parameter():
    with pytest.raises(BadArgument, match="stride must be >= 1: 0"):
        overlap(3, stride=0)


# -- the worked example ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_the_example_shows_stages_that_follow_from_each_other(axes):
    case = worked_example(transposed_sizes([2] * axes, 2, stride=2, padding=1, output_padding=1))
    assert case.matrix is not None
    assert case.matrix.shape == case.matrix_shape
    assert (case.matrix.T @ case.input.ravel() == case.output.ravel()).all()
    assert (convolve(case.padded[None, None], case.flipped[None, None])[0, 0] == case.output).all()
    assert sorted(case.kernel.ravel()) == sorted(case.flipped.ravel()) == list(range(1, 2**axes + 1))
    assert not any(array.flags.writeable for array in (case.input, case.padded, case.output, case.matrix))


def test_the_example_refuses_what_nobody_reads():
    with pytest.raises(BadShape, match=r"too large to draw: 2000000001, at most 64"):
        worked_example(transposed_sizes([10**9], 2, stride=2))
    with pytest.raises(BadShape, match="a drawing needs numbers, not k, n"):
        worked_example(transposed_sizes([Expr.symbol("n")], Expr.symbol("k")))
    case = worked_example(transposed_sizes([9, 9], 3))
    assert case.matrix is None
    assert case.matrix_shape == (81, 121)
    assert READABLE < 81


def test_the_matrix_leaves_out_rows_past_the_input():
    axes = transposed_sizes((2,), 2, dilation=3, output_padding=2)
    assert forward_matrix(np.array([[[1, 2]]]), axes).shape == (2, 7)


def test_sizes_need_no_numpy():
    probe = (
        "import sys, convcalc.arithmetic.transposed.size; print(sorted({'numpy', 'sympy', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True).stdout == "[]\n"
