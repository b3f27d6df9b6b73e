"""What becomes of a module when it is captured: modules of every kind that people write, with torch alone.

What must come out is counted by hand, or taken from torch: the shapes of a real run on the CPU.
"""

import collections
import dataclasses
import random
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.nn.utils import prune  # noqa: E402
from torch.utils.checkpoint import checkpoint, checkpoint_sequential  # noqa: E402

from convcalc.analysis.report.inspection import inspect_graph  # noqa: E402
from convcalc.api import from_torch  # noqa: E402
from convcalc.bridge.trace import capture  # noqa: E402
from convcalc.errors import BadArgument, BadShape, Unknown  # noqa: E402
from convcalc.layers import Opaque  # noqa: E402
from convcalc.network.shapes import infer_shapes  # noqa: E402

SHAPE = (1, 3, 16, 16)
CONV = 8 * 3 * 3 * 3 + 8
CONV_MACS = 8 * 3 * 3 * 3 * 16 * 16


class Calls(nn.Module):
    """A module whose forward is a function."""

    def __init__(self, forward, **parts):
        super().__init__()
        self.run = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *args, **kwargs):
        return self.run(self, *args, **kwargs)


def conv(inner=3, out=8):
    return nn.Conv2d(inner, out, 3, padding=1)


def ops(graph):
    return [node.layer.op for node in graph]


def opaque(graph):
    return {node.name: node.layer.why for node in graph if isinstance(node.layer, Opaque)}


def totals(graph):
    report = inspect_graph(graph)
    return report.params, report.macs


def outputs(graph):
    shapes = infer_shapes(graph, dict(zip(graph.inputs, graph.example, strict=True)))
    return {label: shapes[name] for label, name in zip(graph.labels, graph.outputs, strict=True)}


# -- how parts are built -------------------------------------------------------------------------------------------


def quiet(make):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make()


WRAPPED = {
    "itself": conv,
    "lazy": lambda: nn.LazyConv2d(8, 3, padding=1),
    "data parallel": lambda: nn.DataParallel(conv()),
    "weight norm, old": lambda: quiet(lambda: nn.utils.weight_norm(conv())),
    "weight norm": lambda: nn.utils.parametrizations.weight_norm(conv()),
    "spectral norm, old": lambda: nn.utils.spectral_norm(conv()),
    "spectral norm": lambda: nn.utils.parametrizations.spectral_norm(conv()),
    "pruned": lambda: prune.l1_unstructured(conv(), "weight", 0.5),
    "checkpointed": lambda: Calls(lambda self, x: checkpoint(self.c, x, use_reentrant=False), c=conv()),
    "checkpointed, reentrant": lambda: Calls(lambda self, x: checkpoint(self.c, x, use_reentrant=True), c=conv()),
    "in a list of the module": lambda: Calls(lambda self, x: self.parts[0](x), parts=nn.ModuleList([conv()])),
    "through a method": lambda: Calls(lambda self, x: self.c._conv_forward(x, self.c.weight, self.c.bias), c=conv()),
    "through a bound method": lambda: bound(conv()),
    "cast": lambda: conv().to(torch.bfloat16),
    "double": lambda: conv().double(),
    "autocast": lambda: Calls(autocasting, c=conv()),
    "moved": lambda: Calls(lambda self, x: self.c.to("cuda")(x.cuda()).cpu(), c=conv()),
    "under inference mode": lambda: Calls(torch.inference_mode()(lambda self, x: self.c(x)), c=conv()),
    "copies itself": lambda: CopiesItself(),
    "refuses to be copied": lambda: RefusesCopies(),
    "slots": lambda: Slotted(),
    "any attribute": lambda: Forwarding(),
    "knows its parent": lambda: Parent(),
}


def bound(part):
    net = Calls(lambda self, x: self.go(x), c=part)
    net.go = part.forward
    return net


def autocasting(self, x):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return self.c(x)


