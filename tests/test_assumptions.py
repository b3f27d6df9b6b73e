"""Values of the input that a capture does not have: not needed, assumed and said, given, or refused."""

import io
import json
import logging
import math
import sys
import warnings

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

import convcalc as cc  # noqa: E402
from convcalc.cli import main  # noqa: E402
from convcalc.errors import BadArgument, Unknown  # noqa: E402

SHAPE = (1, 3, 8, 8)


class Calls(nn.Module):
    """A convolution, and a function of what it gives."""

    def __init__(self, then):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.then = then
        self.noticed = 0

    def forward(self, x):
        return self.then(self, self.conv(x))


def by_torch(module):
    with torch.no_grad():
        return tuple(module(torch.zeros(SHAPE)).shape)


def printed(self, y):
    print("mean", y.mean().item(), f"{y.std().item():.3f}", y[0, 0, 0].tolist())
    return y


def printed_as_float(self, y):
    mean = y.mean()
    print(f"mean {float(mean):.3f}", float(mean))
    return y


def logged(self, y):
    logging.getLogger("net").warning("mean %.3f of %s", y.mean().item(), y.sum().item())
    return y


def scaled(self, y):
    return y * (2 / (1 + y.abs().max().item())) + torch.zeros(3, 1).add(y.min().item())[:1]


def clamped(self, y):
    return y.clamp(max=y.mean().item())


def noticed(self, y):
    if y.max() > 3:
        self.noticed += 1
    return y


def asserted(self, y):
    assert not torch.isnan(y).any(), "nan"
    return y


def raised(self, y):
    if torch.isinf(y).any().item():
        raise ValueError(f"inf, largest {y.max().item()}")
    return y * 2


def refused_by_comparison(self, y):
    if not (y.abs().mean().item() < 100):
        raise OverflowError
    return y[..., 1:]


def drawn(self, y):
    mean, scale = y.chunk(2, 1)
    normal = torch.distributions.Normal(mean, scale.exp())
    return normal.rsample() + torch.distributions.kl_divergence(normal, torch.distributions.Normal(0, 1)).sum()


def categorical(self, y):
    return torch.distributions.Categorical(logits=y.flatten(1)).log_prob(torch.zeros(1))


def equal(self, y):
    if torch.equal(y, y * 2):
        raise ValueError("no signal")
    return y


def told_inline(self, y):
    print(float(y.mean()), f"{y.std():.2f} {int((y > 0).sum())}", [float(v) for v in y.mean((0, 2, 3))])
    logging.getLogger("net").info(f"{float(y.mean())}")
    print("%.1f" % y.max())  # noqa: UP031 -- which C reads as a float
    sys.stderr.write(str(round(float(y.std()), 2)))
    print(y.mean())
    return y


def kept_as_float(self, y):
    self.noticed = float(y.mean())
    text = f"{float(y.max()):.3f}"
    print(text, json.dumps({"mean": y.mean().item()}))
    return y * torch.tensor([y.max().item(), 1.0, 2.0, 3.0]).view(4, 1, 1)


def kept_as_array(self, y):
    image = y[0].detach().cpu().numpy()
    self.noticed = (255 * (image - image.min()) / (np.ptp(image) + 1e-6)).astype("uint8")
    return y


def bounded(self, y):
    return y / max(y.abs().max().item(), 1e-6) / math.sqrt(y.var().item())


def looked_for(self, y):
    count = int(torch.isnan(y).sum())
    if count > 0:
        raise ValueError(count)
    if torch.isnan(y).any():
        print("nan", float(y.mean()))
    return y


NEEDLESS = [printed, printed_as_float, logged, scaled, clamped, told_inline]
GUESSED = [kept_as_float, kept_as_array, bounded, looked_for]
RAISING = [asserted, raised, refused_by_comparison, drawn, categorical]


@pytest.mark.parametrize("then", [*NEEDLESS, *GUESSED, noticed])
def test_a_value_that_decides_nothing_is_not_needed(then, capsys):
    module = Calls(then)
    report = cc.inspect(module, SHAPE)
    assert report.error is None
    assert report.output == by_torch(module)


