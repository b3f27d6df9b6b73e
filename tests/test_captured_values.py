"""What values and memory decide: indices made from sizes, unpooling, targets of losses, views; against torch's run."""

import pytest
import torch
from torch import nn
from torch.nn import functional

import convcalc as cc
from convcalc.analysis.validity import of_captures as legal_captured
from convcalc.errors import Unknown


class Of(nn.Module):
    """A function of the module and its input; `table` has 12 entries."""

    def __init__(self, function):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(12))
        self.rows = nn.Embedding(12, 3)
        self.function = function

    def forward(self, x):
        return self.function(self, x)


def runs(model, n):
    try:
        model(torch.rand(1, 1, n))
    except (IndexError, RuntimeError, ValueError):
        return False
    return True


def agree(function, example, *, proved=True, sizes=range(1, 31)):
    model = Of(function)
    want = [n for n in sizes if runs(model, n)]
    assert example in want
    valid = cc.valid_sizes(cc.from_torch(model, (1, 1, example)), (1, 1, "L"))
    assert valid.proved == proved
    said = [n for n in sizes if n in valid["L"]]
    assert said == want if proved else set(said) <= set(want)


n_of = torch.arange

KNOWN = {
    "a table": lambda s, x: x + s.table[n_of(x.shape[2])],
    "an embedding": lambda s, x: x + s.rows(n_of(x.shape[2]))[:, 0],
    "from a place on": lambda s, x: x + s.table[n_of(2, x.shape[2] + 2)],
    "in steps": lambda s, x: s.table[n_of(0, x.shape[2], 3)] + x.mean(),
    "halved": lambda s, x: s.table[n_of(x.shape[2]) // 2] + x,
    "backwards": lambda s, x: s.table[x.shape[2] - 1 - n_of(x.shape[2])] + x,
    "from the end": lambda s, x: s.table[-n_of(x.shape[2]) - 1] + x,
    "differences": lambda s, x: s.table[n_of(x.shape[2])[:, None] - n_of(x.shape[2]) + 6].sum(0) + x,
    "of a grid": lambda s, x: s.table[n_of(3)[:, None] * x.shape[2] + n_of(x.shape[2])].sum(0) + x,
    "cut": lambda s, x: s.table[n_of(x.shape[2])[x.shape[2] // 2 :]].mean() + x,
    "in turns": lambda s, x: s.table[n_of(x.shape[2]) % 14] + x,
    "clamped": lambda s, x: s.table[n_of(x.shape[2]).clamp(0, 9)] + x,
    "turned": lambda s, x: s.table[n_of(x.shape[2]).view(1, -1).expand(2, -1).t()].sum() + x,
    "written down": lambda s, x: x[:, :, torch.tensor([0, 7])],
    "from the end, written down": lambda s, x: x[:, :, torch.tensor([-5, 1])],
    "selected": lambda s, x: x.index_select(2, torch.tensor([4, 9])),
    "gathered": lambda s, x: x.gather(2, torch.full((1, 1, 4), 8)),
    "two axes": lambda s, x: x[:, torch.tensor([0]), torch.tensor([3])],
    "one-hot": lambda s, x: functional.one_hot(n_of(x.shape[2]), 9).sum() + x,
    "laid out anew": lambda s, x: x.as_strided((1, 1, 9), (1, 1, 2)),
}


@pytest.mark.parametrize("function", KNOWN.values(), ids=KNOWN)
def test_an_index_past_its_table_bounds_the_sizes(function):
    model = Of(function)
    agree(function, next(n for n in (10, 8, 5, 20, 4) if runs(model, n)))


UNKNOWN = {
    "a remainder": lambda s, x: s.table[n_of(x.shape[2]) * 3 % 14] + x,
    "a running sum": lambda s, x: s.table[n_of(x.shape[2]).cumsum(0)] + x,
}


@pytest.mark.parametrize("function", UNKNOWN.values(), ids=UNKNOWN)
def test_of_an_index_that_is_not_followed_nothing_is_proved(function):
    agree(function, 4, proved=False)


VIEWS = {
    "of a part of each row": (lambda s, x: x.view(1, -1, 6)[:, :, :4].view(-1), False),
    "of every second": (lambda s, x: x.view(1, -1, 2)[:, :, 1::2].view(-1), True),
    "of a crop of all": (lambda s, x: x[:, :, 2:].view(1, -1), True),
    "of a turn": (lambda s, x: x.expand(2, 3, -1).transpose(1, 2).contiguous().view(-1), True),
    "of a piece, cut only": (lambda s, x: x.expand(2, 4, -1).chunk(2, 1)[0].unsqueeze(1).squeeze(1), True),
    "of a turn back": (lambda s, x: x.transpose(1, 2).transpose(1, 2).view(-1), True),
}


@pytest.mark.parametrize(("function", "proved"), VIEWS.values(), ids=VIEWS)
def test_a_view_is_proved_where_strides_show_it(function, proved):
    agree(function, 6, proved=proved)


class Unpooled(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.down, self.up, self.depth = nn.MaxPool2d(2, 2, return_indices=True), nn.MaxUnpool2d(2, 2), depth

    def forward(self, x):
        places = []
        for _ in range(self.depth):
            x, found = self.down(x)
            places.append(found)
        for found in reversed(places):
            x = self.up(x, found)
        return x


@pytest.mark.parametrize("shape", [(16, "W"), ("H", 16)])
def test_unpooling_takes_rows_as_long_as_those_pooled(shape):
    model, axis = Unpooled(2), next(one for one in shape if isinstance(one, str))
    valid = cc.valid_sizes(model, (1, 1, *shape))
    assert valid.proved
    torch.manual_seed(0)
    for n in range(4, 30):
        image = torch.rand(4, 1, *(n if one == axis else one for one in shape))
        image[..., -3:, -3:] += 1  # the last window is not the first of its row
        try:
            model(image)
            right = True
        except RuntimeError:
            right = False
        assert (n in valid[axis]) == right, n


LOSSES = {
    "classes": (functional.cross_entropy, (2, 5, 8), (2, 8), torch.long),
    "likelihoods": (functional.nll_loss, (2, 5, 4, 4), (2, 4, 4), torch.long),
    "probabilities": (functional.cross_entropy, (2, 5, 8), (2, 5, 8), torch.float32),
    "one prediction": (functional.cross_entropy, (5,), (), torch.long),
    "binary": (functional.binary_cross_entropy_with_logits, (2, 8), (2, 8), torch.float32),
}


@pytest.mark.parametrize(("loss", "shape", "target", "dtype"), LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_a_loss_takes_the_target_that_torch_takes(loss, shape, target, dtype, reduction):
    class Net(nn.Module):
        def forward(self, x, t):
            return loss(x, t, reduction=reduction)

    tried = [
        target,
        (*target, 1),
        target[:-1],
        *((*target[:a], target[a] + 1, *target[a + 1 :]) for a in range(len(target))),
    ]
    for given in [one for one in tried if len(shape) > 1 or one != (1,)]:  # which torch takes on the CPU alone
        x, t = torch.zeros(shape), torch.zeros(given, dtype=dtype)
        try:
            want = tuple(loss(x, t, reduction=reduction).shape)
        except (RuntimeError, ValueError, IndexError):
            want = None
        report = cc.inspect(Net(), example_inputs=(x, t))
        assert (None if report.error else report.output) == want, given


# -- letters of inputs ---------------------------------------------------------------------------------------------


class ChannelsLast(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(16, 8, 3, stride=2, padding=1)

    def forward(self, x):
        return self.conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


@pytest.mark.parametrize("shape", [(1, "H", 8, 16), (1, "H", "W", 16), (1, "W", "H", 16), (1, "T", 8, 16)])
def test_a_letter_of_the_users_is_no_other_axis(shape):
    valid = cc.valid_sizes(ChannelsLast(), shape)
    assert valid.proved
    assert all(valid[axis].minimum == 1 for axis in valid.axes)


def test_tensors_of_two_sizes_may_be_one_argument():
    class Both(nn.Module):
        def forward(self, some):
            return torch.cat([some[0], functional.interpolate(some[1], scale_factor=2)], 1)

    report = cc.inspect(Both(), example_inputs=([torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 4, 4)],))
    assert report.output == (1, 6, 8, 8)


class Reading(torch.nn.Module):
    def __init__(self, read):
        super().__init__()
        self.read = read

    def forward(self, x):
        return x[..., self.read(x) // 2 :]


def test_the_size_of_an_array_is_a_plain_number(monkeypatch):
    monkeypatch.setattr(legal_captured, "AROUND", 1)
    legal = cc.valid_sizes(Reading(lambda x: x.detach().numpy().shape[2]), (1, 2, 24))
    assert not legal.proved
    assert all(n in legal for n in range(1, 60) if n not in legal.unknown)


def test_a_size_at_which_a_capture_ends_for_want_of_values_is_not_called_refused(monkeypatch):

    monkeypatch.setattr(legal_captured, "AROUND", 1)
    model = Reading(lambda x: int(x.new_tensor(x.shape[2])))
    legal = cc.valid_sizes(model, (1, 2, 24))
    assert not legal.proved
    assert [n for n in range(1, 60) if n in legal.unknown] == [*range(1, 60)]
    with pytest.raises(Unknown, match="needs the values"):
        24 in legal  # noqa: B015
    assert model(torch.ones(1, 2, 24)).shape == (1, 2, 12)