class CopiesItself(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = conv()

    def __deepcopy__(self, memo):
        other = CopiesItself()
        other.c.load_state_dict(self.c.state_dict())
        return other

    def forward(self, x):
        return self.c(x)


class RefusesCopies(CopiesItself):
    def __deepcopy__(self, memo):
        raise RuntimeError("no copies of me")


class Slotted(nn.Module):
    __slots__ = ("__hidden", "times")

    def __init__(self):
        super().__init__()
        self.c = conv()
        object.__setattr__(self, "times", 1)
        object.__setattr__(self, "_Slotted__hidden", [self.c])

    def forward(self, x):
        return self.__hidden[0](x) if self.times == 1 else x


class Forwarding(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = conv()

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("inner"), name)

    def forward(self, x):
        return self.inner(x) if self.kernel_size == (3, 3) else x


class Parent(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = conv()
        self.child = Calls(lambda self, x: self.parent[0].c(x), parent=[self])

    def forward(self, x):
        return self.child(x)


@pytest.mark.parametrize("name", WRAPPED)
def test_a_convolution_is_one_however_it_is_built(name):
    graph = from_torch(WRAPPED[name](), SHAPE)
    assert [op for op in ops(graph) if op != "parameter"] == ["conv"]
    assert not opaque(graph)
    extra = 8 if name.startswith("weight norm") else 0
    assert totals(graph) == (CONV + extra, CONV_MACS)
    assert list(outputs(graph).values()) == [(1, 8, 16, 16)]
    assert str(infer_shapes(graph, (1, 3, "H", "W"))[graph.outputs[0]]) == "(1, 8, H, W)"


def test_nothing_is_remarked_on_a_plain_module():
    assert from_torch(nn.Sequential(conv(), nn.ReLU()), SHAPE).capture.remarks == ()


def test_names_are_paths_of_modules():
    net = nn.Sequential(collections.OrderedDict(stem=conv(), block=nn.Sequential(conv(8, 8), nn.ReLU())))
    assert [node.name for node in from_torch(net, SHAPE)] == ["stem", "block.0", "block.1"]


def test_a_module_nested_deeper_than_calls_are_recorded():
    net = conv()
    for _ in range(250):
        net = nn.Sequential(net)
    assert ops(from_torch(net, SHAPE)) == ["conv"]


# -- weights that are shared, computed, or not known as parts -----------------------------------------------------


def tied():
    net = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))
    net[2].weight = net[0].weight
    return net


def test_tied_weights_count_once():
    graph = from_torch(tied(), (1, 8))
    assert totals(graph) == (8 * 8 + 8 + 8, 2 * 8 * 8)


def test_a_module_that_runs_twice_counts_once_and_says_whose_weights_it_has():
    part = nn.Linear(8, 8)
    graph = from_torch(nn.Sequential(part, nn.ReLU(), part), (1, 8))
    assert totals(graph) == (8 * 8 + 8, 2 * 8 * 8)
    assert [node.shares for node in graph] == [None, None, "0"]


def test_weights_computed_from_parameters_are_weights():
    net = Calls(
        lambda self, x: functional.conv2d(x, self.w.view(8, 3, 3, 3) * self.w.std(), padding=1),
        w=nn.Parameter(torch.ones(8, 27)),
    )
    graph = from_torch(net, SHAPE)
    assert totals(graph) == (8 * 27, CONV_MACS)
    assert not opaque(graph)


def test_weights_that_depend_on_the_input_are_opaque_with_their_macs():
    net = Calls(
        lambda self, x: functional.conv2d(x, self.make(x.mean((2, 3))).view(8, 3, 3, 3), padding=1),
        make=nn.Linear(3, 8 * 27),
    )
    graph = from_torch(net, SHAPE)
    assert opaque(graph) == {"conv2d": "weights that depend on the input"}
    assert totals(graph) == (3 * 8 * 27 + 8 * 27, 3 * 8 * 27 + CONV_MACS)


class Plain:
    def __init__(self):
        self.conv, self.mean = conv(), torch.ones(3, 1, 1)


