"""Layers and blocks show themselves as the call that makes them, and refuse what is no shape."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convcalc as cc
from convcalc.errors import BadArgument, ConvcalcError
from convcalc.sizes.expr import Expr

NAMES = vars(cc)
LAYERS = [
    cc.Conv(64, 3),
    cc.Conv(8, (3, 5), stride=2, padding="same-upper", axes=2, bias=False),
    cc.ConvTranspose(4, 3, stride=2, output_padding=1),
    cc.MaxPool(2, ceil_mode=True),
    cc.Linear(10, bias=False),
    cc.BatchNorm(8),
    cc.Upsample(scale_factor=2),
    cc.ReLU(),
    cc.Flatten(),
    cc.Dropout(),
    cc.Concat(),
]
BLOCKS = [
    cc.Sequential(cc.Conv(6, 5), cc.ReLU()),
    cc.Sequential(conv=cc.Conv(6, 5), act=cc.ReLU()),
    cc.Residual(cc.Conv(6, 3, padding=1), shortcut=cc.Conv(6, 1), then=cc.ReLU()),
    cc.Branches(cc.Conv(6, 1), cc.Conv(6, 1), merge=cc.Add()),
    cc.Skip(cc.Conv(6, 3), mode="pad"),
]


@pytest.mark.parametrize("thing", [*LAYERS, *BLOCKS], ids=repr)
def test_what_shows_itself_makes_the_same_again(thing):
    assert eval(repr(thing), NAMES) == thing
    assert "None" not in repr(thing)


def test_a_large_network_fits_a_screen():
    assert len(repr(cc.Sequential(*[cc.Conv(512, 3, padding=1)] * 200))) < 500


WRONG = st.one_of(
    st.none(),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.lists(st.one_of(st.none(), st.integers(-2, 9), st.floats(), st.text(max_size=2), st.booleans()), max_size=6),
    st.dictionaries(st.text(max_size=1), st.integers(), max_size=2),
)


METHODS = ["out_shape", "params", "macs", "out_shapes"]


@given(st.sampled_from(LAYERS), st.sampled_from(METHODS), st.lists(WRONG, max_size=3))
def test_a_layer_asked_of_what_is_no_shape_says_so_in_a_sentence(layer, method, shapes):
    with suppress(ConvcalcError):  # and raises nothing else
        getattr(layer, method)(*shapes)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("wrong", ["abc", None, 3, (1, 3, "8", 8), (1, 3, 8.0, 8), (1, 3, None, 8)])
def test_what_is_no_shape_is_refused(layer, wrong):
    for method in METHODS:
        with pytest.raises(BadArgument, match="takes a shape"):
            getattr(layer, method)(*[wrong] * layer.takes[0])


def test_shapes_of_other_integers_and_symbols_are_taken():
    assert cc.Conv(8, 3).out_shape((1, 3, np.int64(9))) == (1, 8, 7)
    assert str(cc.Conv(8, 3).out_shape((1, 3, Expr.symbol("n")))[2]) == "n - 2"
