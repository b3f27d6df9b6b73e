"""Code that is emitted: lengths and masks, as files that know nothing of convcalc, held to modules of torch."""

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import convcalc as cc
from convcalc import BadArgument, BadShape, NoSolution

torch = pytest.importorskip("torch")
nn = torch.nn
DOCS = Path(__file__).parents[1] / "docs"

from front_ends import FRONT_ENDS, Residual  # noqa: E402 -- it imports torch


def code_of(net, kind, *size, **settings):
    """The names that an emitted file defines."""
    names = {"__name__": "emitted"}
    exec(cc.emit(net, kind, input_size=size, **settings).source, names)
    return names


def settled(module):
    """The module in float64, evaluated, with weights and stored statistics that are not special."""
    torch.manual_seed(0)
    for value in (*module.parameters(), *module.buffers()):
        if value.is_floating_point():
            value.data.uniform_(0.2, 1.0).mul_(torch.where(torch.rand(value.shape) < 0.5, -1.0, 1.0))
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.running_var.abs_()
    return module.double().eval()


def compared(module, names, lengths, total, channels, time=2, rows=2):
    """How many frames are claimed, are equal and not claimed, and are claimed wrongly."""
    code, (before, after) = names, channels
    torch.manual_seed(1)
    sequences = [torch.randn(*before, n, *after, dtype=torch.float64) for n in lengths]
    batch = torch.zeros(len(lengths), *before, total, *after, dtype=torch.float64)
    for row, sequence in zip(batch, sequences, strict=True):
        row.narrow(time - 1, 0, sequence.shape[time - 1]).copy_(sequence)
    whole = module(batch)
    exist = code["frames_that_exist"](torch.tensor(lengths), total)
    unchanged = code["frames_unchanged"](torch.tensor(lengths), total)
    assert exist.shape == unchanged.shape == (len(lengths), whole.shape[rows])
    assert not (unchanged & ~exist).any()
    claimed = missed = wrong = 0
    for place, sequence in enumerate(sequences):
        try:
            alone = module(sequence[None])[0].movedim(rows - 1, 0).flatten(1)
        except RuntimeError:
            alone = torch.zeros(0, 1)
        assert int(exist[place].sum()) == len(alone)
        together = whole[place].movedim(rows - 1, 0).flatten(1)[: len(alone)]
        equal = (together - alone).abs().amax(1) < 1e-9 if len(alone) else torch.zeros(0, dtype=torch.bool)
        said = unchanged[place, : len(alone)]
        claimed += int(said.sum())
        missed += int((equal & ~said).sum())
        wrong += int((said & ~equal).sum())
    return claimed, missed, wrong


