"""`convcalc inspect` on torch modules in a file, as a user meets it; expectations are torch's own or counted."""

from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner

import convcalc as cc
from convcalc.cli import main

torch = pytest.importorskip("torch")

NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, classes=10, frozen=False):
        super().__init__()
        self.conv = nn.Conv2d(3, 32, 3, padding=1)
        self.pool = nn.MaxPool2d(4)
        self.fc = nn.Linear(2048, classes)
        self.spare = nn.Linear(5, 5)
        self.conv.requires_grad_(not frozen)

    def forward(self, x):
        print("shape", x.shape)
        x = self.pool(self.conv(x).relu_())
        return self.fc(x.flatten(1))


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(100, 8)
        self.lstm = nn.LSTM(8, 4, batch_first=True, bidirectional=True)
        self.out = nn.Linear(8, 5)

    def forward(self, tokens):
        places = torch.arange(tokens.shape[1]).float() * 2
        steps, _ = self.lstm(self.embed(tokens) + places[None, :, None])
        return self.out(steps)


class Two(nn.Module):
    def forward(self, image, mask, scale=1.0):
        return {"mixed": image * mask, "both": torch.cat([image, mask], 1)[:, 1:, ::2]}


class Steps(nn.Module):
    def forward(self, x):
        return x.transpose(0, 1)


class Half(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.drop = nn.BatchNorm2d(2)

    def forward(self, x):
        if self.training:
            return self.conv(x)
        return self.drop(self.conv(x))


class Crash(nn.Module):
    def forward(self, x):
        raise KeyError("no such thing")


class Wants640(nn.Module):
    def forward(self, x):
        if x.shape[-1] < 640 or x.shape[-1] % 1000 != 700:
            raise ValueError("too small")
        return x[..., 1:]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        return torch.relu(x + self.conv(x))


class Blocks(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Sequential(Block(), Block())

    def forward(self, x):
        return self.layer1(x).mean((2, 3))


net = Net()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "net.py").write_text(NET)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("convcalc target")]:
        del sys.modules[name]


def invoke(*arguments: str):
    return CliRunner().invoke(main, ["inspect", *arguments], prog_name="convcalc")


def run(*arguments: str, status: int = 0) -> str:
    result = invoke(*arguments)
    assert result.exit_code == status, result.output
    return result.stdout


def document(*arguments: str, status: int = 0) -> dict:
    return json.loads(run(*arguments, "--json", status=status))


@pytest.mark.parametrize("target", ["net.py:net", "net.py:Net", "net.py:Net()", "net:Net(classes=10)"])
def test_an_instance_a_class_and_a_call_are_the_same_network(target):
    record = document(target, "--input", "3x32x32")
    assert (record["model"], record["input"], record["output"]) == (target, [1, 3, 32, 32], [1, 10])
    assert [row["name"] for row in record["layers"]] == ["conv", "relu", "pool", "flatten", "fc"]
    conv, fc = 3 * 32 * 9 + 32, 2048 * 10 + 10
    assert record["params"] == conv + fc
    assert record["macs"] == 32 * 32 * 32 * 27 + 20480
    assert record["unused"] == ["spare.weight", "spare.bias"]
    assert record["layers"][3]["symbolic"] == [1, "32*(H//4)*(W//4)"]


def test_what_forward_prints_is_not_part_of_the_answer():
    result = invoke("net.py:Net", "--input", "3x32x32", "-q")
    assert (result.stdout, "shape" in result.stderr) == ("10\n", True)


def test_a_network_too_large_for_memory_takes_none(folder):
    (folder / "huge.py").write_text("from torch import nn\nclass Net(nn.Linear):\n    pass\n")
    record = document("huge.py:Net(1000000, 4000000)", "--input", "1000000")
    assert record["params"] == 4_000_000_000_000 + 4_000_000
    assert record["memory"]["weights"] == 4 * record["params"]


def test_a_constructor_that_needs_values_is_built_on_the_cpu(folder):
    source = "import torch\nfrom torch import nn\ndef make():\n    return nn.Linear(int(torch.tensor(3).item()), 2)\n"
    (folder / "needs.py").write_text(source)
    assert run("needs.py:make", "--input", "3", "-q") == "2\n"


def test_frozen_weights_are_counted_apart():
    record = document("net.py:Net(frozen=True)", "--input", "3x32x32")
    assert record["trainable"] == 2048 * 10 + 10
    assert [row["trainable"] for row in record["layers"]] == [0, 0, 0, 0, 20490]
    assert "21,386 parameters (20,490 trained)" in run("net.py:Net(frozen=True)", "--input", "3x32x32")


