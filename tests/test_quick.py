"""What is made at once on meta is what torch works out there: shape, type, strides; all else is left to torch."""

import random
from collections import Counter

import pytest

from convcalc.bridge.capture.quick import at_once

torch = pytest.importorskip("torch", reason="torch is an extra: pip install 'convcalc[torch]'")
functional = torch.nn.functional

KINDS = [torch.float32] * 6 + [torch.bfloat16, torch.float64, torch.int64]


def blank(rng, shape, kind):
    """A tensor of that shape and type, now and then of another; or none."""
    if rng.random() < 0.1:
        shape = [rng.choice([1, 2, 3])]
    return None if rng.random() < 0.3 else torch.empty(shape, dtype=rng.choice([kind] * 9 + KINDS), device="meta")


def drawn(rng):
    """A call that may be refused, on a tensor that may be of any layout."""
    rank, kind = rng.randint(1, 5), rng.choice(KINDS)
    x = torch.empty([rng.choice([0, 1, 1, 2, 3, 4]) for _ in range(rank)], dtype=kind, device="meta")
    if rank == 4 and rng.random() < 0.2:
        x = x.to(memory_format=torch.channels_last)
    if rank > 1 and rng.random() < 0.1:
        x = x.transpose(0, 1)
    match rng.choice(["batch", "layer", "linear", "gelu", "relu", "leaky"]):
        case "batch":
            some = [blank(rng, x.shape[1:2], kind) for _ in range(4)]
            return functional.batch_norm, (x, *some), {"training": rng.random() < 0.1}
        case "layer":
            shape = list(x.shape[rng.randint(0, rank) :])
            return functional.layer_norm, (x, shape, blank(rng, shape, kind), blank(rng, shape, kind)), {}
        case "linear":
            outs = rng.choice([0, 1, 2, 3])
            weight = torch.empty(rng.choice([(outs, x.shape[-1]), (outs, 2)]), dtype=kind, device="meta")
            return functional.linear, (x, weight, blank(rng, [outs], kind)), {}
        case "relu":
            call = rng.choice([functional.relu, functional.relu6, functional.hardswish])
            return call, (x,), {"inplace": rng.choice([False, False, True])}
        case "leaky":
            setting = rng.choice([0.1, 2, -1.0, True])
            return rng.choice([functional.leaky_relu, functional.elu]), (x, setting, *rng.choice([(), (False,)])), {}
        case _:
            return functional.gelu, (x,), {"approximate": rng.choice(["none", "tanh", "other"])}


def test_what_is_made_at_once_is_what_torch_gives():
    rng, made = random.Random(0), Counter()
    with torch.no_grad():
        for _ in range(1500):
            call, args, settings = drawn(rng)
            ours = at_once(call, args, settings)
            if ours is not None:
                made[call.__name__] += 1
                theirs = call(*args, **settings)
                assert (ours.shape, ours.dtype, ours.stride()) == (theirs.shape, theirs.dtype, theirs.stride())
    assert len(made) == 9
    assert min(made.values()) > 10


def test_nothing_is_made_at_once_where_torch_keeps_gradients():
    x, weight = torch.empty(2, 3, device="meta"), torch.empty(4, 3, device="meta")
    with torch.enable_grad():
        assert at_once(functional.linear, (x, weight), {}) is None
