"""What needs a CUDA device: every way of verifying finds nothing there, and counts what it counts on the CPU.

Nothing here needs more than pytest and torch, so that it runs where nothing can be installed.
"""

import pytest

import convcalc as cc

torch = pytest.importorskip("torch", reason="torch is an extra: pip install 'convcalc[torch]'")

from convcalc.bridge.verify.layers import verify_layers  # noqa: E402 -- after the skip
from convcalc.bridge.verify.transposed import verify_transposed  # noqa: E402

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device, and torch finds none"),
]


def test_layers_are_what_they_are_on_the_cpu():
    here, there = verify_layers("cuda", count=4_000, seed=3), verify_layers("cpu", count=4_000, seed=3)
    assert here.mismatches == ()
    assert here.device.startswith("cuda")
    assert here.device_name
    assert (here.checked, here.refused, here.kinds) == (there.checked, there.refused, there.kinds)


def test_transposed_convolutions_are_what_they_are_on_the_cpu():
    here, there = (verify_transposed(device, count=150, seed=1) for device in ("cuda", "cpu"))
    assert here.mismatches == ()
    assert here.refused > 0
    assert (here.checked, here.refused, here.kinds) == (there.checked, there.refused, there.kinds)


@pytest.mark.parametrize("name", ["lenet", "resnet18"])
def test_a_network_is_what_it_is_on_the_cpu(name):
    for case in ("nodes", "tiles"):
        here, there = (cc.verify(cc.zoo.load(name), device=device, only=case) for device in ("cuda", "cpu"))
        assert here.mismatches == ()
        assert (here.kinds, here.unchecked) == (there.kinds, there.unchecked)


def test_footprints_are_the_same():
    net = cc.Sequential(*cc.read_stack("conv 4 k3 s2 p1; maxpool k3 s1 p1; conv 4 k3 p1"))
    report = cc.verify(net, (1, 1, 24, 20), device="cuda")
    assert report.mismatches == ()
    assert {"shapes", "MACs", "footprints", "legal sizes", "tiles"} == set(report.kinds)