@pytest.mark.parametrize(("dtype", "size"), [("float32", 4), ("float16", 2), ("bfloat16", 2), ("float64", 8)])
def test_memory_is_counted_in_the_dtype(dtype, size):
    memory = document("net.py:Net", "--input", "3x32x32", "--dtype", dtype)["memory"]
    conv, pooled = 32 * 32 * 32, 32 * 8 * 8
    assert memory == {
        "dtype": dtype,
        "weights": size * (896 + 20490),
        "activations": size * (conv + conv + pooled + 2048 + 10),
        "peak": size * 2 * conv,
    }


def test_letters_stay_in_the_answer_and_may_have_a_size():
    record = document("net.py:Net", "--input", "3xHxW")
    assert (record["output"], record["layers"][2]["output"]) == ([1, 10], [1, 32, "H//4", "W//4"])
    assert "32*(H//4)*(W//4) = 2048" in run("net.py:Net", "--input", "3xHxW", "--ascii")
    assert document("net.py:Wants640", "--input", "3xT", status=1)["error"] is not None
    assert document("net.py:Wants640", "--input", "3xT=700")["output"] == [1, 3, "T - 1"]
    assert "T is 7 and 8" in invoke("net.py:Wants640", "--input", "3xT=7xT=8").stderr


def test_tokens_are_integers_and_constants_are_counted_below():
    text = run("net.py:Tagger", "--input", "12", "--dtype", "int64")
    lines = [line.split()[0] for line in text.splitlines()]
    assert lines[:6] == ["layer", "embed", "add", "lstm:lstm", "out", "total"]
    assert "calls that only make constants are not shown; --all shows them" in text
    assert len(run("net.py:Tagger", "--input", "12", "--dtype", "int64", "--all").splitlines()) > len(text.splitlines())
    record = document("net.py:Tagger", "--input", "12", "--dtype", "int64")
    constant = {row["name"] for row in record["layers"] if row["constant"]}
    assert constant
    assert not constant & {"embed", "add", "lstm:lstm", "out"}
    with torch.no_grad():
        lstm = torch.nn.LSTM(8, 4, batch_first=True, bidirectional=True)
    assert record["params"] == 800 + sum(weight.numel() for weight in lstm.parameters()) + 45


def test_an_embedding_given_fractions_says_what_to_do():
    result = invoke("net.py:Tagger", "--input", "12")
    assert result.exit_code == 1
    assert "--dtype int64: an embedding takes indices" in result.stderr


def test_several_inputs_are_named_as_forward_names_them():
    text = run("net.py:Two", "--input", "3x8x8", "--input", "1x8x8")
    assert "net.py:Two: image 3x8x8, mask 1x8x8 -> mixed 3x8x8, both 3x4x8" in text
    assert "index [:, 1:, ::2]" in text
    record = document("net.py:Two", "--input", "3x8x8", "--input", "1x8x8")
    assert record["outputs"] == {"mixed": [1, 3, 8, 8], "both": [1, 3, 4, 8]}
    result = invoke("net.py:Two", "--input", "3x8x8")
    assert "net.py:Two has 2 inputs, image, mask: give --input once for each, in this order (got 1)" in result.stderr
    assert invoke("net.py:Two", *["--input", "3x8x8"] * 4).exit_code == 2


def test_a_shape_without_the_batch_in_front_is_whole():
    text = run("net.py:Steps", "--input", "7x5")
    assert "(7x1x5)" in text
    assert "shapes without the batch, 1; in parentheses, the whole shape" in text


def test_train_runs_as_in_training():
    assert len(document("net.py:Half", "--input", "1x8x8")["layers"]) == 2
    assert len(document("net.py:Half", "--input", "1x8x8", "--train")["layers"]) == 1
    result = CliRunner().invoke(main, ["inspect", "lenet", "--train"])
    assert (result.exit_code, "--train is for torch modules" in result.stderr) == (2, True)


def test_depth_sums_the_calls_between_modules_with_their_block():
    rows = document("net.py:Blocks", "--input", "4x8x8", "--depth", "1")["layers"]
    assert [(row["name"], row["op"], row["params"]) for row in rows] == [
        ("layer1", "block", 2 * 148),
        ("mean", "mean", 0),
    ]
    assert rows[0]["args"] == {"nodes": 2 * 3}
    rows = document("net.py:Blocks", "--input", "4x8x8", "--depth", "2")["layers"]
    assert [row["name"] for row in rows] == ["layer1.0", "layer1.1", "mean"]
    result = CliRunner().invoke(main, ["field", "net.py:Blocks", "--input", "4x8x8", "--at", "layer1.0"])
    assert result.stdout.splitlines()[0].startswith("layer1.0:relu: 4x8x8")


