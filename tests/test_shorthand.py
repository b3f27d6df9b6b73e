"""The shorthand of stacks: what it means, what it refuses, and that it evaluates nothing."""

import dataclasses
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc import layers
from convcalc.errors import ConvcalcError, Unreadable
from convcalc.network.stack import DEEPEST, MOST_LAYERS, OPS, read_stack


def read_one(text):
    (layer,) = read_stack(text)
    return layer


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("conv 64 k3", layers.Conv(64, 3)),
        ("conv k3", layers.Conv(None, 3)),
        ("CONV 64 k3", layers.Conv(64, 3)),
        ("conv 64 k3x5 s2 p1 d2", layers.Conv(64, (3, 5), stride=2, padding=1, dilation=2)),
        ("conv 64 k3 g4 nobias", layers.Conv(64, 3, groups=4, bias=False)),
        ("conv 64 k3s2p1", layers.Conv(64, 3, stride=2, padding=1)),
        ("conv 64 k3 p1:2x0", layers.Conv(64, 3, padding=((1, 2), 0))),
        ("conv 64 k3 psame s2", layers.Conv(64, 3, padding="same-upper", stride=2)),
        ("conv 64 k3 psame-lower", layers.Conv(64, 3, padding="same-lower")),
        ("conv 64 k3 pcausal", layers.Conv(64, 3, padding="causal")),
        ("conv 64 kernel_size=3x5 padding=1 stride=2", layers.Conv(64, (3, 5), padding=1, stride=2)),
        ("conv 64 k3 p1 padding_mode=reflect", layers.Conv(64, 3, padding=1, padding_mode="reflect")),
        ("conv 64 k3 bias=False in_channels=3", layers.Conv(64, 3, bias=False, in_channels=3)),
        ("tconv 64 k3 s2 p1 op1", layers.ConvTranspose(64, 3, stride=2, padding=1, output_padding=1)),
        ("maxpool 2", layers.MaxPool(2)),
        ("maxpool k3 s2 p1 ceil", layers.MaxPool(3, stride=2, padding=1, ceil_mode=True)),
        ("maxpool 3x2 ceil_mode=true", layers.MaxPool((3, 2), ceil_mode=True)),
        ("avgpool 2", layers.AvgPool(2)),
        ("lppool 3 s2 norm_type=1", layers.LpPool(3, stride=2, norm_type=1)),
        ("adaptiveavgpool 1", layers.AdaptiveAvgPool(1)),
        ("adaptivemaxpool 2x3", layers.AdaptiveMaxPool((2, 3))),
        ("upsample 2", layers.Upsample(scale_factor=2.0)),
        ("upsample 2x1.5 mode=bilinear", layers.Upsample(scale_factor=(2.0, 1.5), mode="bilinear")),
        ("upsample size=7x9", layers.Upsample(size=(7, 9))),
        ("pixelshuffle 2", layers.PixelShuffle(2)),
        ("pixelunshuffle 2", layers.PixelUnshuffle(2)),
        ("pad 1:2x0 mode=reflect", layers.Pad(((1, 2), 0), mode="reflect")),
        ("pad -1", layers.Pad(-1)),
        ("crop 4", layers.Crop(4)),
    ],
)  # fmt: skip
def test_a_layer_in_a_line(text, layer):
    assert read_one(text) == layer


def test_every_op_has_a_line_above():
    read = {"conv", "tconv", "maxpool", "avgpool", "lppool", "adaptiveavgpool", "adaptivemaxpool", "upsample"}
    assert set(OPS) >= read | {"pixelshuffle", "pixelunshuffle", "pad", "crop"}
    for name, op in OPS.items():
        assert op.layer.op == name or op.preset or name in ("gap", "globalavgpool")
        assert op.bare in {"", *(entry.name for entry in dataclasses.fields(op.layer))}


@pytest.mark.parametrize(
    ("torch_s", "ours"),
    [("nn.Conv2d 8 k3", "conv 8 k3"), ("ConvTranspose3d 8 k3", "tconv 8 k3"), ("MaxPool2d 2", "maxpool 2")],
)
def test_torch_s_names_of_ops_are_read_too(torch_s, ours):
    assert read_stack(torch_s) == read_stack(ours)


@given(st.lists(st.sampled_from(["conv k3", "maxpool 2", "upsample 2"]), min_size=1, max_size=5), st.integers(1, 6))
def test_repetition_is_writing_it_again(texts, times):
    group = "; ".join(texts)
    assert read_stack(f"({group}) *{times}") == read_stack(texts) * times
    assert read_stack(f"({group})*{times}; {texts[0]} * 2") == read_stack(texts) * times + read_stack(texts[0]) * 2
    assert read_stack(f"(({group}) *2) *{times}") == read_stack(texts) * (2 * times)
    assert read_stack(f";{group};;") == read_stack(group) == read_stack(texts)


