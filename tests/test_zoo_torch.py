"""Every network of the zoo, node by node, against the torch module built from it; and small ones by value."""

import pytest

from convcalc.analysis.report.inspection import inspect_graph
from convcalc.errors import BadArgument, Unreadable
from convcalc.layers import (
    GELU,
    AdaptiveAvgPool,
    Add,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    ConvTranspose,
    Crop,
    Dropout,
    Flatten,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LeakyReLU,
    Linear,
    LpPool,
    MaxPool,
    Mul,
    Pad,
    PixelShuffle,
    PReLU,
    ReLU,
    Sigmoid,
    Softmax,
    Upsample,
)
from convcalc.network.blocks import Branches, Residual, Sequential, Skip, Wired
from convcalc.network.graph import Graph
from convcalc.network.node import Node
from convcalc.network.shapes import infer_shapes
from convcalc.zoo import MODELS, load

torch = pytest.importorskip("torch")
nn = torch.nn

from convcalc.bridge.assembly.assemble import to_torch  # noqa: E402 -- after the skip


def run_with_shapes(module, inputs):
    """Run a module; return its output, and by name the output shape and the MACs of what runs with weights."""
    shapes, macs = {}, {}

    def note(name):
        def hook(part, args, output):
            shapes[name] = tuple(output.shape)
            if isinstance(part, nn.modules.conv._ConvTransposeNd):
                macs[name] = part.weight.numel() * args[0][:, :1].numel()
            elif isinstance(part, nn.modules.conv._ConvNd):
                macs[name] = part.weight.numel() * output[:, :1].numel()
            elif isinstance(part, nn.Linear):
                macs[name] = part.weight.numel() * output[..., 0].numel()

        return hook

    for name, part in module.named_modules():
        if name and type(part) is not nn.Module:
            part.register_forward_hook(note(name))
    return module(*inputs), shapes, macs


def agree(net, shape=None):
    """Assert that a net and its module agree on every shape, on parameters and MACs."""
    module = to_torch(net, shape, device="meta").eval()
    report = inspect_graph(net, shape)
    inputs = [torch.empty(size, device="meta") for size in report.inputs.values()]
    output, shapes, macs = run_with_shapes(module, inputs)
    assert {row.name: row.output for row in report.layers} == shapes
    first = output[0] if isinstance(output, tuple) else output
    assert tuple(first.shape) == next(iter(report.outputs.values()))
    assert report.params == sum(weight.numel() for weight in module.parameters())
    assert {row.name: row.macs for row in report.layers if row.macs} == macs
    own = {row.name: row.params for row in report.layers if row.params}
    assert own == {
        name: sum(weight.numel() for weight in part.parameters(recurse=False))
        for name, part in module.named_modules()
        if list(part.parameters(recurse=False))
    }


@pytest.mark.parametrize("name", [*MODELS, "lenet(modern=True)", "googlenet(aux=True)", "resnet50(stride_on='1x1')"])
def test_every_network_agrees_with_its_module_node_by_node(name):
    agree(load(name))


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("resnet50(classes=10, in_channels=1)", (2, 1, 97, 130)),
        ("resnet18(bias=True, shortcut_norm=False)", (1, 3, 65, 64)),
        ("unet(padded=True, in_channels=4)", (2, 4, 45, 50)),
        ("unet", (1, 1, 191, 188)),
        ("densenet121", (1, 3, 50, 77)),
        ("alexnet_torchvision", (1, 3, 100, 63)),
    ],
)
def test_other_sizes_agree_too(text, shape):
    agree(load(text), shape)


MIX = Sequential(Conv(8, 3, padding=1, groups=2), GroupNorm(2), GELU())
ZOO_OF_LAYERS = {
    "1-D": (Sequential(Conv(8, 3, dilation=2), BatchNorm(), MaxPool(2), ConvTranspose(4, 4, stride=2)), (2, 4, 20)),
    "3-D": (
        Sequential(Conv(4, 3), BatchNorm(), AvgPool(2), InstanceNorm(affine=True), Upsample(scale_factor=2)),
        (1, 2, 9, 10, 11),
    ),
    "same": (Sequential(Conv(8, (3, 5), padding="same", dilation=2), LeakyReLU(0.2)), (1, 4, 9, 9)),
    "grouped": (
        Sequential(Conv(8, 3, groups=4), ConvTranspose(8, 3, groups=2, output_padding=1, stride=2)),
        (1, 4, 9, 9),
    ),
    "norms": (Sequential(GroupNorm(2), InstanceNorm(), LayerNorm((9, 8)), LayerNorm(8), BatchNorm()), (1, 4, 9, 8)),
    "norms without bias": (Sequential(LayerNorm(8, bias=False), BatchNorm(affine=False)), (1, 4, 9, 8)),
    "vectors": (Sequential(Linear(6), BatchNorm(), PReLU(6), Linear(4, bias=False), Softmax(), Dropout()), (3, 5)),
    "linear on rows": (Sequential(Linear(6), Flatten(2), Linear(3), Flatten(0, 1)), (2, 3, 5, 7)),
    "pads": (
        Sequential(Pad([(1, 2), (0, 3)]), Pad(1, mode="reflect"), Pad(1, mode="circular"), Crop((1, 2))),
        (1, 2, 5, 5),
    ),
    "pools": (Sequential(MaxPool(3, stride=2, ceil_mode=True), LpPool(2), AdaptiveAvgPool((2, 3))), (1, 2, 13, 13)),
    "shuffle": (Sequential(PixelShuffle(2), Conv(4, 1)), (1, 8, 5, 5)),
    "gate": (
        Branches(Sequential(), Sequential(AdaptiveAvgPool(1), Conv(4, 1), Sigmoid()), merge=Mul()),
        (2, 4, 6, 7),
    ),
    "skips": (Sequential(Skip(Conv(4, 3)), Skip(Conv(4, 2), mode="pad"), Skip(MIX, mode="strict")), (1, 2, 12, 11)),
    "broadcast": (
        Wired(("a", Conv(1, 1), "input"), ("b", Add(), "input", "a"), ("c", Concat(0), "b", "b")),
        (1, 4, 6, 7),
    ),
}


