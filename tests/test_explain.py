"""A model that fails is explained: the sentence, the line, what it read; and every repair offered works in torch."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from failing_models import CASES, Case, Conditioned, Net, UNet
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from convcalc.bridge.explain import explain
from convcalc.bridge.trace import capture
from convcalc.errors import BadShape, ConvcalcError

F = nn.functional


def failed(case: Case, module: nn.Module | None = None) -> ConvcalcError:
    """The error of a case."""
    graph = capture(module or case.make(), case.shapes, **case.settings)
    assert graph.capture is not None
    assert graph.capture.error is not None, f"{case.name} runs"
    return graph.capture.error


def source(case: Case) -> str:
    """Where the failing line stands."""
    return f"tests/failing_models.py:{case.number()}" if case.line else ""


def only(some: str):
    """The cases whose name has these words."""
    return next(case for case in CASES if some in case.name)


every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


# -- what is said ------------------------------------------------------------------------------------------------


@every_case
def test_the_sentence_has_both_sides_and_the_rule(case):
    error = failed(case)
    if case.message:
        assert error.message == case.message.format(source=error.explanation.source)
    assert error.kind == case.kind


@every_case
def test_the_line_of_the_user_is_shown(case):
    explanation = failed(case).explanation
    assert explanation.line == case.line
    shown = Path(explanation.source).name
    assert shown == (Path(source(case)).name if case.line else ""), explanation.source


@every_case
def test_the_repairs_are_these(case):
    error = failed(case)
    assert list(error.fixes) == [fix.format(source=error.explanation.source) for fix in case.fixes]


@every_case
def test_the_module_is_as_it_was(case):
    module = case.make()
    before = {name: (value, value.clone()) for name, value in module.state_dict(keep_vars=True).items()}
    parts = {path: (part, sorted(vars(part))) for path, part in module.named_modules()}
    text, mode = repr(module), module.training
    failed(case, module)
    after = module.state_dict(keep_vars=True)
    assert after.keys() == before.keys()
    assert all(after[name] is old and torch.equal(after[name], copy) for name, (old, copy) in before.items())
    assert {path: (part, sorted(vars(part))) for path, part in module.named_modules()} == parts
    assert (repr(module), module.training) == (text, mode)


@every_case
def test_torch_refuses_it_too_on_real_tensors(case):
    if case.kind == "unknown":
        pytest.skip("runs on values")
    if "64 bits" in case.name:
        pytest.skip("torch itself counts beyond 64 bits wrongly")
    module = case.make().train(case.settings.get("train", False))
    with pytest.raises((RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError)):
        module(*(torch.zeros(shape) for shape in case.shapes))


@every_case
def test_a_json_record_has_the_contract_and_more(case):
    record = failed(case).record()
    assert list(record)[:4] == ["kind", "message", "rule", "fixes"]
    assert record["fixes"] == [fix.text() for fix in failed(case).explanation.fixes]
    assert all(len(operand["shape"]) == len(operand["symbolic"] or operand["shape"]) for operand in record["operands"])
    assert {"place", "source", "line", "operands", "tried"} <= set(record)


# -- repairs are true ----------------------------------------------------------------------------------------------


def repaired(case: Case, what: str, where: str) -> tuple[nn.Module, list[torch.Tensor]]:
    """The model and its inputs with a repair made as its text says, on real tensors."""
    codes = {text.format(source=where): make for text, make in case.rewritten.items()}
    module: nn.Module | None = None
    shapes = [tuple(shape) for shape in case.shapes]
    changes, tables = [], []
    for step in [what] if what in codes else what.split(" and "):
        if step in codes:
            module = codes[step]()
        elif step.startswith("input_size="):
            given = eval(step.removeprefix("input_size="))
            shapes = list(given) if isinstance(given[0], tuple) else [given]
        elif step.startswith("inputs of shape "):
            shapes = [eval(text) for text in re.findall(r"\(.*?\)", step)]
        elif table := re.fullmatch(r"([\w.]+): a (?:parameter|buffer) of shape (\(.*\))", step):
            tables.append((table[1], eval(table[2])))
        elif step.startswith(("a batch axis", "the inputs the other way")):
            shapes = [tuple(map(int, text.split(", "))) for text in re.findall(r"\(([\d, ]+)\)", step)]
        else:
            path, text = re.fullmatch(r"(?:([\w.]+): )?(nn\..*)", step).groups()
            changes.append((path, eval(text, {"nn": nn})))
    module = (module or case.make()).train(case.settings.get("train", False))
    for path, part in changes:
        part.train(module.training)
        if path is None:
            module = part
        else:
            module.set_submodule(path, part)
    for path, size in tables:
        parent, _, name = path.rpartition(".")
        setattr(module.get_submodule(parent), name, nn.Parameter(torch.zeros(size)))
    return module, [torch.zeros(shape) for shape in shapes]


def split_ranges(what: str) -> str:
    """A repair without the range of sizes behind it."""
    return re.sub(r" \([^()]*\b(?:[HWDL]\b|every)[^()]*\)", "", what)


@pytest.mark.parametrize(
    ("case", "place"),
    [(case, place) for case in CASES for place in range(len(case.fixes))],
    ids=lambda value: value.name if isinstance(value, Case) else str(value),
)
def test_every_repair_works_in_torch(case, place):
    explanation = failed(case).explanation
    fix = explanation.fixes[place]
    module, inputs = repaired(case, split_ranges(fix.what), explanation.source)
    if fix.runs:
        module(*inputs)
        return
    with pytest.raises(RuntimeError):
        module(*inputs)
    after = capture(module, [tuple(value.shape) for value in inputs]).capture.error
    assert after.explanation.place == fix.then != explanation.place


def runs(module: nn.Module, *shape: int) -> bool:
    """Whether torch runs a module on an input of that shape, and gives an output for each of the batch."""
    try:
        return module.to("meta")(torch.empty(shape, device="meta")).shape[0] == shape[0]
    except RuntimeError:
        return False


@pytest.mark.parametrize(
    ("some", "channels", "holds"),
    [
        ("flatten into linear", 3, lambda n: 32 <= n <= 35),
        ("u-net", 1, lambda n: n >= 4 and n % 4 == 0),
        ("off by one", 1, lambda n: n % 2 == 1 or n == 2),  # at 2 one value serves both: not offered
        ("kernel too large", 3, lambda n: n >= 190),
        ("pooling too large", 3, lambda n: n >= 9),
        ("hard-coded", 3, lambda n: n in (28, 29)),
    ],
)
def test_the_sizes_named_are_all_that_run(some, channels, holds):
    module = only(some).make()
    assert [n for n in range(1, 230) if runs(module, 1, channels, n, n)] == [n for n in range(1, 230) if holds(n)]


# -- what it read --------------------------------------------------------------------------------------------------


def test_operands_have_their_formula_and_where_they_came_from():
    up, skip = failed(only("u-net")).explanation.operands
    assert (up.name, up.shape, up.symbolic) == ("up2", (1, 16, 24, 24), ("1", "16", "2*(H//4)", "2*(W//4)"))
    assert (skip.name, skip.origin, skip.symbolic) == ("relu_2", "down2", ("1", "16", "H//2", "W//2"))
    for n in (50, 51, 53):  # the formulas are what torch gives at other sizes
        seen = failed(only("u-net")) if n == 50 else capture(UNet(), (1, 1, n, n)).capture.error
        for operand in seen.explanation.operands:
            assert [eval(text, {"H": n, "W": n}) for text in operand.symbolic] == list(operand.shape)


def test_a_flattened_size_shows_its_factors():
    (operand,) = failed(only("flatten into linear")).explanation.operands
    assert operand.factors == "8192 = 32·16·16"
    assert eval(operand.factors.split(" = ")[1].replace("·", "*")) == operand.shape[-1]


def test_lines_show_where_and_what():
    lines = failed(only("shortcut without projection")).explanation.lines()
    assert lines[0].endswith("return F.relu(y + skip)")
    assert lines[1:] == [
        "read   bn2 (1, 32, 16, 16) = (1, 32, (H + 1)//2, (W + 1)//2), from conv2",
        "read   x (1, 16, 32, 32) = (1, 16, H, W)",
    ]


def test_rows_stand_before_the_failure():
    graph = capture(Net(), (1, 3, 64, 64))
    assert [node.name for node in graph] == [
        *("conv1", "relu", "max_pool2d", "conv2", "relu_2", "max_pool2d_2", "flatten")
    ]
    assert graph.capture.error.explanation.place == "fc"


# -- it never fails itself -----------------------------------------------------------------------------------------


class Wrapped(nn.Module):
    """A model that hides why it failed."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        try:
            return self.fc(x)
        except RuntimeError as error:
            raise ValueError("bad features") from error