def test_one_pair_of_sides_is_for_every_axis():
    assert read_one("pad 1:2").out_shape((1, 3, 5, 7)) == (1, 3, 8, 10)
    assert read_one("conv 8 k3 p1:2").out_shape((1, 3, 5, 7, 9)) == (1, 8, 6, 8, 10)


CONV = "bias, dilation, groups, in_channels, kernel_size, out_channels, padding, padding_mode, stride"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "an empty stack: write layers such as 'conv 64 k3 p1; maxpool 2'"),
        (" ; ;", "an empty stack: write layers such as 'conv 64 k3 p1; maxpool 2'"),
        ("()", "an empty stack: write layers such as 'conv 64 k3 p1; maxpool 2'"),
        ("convo k3", "unknown op 'convo' (did you mean conv?)"),
        ("64", f"unknown op '64'; use one of {', '.join(OPS)}"),
        ("conv", "conv needs kernel_size: 'conv'"),
        ("pad", "pad needs padding: 'pad'"),
        ("conv k", "conv cannot read 'k': write 64, k3, k3x5, s2, p1, p1:2, psame, d2, op1, g4 or ceil"),
        ("conv k3,5", "conv cannot read 'k3,5': write 64, k3, k3x5, s2, p1, p1:2, psame, d2, op1, g4 or ceil"),
        ("conv k3 k5", "conv is given kernel_size twice: 'conv k3 k5'"),
        (
            "conv 64 32 k3",
            "conv is given out_channels twice: 'conv 64 32 k3'; conv takes one bare number, out_channels, and the "
            "kernel as k3",
        ),
        ("conv k3 op1", f"conv has no output_padding (did you mean padding?): it takes {CONV}"),
        ("conv k3 strid=2", f"conv has no strid (did you mean stride?): it takes {CONV}"),
        ("conv k3 ceil", f"conv has no ceil_mode: it takes {CONV}"),
        ("conv k3 axes=1", f"conv has no axes: it takes {CONV}"),
        ("conv k3 groups=2x2", "groups is one number: '2x2'"),
        ("conv kernel_size=N", "kernel_size takes numbers in a stack, not the symbol N"),
        ("conv k3 bias=maybe", "bias is true or false: 'maybe'"),
        ("upsample 2x", "'2x' is no scale factor: write 2, 0.5 or 2x1.5"),
        ("lppool 3 norm_type=2.5", "'2.5' is no integer"),
        ("conv k" + "9" * 2000, "a number of 2000 digits: at most 1000"),
        ("(conv k3", "a parenthesis is opened and not closed"),
        ("conv k3)", "a parenthesis is closed and none is open"),
        (
            "conv k3 (maxpool 2)",
            "a parenthesis opens a new layer: put ; before it; what torch writes Conv2d(3, 64, 7, stride=2, padding=3) "
            "is conv 64 k7 s2 p3",
        ),
        ("conv k3 *", "* is followed by how often the layer stands: *3"),
        ("*3", "a layer is missing: write an op such as conv, maxpool or upsample"),
        ("conv k3 *10001", f"a stack of more than {MOST_LAYERS} layers: *10001"),
        ("conv k3 *200 *200", f"a stack of more than {MOST_LAYERS} layers: *200"),
        ("conv k3 *9999; maxpool 2 *9", f"a stack of more than {MOST_LAYERS} layers"),
        ("(" * 5000, f"parentheses more than {DEEPEST} deep"),
    ],
)
def test_what_cannot_be_read_is_said(text, sentence):
    with pytest.raises(Unreadable) as refusal:
        read_stack(text)
    assert str(refusal.value) == sentence


def test_parentheses_may_be_deep():
    assert read_stack("(" * DEEPEST + "conv k3" + ")" * DEEPEST) == read_stack("conv k3")
    assert len(read_stack("; ".join(["((conv k3))"] * 200))) == 200


@pytest.mark.parametrize(
    "text",
    ["conv __import__('os').getcwd()", "conv k=exec('1')", "conv k3 mode=open('x')", "upsample scale_factor=1/0"],
)
def test_nothing_is_evaluated(text):
    with pytest.raises(Unreadable):
        read_stack(text)


WORDS = st.sampled_from(
    [*OPS, "k3", "s2", "p1:2", "psame", "64", "*2", "(", ")", ";", "ceil", "=", "stride=2", "x", "×"]
)


@given(st.one_of(st.text(max_size=20), st.lists(WORDS, max_size=12).map(" ".join)))
def test_any_text_is_a_stack_or_refused(text):
    with suppress(ConvcalcError):
        assert read_stack(text)
