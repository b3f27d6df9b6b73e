"""The classic networks against published numbers, and against the sizes of the course notes."""

import numpy as np
import pytest

from convcalc import find_fields
from convcalc.analysis.catalogue import counted_costs, known_costs
from convcalc.analysis.report.inspection import inspect_graph
from convcalc.errors import BadArgument, BadShape, Unreadable
from convcalc.network.shapes import infer_shapes
from convcalc.sizes.conditions import Mask
from convcalc.zoo import MODELS, load

# torchvision's documentation (params and "GFLOPS", which are GMACs); He et al.; Krizhevsky
PUBLISHED = {
    "alexnet_torchvision": (61_100_840, 0.71),
    "vgg11": (132_863_336, 7.61),
    "vgg13": (133_047_848, 11.31),
    "vgg16": (138_357_544, 15.47),
    "vgg19": (143_667_240, 19.63),
    "resnet18": (11_689_512, 1.81),
    "resnet34": (21_797_672, 3.66),
    "resnet50": (25_557_032, 4.09),
    "resnet101": (44_549_160, 7.80),
    "resnet152": (60_192_808, 11.51),
    "densenet121": (7_978_856, 2.83),
    "densenet169": (14_149_480, 3.36),
    "densenet201": (20_013_928, 4.29),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_params_and_macs_are_the_published_ones(name):
    total = inspect_graph(load(name))
    params, gmacs = PUBLISHED[name]
    assert total.params == params
    assert round(total.macs / 1e9, 2) == gmacs
    assert total.flops == 2 * total.macs


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("lenet", 61_706),
        ("lenet(modern=True)", 61_706),
        ("alexnet(in_channels=3, classes=1000)", 50_844_008),
        ("resnet18(bias=True, shortcut_norm=False)", 11_692_520),
        ("googlenet(in_channels=3, classes=1000)", 6_998_552),  # Caffe's bvlc_googlenet for deployment
        ("googlenet(in_channels=3, classes=1000, aux=True)", 13_378_280),  # and for training
    ],
)
def test_params_of_variants(text, params):
    assert inspect_graph(load(text)).params == params


def test_the_heads_of_googlenet_read_the_blocks_of_the_paper():
    graph = load("googlenet(aux=True)")
    assert graph["aux1.pool"].inputs == ("inception4a.concat",)
    assert graph["aux2.pool"].inputs == ("inception4d.concat",)
    assert graph.outputs == ("fc", "aux1.fc2", "aux2.fc2")


@pytest.mark.parametrize(
    ("text", "other"), [("unet", "crop4"), ("unet(padded=True)", "enc4.relu2"), ("unet3d", "crop3")]
)
def test_u_nets_concatenate_the_copy_first(text, other):
    level = other[-1] if other.startswith("crop") else other[3]
    up = f"pad{level}" if "padded" in text else f"up{level}"
    assert load(text)[f"concat{level}"].inputs == (other, up)


def test_lenet_macs():
    assert inspect_graph(load("lenet")).macs == 416_520


def test_the_three_decimals_that_are_published():
    macs = {name: inspect_graph(load(name)).macs for name in ("resnet18", "resnet50", "alexnet_torchvision")}
    assert {name: round(count / 1e9, 3) for name, count in macs.items()} == {
        "resnet18": 1.814,
        "resnet50": 4.089,
        "alexnet_torchvision": 0.714,
    }


def test_the_3d_u_net_has_the_parameters_its_paper_counts():
    """The paper says 19069955: without normalization's, and without biases of the up-convolutions."""
    graph = load("unet3d")
    params = {row.name: row.params for row in inspect_graph(graph).layers}
    norms = sum(params[node.name] for node in graph if node.layer.op == "batchnorm")
    biases = sum(node.layer.out_channels for node in graph if node.layer.op == "tconv")
    assert sum(params.values()) - norms - biases == 19_069_955


def test_the_u_net_has_the_parameters_counted_by_hand():
    def conv(into, out, kernel):
        return into * out * kernel**2 + out

    down = sum(conv(i, o, 3) + conv(o, o, 3) for i, o in [(1, 64), (64, 128), (128, 256), (256, 512), (512, 1024)])
    up = sum(conv(2 * o, o, 2) + conv(2 * o, o, 3) + conv(o, o, 3) for o in (512, 256, 128, 64))
    assert inspect_graph(load("unet")).params == down + up + conv(64, 2, 1)


