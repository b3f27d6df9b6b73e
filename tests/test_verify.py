"""`convcalc verify` finds nothing where all is well, finds what is planted, and says so in text, JSON and status."""

import io
import json
import os
import random
import subprocess
import sys
from collections import defaultdict
from contextlib import redirect_stdout

import pytest
from click.testing import CliRunner

import convcalc.arithmetic.formulas
import convcalc.bridge.assembly.recipe
import convcalc.layers.conv
import convcalc.layers.pool
from convcalc.bridge.assembly.recipe import recipe
from convcalc.bridge.device import need_device
from convcalc.bridge.verify.cases import draw_case
from convcalc.bridge.verify.dice import Case
from convcalc.bridge.verify.layers import answer, compare, verify_layers
from convcalc.cli import main
from convcalc.errors import BadArgument, Refused, Unreadable
from convcalc.layers import Conv, MaxPool

torch = pytest.importorskip("torch", reason="torch is an extra: pip install 'convcalc[torch]'")

BY_AXES = (
    "Conv ConvTranspose MaxPool AvgPool LPPool AdaptiveAvgPool AdaptiveMaxPool "
    "ZeroPad ReflectionPad ReplicationPad CircularPad"
)
KINDS = {f"{name}{axes}d" for name in BY_AXES.split() for axes in (1, 2, 3)} | {
    *("Unfold", "Fold", "Upsample", "PixelShuffle", "PixelUnshuffle")
}
KEYS = (
    "schema convcalc kind target device device_name torch seed checked refused kinds unchecked mismatches interrupted "
    "seconds error"
)


def is_legal(case):
    try:
        case.layer.out_shape(case.shape)
    except Refused:
        return False
    return True


def printed(code):
    """What a line of Python prints, run here, with its lines apart."""
    with redirect_stdout(io.StringIO()) as out:
        exec(code, {})
    return out.getvalue().splitlines()


# -- the generator -----------------------------------------------------------------------------------------------------


def test_every_kind_comes_legal_and_refused():
    rng = random.Random(0)
    seen = defaultdict(set)
    for _ in range(5_000):
        case = draw_case(rng)
        seen[recipe(case.layer, case.shape)[-1].name].add(is_legal(case))
    assert seen == {kind: {True, False} for kind in KINDS}


def test_the_generator_reaches_what_it_promises():
    rng = random.Random(0)
    cases = [draw_case(rng) for _ in range(10_000)]
    convs = [case for case in cases if isinstance(case.layer, Conv)]
    pools = [case for case in cases if isinstance(case.layer, MaxPool)]
    assert {case.layer.padding_mode for case in convs} == {"zeros", "reflect", "replicate", "circular"}
    names = {case.layer.padding for case in convs if isinstance(case.layer.padding, str)}
    assert names == {"same", "valid", "same-upper", "same-lower", "full", "causal"}
    for claim in (
        lambda case: case.layer.padding == "same" and case.layer.stride != 1,
        lambda case: case.layer.in_channels not in (None, *case.shape),
        lambda case: case.layer.out_channels % max(1, case.layer.groups),
        lambda case: case.shape[0] == 0 and 0 in case.shape[1:] and is_legal(case),
        lambda case: len(case.shape) == case.axes + 1 and is_legal(case),
        lambda case: len(case.shape) == case.axes + 3,
        lambda case: isinstance(case.layer.padding, tuple) and any(isinstance(p, tuple) for p in case.layer.padding),
    ):
        assert any(map(claim, convs))
    assert {case.layer.ceil_mode for case in pools if is_legal(case)} == {True, False}


def test_the_same_seed_draws_the_same_cases():
    first, second, other = (
        [draw_case(rng) for _ in range(50)] for rng in (random.Random(1), random.Random(1), random.Random(2))
    )
    assert first == second != other


def test_the_same_seed_draws_the_same_cases_in_every_process():
    code = (
        "import random; from convcalc.bridge.verify.cases import draw_case; rng = random.Random(1); "
        "print([draw_case(rng) for _ in range(200)])"
    )
    drawn = {
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True
        ).stdout
        for seed in "12"
    }
    assert len(drawn) == 1


# -- agreement ---------------------------------------------------------------------------------------------------------


def test_convcalc_is_torch_on_the_cpu():
    report = verify_layers("cpu", count=4_000, seed=1)
    assert report.mismatches == ()
    assert (report.device, report.torch, report.seed) == ("cpu", torch.__version__, 1)


def test_convcalc_is_torch_on_meta():
    report = verify_layers(count=500, seed=2, shapes_only=True)
    assert report.mismatches == ()
    assert report.device == "meta"


