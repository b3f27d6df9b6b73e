"""`convcalc verify TARGET` finds nothing where all is well, and a planted fault of each kind, with its line."""

import json
import shlex

import pytest
from click.testing import CliRunner

import convcalc as cc
import convcalc.analysis.tiles
import convcalc.layers.conv
from convcalc.cli import main

torch = pytest.importorskip("torch", reason="torch is an extra: pip install 'convcalc[torch]'")

from convcalc.bridge.verify.network import run as room  # noqa: E402 -- after the skip

nn = torch.nn
STACK = "conv 4 k3 s2 p1; maxpool k3 s1 p1; conv 4 k3 p1"
KEYS = (
    "schema convcalc kind target device device_name torch seed checked refused kinds unchecked mismatches interrupted "
    "seconds error"
)


class Block(nn.Module):
    """Names of every kind: modules, a module that runs twice, functions in between."""

    def __init__(self):
        super().__init__()
        self.stem, self.conv = nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        return torch.relu(self.conv(torch.relu(self.conv(x)) + x))


class Rolling(nn.Module):
    def forward(self, x):
        return nn.functional.dropout(x, 0.5, training=True)


def run(*arguments):
    return CliRunner().invoke(main, ["verify", *arguments, "--device", "cpu"], prog_name="convcalc")


def again(code):
    """What the line of a mismatch prints, run here."""
    words = shlex.split(code)
    assert words[:2] == ["convcalc", "verify"]
    return CliRunner().invoke(main, words[1:], prog_name="convcalc")


# -- agreement ---------------------------------------------------------------------------------------------------------