def random_net(pick):
    """A chain along one axis: up, down, padded or not, with biases or none, norms and a residual block."""
    layers, channels = [], 2
    for _ in range(pick.randint(1, 4)):
        k, s, d = pick.randint(1, 4), pick.choice([1, 1, 2, 3]), pick.choice([1, 1, 2])
        match pick.choice(["conv", "conv", "tconv", "pool", "residual", "act", "norm", "up"]):
            case "conv":
                mode = pick.choice(["zeros"] * 4 + ["reflect", "replicate"])
                layers.append(nn.Conv1d(2, 2, k, s, pick.randint(0, 2), d, bias=pick.random() < 0.5, padding_mode=mode))
            case "tconv":
                extra = pick.randint(0, s - 1)
                layers.append(nn.ConvTranspose1d(2, 2, k, s, pick.randint(0, k // 2), extra, bias=pick.random() < 0.5))
            case "pool":
                kind = pick.choice([nn.MaxPool1d, nn.AvgPool1d])
                layers.append(kind(k, s, k // 2 and pick.randint(0, k // 2), ceil_mode=pick.random() < 0.3))
            case "residual":
                inner = [nn.Conv1d(2, 2, 3, 1, d, d), nn.LeakyReLU(0.3), nn.Conv1d(2, 2, 1, bias=False)]
                layers.append(Residual(*inner))
            case "act":
                layers.append(pick.choice([nn.LeakyReLU(0.3), nn.Sigmoid(), nn.Tanh()]))
            case "norm":
                layers.append(nn.BatchNorm1d(channels))
            case "up":
                layers.append(nn.Upsample(scale_factor=2))
    return nn.Sequential(*layers, nn.Conv1d(2, 2, 1))


def knows_all(net):
    """Whether nothing in it takes padding for other than zeros: there the code may claim less than is equal."""
    kinds = nn.AvgPool1d | nn.MaxPool1d
    parts = list(net.modules())
    return not any(isinstance(part, kinds) or getattr(part, "padding_mode", "zeros") != "zeros" for part in parts)


def test_masks_of_random_networks_are_those_of_torch():
    pick, complete, right = random.Random(0), 0, 0
    for _ in range(30):
        net = random_net(pick)
        names = code_of(net, "mask", 1, 2, "T")
        least = names["SMALLEST"]
        total = max(40, least)
        lengths = [total, *(pick.randint(1, total) for _ in range(6)), least]
        claimed, missed, wrong = compared(settled(net), names, lengths, total, ((2,), ()))
        assert wrong == 0, net
        assert missed == 0 or not knows_all(net), (net, missed)
        complete += knows_all(net)
        right += claimed
    assert complete > 8
    assert right > 1500


# -- real ones ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_front_ends_as_published(name):
    make, shape = FRONT_ENDS[name]
    net = settled(make())
    if "base" in name:  # a group norm over the samples
        with pytest.raises(NoSolution, match=r"^1 forbids an exact mask: groupnorm"):
            code_of(net, "mask", 1, *shape)
        names = code_of(net, "length", 1, *shape)
    else:
        names = code_of(net, "mask", 1, *shape)
        least = names["SMALLEST"]
        total = 3 * least + 7 if least > 100 else 61
        lengths = [total, least, *(least + i * (total - least) // 7 for i in range(1, 7)), least + 1, least - 1]
        time = shape.index("T") + 1
        sides = shape[: time - 1], shape[time:]
        claimed, _, wrong = compared(net, names, lengths, total, sides, time=time, rows=1 if 40 in shape else 2)
        assert (claimed > 10, wrong) == (True, 0)
    assert page_row(name, names) in (DOCS / "emit.md").read_text(encoding="utf-8")


def page_row(name, names):
    """The row of the table in the documentation."""
    found = names["frames"].__doc__.partition(": ")[2].rstrip(".").replace("n", "T")
    least, first = names["SMALLEST"], names["output_length"](names["SMALLEST"])
    rows = "no" if "base" in name else "yes"
    return f"| {name} | `{found}` | {least} | {'{} to {}'.format(*names['input_lengths'](first))} | {rows} |"


# -- lengths -----------------------------------------------------------------------------------------------------


class Shorter(nn.Module):
    """As many frames as the shorter of two branches has, for a while."""

    def forward(self, x):
        return x[..., : (x.shape[-1] - 1) // 2 + 5]


CHAINS = {
    "floor": [nn.Conv1d(2, 2, 5, 3, 1), nn.MaxPool1d(3, 2)],
    "ceil": [nn.MaxPool1d(3, 2, 1, ceil_mode=True), nn.Conv1d(2, 2, 2)],
    "up and down": [nn.ConvTranspose1d(2, 2, 4, 3, 1), nn.Conv1d(2, 2, 3, 2)],
    "down and up": [nn.Conv1d(2, 2, 3, 4), nn.ConvTranspose1d(2, 2, 4, 3, 1)],
}


@pytest.mark.parametrize("layers", CHAINS.values(), ids=CHAINS)
def test_lengths_and_back(layers):
    net = nn.Sequential(*layers)
    names = code_of(net, "length", 1, 2, "T")
    sizes = range(names["SMALLEST"], 60)
    frames = {n: net(torch.zeros(1, 2, n)).shape[2] for n in sizes}
    assert {n: names["output_length"](n) for n in sizes} == frames
    lengths = torch.tensor(sizes, dtype=torch.int32)
    assert names["output_length"](lengths).tolist() == list(frames.values())
    assert not names["output_length"](lengths).is_floating_point()
    for m in range(-1, frames[40]):
        giving = [n for n in sizes if frames[n] == m]
        assert names["input_lengths"](m) == ((giving[0], giving[-1]) if giving else None)
    with pytest.raises(ValueError, match=f"an input of {names['SMALLEST'] - 1} does not run"):
        names["output_length"](names["SMALLEST"] - 1)
    with pytest.raises(ValueError, match="does not run"):
        names["output_length"](torch.tensor([50, names["SMALLEST"] - 1]))
    for bad in (torch.tensor([50.0]), torch.tensor([True]), 50.0, True, "50"):
        with pytest.raises(TypeError, match="whole number"):
            names["output_length"](bad)


def test_a_chain_is_one_division():
    net = nn.Sequential(nn.Conv1d(2, 2, 10, 5), *(nn.Conv1d(2, 2, 3, 2) for _ in range(4)), nn.MaxPool1d(3, 2, 1))
    found = cc.emit(net, "length", input_size=(1, 2, "T"))
    assert found.formula == "T//160"
    assert "return n//160\n" in found.source


def test_sizes_with_gaps_are_code_too():
    even = code_of(cc.Residual(cc.Sequential(cc.MaxPool(2), cc.Upsample(scale_factor=2))), "length", 1, 1, "n")
    assert [n for n in range(1, 9) if even["runs"](n)] == [2, 4, 6, 8]
    assert (even["input_lengths"](6), even["input_lengths"](5)) == ((6, 6), None)
    with pytest.raises(ValueError, match="an input of 5 does not run"):
        even["output_length"](5)


def test_minima_are_code_for_tensors_too():
    names = code_of(Shorter(), "length", 1, 2, "T")
    sizes = range(names["SMALLEST"], 40)
    frames = [Shorter()(torch.zeros(1, 2, n)).shape[2] for n in sizes]
    assert [names["output_length"](n) for n in sizes] == frames
    assert names["output_length"](torch.tensor(sizes)).tolist() == frames


def test_numpy_in_the_place_of_torch():
    found = cc.emit(nn.Conv1d(2, 2, 3, 2), "length", input_size=(1, 2, "T"), numpy=True)
    assert "import torch" not in found.source
    names = {"__name__": "emitted"}
    exec(found.source, names)
    assert names["output_length"](np.array([3, 4, 5])).tolist() == [1, 1, 2]
    with pytest.raises(TypeError, match="whole numbers, not float64"):
        names["output_length"](np.array([3.0]))


# -- masks -------------------------------------------------------------------------------------------------------


def test_without_padding_all_frames_that_exist_are_unchanged():
    names = code_of(nn.Sequential(nn.Conv1d(2, 2, 3, 2), nn.ReLU(), nn.Conv1d(2, 2, 3, 2)), "mask", 1, 2, "T")
    lengths = torch.arange(31)
    assert torch.equal(names["frames_that_exist"](lengths, 30), names["frames_unchanged"](lengths, 30))


def test_the_zeros_of_the_batch_are_those_of_the_first_layer():
    names = code_of(nn.Conv1d(2, 2, 3, padding=1), "mask", 1, 2, "T")
    assert names["frames_unchanged"]([3, 5], 6).tolist() == [[True] * 3 + [False] * 3, [True] * 5 + [False]]
    two = nn.Sequential(nn.Conv1d(2, 2, 3, padding=1), nn.Conv1d(2, 2, 3, padding=1))
    assert code_of(two, "mask", 1, 2, "T")["frames_unchanged"]([3], 6).tolist() == [[True] * 2 + [False] * 4]


def test_lengths_that_do_not_fit_the_batch():
    names = code_of(nn.Conv1d(2, 2, 4), "mask", 1, 2, "T")
    assert not names["frames_that_exist"](torch.tensor([3, 0]), 8).any()
    for function in (names["frames_that_exist"], names["frames_unchanged"]):
        with pytest.raises(ValueError, match=r"from 0 to the padded length 8: \[9\]"):
            function([9], 8)
        with pytest.raises(ValueError, match="an input of 3 does not run"):
            function([3], 3)
        with pytest.raises(TypeError, match="whole numbers, one for each sequence"):
            function(torch.tensor([3.0]), 8)


class Scaled(nn.Module):
    def forward(self, x):
        return x * x.shape[-1]


class Placed(nn.Module):
    def forward(self, x):
        return x + torch.arange(x.shape[-1])


REFUSED = {
    "norm": (nn.GroupNorm(1, 2), "groupnorm reads more"),
    "wraps": (nn.Conv1d(2, 2, 3, padding=1, padding_mode="circular"), "reads the other end"),
    "recurrent": (nn.Softmax(-1), "softmax reads more"),
    "scaled by the length": (Scaled(), "the number that mul takes may depend on the length"),
    "places": (Placed(), "depend on the place"),
    "shifts": (cc.Conv(2, 3, stride=2, padding="same-upper"), "what it reads shifts with the size"),
}


@pytest.mark.parametrize(("net", "why"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_exact_mask_is_named(net, why):
    with pytest.raises(NoSolution, match=f"forbids an exact mask: .*{why}"):
        cc.emit(net, "mask", input_size=(1, 2, "T"))


# -- the file ----------------------------------------------------------------------------------------------------


def test_a_file_runs_its_self_test_without_convcalc(tmp_path):
    found = cc.emit(nn.Conv1d(2, 2, 5, 2, 1), "mask", input_size=(1, 2, "T"))
    found.save(tmp_path / "code.py")
    assert "import convcalc" not in found.source
    run = subprocess.run([sys.executable, "code.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stdout, run.stderr) == (0, "ok\n", "")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("(n - 1)//2", "(n - 2)//2", r"output_length\(3\) is 0, not 1"),
        ("2 * m + 1", "2 * m + 2", r"input_lengths\(1\) is \(4, 4\), not \(3, 4\)"),
        ("return torch.arange(frames(total)", "return 1 + torch.arange(frames(total)", "the masks are not those"),
    ],
)
def test_the_self_test_can_fail(old, new, said):
    source = cc.emit(nn.Conv1d(2, 2, 5, 2, 1), "mask", input_size=(1, 2, "T")).source
    names = {"__name__": "emitted"}
    exec(source.replace(old, new), names)
    with pytest.raises(SystemExit, match=said):
        names["self_test"]()


def test_what_changed_is_read_from_the_head():
    kept = cc.emit(nn.Conv1d(2, 2, 5, 2, 1), "mask", input_size=(1, 2, "T"))
    assert kept.changes(kept.source.replace("import torch", "raise SystemExit")) == ()
    moved = cc.emit(nn.Sequential(nn.ConstantPad1d((2, 0), 0.0), nn.Conv1d(2, 2, 5, 2)), "mask", input_size=(1, 2, "T"))
    (change,) = moved.changes(kept.source)
    assert change.startswith("walk: the file has ")
    length = cc.emit(nn.Conv1d(2, 2, 5, 1, 1), "length", input_size=(1, 2, "T"))
    assert "formula: the file has (T - 1)//2, the model gives T - 2" in length.changes(kept.source)
    with pytest.raises(cc.Unreadable, match="this is no file that convcalc wrote"):
        kept.changes("import os\n")


def test_which_axis_and_one_input():
    with pytest.raises(BadArgument, match="code is along one axis, and H, W are free"):
        cc.emit(cc.Conv(8, 3), "length", input_size=(1, 2, "H", "W"))
    assert cc.emit(cc.Conv(8, 3), "mask", input_size=(1, 2, "H", "W"), axis="W").formula == "W - 2"
    with pytest.raises(BadArgument, match="has no one axis 'T': use H or W"):
        cc.emit(cc.Conv(8, 3), "length", input_size=(1, 2, "H", "W"), axis="T")
    with pytest.raises(BadArgument, match="code is one of length, mask: got 'tiles'"):
        cc.emit(cc.Conv(8, 3), "tiles", input_size=(1, 2, "T"))
    with pytest.raises(BadArgument, match="numpy goes with length: a mask is of tensors"):
        cc.emit(cc.Conv(8, 3), "mask", input_size=(1, 2, "T"), numpy=True)
    with pytest.raises(NoSolution, match="code needs one axis of it that grows with T"):
        cc.emit(cc.AdaptiveAvgPool(2), "length", input_size=(1, 2, "T"))
    two = nn.Bilinear(3, 3, 4)
    with pytest.raises(BadShape, match="code is for one input: there are 2, input1, input2"):
        cc.emit(two, "length", input_size=[(1, "T", 3), (1, "T", 3)])