def test_modules_in_plain_objects_count_and_are_remarked():
    graph = from_torch(Calls(lambda self, x: self.held.conv(x - self.held.mean), held=Plain()), SHAPE)
    assert [(node.name, node.layer.op) for node in graph] == [
        ("held.mean", "buffer"),
        ("sub", "sub"),
        ("held.conv", "conv"),
    ]
    assert totals(graph)[0] == CONV
    assert any("held.conv.weight" in remark for remark in graph.capture.remarks)


def test_parameters_that_are_not_read_are_remarked():
    net = Calls(lambda self, x: self.used(x), used=conv(), spare=nn.Linear(4, 5))
    graph = from_torch(net, SHAPE)
    assert graph.capture.unused.params == 4 * 5 + 5
    assert "25 parameters are not read: spare.weight, spare.bias" in graph.capture.remarks


# -- what comes out, what goes in ---------------------------------------------------------------------------------

Pair = collections.namedtuple("Pair", "first second")


@dataclasses.dataclass
class Output:
    logits: object = None
    hidden: object = None


class ModelOutput(collections.OrderedDict):
    def __getattr__(self, name):
        return self[name]


@pytest.mark.parametrize(
    ("make", "labels"),
    [
        (lambda a, b: (a, b), ["0", "1"]),
        (lambda a, b: [a, [b, a]], ["0", "1.0", "1.1"]),
        (lambda a, b: {"out": a, "aux": b}, ["out", "aux"]),
        (lambda a, b: Pair(a, b), ["0", "1"]),
        (lambda a, b: Output(a, (b, b)), ["logits", "hidden.0", "hidden.1"]),
        (lambda a, b: ModelOutput(loss=None, logits=a, states=(b, a)), ["logits", "states.0", "states.1"]),
        (lambda a, b: (a, None, 3, "text", b), ["0", "4"]),
        (lambda a, b: (a, a), ["0", "1"]),
    ],
)
def test_outputs_have_the_names_that_lead_to_them(make, labels):
    graph = from_torch(Calls(lambda self, x: make(self.c(x), x + 1), c=conv()), SHAPE)
    assert list(graph.labels) == labels
    real = make(torch.ones(1, 8, 16, 16), torch.ones(SHAPE))
    del real  # the shapes: 8 channels of the convolution, 3 of the sum
    assert set(outputs(graph).values()) <= {(1, 8, 16, 16), SHAPE}
    assert inspect_graph(graph).outputs == outputs(graph)


def test_an_output_may_be_an_input_a_parameter_or_a_buffer():
    net = Calls(lambda self, x: (x, self.p, self.b), p=nn.Parameter(torch.ones(3)))
    net.register_buffer("b", torch.ones(2))
    graph = from_torch(net, SHAPE)
    assert outputs(graph) == {"0": SHAPE, "1": (3,), "2": (2,)}
    assert totals(graph) == (3, 0)


@pytest.mark.parametrize("value", [3, "text"])
def test_a_forward_without_a_tensor_is_remarked(value):
    graph = from_torch(Calls(lambda self, x: value), SHAPE)
    assert any(remark.startswith("forward returns no tensor") for remark in graph.capture.remarks)


def two(self, image, mask=None, *, scale=2.0, extra=None):
    out = image * scale
    if mask is not None:
        out = out + mask
    return out if extra is None else out + extra["bias"][0]


class Two(nn.Module):
    forward = two


@pytest.mark.parametrize(
    ("examples", "names"),
    [
        (torch.ones(SHAPE), ["image"]),
        ((torch.ones(SHAPE), torch.ones(1, 1, 16, 16)), ["image", "mask"]),
        ({"image": torch.ones(SHAPE), "mask": torch.ones(SHAPE), "scale": 3}, ["image", "mask"]),
        ({"image": torch.ones(SHAPE), "extra": {"bias": [torch.ones(16)]}}, ["image", "extra.bias.0"]),
        ((torch.ones(SHAPE), None), ["image"]),
    ],
)
def test_inputs_are_named_as_forward_names_them(examples, names):
    graph = from_torch(Two(), example_inputs=examples)
    assert list(graph.inputs) == names
    assert outputs(graph) == {"add" if len(names) > 1 else "mul": SHAPE}
    assert not opaque(graph)


