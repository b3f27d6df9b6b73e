"""Notes: each kind where it must speak and where it must not, with numbers worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import convcalc as cc
from convcalc import find_notes, zoo
from convcalc.analysis.notes.base import Facts, Note
from convcalc.analysis.notes.rules import RULES
from convcalc.analysis.notes.window import windows
from convcalc.analysis.notes.windows import unread_padding
from convcalc.analysis.report.inspection import inspect_graph
from convcalc.layers import (
    AdaptiveAvgPool,
    Add,
    AvgPool,
    BatchNorm,
    Conv,
    ConvTranspose,
    CropTo,
    Flatten,
    InstanceNorm,
    Linear,
    MaxPool,
    Pad,
    ReLU,
    Upsample,
)
from convcalc.network.blocks import Branches, Residual, Sequential, Skip, Wired, as_graph


def notes(kind, net, shape):
    assert kind in RULES
    return [note for note in find_notes(net, shape) if note.kind == kind]


def only(kind, net, shape):
    (note,) = notes(kind, net, shape)
    return note


def image(*sizes, channels=3):
    return (1, channels, *sizes)


def dilated(*rates):
    return Sequential(*(Conv(8, 3, dilation=rate, padding=rate) for rate in rates))


# -- rows dropped by a stride --------------------------------------------------------------------------------------


def test_the_row_after_the_last_window_is_dropped():
    note = only("dropped_rows", MaxPool(3, stride=2), image(54, 54))  # windows 0..2, ..., 50..52: row 53 is left
    assert note == Note(
        "dropped_rows",
        "maxpool",
        "1 of 54 rows is never read: the last window ends 1 before the end, (54 - 3) % 2 = 1",
        "an input of 53 or 55 here drops none; ceil_mode=True reads it (output 27)",
    )


@pytest.mark.parametrize("remedy", [image(53, 53), image(55, 55)])
def test_the_sizes_it_names_drop_none(remedy):
    assert not notes("dropped_rows", MaxPool(3, stride=2), remedy)


def test_ceil_mode_reads_the_dropped_row():
    assert not notes("dropped_rows", MaxPool(3, stride=2, ceil_mode=True), image(54, 54))


def test_rows_are_told_from_padding():
    # 224 + 1 + 1 - 11 = 215 = 4*53 + 3: three of the padded rows are left, the last of them padding
    note = only("dropped_rows", Conv(96, 11, stride=4, padding=1), image(224, 224))
    assert note.message.startswith("2 of 224 rows are never read: the last window ends 3 before the padded end")
    assert note.remedy == "an input of 222 or 225 here drops none; padding=2 reads them all (output 55)"
    for net, size in [(Conv(96, 11, stride=4, padding=1), 222), (Conv(96, 11, stride=4, padding=2), 224)]:
        assert not notes("dropped_rows", net, image(size, size))


def test_a_kernel_below_its_stride_passes_over_rows():
    note = only("dropped_rows", Conv(8, 1, stride=2), image(32, 32))  # rows 0, 2, ..., 30
    assert note.message == "16 of 32 rows are never read: windows of kernel_size 1 are 2 apart"
    assert note.remedy == "kernel_size=2 or stride=1 leaves no gap between windows"


def test_a_dilation_that_shares_a_factor_with_the_stride_passes_over_rows():
    note = only("dropped_rows", Conv(8, 3, stride=2, dilation=2, padding=2), image(32, 32))  # even rows alone
    assert note.message == "16 of 32 rows are never read: windows of kernel_size 3 and dilation 2 are 2 apart"
    assert not notes("dropped_rows", Conv(8, 3, stride=2, padding=1), image(32, 32))


def test_a_shortcut_may_drop_what_the_body_reads():
    body = Conv(8, 3, stride=2, padding=1)
    assert not notes("dropped_rows", Residual(body, Conv(8, 1, stride=2)), image(32, 32))
    both = notes("dropped_rows", Residual(Conv(8, 1, stride=2), Conv(8, 1, stride=2)), image(32, 32))
    assert [note.node for note in both] == ["body", "shortcut"]


def test_a_skip_does_not_excuse_the_pooling_beside_it():
    net = Skip(Sequential(pool=MaxPool(2), up=ConvTranspose(3, 2, stride=2)))
    assert only("dropped_rows", net, image(33, 33)).node == "pool"
    assert not find_notes(net, image(32, 32))


def test_rows_that_a_padding_layer_added_are_not_real():
    net = Sequential(Pad(1), Conv(8, 3, stride=2))  # 56 + 2 - 3 = 55: one row left, and it is padding
    assert not notes("dropped_rows", net, image(56, 56))
    assert notes("dropped_rows", Conv(8, 3, stride=2), image(58, 58))


def test_only_the_axes_concerned_are_named():
    note = only("dropped_rows", MaxPool(3, stride=2), image(55, 54))
    assert note.message.startswith("axis W: 1 of 54 rows is never read")
    note = only("dropped_rows", MaxPool(3, stride=2), image(54, 55, 54))
    assert note.message.startswith("axes D and W: 1 of 54 rows is never read")


# -- padding never read --------------------------------------------------------------------------------------------


def test_padding_that_less_of_would_do():
    # (28 + 1 + 1 - 4) % 4 = 2: two rows left, one of them padding; unpadded, 24 // 4 + 1 = 7 as before
    note = only("unread_padding", Conv(8, 4, stride=4, padding=1), image(28, 28))
    assert note.message == "of the padding after the map, 1, 1 is never read: (28 + 1 + 1 - 4) % 4 = 2"
    assert note.remedy == "padding=0 gives as many outputs, 7"
    assert not notes("unread_padding", Conv(8, 4, stride=4), image(28, 28))


def test_one_row_unread_at_stride_2_is_the_price_of_the_output():
    # (224 + 3 + 3 - 7) % 2 = 1, but with padding=2 the output would be 111, not 112
    assert not notes("unread_padding", Conv(64, 7, stride=2, padding=3), image(224, 224))


def test_one_sided_padding_can_always_be_less():
    note = only("unread_padding", Conv(8, 3, stride=2, padding=((0, 1),)), image(7, 7))  # (7 + 1 - 3) % 2 = 1
    assert note.remedy == "padding 0 before and 0 after gives as many outputs, 3"
    assert not notes("unread_padding", Conv(8, 3, stride=2, padding=((0, 1),)), image(8, 8))


# -- dilation larger than the map ----------------------------------------------------------------------------------


def test_a_dilation_past_the_map_leaves_the_middle_tap():
    note = only("dilation_past_map", Conv(8, 3, dilation=24, padding=24), image(16, 16))
    assert note.message == "dilation 24 on a map of 16: no window reads two real values, it acts as kernel_size 1"
    # 2*7 + 1 = 15 fits into 16; two taps 24 apart need 25 rows
    assert note.remedy == (
        "kernel_size=1 with padding=0 does the same; dilation=7 with padding=7 lets a window lie inside the map; "
        "an input of 25 or more here lets it read two"
    )


def test_a_dilation_just_below_the_map_is_none():
    assert not notes("dilation_past_map", Conv(8, 3, dilation=15, padding=15), image(16, 16))
    assert notes("dilation_past_map", Conv(8, 3, dilation=16, padding=16), image(16, 16))


def test_other_padding_leaves_one_tap_at_a_time():
    # windows start at -12..1 and read 8 apart: row 0 is the first tap of one, the second and the third of others
    note = only("dilation_past_map", Conv(8, 3, dilation=8, padding=12), (1, 3, 6))
    assert "acts as kernel_size 1" not in note.message


# -- kernel larger than the map ------------------------------------------------------------------------------------


def test_a_kernel_that_hangs_over_both_borders():
    note = only("kernel_past_map", Conv(8, 5, padding=2), image(3, 3))
    assert note.message == "the kernel spans 5 and the map is 3: every window hangs over the border"
    assert note.remedy == "kernel_size=3 with padding=1 fits; an input of 5 or more here"
    assert not notes("kernel_past_map", Conv(8, 5, padding=2), image(5, 5))


def test_an_odd_kernel_stays_odd():
    assert only("kernel_past_map", Conv(8, 5, padding=2), image(4, 4)).remedy.startswith(
        "kernel_size=3 with padding=1 fits"
    )


def test_a_kernel_on_a_single_value_acts_as_one_tap():
    note = only("kernel_past_map", Conv(8, 3, padding=1), image(1, 1))
    assert note.message.endswith("it acts as kernel_size 1")
    assert note.remedy == "kernel_size=1 with padding=0 does the same; an input of 3 or more here"


def test_a_dilated_kernel_may_be_dilated_less():
    note = only("kernel_past_map", Conv(8, 3, dilation=4, padding=4), (1, 3, 8))  # spans 9; 2*3 + 1 = 7 <= 8
    assert note.remedy.startswith("dilation=3 with padding=3 fits")


# -- even kernel with symmetric padding ----------------------------------------------------------------------------


def test_an_even_kernel_cannot_keep_the_size():
    note = only("even_kernel", Conv(8, 4, padding=1), image("H", "W"))
    assert note.message == (
        "the kernel spans 4, padding 1 + 1: the output is 1 smaller, and lies half a row beside the input"
    )
    assert note.remedy == (
        "kernel_size=3 with padding=1, kernel_size=5 with padding=2 or padding='same', 1 before and 2 after, "
        "keeps the size"
    )
    assert only("even_kernel", Conv(8, 4, padding=2), image(9, 9)).message.split(",")[1].endswith("1 larger")


@pytest.mark.parametrize("settings", [(3, 1), (5, 2), (4, ((1, 2),))])
def test_the_kernels_it_names_keep_the_size(settings):
    kernel, padding = settings
    assert inspect_graph(Conv(8, kernel, padding=padding), image(32, 32)).output == image(32, 32, channels=8)
    assert not notes("even_kernel", Conv(8, kernel, padding=padding), image(32, 32))


@pytest.mark.parametrize(
    "conv",
    [
        Conv(8, 4),  # no padding
        Conv(8, 4, stride=2, padding=1),  # halves, and its windows lie centred on the input
        Conv(8, 4, padding="same"),  # one more after than before
        Conv(8, 2, dilation=2, padding=1),  # spans 3
    ],
)
def test_even_kernels_that_do_no_harm(conv):
    assert not notes("even_kernel", conv, image(32, 32))


# -- uneven transposed overlap -------------------------------------------------------------------------------------


def test_stamps_that_overlap_unevenly():
    # stride 2: taps 0 and 2 of each stamp meet on even outputs, tap 1 alone on odd ones
    note = only("uneven_overlap", ConvTranspose(8, 3, stride=2, padding=1), image(8, 8))
    assert note.message == (
        "stamps of kernel_size 3, 2 apart, meet 1 to 2 at an output: 2 does not divide 3, a checkerboard"
    )
    assert note.remedy == (
        "kernel_size=2 with output_padding=1 or kernel_size=4 with padding=2, output_padding=1 overlaps evenly"
    )


@pytest.mark.parametrize(
    "layer", [ConvTranspose(8, 4, stride=2, padding=1), ConvTranspose(8, 2, stride=2), ConvTranspose(8, 3)]
)
def test_stamps_that_overlap_evenly(layer):
    assert not notes("uneven_overlap", layer, image(8, 8))


# -- gridding ------------------------------------------------------------------------------------------------------


def test_the_stack_of_the_paper_that_misses_inputs():
    # 1, 2: reads -3..3; then 9 apart: -12..-6, -3..3, 6..12, and 4 of the 25 are missed
    note = only("gridding", dilated(1, 2, 9), image(64, 64))
    assert (note.kind, note.node) == ("gridding", "2")
    assert note.message == "its field of 25 has 4 holes, at 7 8 16 17 from the first input read: outputs see a grid"
    assert note.remedy.startswith("dilation=7 at most, as its input sees 7 in a row")
    assert "rates 1 3 9 read all of a field of 27" in note.remedy


@pytest.mark.parametrize("rates", [(1, 2, 5), (1, 2, 7), (1, 3, 9), (1, 2, 3), (2, 1)])
def test_stacks_that_read_all_of_their_field(rates):
    assert not notes("gridding", dilated(*rates), image(64, 64))


def test_gridding_is_said_of_the_first_node_alone():
    assert only("gridding", dilated(2, 2, 2), image(64, 64)).node == "0"
    assert only("gridding", dilated(1, 2, 9, 9), image(99, 99)).node == "2"


def test_holes_are_measured_in_strides():
    # after a 3x3 and a pooling by 2 a field of 4 moves by 2: dilation 2 is the largest without holes
    net = Sequential(Conv(8, 3, padding=1), MaxPool(2), Conv(8, 3, dilation=3, padding=3))
    note = only("gridding", net, image(64, 64))
    assert note.remedy.startswith("dilation=2 at most, as its input sees 4 in a row at stride 2")
    net = Sequential(Conv(8, 3, padding=1), MaxPool(2), Conv(8, 3, dilation=2, padding=2))
    assert not notes("gridding", net, image(64, 64))


def test_holes_before_a_pooling_of_everything_are_holes():
    net = Sequential(dilated(1, 2, 9), AdaptiveAvgPool(1), Flatten(), Linear(10))
    assert only("gridding", net, image(64, 64)).node == "0.2"


def test_a_branch_may_fill_the_holes_of_another():
    wide = Conv(8, 3, dilation=2, padding=2)
    assert not notes("gridding", Branches(wide, Conv(8, 5, padding=2)), image(32, 32))
    assert notes("gridding", Branches(wide, Conv(8, 1)), image(32, 32))  # -2, 0, 2 and 0: still no -1


# -- misaligned branches -------------------------------------------------------------------------------------------


def test_branches_padded_on_different_sides():
    # padded 1 + 1 output 0 reads -1..1, centred on 0; unpadded it reads 0..2, centred on 1
    net = Branches(a=Conv(8, 3, padding=1), b=Sequential(Conv(8, 3), Pad(((0, 2),))))
    note = only("misaligned_branches", net, (1, 3, 32))
    assert note.message == "output 0 is centred on input 0 by a and on input 1 by b.1: 1 apart"
    assert note.remedy == "1 more row of padding before and as many fewer after, on the way to b.1"
    assert not notes("misaligned_branches", Branches(Conv(8, 3, padding=1), Conv(8, 5, padding=2)), (1, 3, 32))


def test_what_it_proposes_aligns_them():
    net = Branches(a=Conv(8, 3, padding=1), b=Sequential(Conv(8, 3), Pad(((1, 1),))))
    assert not find_notes(net, (1, 3, 32))


def test_a_crop_that_cannot_be_centred():
    def cropped(kernel):
        return Wired(
            ("conv", Conv(3, kernel), "input"), ("crop", CropTo(), "input", "conv"), ("add", Add(), "crop", "conv")
        )

    # 32 -> 29: one row is cut before and two after, so row 0 is input 1, and the window 0..3 lies about 3/2
    note = only("misaligned_branches", cropped(4), image(32, 32))
    assert note.message == "output 0 is centred on input 1 by crop and on input 3/2 by conv: 1/2 apart"
    assert note.remedy == "kernel_size=5 in conv centres both"
    assert not notes("misaligned_branches", cropped(5), image(32, 32))


def test_an_even_way_down_needs_an_even_way_up():
    def level(up):
        return Skip(Sequential(MaxPool(2), up), mode="strict")

    odd = ConvTranspose(3, 3, stride=2, padding=1, output_padding=1)
    note = only("misaligned_branches", level(odd), image(32, 32))
    assert note.remedy.endswith(" centres both")
    for up in (ConvTranspose(3, 2, stride=2), ConvTranspose(3, 4, stride=2, padding=1), Upsample(scale_factor=2)):
        assert not notes("misaligned_branches", level(up), image(32, 32))


def test_causal_branches_look_back_on_purpose():
    net = Residual(Sequential(Conv(3, 3, padding="causal"), Conv(3, 3, padding="causal", dilation=2)))
    assert not notes("misaligned_branches", net, (1, 3, 32))


# -- field larger than the input -----------------------------------------------------------------------------------


def test_the_first_field_past_the_input_is_named_once():
    # fields of 3x3 convolutions: 3, 5, 7, 9
    net = Sequential(*[Conv(8, 3, padding=1)] * 4)
    note = only("field_past_input", net, image(6, 6))
    assert note.node == "2"
    assert note.message == "the receptive field is 7 from here on and the input 6: outputs reach past its border"
    assert note.remedy.startswith("an input of 9 or more holds every field")
    assert not notes("field_past_input", net, image(9, 9))


def test_what_sees_everything_on_purpose_is_no_such_case():
    assert not find_notes(Sequential(Conv(8, 3, padding=1), AdaptiveAvgPool(1), Flatten(), Linear(10)), image(8, 8))


# -- bias before BatchNorm -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [Conv(8, 3), ConvTranspose(8, 2, stride=2)])
def test_a_bias_that_batch_normalization_takes_away(layer):
    note = only("bias_before_batchnorm", Sequential(layer, BatchNorm()), image(8, 8))
    assert (note.node, note.remedy) == ("0", "bias=False")
    assert note.message == "the batch normalization after it takes this bias of 8 away again"
    assert not notes("bias_before_batchnorm", Sequential(Conv(8, 3, bias=False), BatchNorm()), image(8, 8))


def test_linear_layers_have_such_biases_on_vectors_alone():
    assert notes("bias_before_batchnorm", Sequential(Linear(8), BatchNorm()), (2, 16))
    assert not notes("bias_before_batchnorm", Sequential(Linear(8), BatchNorm()), (2, 4, 16))  # 4 channels, 8 places


def test_a_bias_that_something_else_reads_too():
    assert not notes("bias_before_batchnorm", Sequential(Conv(8, 3), ReLU(), BatchNorm()), image(8, 8))
    assert not notes("bias_before_batchnorm", Sequential(Conv(8, 3), InstanceNorm()), image(8, 8))
    seen = Wired(("conv", Conv(3, 1), "input"), ("bn", BatchNorm(), "conv"), ("add", Add(), "bn", "conv"))
    assert not notes("bias_before_batchnorm", seen, image(8, 8))


# -- networks ------------------------------------------------------------------------------------------------------


CLEAN = ["lenet", "lenet(modern=True)", "alexnet_torchvision", "vgg11", "vgg13", "vgg16", "unet"]

REMARKED = {
    # 11x11 of stride 4 with padding 1, then 54, 26, 12 halved by 3x3 windows: a row is left each time
    "alexnet": ["dropped_rows", "unread_padding", "dropped_rows", "dropped_rows", "dropped_rows"],
    "nin": ["dropped_rows"] * 4,
    "vgg19": ["field_past_input"],  # 252 > 224, where VGG-16 has 212
    "googlenet": ["field_past_input", "kernel_past_map", "kernel_past_map"],  # at 96 the last maps are 3x3
    "googlenet(aux=True)": ["field_past_input"],
    "densenet": ["bias_before_batchnorm", "field_past_input"],
    **{name: ["field_past_input"] for name in zoo.MODELS if name.startswith(("resnet", "densenet1", "densenet2"))},
    # the stride on the 1x1 convolutions drops three of four values at each of three stages, twice
    "resnet50(stride_on='1x1')": ["dropped_rows"] * 2
    + ["dropped_rows"] * 2
    + ["field_past_input"]
    + ["dropped_rows"] * 2,
    "unet3d": ["bias_before_batchnorm"] * 14,  # seven pairs of convolutions with bias before normalization
    "unet(padded=True)": ["dropped_rows"] * 2,  # 572, 286, 143, 71, 35: 143 and 71 are odd
}


@pytest.mark.parametrize("name", CLEAN)
def test_clean_networks_have_no_notes(name):
    assert find_notes(zoo.load(name)) == ()


@pytest.mark.parametrize("name", REMARKED)
def test_other_networks_have_these_alone(name):
    assert sorted(note.kind for note in find_notes(zoo.load(name))) == sorted(REMARKED[name])


def test_the_whole_zoo_is_listed():
    assert {name.partition("(")[0] for name in (*CLEAN, *REMARKED)} == set(zoo.MODELS)


def test_resnet18_leaves_its_input_in_the_last_stage():
    # 211 after three stages at stride 16; the next 3x3 adds 2*16
    (note,) = find_notes(zoo.resnet18())
    assert note.node == "layer4.0.conv1"
    assert note.message.startswith("the receptive field is 243 from here on and the input 224")
    assert "435 or more" in note.remedy


# -- in reports ----------------------------------------------------------------------------------------------------


def test_a_report_has_them_and_so_has_its_document():
    def to(node, setting, value):
        return [{"node": node, "setting": setting, "value": value}]

    report = inspect_graph(Sequential(pool=AvgPool(2)), image(5, 5))
    (note,) = report.notes
    assert report.to_dict()["notes"] == [
        {
            "kind": "dropped_rows",
            "node": "pool",
            "message": note.message,
            "remedy": note.remedy,
            "ways": [
                {
                    "text": "an input of 4 or 6 here drops none",
                    "axes": [0, 1],
                    "changes": [to("input", "size", 4), to("input", "size", 6)],
                },
                {
                    "text": "ceil_mode=True reads it (output 3)",
                    "axes": [0, 1],
                    "changes": [to("pool", "ceil_mode", True)],
                },
            ],
        }
    ]


def test_a_report_that_ends_early_has_those_before_the_end():
    report = inspect_graph(Sequential(MaxPool(2), Conv(8, 9)), image(5, 5))
    assert report.error is not None
    assert [note.node for note in report.notes] == ["0"]


def test_symbols_silence_what_depends_on_a_size():
    net = Sequential(MaxPool(3, stride=2), ConvTranspose(8, 3, stride=2), BatchNorm())
    kinds = [note.kind for note in find_notes(net, image("H", "W"))]
    assert kinds == ["uneven_overlap", "bias_before_batchnorm"]


def test_notes_come_in_the_order_of_the_nodes():
    net = Sequential(Conv(8, 4, padding=1), BatchNorm(), MaxPool(2))
    assert [(note.node, note.kind) for note in find_notes(net, image(32, 32))] == [
        ("0", "even_kernel"),
        ("0", "bias_before_batchnorm"),
        ("2", "dropped_rows"),  # 31 rows
    ]


# -- by counting -------------------------------------------------------------------------------------------------------


@given(
    size=st.integers(1, 14),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 5),
    padding=st.integers(0, 4),
    dilation=st.integers(1, 4),
)
def test_window_counts_are_those_of_marking_every_row(size, kernel, stride, padding, dilation):
    starts = range(-padding, size + padding - dilation * (kernel - 1), stride)
    assume(starts)
    net = as_graph(Conv(8, kernel, stride=stride, padding=padding, dilation=dilation))
    facts = Facts(net, {"input": (1, 3, size), "conv": (1, 8, len(starts))}, {})
    (window,) = windows(net["conv"], facts)
    read = {start + dilation * tap for start in starts for tap in range(kernel)}
    assert sum(window.dropped) == len(set(range(size)) - read)
    useful = [tap for tap in range(kernel) if any(0 <= start + dilation * tap < size for start in starts)]
    assert window.useful == useful
    alone = all(sum(0 <= start + dilation * tap < size for tap in range(kernel)) < 2 for start in starts)
    if dilation >= size:
        assert alone
    (remark,) = [*unread_padding(facts)] or [None]
    unread_after = len(set(range(size, size + padding)) - read)
    less = [p for p in range(padding) if (size + 2 * p - dilation * (kernel - 1) - 1) // stride + 1 == len(starts)]
    if kernel >= stride and dilation == 1:
        assert (remark is not None) == bool(less)
        assert remark is None or f"{unread_after} is never read" in remark[1]


# -- captured modules ----------------------------------------------------------------------------------------------


def test_rows_that_were_regrouped_on_the_way_are_no_misaligned_branches():
    torch = pytest.importorskip("torch")

    class Merging(torch.nn.Module):
        """Each 2x2 patch as channels, as between the stages of a Swin transformer."""

        def forward(self, x):
            return torch.cat([x[:, :, ::2, ::2], x[:, :, 1::2, ::2], x[:, :, ::2, 1::2], x[:, :, 1::2, 1::2]], 1)

    class Beside(torch.nn.Module):
        """A real misalignment: two kernels of other parity side by side."""

        def __init__(self):
            super().__init__()
            self.a, self.b = torch.nn.Conv2d(3, 4, 3, 2, 1), torch.nn.Conv2d(3, 4, 2, 2)

        def forward(self, x):
            return self.a(x) + self.b(x)

    assert not find_notes(cc.from_torch(Merging(), (1, 3, 32, 32)))
    assert "misaligned_branches" in [note.kind for note in find_notes(cc.from_torch(Beside(), (1, 3, 32, 32)))]


def test_tokens_and_channels_last_get_no_notes_of_windows():
    torch = pytest.importorskip("torch")

    class Tokens(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.norm = torch.nn.Conv2d(3, 8, 4, 4), torch.nn.LayerNorm(8)
            self.mix, self.head = torch.nn.Linear(8, 8), torch.nn.Linear(8, 2)

        def forward(self, x):
            x = self.embed(x).permute(0, 2, 3, 1)
            x = x + self.mix(self.norm(x))
            a, b = x.flatten(1, 2).chunk(2, -1)
            return self.head(torch.cat([a, b], -1).mean(1))

    assert not find_notes(cc.from_torch(Tokens(), (1, 3, 32, 32)))
    (note,) = find_notes(cc.from_torch(Tokens(), (1, 3, 34, 34)))
    assert (note.kind, note.node) == ("dropped_rows", "embed")


def test_a_record_has_the_ways_as_changes():
    net = cc.Sequential(cc.Conv(8, 3), cc.BatchNorm())
    (note,) = [one for one in cc.find_notes(net, (1, 3, 8, 8)) if one.ways and one.ways[0].changes]
    edit = {"node": note.node, "setting": "bias", "value": False}
    assert note.to_dict()["ways"] == [{"text": note.remedy, "axes": None, "changes": [[edit]]}]
