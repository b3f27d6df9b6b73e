"""What one position reads, walked back layer by layer: against rows of bits, against autograd, at every border."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import find_window
from convcalc.cli.target.target import load_target
from convcalc.errors import BadShape
from convcalc.footprints.reads import Reads
from convcalc.layers import (
    AdaptiveAvgPool,
    Add,
    AvgPool,
    Concat,
    Conv,
    ConvTranspose,
    Flatten,
    MaxPool,
    Mul,
    Pad,
    Sigmoid,
    Upsample,
)
from convcalc.network.blocks import Residual, Sequential, Wired, as_graph
from convcalc.network.shapes import infer_shapes

CHAIN = {
    "conv 1 k3 p1": lambda n: Reads.conv(n, 3, padding=1),
    "conv 1 k3 s2 p1": lambda n: Reads.conv(n, 3, 2, 1),
    "conv 1 k3 d2 p2": lambda n: Reads.conv(n, 3, 1, 2, 2),
    "conv 1 k5 p2 padding_mode=reflect": lambda n: Reads.conv(n, 5, 1, 2, 1, "reflect"),
    "conv 1 k3 p1 padding_mode=circular": lambda n: Reads.conv(n, 3, 1, 1, 1, "circular"),
    "conv 1 k3 p2 padding_mode=replicate": lambda n: Reads.conv(n, 3, 1, 2, 1, "replicate"),
    "maxpool k3 s2 p1 ceil": lambda n: Reads.pool(n, 3, 2, 1, ceil_mode=True),
    "tconv 1 k4 s2 p1": lambda n: Reads.conv_transpose(n, 4, 2, 1),
    "upsample 2": lambda n: Reads.resized(n, scale_factor=2),
    "upsample 2 mode=linear": lambda n: Reads.resized(n, scale_factor=2, mode="linear"),
    "adaptiveavgpool 5": lambda n: Reads.adaptive_pool(n, 5),
    "pad 1:2 mode=reflect": lambda n: Reads.padded(n, 1, 2, "reflect"),
    "crop 1:0": lambda n: Reads.padded(n, -1, 0),
}


@settings(max_examples=200)
@given(st.lists(st.sampled_from(sorted(CHAIN)), min_size=1, max_size=6), st.integers(6, 30), st.data())
def test_a_chain_reads_what_its_rows_of_bits_say(texts, size, data):
    reads = Reads.identity(size)
    graph = load_target("; ".join(texts))
    try:
        infer_shapes(graph, (1, 1, size))
    except ValueError:
        return
    for text in texts:
        reads = reads.then(CHAIN[text](reads.out))
    if not reads.out:  # cropped to nothing
        return
    cell = data.draw(st.integers(0, reads.out - 1))
    (window,) = find_window(graph, graph.outputs[0], [cell], (1, 1, size))
    assert window.reads == reads.at(cell)


def test_zeros_padded_in_the_middle_end_what_a_border_reads():
    net = Sequential(Conv(1, 3, stride=4), Conv(1, 3, padding=1))
    (window,) = find_window(net, "1", [1], (1, 1, 10))
    assert (window.pattern, list(window.reads)) == ((0, 10), [0, 1, 2, 4, 5, 6])
    assert window.padding == (0, 1)


def test_branches_gates_and_what_sees_everything():
    gate = Wired(
        ("conv", Conv(4, 3, padding=1), "input"),
        ("pool", AdaptiveAvgPool(1), "conv"),
        ("gate", Sigmoid(), "pool"),
        ("mul", Mul(), "conv", "gate"),
    )
    (window,) = find_window(gate, "mul", [0], (1, 3, 9))
    assert list(window.reads) == list(range(9))
    (window,) = find_window(gate, "conv", [0], (1, 3, 9))
    assert list(window.reads) == [0, 1]


@pytest.mark.parametrize("cell", [[0, 0], [3, 5], [7, 7]])
def test_the_window_is_where_the_gradient_is(cell):
    torch = pytest.importorskip("torch")
    net = Wired(
        ("down", Conv(2, 3, stride=2, padding=1), "input"),
        ("body", Residual(Sequential(Conv(2, 3, padding=1), Conv(2, 3, padding=1))), "down"),
        ("up", ConvTranspose(2, 4, stride=2, padding=1), "body"),
        ("fine", Conv(2, 5, padding=2), "input"),
        ("out", Add(), "up", "fine"),
    )
    windows = find_window(net, "out", cell, (1, 1, 16, 16))

    def conv(x, out, k, **settings):
        return torch.nn.functional.conv2d(x, torch.ones(out, x.shape[1], k, k, dtype=x.dtype), **settings)

    x = torch.zeros(1, 1, 16, 16, dtype=torch.float64, requires_grad=True)
    down = conv(x, 2, 3, stride=2, padding=1)
    body = conv(conv(down, 2, 3, padding=1), 2, 3, padding=1) + down
    up = torch.nn.functional.conv_transpose2d(body, torch.ones(2, 2, 4, 4, dtype=x.dtype), stride=2, padding=1)
    (up + conv(x, 2, 5, padding=2))[0, 0, cell[0], cell[1]].backward()
    for axis, window in enumerate(windows):
        seen = x.grad[0, 0].abs().sum(1 - axis).nonzero().flatten().tolist()
        assert list(window.reads) == seen


def test_the_published_windows_of_u_net():
    windows = find_window(load_target("unet"), "out", [0, 387])
    assert [(window.reads.first, window.reads.last) for window in windows] == [(0, 187), (384, 571)]


def test_what_is_not_known_is_not_guessed():
    net = Sequential(Flatten(2), Conv(1, 3))
    with pytest.raises(BadShape, match="no position on the axes"):
        find_window(net, "1", [0], (1, 1, 4, 4))
    mixed = as_graph(Wired(("a", AvgPool(2), "input"), ("b", MaxPool(2), "input"), ("c", Concat(dim=2), "a", "b")))
    window, _ = find_window(mixed, "c", [0, 0], (1, 1, 8, 8))
    assert (window.reads, window.pattern) == (None, None)


def test_padding_and_resizing_by_layers():
    net = Sequential(Pad([(3, 0)]), Upsample(scale_factor=2))
    (window,) = find_window(net, "1", [4], (1, 1, 5))
    assert (window.pattern, window.reads, window.padding) == ((-1, -1), window.reads.__class__(0, 0), (1, 0))


def test_a_torch_module_is_taken_as_inspect_takes_it():
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 3, padding=1), torch.nn.Conv2d(1, 1, 3, dilation=2))
    asked = find_window(net, "1", [0, 1], (1, 1, 9, 9), dtype="float16", train=True)
    assert asked == find_window(net, "1", [0, 1], example_inputs=torch.zeros(1, 1, 9, 9))
    image = torch.zeros(1, 1, 9, 9, requires_grad=True)
    net(image)[0, 0, 0, 1].backward()
    for window, axis in zip(asked, (1, 0), strict=True):
        assert list(window.reads) == image.grad[0, 0].abs().sum(axis).nonzero().flatten().tolist()