def test_a_stack_is_checked_in_every_kind():
    result = run(STACK, "--input", "1x12x10", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert list(document) == KEYS.split()
    assert document["target"] == STACK
    kinds = document["kinds"]
    assert {name: kinds[name] for name in ("shapes", "MACs")} == {"shapes": 3, "MACs": 2}
    assert set(kinds) == {"shapes", "MACs", "footprints", "legal sizes", "tiles"}
    assert kinds["footprints"] >= 9
    assert kinds["legal sizes"] >= 150
    assert kinds["tiles"] == 9
    assert (document["mismatches"], document["unchecked"], document["interrupted"]) == ([], [], False)
    assert document["checked"] + document["refused"] == sum(kinds.values())


def test_what_a_pad_adds_reads_nothing_on_any_axis():
    report = cc.verify(cc.Pad(((0, 1), (2, 0))), (1, 1, 9, 8), device="cpu", only="footprints pad")
    assert (report.mismatches, report.kinds) == ((), {"footprints": 4})


@pytest.mark.parametrize("train", [False, True])
def test_a_module_is_checked_and_stays_as_it_was(train):
    net = Block().train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = torch.random.get_rng_state()
    report = cc.verify(net, (1, 2, 9, 8), device="cpu", only="nodes", train=train)
    assert (report.mismatches, report.kinds, report.unchecked) == ((), {"MACs": 3, "shapes": 7}, {})
    assert net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_module_with_branches_in_all_kinds():
    report = cc.verify(Block(), (1, 2, 9, 8), device="cpu")
    assert report.mismatches == ()
    assert set(report.kinds) == {"shapes", "MACs", "footprints", "legal sizes", "tiles"}


def test_what_refuses_its_input_is_refused_by_torch():
    result = run("conv 4 k5", "--input", "1x3x3", "--only", "nodes", "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["checked"], document["refused"]) == (0, 0, 1)


# -- a planted fault of each kind ------------------------------------------------------------------------------------


def rounded_up(n, k, s=1, p=0, d=1, **options):
    return cc.conv_out(n, k, s, p, d) + (s > 1)


FAULTS = {
    "shapes": (convcalc.layers.conv, "conv_out", rounded_up),
    "MACs": (convcalc.layers.Conv, "macs", lambda self, shape: 7),
    "tiles": (convcalc.analysis.tiles, "touched_rows", lambda there, shapes, forms: [(0, 0)] * 2),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_planted_fault_is_found_with_a_line_that_tries_it_again(monkeypatch, kind):
    monkeypatch.setattr(*FAULTS[kind])
    only = "tiles" if kind == "tiles" else "nodes"
    result = run(STACK, "--input", "1x12x10", "--only", only, "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["error"]["kind"]) == (1, "mismatch")
    found = [entry for entry in document["mismatches"] if entry["kind"] == kind]
    assert found
    text = again(found[0]["code"])
    assert text.exit_code == 1
    assert found[0]["message"] in text.stdout
    monkeypatch.undo()
    assert again(found[0]["code"]).exit_code == 0


def test_a_footprint_that_is_too_small_or_too_large_is_found(monkeypatch):
    right = convcalc.layers.Conv.footprint
    for taps in (2, 4):
        monkeypatch.setattr(
            convcalc.layers.Conv,
            "footprint",
            lambda self, axis, sizes, k=taps: right(
                cc.Conv(4, k, stride=self.stride, padding=self.padding), axis, sizes
            ),
        )
        result = run(STACK, "--input", "1x12x10", "--only", "footprints conv2")
        assert result.exit_code == 1, taps
        assert "convcalc says that it reads" in result.stdout
        code = next(line.strip() for line in result.stdout.splitlines() if line.startswith("  convcalc"))
        assert again(code).exit_code == 1
        monkeypatch.undo()
        assert again(code).exit_code == 0


def test_sizes_that_are_said_to_run_and_do_not_are_found(monkeypatch):
    monkeypatch.setattr(
        convcalc.layers.conv, "conv_out", lambda n, k, s=1, p=0, d=1, **options: cc.conv_out(n + 2, k, s, p, d)
    )
    report = cc.verify(cc.read_stack("conv 4 k5")[0], (1, 1, 9, 9), device="cpu")
    found = [entry for entry in report.mismatches if entry.kind == "legal sizes"]
    assert found
    assert "convcalc says that it runs, torch says RuntimeError: " in found[0].message
    net = cc.read_stack("conv 4 k5")[0]
    assert not eval(found[0].code, {"convcalc": cc, "net": net}).ok
    monkeypatch.undo()
    assert eval(found[0].code, {"convcalc": cc, "net": net}).ok


def test_a_network_that_runs_where_convcalc_says_it_does_not_is_found(monkeypatch):
    right = convcalc.layers.conv.conv_out
    monkeypatch.setattr(convcalc.layers.conv, "conv_out", lambda n, k, *more, **words: right(n, k + 9, *more, **words))
    result = run("conv 4 k5", "--input", "1x9x9", "--only", "nodes")
    assert result.exit_code == 1
    assert "and it runs" in result.stdout


# -- what cannot be checked --------------------------------------------------------------------------------------------


def test_what_cannot_be_checked_is_counted_with_its_reason():
    report = cc.verify(nn.LSTM(4, 5), (3, 1, 4), device="cpu", only="nodes")
    why = "of lstm torch's counter counts a part, or nothing"
    assert report.unchecked == {("MACs", why): 1}
    assert f"unchecked  1 of MACs: {why}" in str(report)
    report = cc.verify(Rolling(), (1, 1, 80, 80), device="cpu", only="tiles")
    assert report.unchecked == {("tiles", "the network draws random numbers"): 1}
    report = cc.verify(nn.Linear(4, 2), (1, 4), device="cpu")
    assert {kind for kind, _ in report.unchecked} == {"footprints", "legal sizes", "tiles"}
    assert report.kinds == {"MACs": 1, "shapes": 1}


# -- seeds, workers, interruption ------------------------------------------------------------------------------------


def test_the_same_seed_has_the_same_cases():
    def cases(seed):
        seen = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(room, "compare", lambda subject, case: seen.append(case) or room.Comparison())
            cc.verify(cc.Conv(4, 3, padding=1), (1, 1, 9, 9), device="cpu", seed=seed)
        return seen

    first, second, other = (list(cases(seed)) for seed in (1, 1, 2))
    assert first == second != other


def test_workers_find_the_same():
    one, two = (
        json.loads(run(STACK, "--input", "1x12x10", "--seed", "3", "--workers", workers, "--json").stdout)
        for workers in "12"
    )
    for key in ("kinds", "checked", "refused", "unchecked", "mismatches"):
        assert one[key] == two[key], key


def test_interrupted_it_says_what_was_checked(monkeypatch):
    original, seen = room.compare, []

    def slow(subject, case):
        if len(seen) == 7:
            raise KeyboardInterrupt
        seen.append(case)
        return original(subject, case)

    monkeypatch.setattr(room, "compare", slow)
    result = run(STACK, "--input", "1x12x10")
    assert result.exit_code == 130
    assert result.stdout.startswith("interrupted: 0 mismatches in ")
    assert "shapes        3" in result.stdout


# -- what cannot be read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("resnet19",), "no network 'resnet19' in the zoo; did you mean resnet18?"),
        (("nowhere.py:Net", "--input", "3x8x8"), "nowhere.py"),
        ((STACK, "--input", "1x12x10", "--only", "shape"), "'shape' is no case: nodes, footprints NODE, "),
        ((STACK, "--input", "1x12x10", "--only", "sizes 3"), "'sizes 3' is no case: sizes are those of H, W"),
        ((STACK, "--input", "1x12xW"), "verifying takes sizes in numbers: (1, 1, 12, W)"),
    ],
)
def test_what_cannot_be_read_exits_with_2_and_one_sentence(arguments, sentence):
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_a_file_is_checked(tmp_path, monkeypatch):
    (tmp_path / "net.py").write_text(
        "import torch\nclass Net(torch.nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.conv = torch.nn.Conv2d(3, 4, 3)\n"
        "    def forward(self, x):\n        print('here')\n        return self.conv(x).relu()\n"
    )
    monkeypatch.chdir(tmp_path)
    result = run("net.py:Net", "--input", "3x8x8", "--only", "nodes")
    assert result.exit_code == 0, result.stderr
    assert "shapes     2" in result.stdout