@pytest.mark.parametrize("name", ZOO_OF_LAYERS)
def test_every_layer_agrees_with_its_module(name):
    agree(*ZOO_OF_LAYERS[name])


def test_a_state_dict_loads_back_and_the_numbers_with_it():
    torch.manual_seed(0)
    image = torch.randn(2, 3, 64, 64)
    first = to_torch(load("resnet18(classes=10)")).eval()
    second = to_torch(load("resnet18(classes=10)")).eval()
    assert not torch.equal(first(image), second(image))
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(image), second(image))


def test_names_are_torchvisions_but_for_the_shortcut():
    """Keys of torchvision.models.resnet18().state_dict()."""
    keys = {key.replace("shortcut", "downsample") for key in to_torch(load("resnet18"), device="meta").state_dict()}
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    blocks = [f"layer{stage}.{place}" for stage in (1, 2, 3, 4) for place in (0, 1)]
    wanted = {"conv1.weight", "fc.weight", "fc.bias", *(f"bn1.{key}" for key in norm)}
    for block in blocks:
        wanted |= {f"{block}.conv1.weight", f"{block}.conv2.weight"}
        wanted |= {f"{block}.bn{place}.{key}" for place in (1, 2) for key in norm}
    for stage in (2, 3, 4):
        wanted |= {f"layer{stage}.0.downsample.0.weight", *(f"layer{stage}.0.downsample.1.{key}" for key in norm)}
    assert keys == wanted