SIZES = {
    "lenet": "conv1 6x28x28, pool1 6x14x14, conv2 16x10x10, pool2 16x5x5, flatten 400, fc1 120, fc2 84, fc3 10",
    "alexnet": "features.conv1 96x54x54, features.pool1 96x26x26, features.conv2 256x26x26, features.pool2 256x12x12, "
    "features.conv3 384x12x12, features.conv4 384x12x12, features.conv5 256x12x12, features.pool3 256x5x5, "
    "flatten 6400, classifier.fc3 10",
    "vgg11(in_channels=1)": "block1.pool 64x112x112, block2.pool 128x56x56, block3.pool 256x28x28, "
    "block4.pool 512x14x14, block5.pool 512x7x7",
    "nin": "block1.relu3 96x54x54, pool1 96x26x26, block2.relu3 256x26x26, pool2 256x12x12, block3.relu3 384x12x12, "
    "pool3 384x5x5, block4.relu3 10x5x5, avgpool 10x1x1, flatten 10",
    "googlenet": "stem.pool1 64x24x24, stem.pool2 192x12x12, inception3a.concat 256x12x12, "
    "inception3b.concat 480x12x12, pool3 480x6x6, inception4e.concat 832x6x6, pool4 832x3x3, "
    "inception5b.concat 1024x3x3, avgpool 1024x1x1, fc 10",
    "googlenet(in_channels=3, classes=1000, aux=True)": "inception4a.concat 512x14x14, aux1.pool 512x4x4, "
    "inception4d.concat 528x14x14, aux2.pool 528x4x4, aux1.fc1 1024, aux2.fc2 1000, inception5b.concat 1024x7x7",
    "resnet18(classes=10)": "maxpool 64x56x56, layer1.1.relu 64x56x56, layer2.1.relu 128x28x28, "
    "layer3.1.relu 256x14x14, layer4.1.relu 512x7x7, avgpool 512x1x1, flatten 512, fc 10",
    "densenet": "pool1 64x24x24, block1.3.concat 192x24x24, transition1.pool 96x12x12, block2.3.concat 224x12x12, "
    "transition2.pool 112x6x6, block3.3.concat 240x6x6, transition3.pool 120x3x3, block4.3.concat 248x3x3, "
    "flatten 248, fc 10",
    "unet": "enc1 64x568x568, enc2 128x280x280, enc3 256x136x136, enc4 512x64x64, enc5 1024x28x28, crop4 512x56x56, "
    "dec4 512x52x52, crop3 256x104x104, dec3 256x100x100, crop2 128x200x200, dec2 128x196x196, crop1 64x392x392, "
    "dec1 64x388x388, out 2x388x388",
    "unet3d": "enc4 512x9x9x7, out 3x44x44x28",
}


@pytest.mark.parametrize("text", SIZES)
def test_sizes_are_those_of_the_notes_and_papers(text):
    shapes = infer_shapes(load(text))
    for entry in SIZES[text].split(", "):
        name, size = entry.split()
        end = [node for node in shapes if node == name or node.startswith(f"{name}.")][-1]
        assert (name, shapes[end][1:]) == (name, tuple(map(int, size.split("x"))))


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("vgg16", {"block5.pool": 212}),
        ("resnet18", {"layer1.1.relu": 43, "layer2.1.relu": 99, "layer3.1.relu": 211, "layer4.1.relu": 435}),
        (
            "resnet50(stride_on='1x1')",
            {"layer1.2.relu": 35, "layer2.3.relu": 99, "layer3.5.relu": 291, "layer4.2.relu": 483},
        ),
        ("resnet50", {"layer1.2.relu": 35, "layer2.3.relu": 91, "layer3.5.relu": 267, "layer4.2.relu": 427}),
        ("resnet101(stride_on='1x1')", {"layer4.2.relu": 1027}),
        ("resnet101", {"layer4.2.relu": 971}),
        ("resnet152(stride_on='1x1')", {"layer4.2.relu": 1507}),
        ("resnet152", {"layer4.2.relu": 1451}),
    ],
)
def test_receptive_fields_are_the_published_ones(text, ends):
    """Araujo, Norris, Sim, "Computing receptive fields of convolutional neural networks", Distill 2019."""
    fields = find_fields(load(text))
    assert {name: fields[name].axes[0].receptive_field for name in ends} == ends
    last = fields[list(ends)[-1]]
    assert [axis.stride for axis in last.axes] == [32, 32]


def test_every_classifier_sees_everything_beside_no_local_part():
    for name in ("lenet", "vgg11", "resnet18", "nin", "densenet"):
        row = inspect_graph(load(name)).layers[-1]
        assert row.is_global
        assert row.receptive_field == (None, None)


