"""The module's own small tensors keep their values while it is captured, and the module stays as it is."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

import convcalc as cc  # noqa: E402
from convcalc.bridge.capture.known import SMALL  # noqa: E402


class Holds(nn.Module):
    """A convolution, and tensors that are buffers, parameters or plain attributes, used by forward in turn."""

    def __init__(self, values, homes, uses):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3)
        self.uses = uses
        for place, (value, home) in enumerate(zip(values, homes, strict=True)):
            tensor = torch.tensor(value)
            if home == "buffer":
                self.register_buffer(f"t{place}", tensor)
            elif home == "parameter":
                setattr(self, f"t{place}", nn.Parameter(tensor, requires_grad=False))
            else:
                setattr(self, f"t{place}", tensor)

    def forward(self, x):
        x = self.conv(x)
        for place, use in enumerate(self.uses):
            x = USES[use](x, getattr(self, f"t{place}"))
        return x


def counted(x, held):
    held += 1
    return F.pad(x, (int(held[0]), 0))


def chosen(x, held):
    return x[:, :, ::2] if held.sum() > 4 else x


def written(x, held):
    held[0] = 3
    return F.pad(x, (0, held[0].item()))


USES = {
    "int": lambda x, held: F.pad(x, (int(held[0]),) * 4),
    "item": lambda x, held: F.pad(x, (0, 0, held[1].item(), 0)),
    "list": lambda x, held: x.repeat(1, 1, *held.tolist()),
    "array": lambda x, held: F.avg_pool2d(x, int(held.numpy().max())),
    "bool": chosen,
    "full": lambda x, held: x.flatten(2)[..., None] * torch.full((1, 1, x[0, 0].numel(), 1), held[0]),
    "chain": lambda x, held: F.pad(x, (0, int((held * 2 - 1).clamp(min=0).max()))),
    "max": lambda x, held: x.new_zeros(1, 3, held.max(), 4),
    "equal": lambda x, held: x if torch.equal(held, held.flip(0)) else x.flip(2)[:, :2],
    "mask": lambda x, held: x[:, :, : len(held[held > 1]) + 1],
    "iterate": lambda x, held: sum(x[:, :1] * k for k in held) + F.pad(x, (sum(int(k) for k in held), 0)),
    "counted": counted,
    "written": written,
}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(list(USES)), st.sampled_from(["buffer", "parameter", "plain"])),
        min_size=1,
        max_size=3,
    ),
    st.data(),
)
def test_random_modules_use_the_values_they_hold(some, data):
    values = [data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=2)) for _ in some]
    homes = ["buffer" if home == "parameter" else home for _, home in some]  # integers are no parameters
    module = Holds(values, homes, [use for use, _ in some]).eval()
    before = {name: value.clone() for name, value in [*module.state_dict().items(), *_plain(module)]}
    report = cc.inspect(module, (1, 2, 14, 12))
    assert same(before, dict([*module.state_dict().items(), *_plain(module)]))
    try:
        with torch.no_grad():
            wanted = tuple(module(torch.zeros(1, 2, 14, 12)).shape)
    except (RuntimeError, IndexError):
        assert report.error is not None
    else:
        assert report.error is None, report.error
        assert report.output == wanted


def _plain(module):
    return [(name, value) for name, value in vars(module).items() if isinstance(value, torch.Tensor)]


@pytest.mark.parametrize("kind", ["parameter", "buffer", "plain"])
@pytest.mark.parametrize("value", [0.0, 2.5, -1.0])
def test_numbers_of_one_value_are_numbers(kind, value):
    class Scales(nn.Module):
        def __init__(self):
            super().__init__()
            held = (
                nn.Parameter(torch.tensor(value), requires_grad=False) if kind == "parameter" else torch.tensor(value)
            )
            if kind == "buffer":
                self.register_buffer("held", held)
            else:
                self.held = held

        def forward(self, x):
            if self.held:
                x = x[..., : math.ceil(abs(float(self.held)))]
            return x if self.held.item() >= 0 else x.flatten(1)

    module = Scales()
    assert cc.inspect(module, (1, 2, 5, 6)).output == tuple(module(torch.zeros(1, 2, 5, 6)).shape)


@pytest.mark.parametrize("many", [SMALL, SMALL + 1])
def test_large_tensors_hold_no_values(many):
    class Table(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("table", torch.ones(many))

        def forward(self, x):
            return x * float(self.table[0])

    report = cc.inspect(Table(), (1, 2, 5))
    assert report.output == (1, 2, 5)
    assert any("guessed" in remark for remark in report.remarks) == (many > SMALL)


def test_what_the_input_is_written_into_has_no_known_values_any_more():
    class Cache(nn.Module):
        def __init__(self, way):
            super().__init__()
            self.way = way
            self.register_buffer("cache", torch.zeros(1, 2, 5))

        def forward(self, x):
            self.way(self.cache, x)
            return self.cache * 2

    for way in (
        lambda cache, x: cache.copy_(x),
        lambda cache, x: cache[:, :, 0].copy_(x[:, :, 0]),
        lambda cache, x: cache.__setitem__((slice(None), 0), x[:, 0]),
        lambda cache, x: cache[0].add_(x[0]),
    ):
        report = cc.inspect(Cache(way), (1, 2, 5))
        assert report.output == (1, 2, 5)
        assert not report.layers[-1].constant


GLOBAL = torch.tensor([2, 3])


@pytest.mark.parametrize(
    "way",
    [
        lambda: GLOBAL.add_(1),
        lambda: GLOBAL[0].fill_(7),
        lambda: GLOBAL.__setitem__(0, 9),
        lambda: torch.add(GLOBAL, 1, out=GLOBAL),
    ],
)
def test_a_global_tensor_stays_as_it_was(way):
    class Writes(nn.Module):
        def forward(self, x):
            way()
            return F.pad(x, (int(GLOBAL[0]), 0))

    module = Writes()
    report = cc.inspect(module, (1, 2, 5))
    assert GLOBAL.tolist() == [2, 3]
    assert report.output == tuple(module(torch.zeros(1, 2, 5)).shape)
    GLOBAL.copy_(torch.tensor([2, 3]))


@pytest.mark.parametrize("momentum", [0.1, None])
def test_counters_of_batch_normalization_count_in_the_copy_alone(momentum):
    module = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3, momentum=momentum))
    report = cc.inspect(module, (2, 2, 6, 6), train=True)
    assert report.error is None
    assert int(module[1].num_batches_tracked) == 0