class Survivor(nn.Module):
    """A model that goes on after one failure and fails at another."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        try:
            return self.fc(x)
        except RuntimeError:
            pass
        return {}[0]


def test_the_cause_of_a_wrapped_failure_is_explained():
    error = capture(Wrapped(), (1, 5)).capture.error
    assert error.message == "fc takes 4 features, x gives 5; the last axis must equal in_features."
    assert error.explanation.line == "return self.fc(x)"


def test_a_failure_that_was_caught_is_not_the_cause():
    error = capture(Survivor(), (1, 5)).capture.error
    assert error.message.endswith("raises KeyError: 0; x gives (1, 5).")
    assert error.explanation.line == "return {}[0]"


def test_what_cannot_be_explained_is_said_as_it_is():
    error = explain(RuntimeError("out of\nmemory"), None)
    assert isinstance(error, BadShape)
    assert error.message == "RuntimeError: out of memory"
    assert error.explanation is None


def test_a_model_runs_few_times(monkeypatch):
    count = 0
    forward = UNet.forward

    def counted(self, x):
        nonlocal count
        count += 1
        return forward(self, x)

    monkeypatch.setattr(UNet, "forward", counted)
    assert capture(UNet(), (1, 1, 50, 50)).capture.error.fixes
    assert 2 <= count <= 13


class Printing(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        print("forward")
        return self.fc(x)


def test_what_a_model_prints_is_printed_once(capsys):
    assert len(capture(Printing(), (1, 5)).capture.error.fixes) == 2
    assert capsys.readouterr().out == "forward\n"


@given(height=st.integers(4, 70), width=st.integers(4, 70))
@settings(max_examples=10)
def test_a_u_net_of_any_size_is_repaired(height, width):
    case = Case("", UNet, [(1, 1, height, width)], "", "", [])
    error = capture(UNet(), case.shapes).capture.error
    assert (error is None) == (height % 4 == width % 4 == 0)
    if error is None:
        return
    whole = [fix for fix in error.explanation.fixes if fix.what.startswith(("up", "input_size")) and fix.runs]
    assert [fix.what.split(" ")[0] for fix in whole] == [
        "up2:" if height % 4 > 1 or width % 4 > 1 else "up1:",
        "input_size=(1,",
    ]
    for fix in whole:
        module, inputs = repaired(case, split_ranges(fix.what), "")
        assert module(*inputs).shape == inputs[0].shape


def test_whole_numbers_are_made_floats():
    error = capture(nn.Sequential(nn.Conv2d(3, 8, 3)), example_inputs=torch.zeros(1, 3, 8, 8, dtype=torch.uint8))
    assert error.capture.error.fixes == ("input.float() before 0",)


class Called(nn.Module):
    """A layer, and what comes before it, in one line."""

    def __init__(self, call, **parts):
        super().__init__()
        self.call = call
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.call(self, x)


FC = {"fc": nn.Linear(8, 3)}


@pytest.mark.parametrize(
    ("call", "parts", "given", "said", "fix"),
    [
        (
            lambda m, x: m.fc(x),
            FC,
            torch.zeros(2, 8, dtype=torch.int64),
            "x gives int64, fc.weight is float32",
            "x.float() before fc",
        ),
        (
            lambda m, x: m.fc(F.one_hot(x, 8)),
            FC,
            torch.zeros(2, 5, dtype=torch.int64),
            "one_hot gives int64, fc.weight is float32",
            "one_hot.float() before fc",
        ),
        (
            lambda m, x: m.fc(x.half()),
            FC,
            torch.zeros(2, 8),
            "x gives float16, fc.weight is float32",
            "x.float() before fc",
        ),
        (
            lambda m, x: (x > 0) @ m.fc.weight.t(),
            FC,
            torch.zeros(2, 8),
            "bool and float32 together",
            "gt.float() before matmul",
        ),
        (
            lambda m, x: m.up(x.double()),
            {"up": nn.ConvTranspose1d(8, 4, 2)},
            torch.zeros(2, 8, 5),
            "x gives float64, up.weight is float32",
            "x.float() before up",
        ),
    ],
    ids=["whole numbers", "one hot", "half", "a mask", "transposed"],
)
def test_factors_of_two_types_are_refused_as_torch_refuses_them(call, parts, given, said, fix):
    module = Called(call, **parts)
    with pytest.raises(RuntimeError):
        module(given)
    error = capture(module, example_inputs=given).capture.error
    assert said in error.message
    assert error.rule == "every call takes the types of what it reads"
    assert error.fixes == (fix,)


def test_factors_that_autocast_makes_one_type_are_taken():
    def call(module, x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return module.fc(x.bfloat16())

    module = Called(call, **FC)
    assert capture(module, (2, 8)).capture.error is None
    assert module(torch.zeros(2, 8)).shape == (2, 3)


def test_weights_of_a_spectrum_do_not_make_the_input_complex():
    def call(module, x):
        return torch.fft.ifft(torch.fft.fft(module.fc(x)) @ module.spectrum).real

    module = Called(call, spectrum=nn.Parameter(torch.zeros(3, 5, dtype=torch.complex64)), **FC)
    graph = capture(module, (2, 8))
    assert graph.capture.error is None
    assert module(torch.zeros(2, 8)).shape == (2, 5)
    alone = Called(lambda m, x: x @ m.spectrum, spectrum=module.spectrum)
    assert capture(alone, (2, 3)).capture.error is None


@pytest.mark.parametrize(
    ("call", "mended", "parts", "shape", "cause", "fix"),
    [
        (
            lambda m, x: m.fc(m.conv(x).flatten()),
            lambda m, x: m.fc(m.conv(x).flatten(1)),
            {"conv": nn.Conv2d(3, 8, 3), "fc": nn.Linear(288, 4)},
            (2, 3, 8, 8),
            "288 = 8·6·6, one sample of conv, which flatten does not keep whole",
            "conv.flatten(1) in place of flatten",
        ),
        (
            lambda m, x: m.fc(m.conv(x).view(16, -1)),
            lambda m, x: m.fc(m.conv(x).flatten(1)),
            {"conv": nn.Conv2d(3, 8, 3), "fc": nn.Linear(288, 4)},
            (1, 3, 8, 8),
            "288 = 8·6·6, one sample of conv, which view does not keep whole",
            "conv.flatten(1) in place of view",
        ),
        (
            lambda m, x: m.up(m.fc(x).view(-1, 4, 4, 4)),
            lambda m, x: m.up(m.fc(x).view(-1, 8, 4, 4)),
            {"fc": nn.Linear(5, 128), "up": nn.ConvTranspose2d(8, 3, 2, 2)},
            (2, 5),
            "128 = 8·4·4, one sample of fc, which view does not keep whole",
            "fc.view(-1, 8, 4, 4) in place of view",
        ),
    ],
    ids=["flatten of all", "a batch by hand", "channels by hand"],
)
def test_samples_that_a_view_mixes_are_kept_whole(call, mended, parts, shape, cause, fix):
    module = Called(call, **parts)
    error = capture(module, shape).capture.error
    assert error.message.endswith(f"; {cause}.")
    assert error.fixes == (fix,)
    assert Called(mended, **parts)(torch.zeros(shape)).shape[0] == shape[0]


@pytest.mark.parametrize("loss", [F.binary_cross_entropy_with_logits, F.binary_cross_entropy])
def test_a_target_without_the_last_axis_of_one_is_no_broadcast(loss):
    module = Called(lambda m, x: loss(m.fc(x).sigmoid(), torch.ones(x.shape[0])), fc=nn.Linear(8, 1))
    with pytest.raises(ValueError, match="size"):
        module(torch.zeros(2, 8))
    error = capture(module, (2, 8)).capture.error
    assert "takes a target of the shape (2, 1): got (2)" in error.message
    assert error.fixes == (f"sigmoid.squeeze(1) in {loss.__name__}",)
    fixed = Called(lambda m, x: loss(m.fc(x).sigmoid().squeeze(1), torch.ones(x.shape[0])), fc=nn.Linear(8, 1))
    assert fixed(torch.zeros(2, 8)).shape == ()


def test_inputs_by_name_are_explained():
    given = {"image": torch.zeros(1, 4, 8, 8), "vector": torch.zeros(1, 10)}
    error = capture(Conditioned(), example_inputs=given).capture.error
    assert error.message == "conv takes 3 channels, image gives 4; input channels must equal in_channels."
    assert error.fixes[0] == "conv: nn.Conv2d(4, 8, 3)"


def test_a_named_place_keeps_the_explanation():
    error = failed(only("flatten into linear"))
    assert error.at("model").explanation is error.explanation
