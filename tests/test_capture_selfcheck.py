"""The check of a capture at other sizes: what Python hides from sizes is found, what is right is left alone.

Each module below loses a formula in a way that cannot be seen while it runs. The claim is the same for all: at a
size other than the captured one, the graph never says a shape that a real run does not give.
"""

import math
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from convcalc.bridge.capture.run import captured_at  # noqa: E402
from convcalc.bridge.capture.settings import Settings  # noqa: E402
from convcalc.bridge.trace import capture  # noqa: E402
from convcalc.errors import BadShape, ConvcalcError, Unknown  # noqa: E402
from convcalc.layers import Opaque  # noqa: E402
from convcalc.network.graph import Graph  # noqa: E402
from convcalc.network.shapes import infer_shapes  # noqa: E402

SHAPE = (1, 3, 32, 32)


class Calls(nn.Module):
    def __init__(self, forward, **parts):
        super().__init__()
        self.run = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.run(self, x)


def loop(self, x):
    """As many convolutions as there are blocks of 8 rows."""
    for _ in range(x.shape[2] // 8):
        x = self.c(x)
    return x.mean((2, 3))


def rows_of_a_list(self, x):
    """As many convolutions as there are blocks of 8 rows."""
    for _ in [0] * (x.shape[2] // 8):
        x = self.c(x)
    return x.mean((2, 3))


def float_on_the_left(self, x):
    return functional.interpolate(x, size=(int(0.5 * x.shape[2]), x.shape[3]))


def greatest_divisor(self, x):
    return functional.avg_pool2d(x, math.gcd(x.shape[2], 8))


def list_of_rows(self, x):
    rows = [0] * x.shape[2]
    return x[:, :, : len(rows) // 2]


def text(self, x):
    return functional.adaptive_avg_pool2d(x, int(f"{x.shape[2]}") // 4)


def table(self, x):
    return functional.max_pool2d(x, {32: 2}.get(x.shape[2], 4))


def numel(self, x):
    return x.new_zeros(1, x.shape.numel() // 3) + 1


def closest(self, x):
    return functional.pad(x, (0, min(range(100), key=lambda n: abs(n * n - x.shape[2])), 0, 0))


def dilated(self, x):
    return functional.max_pool2d(x, 3, stride=1, padding=1, dilation=1 + math.isqrt(x.shape[2]) // 6)


def detected(self, x):
    return functional.avg_pool2d(x, kernel_size=int(x.shape[2]) // 4)


def by_tensor(self, x):
    half = torch.tensor([x.shape[2] // 2, x.shape[3]])
    return functional.interpolate(x, size=half.tolist())


def through_numpy(self, x):
    import numpy as np

    return x.reshape(1, int(np.prod(x.shape[1:])))


LOSING = [
    loop,
    rows_of_a_list,
    float_on_the_left,
    greatest_divisor,
    list_of_rows,
    text,
    table,
    numel,
    closest,
    dilated,
    detected,
    by_tensor,
    through_numpy,
]


@pytest.mark.parametrize("forward", LOSING)
def test_no_shape_is_said_that_a_run_does_not_give(forward):
    net = Calls(forward, c=nn.Conv2d(3, 3, 3, padding=1)).eval()
    graph = capture(net, SHAPE)
    assert infer_shapes(graph, SHAPE)[graph.outputs[0]] == tuple(net(torch.ones(SHAPE)).shape)
    for h, w in ((8, 8), (24, 32), (33, 48), (36, 40), (40, 32), (64, 64)):
        try:
            said = infer_shapes(graph, (1, 3, h, w))
        except ConvcalcError:
            continue
        assert said[graph.outputs[0]] == tuple(net(torch.ones(1, 3, h, w)).shape)


@pytest.mark.parametrize("forward", LOSING)
def test_what_was_lost_is_said_and_captured_anew_elsewhere(forward):
    net = Calls(forward, c=nn.Conv2d(3, 3, 3, padding=1))
    graph = capture(net, SHAPE)
    expected = tuple(net(torch.ones(1, 3, 40, 40)).shape)
    assert infer_shapes(graph, (1, 3, 40, 40))[graph.outputs[0]] == expected
    # Python compares what is sorted, or a key, and a range has a length: these are branches
    if forward not in (table, closest, greatest_divisor, loop):
        assert graph.capture.lost
        assert any(isinstance(node.layer, Opaque) for node in graph)
    alone = Graph(graph.nodes, graph.inputs, graph.outputs, capture=replace(graph.capture, again=None))
    try:
        assert infer_shapes(alone, (1, 3, 40, 40))[graph.outputs[0]] == expected
    except (Unknown, BadShape):
        assert graph.capture.lost or graph.capture.path


def test_what_type_says_of_a_size_is_found_by_running_with_plain_numbers():
    """`type(n) is int` cannot be heard; with a plain number the model does something else."""

    def run(self, x):
        return functional.avg_pool2d(x, 2 if type(x.shape[2]) is int else 4)

    graph = capture(Calls(run), SHAPE)
    assert infer_shapes(graph, SHAPE)[graph.outputs[0]] == (1, 3, 16, 16)
    assert "sizes that are plain numbers give avg_pool2d at" in graph.capture.lost[0]


def test_calls_that_come_and_go_are_unknown_from_there_on():
    graph = capture(Calls(rows_of_a_list, c=nn.Conv2d(3, 3, 3, padding=1)), SHAPE)
    # 32 rows: 4 convolutions; 33: as many; 48: 6, where the mean was to follow the fourth
    assert {node.name: isinstance(node.layer, Opaque) for node in graph} == {
        "c": False,
        "c_2": False,
        "c_3": False,
        "c_4": False,
        "mean": True,
    }
    assert "mean: at H=64, W=64 c_5 on c_4 is called" in graph.capture.remarks[1]


RIGHT = {
    "convolutions": (lambda self, x: self.c(x), SHAPE),
    "padding to a multiple": (lambda self, x: functional.pad(x, (0, -x.shape[3] % 8, 0, -x.shape[2] % 8)), SHAPE),
    "square only": (lambda self, x: x.view(1, 3, x.shape[3], -1) if x.shape[2] == x.shape[3] else x, SHAPE),
    "multiples of 32 only": (lambda self, x: self.c(x) if x.shape[2] % 32 == x.shape[3] % 32 == 0 else x, SHAPE),
    "half": (lambda self, x: functional.interpolate(x, size=(x.shape[2] // 2, math.ceil(x.shape[3] * 0.5))), SHAPE),
    "one axis": (lambda self, x: x.unfold(2, 4, 2) if x.shape[2] > 8 else x, (1, 3, 100)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_left_alone(name):
    forward, shape = RIGHT[name]
    net = Calls(forward, c=nn.Conv2d(3, 3, 3))
    checked, alone = capture(net, shape), capture(net, shape, check=False)
    assert checked.nodes == alone.nodes
    assert checked.capture.remarks == alone.capture.remarks


def test_a_model_of_one_size_is_remarked():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 30 * 30, 2))
    graph = capture(net, SHAPE)
    assert graph.capture.remarks == ("at no other size near is it the same and runs: its formulas are not checked",)
    assert not any(isinstance(node.layer, Opaque) for node in graph)


def test_a_refusal_in_the_models_own_code_is_remarked():
    def run(self, x):
        if int(x.shape[2]) != 32:
            raise ValueError("32 rows, please")
        return x * 2

    graph = capture(Calls(run), SHAPE)
    assert graph.capture.remarks[1] == (
        "at H=64, W=64 the module refuses what the graph takes: ValueError: 32 rows, please"
    )


def test_a_failure_in_torch_at_another_size_makes_the_call_opaque():
    table = torch.ones(32)
    graph = capture(Calls(lambda self, x: torch.stack([x[0, 0, 0], table[: x.numel()]])), SHAPE)
    with pytest.raises(ConvcalcError):
        infer_shapes(graph, (1, 3, 32, 40))


RUNS = []


def counting(self, x):
    RUNS.append(None)
    return self.c(x) if x.dim() == 4 else x


def asking(self, x):
    RUNS.append(None)
    return self.c(x) if x.shape[2] else x


@pytest.mark.parametrize(("forward", "check", "runs"), [(counting, True, 2), (asking, True, 4), (asking, False, 2)])
def test_a_model_that_asks_for_a_size_runs_with_plain_numbers_too_and_is_checked_at_two_sizes(forward, check, runs):
    RUNS.clear()
    capture(Calls(forward, c=nn.Conv2d(3, 3, 3)), SHAPE, check=check)
    assert len(RUNS) == runs


def test_runs_that_are_only_tried_are_not_explained():
    def picky(self, x):
        if int(x.shape[2]) != 32:
            raise ValueError("32 rows, please")
        return x * 2

    asked = []
    settings = Settings("net", lambda error, run, repair: asked.append(error) or BadShape(str(error)))
    checked = captured_at(Calls(picky), settings, [SHAPE])
    failed = captured_at(Calls(picky), settings, [(1, 3, 8, 8)], whole=False)
    assert "ValueError: 32 rows, please" in checked.capture.remarks[1]
    assert failed.capture.why is not None
    assert not asked
    assert failed.capture.error is failed.capture.error
    assert list(map(str, asked)) == ["32 rows, please"]