def test_the_u_net_field_is_local_though_its_crops_depend_on_the_size():
    """By hand: 4 down paths and 4 up paths; 188 inputs reach the one output of the smallest image that runs."""
    report = inspect_graph(load("unet"), (1, 1, 188, 188))
    assert report.output == (1, 2, 4, 4)
    fields = report.layers[-1].field.axes
    assert not report.layers[-1].is_global
    assert all(fields[0].at(j).first >= 0 and fields[0].at(j).last < 188 for j in range(4))
    assert min(fields[0].at(j).first for j in range(4)) == 0
    assert max(fields[0].at(j).last for j in range(4)) == 187


def legal(text, sizes, channels):
    mask = Mask()
    infer_shapes(load(text), (1, channels, *sizes), check=mask)
    return mask.holds


def test_lenet_runs_where_five_by_five_positions_make_twenty_five():
    low, high, square = set(range(12, 16)), set(range(108, 112)), set(range(28, 32))
    holds = legal("lenet", np.meshgrid(np.arange(150), np.arange(150), indexing="ij"), 1)
    for h, w in zip(*np.nonzero(holds), strict=True):
        pair = {int(h)}, {int(w)}
        assert any(pair[0] <= a and pair[1] <= b for a, b in [(square, square), (low, high), (high, low)])
    assert holds.sum() == 3 * 16


def test_the_u_net_runs_from_188_on():
    sizes = np.arange(700)
    assert legal("unet", (sizes, sizes), 1).tolist() == [n >= 188 for n in range(700)]


def test_the_padded_u_net_takes_any_size_from_16_on():
    sizes = np.arange(200)
    assert legal("unet(padded=True)", (sizes, sizes), 1).tolist() == [n >= 16 for n in range(200)]


@pytest.mark.parametrize("name", MODELS)
def test_every_network_runs_at_its_example_and_cites_its_source(name):
    graph = load(name)
    report = inspect_graph(graph)
    assert report.error is None
    assert graph.name == name
    assert MODELS[name].source


@pytest.mark.parametrize("name", MODELS)
def test_every_network_takes_other_channels_and_classes(name):
    graph = load(f"{name}(in_channels=5, classes=7)")
    shape = infer_shapes(graph)[graph.outputs[0]]
    assert graph.example[0][1] == 5
    assert shape[1] == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("resnet8", "no network 'resnet8' in the zoo; did you mean resnet18?"),
        ("ResNet18", "did you mean resnet18?"),
        ("xyzzy", "use one of lenet, alexnet"),
        (
            "resnet18(klasses=10)",
            "shortcut_norm=True): got an unexpected keyword argument 'klasses'",
        ),
        ("resnet18(1, 2, True, True, 3)", "too many positional arguments"),
        ("resnet18(classes='ten')", "resnet18: classes is an integer >= 1: 'ten'"),
        ("resnet18(classes=0)", "resnet18: classes is an integer >= 1: 0"),
        ("resnet18(classes=True)", "resnet18: classes is an integer >= 1: True"),
        ("lenet(modern=1)", "lenet: modern is True or False: 1"),
        ("densenet(blocks=(4, 0))", "densenet: blocks is integers >= 1: (4, 0)"),
        ("resnet18(classes=2+2)", "is no network: write a name, or a call with literals"),
        ("resnet18(classes=__import__('os'))", "is no network"),
        ("resnet18(**{'classes': 3})", "is no network"),
        ("zoo.resnet18", "is no network"),
        ("", "is no network"),
        ("(" * 5000, "is no network"),
    ],
)
def test_what_cannot_be_loaded_is_answered(text, message):
    with pytest.raises(Unreadable) as refusal:
        load(text)
    assert message in str(refusal.value)


def test_an_unknown_place_for_the_stride_is_refused():
    with pytest.raises(BadArgument, match="unknown stride_on '5x5': use one of 3x3, 1x1"):
        load("resnet50(stride_on='5x5')")


def test_a_network_takes_the_channels_and_axes_it_was_published_for():
    for shape, sentence in (
        ((1, 1, 224, 224), "conv1: in_channels=3 but the input has 1 channels"),
        ((1, 224, 224), "conv1: in_channels=3 but the input has 1 channels"),  # (C, H, W) is an input too
        ((1, 1, 3, 224, 224), "conv takes"),  # the batch given twice
    ):
        with pytest.raises(BadShape, match=sentence):
            infer_shapes(load("resnet18"), shape)
    assert infer_shapes(load("resnet18(in_channels=1)"), (1, 1, 224, 224))["fc"] == (1, 1000)


@pytest.mark.parametrize("name", MODELS)
def test_the_costs_that_are_written_down_are_those_counted(name):
    known, counted = known_costs(name), counted_costs(name)
    assert list(known.pop("outputs").values()) == list(counted.pop("outputs").values())
    assert known == counted