def test_inputs_in_lists():
    net = Calls(lambda self, xs: torch.cat(xs, 1))
    graph = from_torch(net, example_inputs=([torch.ones(1, 2, 8), torch.ones(1, 3, 8)],))
    assert len(graph.inputs) == 2
    assert list(outputs(graph).values()) == [(1, 5, 8)]


def test_integer_inputs_keep_their_type():
    net = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 2))
    assert ops(from_torch(net, example_inputs=torch.zeros(1, 7, dtype=torch.long))) == ["embedding", "linear"]
    assert ops(from_torch(net, (1, 7), dtype=torch.long)) == ["embedding", "linear"]


def test_what_is_no_module_is_refused():
    with pytest.raises(BadArgument, match=r"takes a torch.nn.Module: got .*; write Sequential\(...\)"):
        from_torch(nn.Sequential, SHAPE)
    with pytest.raises(BadShape, match="Conv2d needs input_size"):
        from_torch(conv())


def test_an_exception_ends_the_rows_and_is_told():
    def run(self, x):
        self.c(x)
        raise ValueError("no such mode")

    graph = capture(Calls(run, c=conv()), SHAPE)
    assert ops(graph) == ["conv"]
    assert "no such mode" in str(graph.capture.error)


# -- code in forward -----------------------------------------------------------------------------------------------


def constants(self, x):
    mean = torch.tensor([0.5, 0.25, 0.125]).view(1, 3, 1, 1)
    steps = [step.item() for step in torch.linspace(0, 1, 3)]
    assert torch.tensor([1, 2]).tolist() == [1, 2]
    assert steps == [0.0, 0.5, 1.0]
    assert int(torch.tensor([4.0]).sum()) == 4
    assert torch.arange(3).numpy().tolist() == [0, 1, 2]
    return (x - mean) * steps[1]


def devices(self, x):
    here = next(self.parameters()).device
    assert x.device == here
    assert not x.is_cuda
    y = x.to("cuda:0", non_blocking=True).to(torch.device("cuda"), torch.float32).cuda()
    y = y + torch.zeros(x.shape[-1], device="cuda") + torch.ones(x.shape[-1], device=here, dtype=x.dtype)
    y = y + torch.tensor([1.0, 2.0, 3.0], device="cuda")[:, None, None] + x.new_zeros(1, device="cuda")
    with torch.device("cuda"):
        y = y + torch.arange(x.shape[-1])
    return self.c(y.to(self.c.weight))


def cached(self, x):
    if getattr(self, "table", None) is None or self.table.shape[0] != x.shape[-1]:
        self.table = torch.arange(x.shape[-1])
    return x + self.table


def in_place(self, x):
    y = self.c(x)
    y[:, ::2].add_(1)
    y[..., 0] = 2
    y.mul_(3).relu_()
    z = torch.empty_like(y)
    torch.add(y, 1, out=z)
    return z


def positions(self, x):
    h, w = x.shape[-2:]
    rows, columns = torch.arange(h, device=x.device), torch.arange(w, dtype=x.dtype)
    return x + rows[:, None] + columns


def padded(self, x):
    h = x.size(2)
    return functional.pad(x, (0, 0, 0, (7 - h % 7) % 7))


