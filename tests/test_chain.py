"""Stacks: shapes, formulas and footprints on the way, against published numbers and against each other."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.analysis.chain import run_chain
from convcalc.errors import BadShape, ConvcalcError
from convcalc.layers import Conv
from convcalc.network.stack import read_stack
from convcalc.sizes.expr import Expr

VGG16 = "(conv 64 k3 p1 *2; maxpool 2); (conv 128 k3 p1 *2; maxpool 2); (conv 256 k3 p1 *3; maxpool 2); " + (
    "(conv 512 k3 p1 *3; maxpool 2) *2"
)
WAV2VEC2 = "conv 512 k10 s5; conv 512 k3 s2 *4; conv 512 k2 s2 *2"


def field(text: str, size: int = 512, channels: int = 3) -> tuple[int, int]:
    """(receptive field, stride) of a stack on one axis."""
    footprint = run_chain(read_stack(text), (1, channels, size)).steps[-1].footprints[0]
    return footprint.receptive_field, footprint.stride


def patchgan(layers: int) -> str:
    """The discriminator of pix2pix with `layers` strided convolutions (Isola et al., arXiv:1611.07004)."""
    return f"conv 64 k4 s2 p1 *{layers}; conv 64 k4 p1; conv 1 k4 p1"


def tcn(kernel_size: int, dilations: tuple[int, ...], stacks: int) -> str:
    """A temporal convolutional network with two causal convolutions a block (Bai et al., arXiv:1803.01271)."""
    blocks = "; ".join(f"conv k{kernel_size} d{d} pcausal *2" for d in dilations)
    return f"({blocks}) *{stacks}"


@pytest.mark.parametrize(
    ("text", "published"),
    [
        (VGG16, (212, 32)),  # Araujo, Norris, Sim, Distill 2019
        (WAV2VEC2, (400, 320)),  # Baevski et al., arXiv:2006.11477
        (tcn(8, (1, 2, 4, 8), 3), (631, 1)),
        *[(patchgan(n), (f, 2**n)) for n, f in enumerate((16, 34, 70, 142, 286), start=1)],
    ],
)
def test_published_fields_and_strides_come_out(text, published):
    assert field(text, size=4096) == published


def test_the_frames_left_by_wav2vec_are_one_division():
    chain = run_chain(read_stack(WAV2VEC2), (1, 1, 16_000))
    assert chain.formula[0] == (Expr.symbol("L") - 80) // 320
    assert chain.output[2] == (16_000 - 80) // 320


def test_vgg16_at_224_has_the_shapes_and_costs_of_the_paper():
    chain = run_chain(read_stack(VGG16), (1, 3, 224, 224))
    pooled = [step.output for step in chain.steps if step.layer.op == "maxpool"]
    assert pooled == [(1, c, n, n) for c, n in zip((64, 128, 256, 512, 512), (112, 56, 28, 14, 7), strict=True)]
    dense = 25088 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000
    assert sum(step.params for step in chain.steps) == 138_357_544 - dense


@pytest.mark.parametrize(
    ("text", "field_and_stride"),
    [
        ("conv k3 s2 p1; tconv k4 s2 p1", (5, 1)),  # output 1 reads coarse 0 and 1: inputs -1..3
        ("tconv k4 s2 p1", (2, 0.5)),
        ("tconv k2 s2; conv k2 s2", (1, 1)),  # each pair of outputs comes from one input
        ("tconv k3 s2 p1; conv k3 p1", (3, 0.5)),  # three neighbours at phase 1 come from three inputs
    ],
)
def test_strided_transposed_stacks_see_what_their_phases_see(text, field_and_stride):
    assert field(text) == field_and_stride


WINDOWS = ["conv k3 p1", "conv k3 s2", "conv k5 s3 p2", "conv k2 d3", "conv k4 s2 psame", "conv k3 pfull"]
WINDOWS += ["maxpool 2", "maxpool k3 s2 p1 ceil", "avgpool k4 s3", "pad 1:2", "crop 1"]
LAYERS = st.sampled_from([*WINDOWS, "tconv k4 s2 p1", "tconv k3 s3 op1", "upsample 2"])


@given(st.lists(LAYERS, min_size=1, max_size=8), st.integers(1, 400))
def test_the_formula_is_the_output_for_every_size(texts, size):
    layers = read_stack(texts)
    chain = run_chain(layers, (1, 4, size))
    anywhere = run_chain(layers, (1, 4, Expr.symbol("n")))
    legal = all(value(n=size) >= 0 for value in anywhere.needs)
    assert legal == (chain.error is None)
    if legal:
        assert Expr.const(0) + chain.formula[0](L=size) == chain.output[2] == (0 + anywhere.output[2])(n=size)


@given(st.lists(st.sampled_from(WINDOWS), min_size=1, max_size=8))
def test_a_chain_of_windows_is_one_division_by_the_product_of_strides(texts):
    layers = read_stack(texts)
    formula = run_chain(layers, (1, 4, 10**6)).formula[0]
    strides = [getattr(layer, "stride", 1) or layer.kernel_size for layer in layers]
    m = math.prod(strides)
    values = [formula(L=n) for n in range(3 * m + 1)]
    jumps = [n for n in range(1, 3 * m + 1) if values[n] != values[n - 1]]
    assert all(values[n] - values[n - 1] == 1 for n in jumps)
    assert {b - a for a, b in itertools.pairwise(jumps)} <= {m}
    assert len(formula.terms) <= 2


def test_a_refusal_keeps_the_steps_before_it_and_names_its_layer():
    chain = run_chain(read_stack("conv k3; maxpool 2; conv k9"), (1, 4, 12))
    assert [step.name for step in chain.steps] == ["conv1", "maxpool1"]
    assert str(chain.error).startswith("conv2: kernel does not fit: it spans 9 (kernel_size=9, dilation=1) but ")
    assert chain.output is None
    assert chain.formula is None


def test_a_scale_that_torch_rounds_in_floating_point_has_no_formula():
    chain = run_chain(read_stack("upsample 0.7; conv k3 p1"), (1, 4, 90))
    assert chain.output == (1, 4, 62)
    assert [step.symbolic for step in chain.steps] == [None, None]


def test_an_adaptive_pool_that_does_not_divide_is_no_periodic_map():
    steps = run_chain(read_stack("adaptiveavgpool 3; conv k3 p1"), (1, 4, 7)).steps
    assert [step.footprints for step in steps] == [(None,), (None,)]
    (step,) = run_chain(read_stack("adaptiveavgpool 1"), (1, 4, 7)).steps
    assert step.footprints[0].is_global


def test_shapes_have_one_to_three_spatial_axes():
    for shape in ((1, 3), (1, 3, 4, 4, 4, 4)):
        with pytest.raises(BadShape, match="1 to 3 spatial axes"):
            run_chain([Conv(4, 3)], shape)


def test_padding_same_of_torch_is_refused_with_a_stride():
    chain = run_chain([Conv(4, 3, stride=2, padding="same")], (1, 3, 9))
    assert isinstance(chain.error, ConvcalcError)
    assert "padding='same-upper'" in chain.error.fixes