@pytest.mark.parametrize("then", [printed, scaled])
def test_that_a_value_was_asked_for_is_said(then, capsys):
    report = cc.inspect(Calls(then), SHAPE)
    assert any("a value of the input, asked for at test_assumptions.py:" in remark for remark in report.remarks)
    assert "1.0" not in capsys.readouterr().out


def test_what_is_told_inline_leaves_the_proof(capsys):
    assert cc.from_torch(Calls(told_inline), SHAPE).capture.lost == ()


@pytest.mark.parametrize("then", GUESSED)
def test_a_number_that_is_guessed_is_said_and_no_proof(then, capsys):
    graph = cc.from_torch(Calls(then), SHAPE)
    assert any("are guessed: with" in remark for remark in graph.capture.remarks)
    assert any("are guessed: with" in lost for lost in graph.capture.lost)


KEEPING = [
    lambda self, y: y[..., self.kept.setdefault("n", int(y.max())) :],
    lambda self, y: print(self.kept.setdefault("n", int(y.max()))) or y[..., self.kept["n"] :],
    lambda self, y: [print(n := int(y.max())), y[..., n:]][1],
    lambda self, y: print(int(y.max()), file=self.file) or y[..., int(self.file.getvalue()) :],
]


@pytest.mark.parametrize("then", KEEPING)
def test_a_number_that_is_kept_beside_the_telling_is_needed(then):
    module = Calls(then)
    module.kept, module.file = {}, io.StringIO()
    assert cc.inspect(module, SHAPE).error is not None


def test_a_factor_read_from_a_map_reads_the_whole_map():
    report = cc.inspect(Calls(lambda self, y: y * y.max().item()), SHAPE)
    assert report.layers[-1].is_global


@pytest.fixture
def _validated(monkeypatch):
    """Distributions look at their arguments, as they do until something in the process was exported or compiled."""
    monkeypatch.setattr(torch.distributions.Distribution, "_validate_args", True)


@pytest.mark.usefixtures("_validated")
@pytest.mark.parametrize("then", RAISING)
def test_a_way_that_raises_is_not_taken_and_that_is_said(then):
    module = Calls(then)
    report = cc.inspect(module, SHAPE)
    assert report.error is None
    assert report.output == by_torch(module)
    assert any(remark.startswith("assumed ") and "otherwise it raises" in remark for remark in report.remarks)


@pytest.mark.parametrize("then", RAISING[:2])
def test_what_is_assumed_is_no_proof(then):
    assert not cc.valid_sizes(Calls(then), (1, 3, "H", "W")).proved


def test_a_condition_that_changes_nothing_leaves_the_proof():
    module = Calls(noticed)
    assert cc.valid_sizes(module, (1, 3, "H", "W")).proved
    assert any("changes nothing" in remark for remark in cc.inspect(module, SHAPE).remarks)
    assert module.noticed == 0


def pooled(self, y):
    if y.sum() > 0:
        y = F.max_pool2d(y, 2)
    return y


LINE = pooled.__code__.co_firstlineno + 1


@pytest.mark.parametrize("word", [f"{LINE}", f"test_assumptions.py:{LINE}", "gt", f"tests/test_assumptions.py:{LINE}"])
@pytest.mark.parametrize("outcome", [True, False])
def test_a_condition_of_two_ways_goes_as_the_user_says(word, outcome):
    report = cc.inspect(Calls(pooled), SHAPE, assume={word: outcome})
    assert report.output == ((1, 4, 3, 3) if outcome else (1, 4, 6, 6))
    assert any("as asked for" in remark for remark in report.remarks)
    graph = cc.from_torch(Calls(pooled), (1, 3, 9, 9), assume={word: outcome})
    assert cc.inspect(graph, (1, 3, 12, 9)).output == ((1, 4, 5, 3) if outcome else (1, 4, 10, 7))