def windows(self, x):
    n, c, h, w = x.shape
    x = x.view(n, c, h // 4, 4, w // 4, 4).permute(0, 2, 4, 3, 5, 1)
    return x.reshape(-1, 16, c)


def seeded(self, x):
    torch.manual_seed(random.randrange(9))
    return x + torch.randn(x.shape) + torch.rand_like(x)


def drawing(self, x):
    return x * 2 if random.random() < 0.5 else x + 1


def guarded(self, x):
    torch._assert(x.shape[2] % 4 == 0, f"{x.shape} does not fit")
    return self.c(x)


@pytest.mark.parametrize(
    "forward", [constants, devices, cached, in_place, positions, padded, windows, seeded, drawing, guarded]
)
def test_code_in_forward_has_formulas_that_hold_at_another_size(forward):
    """The formulas of one capture against the shapes that a real run gives at another size."""
    graph = from_torch(Calls(forward, c=conv()), SHAPE)
    assert not opaque(graph)
    real = Calls(cuda_free(forward), c=conv()).eval()
    for h, w in ((16, 16), (32, 24), (48, 20)):
        if graph.holds({graph.inputs[0]: (1, 3, h, w)}):
            with torch.no_grad():
                expected = tuple(real(torch.ones(1, 3, h, w)).shape)
            *_, last = infer_shapes(graph, (1, 3, h, w)).values()  # another node, where a random number decides
            assert last == expected


def cuda_free(forward):
    """What runs on a machine without the device that `devices` names."""
    return (lambda self, x: self.c(x)) if forward is devices else forward


def test_what_is_written_into_a_view_is_read_through_the_whole():
    def run(self, x):
        y = torch.zeros(1, 8, *x.shape[2:])
        y[:, :4].copy_(self.c(x)[:, :4])
        return y * 2

    graph = from_torch(Calls(run, c=conv()), SHAPE)
    written = graph[graph["mul"].inputs[0]]
    assert written.layer.op == "written"
    assert [graph[name].layer.op for name in written.inputs] == ["zeros", "copy"]
    assert [graph[name].layer.op for name in graph["copy"].inputs] == ["index", "index"]
    assert not opaque(graph)


def test_a_constant_that_was_written_into_has_no_values():
    def run(self, x):
        y = torch.zeros(4)
        y.copy_(x.mean((0, 1, 2))[:4])
        return x * y.sum().item()

    graph = capture(Calls(run), SHAPE)
    assert graph.capture.error is None
    assert "is not known" in graph.capture.remarks[0]
    assert [graph[name].layer.op for name in graph["mul"].inputs[1:]] == ["sum"]


def test_a_value_read_before_it_is_overwritten_is_the_old_one():
    def run(self, x):
        y = self.c(x)
        z = y + 1
        y.zero_()
        return z

    graph = from_torch(Calls(run, c=conv()), SHAPE)
    assert graph["add"].inputs == ("c",)


# -- parts that cannot be looked into --------------------------------------------------------------------------------


class Gate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad):
        return grad


def relu_and_one(x):
    return torch.relu(x) + 1


scripted_function = quiet(lambda: torch.jit.script(relu_and_one))


def test_functions_of_autograd_are_looked_into():
    graph = from_torch(Calls(lambda self, x: self.c(Gate.apply(x)), c=conv()), SHAPE)
    assert ops(graph) == ["sigmoid", "mul", "conv"]


@pytest.mark.parametrize(
    "make", [torch.jit.script, lambda part: torch.jit.trace(part, torch.ones(SHAPE))], ids=["scripted", "traced"]
)
@pytest.mark.parametrize("whole", [False, True])
def test_scripted_and_traced_parts_are_one_opaque_node_each(make, whole):
    part = quiet(lambda: make(nn.Sequential(conv(), nn.ReLU())))
    graph = from_torch(part if whole else nn.Sequential(part, conv(8, 8)), SHAPE)
    assert list(opaque(graph).values()) == ["scripted or traced code"]
    assert totals(graph)[0] == CONV + (0 if whole else 8 * 8 * 9 + 8)
    assert list(outputs(graph).values()) == [(1, 8, 16, 16)]
    with pytest.raises(Unknown):
        infer_shapes(graph, (1, 3, 20, 20))


def in_a_thread(self, x):
    with ThreadPoolExecutor(1) as pool:
        return torch.relu(pool.submit(self.c, x).result())


