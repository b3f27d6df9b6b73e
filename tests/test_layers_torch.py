"""Layers against torch's, by properties: the generator of `convcalc verify layers` in hypothesis's hands."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convcalc.bridge.assembly.recipe import Call, recipe, to_module, to_source
from convcalc.bridge.device import one_thread
from convcalc.bridge.verify.cases import draw_case
from convcalc.bridge.verify.layers import compare
from convcalc.errors import BadArgument, BadShape, Refused
from convcalc.layers import (
    AvgPool,
    BatchNorm,
    Conv,
    ConvTranspose,
    Crop,
    Fold,
    Layer,
    Linear,
    LpPool,
    MaxPool,
    Mul,
    Pad,
    Unfold,
)
from convcalc.sizes.conditions import Conditions
from convcalc.sizes.expr import Expr

torch = pytest.importorskip("torch", reason="torch is an extra: pip install 'convcalc[torch]'")

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")  # torch copies, which is no matter here

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")  # about speed

RANDOM = st.randoms(use_true_random=False)


def draw_legal(rng):
    """The first of a few cases that is legal, and its output shape."""
    for _ in range(10):
        case = draw_case(rng)
        try:
            return case, case.layer.out_shape(case.shape)
        except Refused:
            pass
    return assume(False)


@pytest.fixture(autouse=True, scope="module")
def _quick():
    with one_thread(), torch.no_grad():
        yield


@given(RANDOM)
def test_shapes_and_refusals_are_torch_s(rng):
    case = draw_case(rng)
    assert compare(case).mismatch is None


@given(RANDOM)
def test_legal_layers_have_their_shape_on_meta(rng):
    case, wanted = draw_legal(rng)
    assume(0 not in case.shape)  # meta fails on some empty inputs that every device takes
    with torch.device("meta"):
        assert to_module(case.layer, case.shape)(torch.zeros(case.shape)).shape == wanted


@given(RANDOM)
def test_parameters_are_counted_as_torch_has_them(rng):
    case, _ = draw_legal(rng)
    module = to_module(case.layer, case.shape)
    assert case.layer.params(case.shape) == sum(parameter.numel() for parameter in module.parameters())


# -- a recipe is true to the values too, where torch has its own way to them ------------------------------------------


@given(
    axes=st.integers(1, 3),
    kernel=st.integers(1, 4),
    dilation=st.integers(1, 2),
    mode=st.sampled_from(["zeros", "reflect", "replicate", "circular"]),
)
def test_same_upper_at_stride_1_gives_the_values_of_torch_s_same(axes, kernel, dilation, mode):
    shape = (1, 2, *range(7, 7 + axes))
    settings = {"dilation": dilation, "padding_mode": mode}
    padded = to_module(Conv(3, kernel, padding="same-upper", **settings), shape)
    own = to_module(Conv(3, kernel, padding="same", **settings), shape)
    own.load_state_dict(padded[-1].state_dict())
    x = torch.arange(float(torch.Size(shape).numel())).reshape(shape)
    torch.testing.assert_close(padded(x), own(x))


def test_uneven_padding_puts_the_rows_where_it_says():
    module = to_module(Conv(1, 1, padding=((1, 0), (0, 2)), bias=False), (1, 1, 1, 1))
    module[-1].weight.data.fill_(1)
    assert module(torch.tensor([[[[7.0]]]])).tolist() == [[[[0, 0, 0], [7, 0, 0]]]]


def test_a_crop_takes_rows_off_each_side():
    x = torch.arange(30.0).reshape(1, 1, 5, 6)
    assert torch.equal(to_module(Crop(((1, 2), 1)), x.shape)(x), x[:, :, 1:3, 1:5])


def test_a_pad_pads_the_axis_it_names():
    x = torch.ones(1, 1, 2, 2)
    assert to_module(Pad(((3, 0), 0)), x.shape)(x)[0, 0, :, 0].tolist() == [0, 0, 0, 1, 1]


# -- what torch has no word for ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "op"),
    [
        (MaxPool(3, padding=((0, 1), (0, 1))), "maxpool"),
        (AvgPool(3, padding="same"), "avgpool"),
        (ConvTranspose(4, 3, padding=((0, 1), 1)), "tconv"),
        (Unfold(3, padding="same"), "unfold"),
        (Fold(3, output_size=4, padding=((0, 1), 1)), "fold"),
    ],
)
def test_uneven_padding_elsewhere_is_refused(layer, op):
    with pytest.raises(BadArgument, match=rf"torch's {op} takes one padding for both sides of an axis: .*; pad first"):
        recipe(layer, (1, 4, 8, 8))


def test_an_unknown_layer_is_refused_by_name():
    class Wavelet(Layer):
        pass

    with pytest.raises(BadArgument, match="no torch module is known for Wavelet"):
        recipe(Wavelet(), (1, 4, 8))


def test_a_padding_mode_unknown_to_torch_is_refused():
    with pytest.raises(BadArgument, match="torch has no module for padding mode 'wrap'"):
        recipe(Pad(1, mode="wrap"), (1, 4, 8))


def test_channels_that_the_shape_does_not_tell_are_refused():
    with pytest.raises(BadShape, match="conv takes"):
        recipe(Conv(4, 3, axes=2), (8, 8))


def test_a_recipe_says_only_what_differs_from_the_defaults():
    assert recipe(LpPool(2, norm_type=3), (1, 4, 8)) == (Call("LPPool1d", (3, 2)),)
    assert to_source(Conv(8, (3, 1), stride=2, groups=2), (1, 4, 8, 8)) == (
        "torch.nn.Conv2d(4, 8, (3, 1), stride=2, groups=2)"
    )


def test_a_recipe_fills_in_what_the_shape_tells():
    assert to_source(BatchNorm(), (1, 4, 8, 8)) == "torch.nn.BatchNorm2d(num_features=4)"
    assert (
        to_source(Linear(10, bias=False), (1, 400)) == "torch.nn.Linear(out_features=10, bias=False, in_features=400)"
    )


ROWS = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(-4, 1))


@given(ROWS, ROWS)
@settings(max_examples=40)
def test_formulas_of_what_is_broadcast_give_what_torch_gives(first, second):
    n, needs = Expr.symbol("n"), Conditions()
    a, b = (Expr.maximum(n // step * scale + more, 0) for step, scale, more in (first, second))
    (common,) = Mul().out_shape((a,), (b,), check=needs)
    for at in range(1, 25):
        one, other = a(n=at), b(n=at)
        takes = one == other or 1 in (one, other)
        assert all(value(n=at) >= 0 for value in needs.open) == takes
        assert not takes or torch.broadcast_shapes((one,), (other,)) == (common(n=at),)