def test_without_a_word_the_sentence_says_how_and_the_repairs_run():
    with pytest.raises(Unknown, match="say how it goes with --assume LINE=true or false") as caught:
        cc.from_torch(Calls(pooled), SHAPE)
    assert len(caught.value.fixes) == 2
    for fix in caught.value.fixes:
        place, _, outcome = fix.removeprefix("--assume ").rpartition("=")
        assert cc.inspect(Calls(pooled), SHAPE, assume={place: outcome == "true"}).error is None


SIZING = [
    lambda self, y: y[..., : int(y.sum())],
    lambda self, y: y.new_zeros(y.sum().item()),
    lambda self, y: sum(y for _ in range(y.argmax().item())),
    lambda self, y: F.pad(y, (y.argmax().item(), 0)),
    lambda self, y: y.repeat(1, 1, 1, int(y.max().item())),
    lambda self, y: [y, y * 2][y.argmax().item()],
]


@pytest.mark.parametrize("then", SIZING)
def test_a_value_that_sets_a_shape_is_needed(then):
    report = cc.inspect(Calls(then), SHAPE)
    assert report.error is not None
    assert report.output is None


class Packed(nn.Module):
    """A recurrent network on sequences of several lengths."""

    def __init__(self, kind, ordered):
        super().__init__()
        self.net = kind(8, 5, batch_first=True, bidirectional=True)
        self.ordered = ordered

    def forward(self, x, lengths):
        rnn = nn.utils.rnn
        packed = rnn.pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=self.ordered)
        return rnn.pad_packed_sequence(self.net(packed)[0], batch_first=True)[0]


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
@pytest.mark.parametrize("lengths", [[11, 7, 5], [9, 9, 2]])
@pytest.mark.parametrize("ordered", [True, False])
def test_lengths_of_an_example_keep_their_values(kind, lengths, ordered):
    module = Packed(kind, ordered)
    example = torch.rand(3, 11, 8), torch.tensor(lengths)
    report = cc.inspect(module, example_inputs=example)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        wanted = tuple(module(*example).shape)
    assert (report.error, report.output) == (None, wanted)
    assert (report.macs, report.uncounted) == (counter.get_total_flops() // 2, ())
    assert any("lengths has the values of its example" in remark for remark in report.remarks)


@pytest.mark.parametrize(
    "settings", [{}, {"center": False}, {"onesided": False}, {"length": 150}, {"hop_length": 7}, {"normalized": True}]
)
@pytest.mark.filterwarnings("ignore:The length of signal")
@pytest.mark.parametrize("frames", [3, 8])
def test_the_inverse_of_a_transform_of_windows(settings, frames):
    class Inverse(nn.Module):
        def forward(self, z):
            return torch.istft(z, 32, window=torch.ones(32), **settings)

    z = torch.zeros(2, 17 if settings.get("onesided", True) else 32, frames, dtype=torch.complex64)
    report = cc.inspect(Inverse(), example_inputs=z)
    assert report.output == tuple(Inverse()(z).shape)


def test_one_hot_without_classes_says_what_to_give():
    with pytest.raises(Unknown, match="give num_classes="):
        cc.from_torch(Calls(lambda self, y: F.one_hot(y.argmax(1))), SHAPE)


def test_the_command_takes_assumptions(tmp_path):
    file = tmp_path / "net.py"
    file.write_text(
        "from torch import nn\n\n\nclass Net(nn.Module):\n    def forward(self, x):\n"
        "        if x.sum() > 0:\n            return x.flatten(1)\n        return x\n"
    )
    run = CliRunner()
    target = ["inspect", f"{file}:Net", "--input", "3x8x8"]
    assert run.invoke(main, target).exit_code == 1
    done = run.invoke(main, [*target, "--assume", "net.py:6=true", "-q"])
    assert (done.exit_code, done.output) == (0, "192\n")
    assert run.invoke(main, [*target, "--assume", "net.py:6=perhaps"]).exit_code == 2
    assert run.invoke(main, ["sizes", f"{file}:Net", "--input", "3xHxW", "--assume", "6=false"]).exit_code == 0


def test_assumptions_are_for_modules():
    with pytest.raises(BadArgument, match="assume"):
        cc.inspect(cc.ReLU(), (1, 3, 3), assume={"3": True})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cc.inspect(Calls(equal), SHAPE).error is None