@pytest.mark.parametrize(
    "forward",
    [
        in_a_thread,
        lambda self, x: self.c(scripted_function(x)),
        lambda self, x: self.c(torch.vmap(lambda one: one * 2)(x)),
    ],
)
def test_a_tensor_that_no_recorded_call_made_is_opaque_and_what_follows_is_unknown(forward):
    graph = from_torch(Calls(forward, c=conv()), SHAPE)
    assert {"a tensor that no recorded call made", "under vmap"} & set(opaque(graph).values())
    assert list(outputs(graph).values()) == [(1, 8, 16, 16)]
    assert inspect_graph(graph).layers[-1].symbolic is None
    with pytest.raises(Unknown):
        infer_shapes(graph, (1, 3, 20, 20))


def test_an_unknown_call_is_opaque_by_name():
    graph = from_torch(Calls(lambda self, x: torch.special.airy_ai(self.c(x)), c=conv()), SHAPE)
    assert opaque(graph) == {"special_airy_ai": "no rule for special_airy_ai"}
    assert inspect_graph(graph).layers[-1].symbolic is None


def test_compiled_modules_run_as_they_are_written():
    try:
        compiled = quiet(lambda: torch.compile(nn.Sequential(conv(), nn.ReLU())))
        double = quiet(lambda: torch.compile(lambda x: x * 2))
    except RuntimeError as error:
        pytest.skip(f"this torch does not compile: {error}")
    graph = from_torch(Calls(lambda self, x: double(self.part(x)), part=compiled), SHAPE)
    assert ops(graph) == ["conv", "relu", "mul"]
    assert totals(graph) == (CONV, CONV_MACS)


def in_segments():
    parts = nn.Sequential(conv(), nn.ReLU(), conv(8, 8))
    return Calls(lambda self, x: checkpoint_sequential(self.parts, 2, x, use_reentrant=False), parts=parts)


@pytest.mark.parametrize(
    ("net", "shape"),
    [
        (lambda: nn.LSTM(8, 16, 2, batch_first=True, bidirectional=True), (1, 10, 8)),
        (lambda: nn.GRU(8, 16), (10, 1, 8)),
        (lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), 2), (1, 10, 16)),
        (lambda: Calls(lambda self, x: self.a(x, x, x)[0], a=nn.MultiheadAttention(16, 4)), (10, 1, 16)),
        (in_segments, SHAPE),
    ],
)
def test_all_parameters_are_counted(net, shape):
    net = net()
    graph = from_torch(net, shape)
    assert totals(graph)[0] == sum(value.numel() for value in net.parameters())
    assert not opaque(graph)


# -- without torch -------------------------------------------------------------------------------------------------

WITHOUT = """
import sys
sys.modules["torch"] = None
from convcalc.errors import Unreadable
from convcalc.api import from_torch
try:
    from_torch(None, (1, 3, 8, 8))
except Unreadable as error:
    print(error)
"""


def test_without_torch_there_is_one_sentence():
    result = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout.startswith("this needs torch, which cannot be imported")
    assert "pip install 'convcalc[torch]'" in result.stdout


def test_a_parameter_is_counted_once_where_a_copy_of_it_is_changed():
    class Zeroed(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(8, 8)

        def forward(self, x):
            bias = self.fc.bias.clone()
            bias[2:4].zero_()
            return nn.functional.linear(x, self.fc.weight, bias)

    graph = from_torch(Zeroed(), (1, 8))
    assert sum(node.weights.params for node in graph) == 8 * 8 + 8
    assert graph.capture.unused.params == 0


def test_a_graph_does_not_hold_where_it_divides_by_zero():
    graph = from_torch(
        Calls(lambda self, x: x.flatten(2)[:, :, : 64 // (x.shape[2] // 4)]), (1, 3, 16, 16), check=False
    )
    assert graph.holds({graph.inputs[0]: (1, 3, 8, 16)})
    assert not graph.holds({graph.inputs[0]: (1, 3, 3, 16)})


def test_a_call_of_torchs_own_modules_stands_where_the_capture_was_asked_for():
    (node,) = from_torch(nn.Sequential(nn.Conv2d(3, 4, 3)), (1, 3, 8, 8))
    assert node.source.rpartition(":")[0] == __file__