def test_the_counts_add_up():
    steps = []
    report = verify_layers("cpu", count=300, seed=4, progress=lambda done, count: steps.append((done, count)))
    assert report.checked + report.refused == sum(report.kinds.values()) == 300
    assert steps == [(done, 300) for done in range(1, 301)]
    rng = random.Random(4)
    assert report.checked == sum(is_legal(draw_case(rng)) for _ in range(300))


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("batch", [0, 1])
def test_a_dilation_of_0_is_legal_in_an_empty_batch_alone(mode, batch):
    for padding in (0, 1):
        found = compare(Case(Conv(2, 3, padding=padding, dilation=0, padding_mode=mode), (batch, 2, 6, 7)))
        assert found.mismatch is None
        assert found.refused == batch


def test_workers_compare_the_same_cases():
    one, two = (verify_layers("cpu", count=300, seed=5, workers=workers) for workers in (1, 2))
    assert (one.checked, one.refused, one.kinds, one.mismatches) == (
        two.checked,
        two.refused,
        two.kinds,
        two.mismatches,
    )


def test_interrupted_it_tells_what_was_checked():
    def stop(done, count):
        if done == 40:
            raise KeyboardInterrupt

    report = verify_layers("cpu", count=300, seed=5, progress=stop)
    assert (report.interrupted, report.checked + report.refused) == (True, 40)
    assert str(report).startswith("interrupted: 0 mismatches in 40 cases: ")


def test_torch_is_left_as_it_was():
    threads, dtype, grad = torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled()
    verify_layers(count=5, shapes_only=True)
    assert (torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled()) == (threads, dtype, grad)
    assert torch.zeros(1).device.type == "cpu"


# -- a planted fault is found ------------------------------------------------------------------------------------------


@pytest.fixture
def rounding_up(monkeypatch):
    """A convolution that rounds up instead of down."""

    def wrong(n, k, s=1, p=0, d=1, **options):
        return convcalc.arithmetic.formulas.conv_out(n, k, s, p, d, **options) + (s > 1)

    monkeypatch.setattr(convcalc.layers.conv, "conv_out", wrong)


def test_a_wrong_size_is_reported_with_lines_that_reproduce_it(rounding_up, monkeypatch):
    report = verify_layers("cpu", count=300, seed=0)
    assert not report.ok
    assert {entry.kind for entry in report.mismatches} == {"Conv1d", "Conv2d", "Conv3d"}
    assert report.checked + report.refused == 300
    for entry in report.mismatches:
        ours, theirs = printed(entry.code)
        assert ours != theirs
        assert entry.message.startswith(f"convcalc says {ours}, torch says {theirs}: torch.nn.")
        line = entry.message.partition(": ")[2]  # with torch alone
        assert str(tuple(eval(line, {"torch": torch}))) == theirs
    monkeypatch.undo()
    for entry in report.mismatches:
        ours, theirs = printed(entry.code)
        assert ours == theirs


def test_a_rule_left_out_is_reported(monkeypatch):
    monkeypatch.setattr(convcalc.arithmetic.formulas, "check_pool_padding", lambda *args, **options: None)
    (entry, *_) = verify_layers("cpu", count=1_000, seed=0).mismatches
    assert entry.kind.startswith(("MaxPool", "AvgPool"))
    assert ", torch says refused: RuntimeError: " in entry.message
    ours, theirs = printed(entry.code)
    assert ours.startswith("(")
    assert theirs.startswith("refused: RuntimeError: ")


def test_a_rule_too_strict_is_reported(monkeypatch):
    def too_strict(k, p, **options):
        if p:
            raise BadArgument("padding must be 0")

    monkeypatch.setattr(convcalc.arithmetic.formulas, "check_pool_padding", too_strict)
    found = compare(Case(MaxPool(3, padding=1), (1, 3, 8)))
    wanted = "convcalc says refused: BadArgument: padding must be 0, torch says (1, 3, 3): torch.nn.MaxPool1d(3, "
    assert found.mismatch.message.startswith(wanted)
    assert not found.refused