class HandWritten(nn.Module):
    """A residual block, a concatenating skip with a centre crop and a gate, as one writes them in torch."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.bn1 = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1)
        self.shortcut = nn.Conv2d(3, 6, 1, stride=2)
        self.down = nn.Conv2d(6, 4, 3)
        self.up = nn.ConvTranspose2d(4, 5, 2, stride=2)
        self.gate = nn.Conv2d(11, 11, 1)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.conv2(y) + self.shortcut(x))
        y = self.up(self.down(nn.functional.max_pool2d(x, 2)))
        top = (x.shape[2] - y.shape[2]) // 2
        left = (x.shape[3] - y.shape[3]) // 2
        x = torch.cat([x[:, :, top : top + y.shape[2], left : left + y.shape[3]], y], 1)
        return x * torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))


def test_blocks_compute_what_one_writes_by_hand():
    body = Sequential(conv1=Conv(6, 3, stride=2, padding=1), bn1=BatchNorm(), relu1=ReLU(), conv2=Conv(6, 3, padding=1))
    net = Sequential(
        Residual(body, Conv(6, 1, stride=2), then=ReLU()),
        Skip(Sequential(pool=MaxPool(2), down=Conv(4, 3), up=ConvTranspose(5, 2, stride=2))),
        Branches(Sequential(), Sequential(AdaptiveAvgPool(1), gate=Conv(11, 1), act=Sigmoid()), merge=Mul()),
    )
    torch.manual_seed(0)
    image = torch.randn(2, 3, 29, 28)
    ours, theirs = to_torch(net, (2, 3, 29, 28)).eval(), HandWritten().eval()
    names = {key.rsplit(".", 2)[-2]: key.rsplit(".", 1)[0] for key in ours.state_dict()}
    ours.load_state_dict(
        {f"{names[key.split('.')[0]]}.{key.split('.')[1]}": value for key, value in theirs.state_dict().items()}
    )
    assert torch.allclose(ours(image), theirs(image), atol=1e-6)
    assert tuple(theirs(image).shape) == inspect_graph(net, (2, 3, 29, 28)).output


def test_the_padded_skip_puts_the_odd_row_after():
    """As the usual PyTorch code: pad(x, [dw // 2, dw - dw // 2, dh // 2, dh - dh // 2])."""
    net = Skip(MaxPool(3, stride=1), mode="pad")
    tensor = torch.rand(1, 1, 6, 6) + 1
    padded = to_torch(Skip(MaxPool(4, stride=1), mode="pad"), (1, 1, 6, 6))(tensor)[0, 1]
    assert padded[0].max() == padded[-1].max() == padded[-2].max() == 0
    assert padded[1, 1:4].min() > 0
    assert to_torch(net, (1, 1, 6, 6))(tensor).shape == (1, 2, 6, 6)


def test_shared_weights_are_one_submodule_and_count_once():
    conv = Conv(4, 3, padding=1)
    graph = Graph([Node("a", conv), Node("act", ReLU(), "a"), Node("b", conv, "act", shares="a")])
    module = to_torch(graph, (1, 4, 8, 8))
    assert [name for name, _ in module.named_children()] == ["a", "act"]
    report = inspect_graph(graph, (1, 4, 8, 8))
    assert report.params == sum(weight.numel() for weight in module.parameters()) == 4 * 4 * 9 + 4
    assert [(row.shared, row.params) for row in report.layers] == [(False, 148), (False, 0), (True, 0)]
    assert report.layers[2].macs == report.layers[0].macs
    image = torch.randn(1, 4, 8, 8)
    assert torch.equal(module(image), module.a(torch.relu(module.a(image))))


def test_several_inputs_and_outputs():
    net = Graph(
        [Node("a", Conv(4, 3), "left"), Node("b", Conv(4, 3), "right"), Node("add", Add(), ("a", "b"))],
        inputs=["left", "right"],
        outputs=["add", "b"],
    )
    shapes = [(1, 3, 9, 9), (1, 2, 9, 9)]
    module = to_torch(net, shapes)
    both = module(*(torch.zeros(shape) for shape in shapes))
    assert [tuple(one.shape) for one in both] == [(1, 4, 7, 7)] * 2
    with pytest.raises(BadArgument, match="the inputs are left, right: got 1"):
        module(torch.zeros(shapes[0]))


def test_a_gpu_or_any_device_by_name():
    assert {p.device.type for p in to_torch(load("lenet"), device="meta").parameters()} == {"meta"}
    assert {p.device.type for p in to_torch(load("lenet")).parameters()} == {"cpu"}
    with pytest.raises(Unreadable, match="device 'abacus' cannot be used"):
        to_torch(load("lenet"), device="abacus")


def test_sizes_must_be_numbers():
    with pytest.raises(BadArgument, match="a module is built for sizes that are numbers"):
        to_torch(load("resnet18"), (1, 3, "H", "W"))


def test_a_name_that_torch_uses_itself_is_refused():
    with pytest.raises(BadArgument, match=r"torch has no place for the node 'block\.train'.*; rename it"):
        to_torch(Sequential(block=Sequential(train=Conv(4, 3))), (1, 4, 8, 8))


@pytest.mark.parametrize("padding", ["same-upper", "same-lower", "full", "causal", ((1, 2), (0, 3))])
def test_a_padding_torch_has_no_word_for_is_a_pad_and_a_convolution(padding):
    net = Sequential(conv=Conv(4, 3, stride=2, padding=padding), act=ReLU())
    module = to_torch(net, (1, 2, 11, 12))
    assert isinstance(module.conv, nn.Sequential)
    assert tuple(module(torch.zeros(1, 2, 11, 12)).shape) == inspect_graph(net, (1, 2, 11, 12)).output


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (GroupNorm(4), (1, 4, 1, 1)),
        (GroupNorm(3), (1, 4, 5, 5)),
        (InstanceNorm(), (2, 4, 1, 1)),
        (LayerNorm((4, 5)), (1, 4, 5, 4)),
        (BatchNorm(), (4,)),
        (Linear(3, in_features=5), (2, 4)),
        (Flatten(3), (1, 4, 5)),
        (PReLU(3), (1, 4, 5)),
        (Softmax(dim=3), (1, 4, 5)),
    ],
)
def test_what_torch_refuses_is_refused(layer, shape):
    """Each is built for a shape that fits, and called on one that does not."""
    fitting = {"LayerNorm": (1, 4, 4, 5), "GroupNorm": (2, 12, 5, 5), "Linear": (2, 5), "PReLU": (1, 3, 5)}
    good = fitting.get(type(layer).__name__, (2, 4, 5, 5))
    module = to_torch(layer, good)
    module(torch.zeros(good))
    with pytest.raises((ValueError, RuntimeError, IndexError)):
        module(torch.zeros(shape))
    with pytest.raises(ValueError, match=layer.op):
        infer_shapes(layer, shape)


@pytest.mark.parametrize(
    "shapes", [[(1, 4, 5), (1, 4, 1)], [(1, 4, 1), (3, 1, 5)], [(4, 5), (2, 4, 5)], [(5,), (2, 5)]]
)
def test_sums_broadcast_as_in_torch(shapes):
    wanted = torch.broadcast_shapes(*shapes)
    assert Add().out_shape(*shapes) == Mul().out_shape(*shapes[::-1]) == tuple(wanted)