def test_source_says_where_a_call_is_written():
    rows = run("net.py:Net", "--input", "3x32x32", "--source").splitlines()
    place = next(number for number, line in enumerate(NET.splitlines(), 1) if "relu_()" in line)
    assert rows[1].split()[-1] == rows[2].split()[-1] == f"net.py:{place}"


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        (["10"], None),
        (["12"], "the output is 10, and 12 is expected"),
        (["10x1"], "the output is 10, and 10x1 is expected"),
        (["10", "10"], "1 output, fc, and 2 expected"),
    ],
)
def test_expect_ends_with_1_on_any_other_output(expected, sentence):
    options = [word for shape in expected for word in ("--expect", shape)]
    result = invoke("net.py:Net", "--input", "3x32x32", *options, "-q")
    assert result.exit_code == (0 if sentence is None else 1)
    if sentence is not None:
        assert sentence in result.stderr
        assert document("net.py:Net", "--input", "3x32x32", *options, status=1)["error"]["message"] == sentence


def test_expect_names_the_output_and_takes_letters_and_batches():
    options = ["--input", "3x8x8", "--input", "1x8x8"]
    result = invoke("net.py:Two", *options, "--expect", "3x8x8", "--expect", "3x4x7")
    assert (result.exit_code, "both is 3x4x8, and 3x4x7 is expected" in result.stderr) == (1, True)
    run("net.py:Wants640", "--input", "3xT=700", "--expect", "3xT", status=1)
    run("net.py:Net", "--input", "2x3x32x32", "--batch", "none", "--expect", "2x10")
    run("net.py:Net", "--input", "3x32x32", "--batch", "8", "--expect", "10")


@pytest.mark.parametrize(
    "arguments", [("net.py:Net", "--input", "3x64x64"), ("net.py:Crash", "--input", "3"), ("net.py:Net", "-i", "4x8x8")]
)
def test_a_module_that_does_not_run_is_the_answer_no(arguments):
    result = invoke(*arguments)
    assert result.exit_code == 1
    assert "Error: " in result.stderr
    assert "Traceback" not in result.output
    assert "fails" in result.stdout
    assert document(*arguments, status=1)["output"] is None
    for command in ("field", "tiles"):
        other = CliRunner().invoke(main, [command, *arguments])
        assert other.exit_code in (1, 2), command
        assert other.exception is None or isinstance(other.exception, SystemExit)


def test_every_other_command_takes_a_module_too():
    for command in ("sizes", "field", "tiles"):
        result = CliRunner().invoke(
            main, [command, "net.py:Half", "--input", "1xHxW", *["--tile", "16"] * (command == "tiles")]
        )
        assert result.exit_code == 0, result.output
    result = CliRunner().invoke(main, ["compare", "net.py:Net", "net.py:Net(12)", "-i", "3x32x32", "--json"])
    assert json.loads(result.stdout)["totals"]["params"]["difference"] == 2 * 2049


# -- the library ---------------------------------------------------------------------------------------------------


def test_the_library_inspects_modules_and_leaves_them_as_they_are():
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.ReLU(inplace=True))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    net.train()
    by_size = cc.inspect(net, (1, 1, 8, 9))
    by_tensor = cc.inspect(net, example_inputs=torch.zeros(1, 1, 8, 9))
    assert by_size.output == by_tensor.output == tuple(net(torch.zeros(1, 1, 8, 9)).shape)
    assert [row.op for row in by_size.layers] == ["conv", "batchnorm", "relu"]  # an operation in place is known too
    assert net.training
    assert cc.inspect(net, (1, 1, "H", "W")).layers[0].output[2:] == by_size.layers[0].symbolic[2:]
    fresh = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    cc.inspect(fresh, (1, 1, 8, 9), train=True)
    assert int(fresh[1].num_batches_tracked) == 0
    assert before.keys() == net.state_dict().keys()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: cc.inspect(torch.nn.ReLU(), "3x224x224"), "is a shape with the batch, as (1, 3, 224, 224)"),
        (lambda: cc.inspect(torch.nn.ReLU(), 3), "is a shape with the batch, as (1, 3, 224, 224): got 3"),
        (lambda: cc.inspect(torch.nn.ReLU), "got the class ReLU; write ReLU(...)"),
        (lambda: cc.inspect(torch.nn.ReLU()), "ReLU needs input_size, such as (1, 3, 224, 224), or example_inputs"),
        (lambda: cc.inspect(torch.nn.ReLU(), (1, 3), dtype="floot"), "unknown dtype 'floot'"),
        (lambda: cc.inspect(cc.ReLU(), (1, 3, 3), dtype="floot"), "unknown dtype 'floot'"),
        (
            lambda: cc.inspect(cc.ReLU(), (1, 3, 3), train=True),
            "train and assume are for torch modules",
        ),
        (lambda: cc.inspect(torch.zeros(3), (1, 3)), "got a Tensor"),
    ],
)
def test_what_cannot_be_inspected_is_one_sentence(make, sentence):
    with pytest.raises(cc.ConvcalcError) as caught:
        make()
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_from_torch_is_public():
    assert len(cc.from_torch(torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Tanh()), (1, 3))) == 2