def test_a_crash_of_convcalc_is_reported_even_where_torch_refuses(monkeypatch):
    monkeypatch.setattr(convcalc.layers.pool, "pool_out", lambda *args, **options: 1 // 0)
    report = verify_layers("cpu", count=300, seed=0)
    assert report.mismatches
    for entry in report.mismatches:
        assert "convcalc says refused: ZeroDivisionError: " in entry.message
    assert any("torch says refused" in entry.message for entry in report.mismatches)


def test_a_layer_that_cannot_be_built_is_reported(monkeypatch):
    def broken(*args):
        raise BadArgument("no pair")

    monkeypatch.setattr(convcalc.bridge.assembly.recipe, "padding_pair", broken)
    (found,) = [compare(Case(Conv(4, 3, padding="same-upper"), (1, 3, 8))).mismatch]
    assert found.message == "cannot be built: no pair"
    assert found.code == "Conv(out_channels=4, kernel_size=3, padding='same-upper').out_shape((1, 3, 8))"


def test_a_device_that_fails_is_no_refusal(monkeypatch):
    def full(call):
        raise torch.OutOfMemoryError("all is taken")

    monkeypatch.setattr(convcalc.bridge.assembly.recipe.Call, "build", full)
    with pytest.raises(Unreadable, match="the device failed while verifying: OutOfMemoryError: all is taken"):
        verify_layers("cpu", count=1)


def test_an_answer_is_a_shape_or_the_first_line_of_a_refusal():
    assert answer(lambda: torch.Size((1, 2))) == "(1, 2)"
    assert answer(lambda: [][1]) == "refused: IndexError: list index out of range"
    assert answer(lambda: next(iter(()))) == "refused: StopIteration"


# -- the command line --------------------------------------------------------------------------------------------------


def run(*arguments):
    return CliRunner().invoke(main, ["verify", *arguments], prog_name="convcalc")


def test_layers_prints_counts_rate_and_device():
    result = run("layers", "--device", "cpu", "--count", "500", "--seed", "5")
    assert result.exit_code == 0
    assert result.stderr == ""  # no bar where nobody watches
    first, torch_line, rate, *kinds = result.stdout.splitlines()
    assert first.startswith("0 mismatches in 500 cases: ")
    assert torch_line.startswith(f"torch      {torch.__version__} on cpu (")
    assert torch_line.endswith("), seed 5")
    assert rate.startswith("rate       ")
    assert "cases/s" in rate
    assert sum(int(line.split()[1]) for line in kinds) == 500


@pytest.mark.parametrize("arguments", [("layers",), ("layers", "--shapes-only"), ("transposed",)])
def test_json_has_the_keys_of_the_contract(arguments):
    result = run(*arguments, "--device", "cpu", "--count", "20", "--seed", "6", "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert list(document) == KEYS.split()
    assert document["checked"] + document["refused"] == 20
    assert (document["schema"], document["seed"], document["mismatches"], document["error"]) == (1, 6, [], None)


def test_transposed_reports_its_views():
    result = run("transposed", "--device", "cpu", "--count", "20")
    assert result.exit_code == 0
    assert "2-D stamp view" in result.stdout


def test_a_mismatch_exits_with_1_and_prints_its_lines(rounding_up):
    result = run("layers", "--device", "cpu", "--count", "300")
    assert result.exit_code == 1
    assert "mismatches in 300 cases" in result.stdout
    codes = [line.strip() for line in result.stdout.splitlines() if line.startswith("  import torch; ")]
    ours, theirs = printed(codes[0])
    assert ours != theirs


def test_a_mismatch_in_json_is_one_whole_document(rounding_up):
    result = run("layers", "--device", "cpu", "--count", "300", "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document["error"]["kind"] == "mismatch"
    count = len(document["mismatches"])
    assert document["error"]["message"] == f"convcalc and torch differ in {count} of 300 cases"
    assert list(document["mismatches"][0]) == ["kind", "message", "code"]


def test_a_device_that_is_not_there_exits_with_2():
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    result = run("layers", "--device", "cuda", "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "device 'cuda' cannot be used: " in result.stderr


def test_auto_is_a_device_that_is_there():
    assert need_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("command", ["layers", "transposed"])
def test_without_torch_it_says_how_to_install_it(command):
    code = f"import sys; sys.modules['torch'] = None; from convcalc.cli import main; main(['verify', {command!r}])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stdout == ""
    (sentence,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert sentence.startswith("Error: this needs torch, which cannot be imported")
    assert sentence.endswith("pip install 'convcalc[torch]'")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_sees_a_bar():
    terminal, stderr = os.openpty()
    command = [sys.executable, "-m", "convcalc", "verify", "layers", "--device", "cpu", "--count", "20"]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, text=True, check=False)
    os.close(stderr)
    assert result.returncode == 0
    assert result.stdout.startswith("0 mismatches in 20 cases")
    assert b"cases" in os.read(terminal, 4096)
    os.close(terminal)
