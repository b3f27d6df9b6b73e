"""Fields through branches and skips against torch gradients, and against forward values perturbed one by one."""

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from convcalc import find_fields
from convcalc.errors import Refused
from convcalc.layers import AdaptiveAvgPool, Add, AvgPool, Conv, ConvTranspose, Upsample
from convcalc.network.blocks import Branches, Residual, Sequential, Skip, as_graph
from convcalc.network.shapes import infer_shapes

torch = pytest.importorskip("torch")

from convcalc.bridge.assembly.assemble import to_torch  # noqa: E402 -- after the skip

SIZE = 64


def conv(k, s, d):
    return Conv(2, k, stride=s, dilation=d, bias=False)


LAYERS = st.one_of(
    st.builds(conv, st.integers(1, 4), st.integers(1, 2), st.integers(1, 3)),
    st.builds(lambda k, s: AvgPool(k, stride=s), st.integers(1, 3), st.integers(1, 2)),
    st.builds(lambda k, s: ConvTranspose(2, k, stride=s, bias=False), st.integers(1, 4), st.integers(1, 3)),
    st.just(Upsample(scale_factor=2)),
)
"""Layers without padding: where every read is inside at every layer, footprints are exact."""


def blocks(parts):
    bodies = st.lists(parts, min_size=1, max_size=3).map(lambda some: Sequential(*some))
    return st.one_of(
        bodies,
        bodies.map(lambda body: Sequential(Skip(body), conv(1, 1, 1))),
        st.builds(
            lambda k, d: Residual(Conv(2, k, padding="same", dilation=d, bias=False)),
            st.sampled_from([1, 3]),
            st.integers(1, 3),
        ),
        st.builds(lambda a, b: Sequential(Branches(a, b), conv(1, 1, 1)), bodies, bodies),
        st.builds(lambda a, b: Branches(a, b, merge=Add()), bodies, st.just(Sequential(AdaptiveAvgPool(1)))),
    )


NETS = st.recursive(LAYERS, blocks, max_leaves=6).map(as_graph)


def reads(module, j):
    """The inputs on which output j depends, by the gradient of positive weights on a positive input."""
    signal = torch.rand(1, 2, SIZE, dtype=torch.float64) + 1
    signal.requires_grad_()
    module(signal)[0, :, j].sum().backward()
    return {place for place, slope in enumerate(signal.grad[0].sum(0).tolist()) if slope}


@given(NETS)
@settings(max_examples=60)
def test_a_field_is_what_gradients_reach(net):
    """Exactly inside, a subset at borders of zeros; more than the local part where it is global."""
    try:
        shapes = infer_shapes(net, (1, 2, SIZE))
    except Refused:
        return
    (name,) = net.outputs
    (axis,) = find_fields(net, (1, 2, SIZE))[name].axes
    module = to_torch(net, (1, 2, SIZE)).double()
    with torch.no_grad():
        for weight in module.parameters():
            weight.fill_(0.5)
    outputs = shapes[name][2]
    event("unknown" if axis is None else "global" if axis.is_global else "local")
    if axis is None:
        return
    for j in {0, outputs // 3, outputs // 2, outputs - 1}:
        found = reads(module, j)
        wanted = set(dict(axis.at(j).items()))
        inside = wanted and min(wanted) >= 10 and max(wanted) < SIZE - 10
        if axis.is_global:
            assert not inside or found > wanted
        else:
            event("exact" if inside else "border")
            assert found == wanted if inside else found <= wanted
