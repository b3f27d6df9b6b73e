"""`check` and `--expect` pass exactly where torch gives the shape that is expected, the batch included."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import convcalc as cc
from convcalc.cli import main

torch = pytest.importorskip("torch")
nn = torch.nn

ENDS = {
    "flatten": lambda y: y.flatten(1),
    "rows": lambda y: y.reshape(-1, y.shape[1]),
    "pixels": lambda y: y.permute(0, 2, 3, 1).reshape(-1, 4),
    "eights": lambda y: y.reshape(-1, 8),
    "whole": lambda y: y.reshape(1, -1),
    "mean": lambda y: y.mean((2, 3)),
    "batch": lambda y: y.mean(0),
    "pair": lambda y: (y, y.flatten(0, 1)),
}


class Net(nn.Module):
    def __init__(self, end):
        super().__init__()
        self.conv, self.end = nn.Conv2d(3, 4, 3), end

    def forward(self, x):
        return ENDS[self.end](self.conv(x))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(ENDS)), st.integers(1, 3), st.integers(3, 6), st.data())
def test_a_check_passes_where_torch_gives_what_is_expected_and_nowhere_else(end, batch, size, data):
    net = Net(end)
    with torch.no_grad():
        try:
            real = net(torch.zeros(batch, 3, size, size + 2))
        except RuntimeError:  # eights of what is no multiple of 8
            with pytest.raises(cc.ConvcalcError):
                cc.check(net, (batch, 3, size, size + 2))
            return
    shapes = [tuple(one.shape) for one in (real if isinstance(real, tuple) else (real,))]
    expected = [
        tuple(data.draw(st.sampled_from([one, one, one, one + 1, None])) for one in shape)[
            : data.draw(st.integers(1, 5))
        ]
        for shape in shapes
    ]
    agrees = all(
        len(one) == len(shape) and all(a in (None, b) for a, b in zip(one, shape, strict=True))
        for one, shape in zip(expected, shapes, strict=True)
    )
    if agrees:
        report = cc.check(net, (batch, 3, size, size + 2), expect=expected)
        assert list(report.outputs.values()) == shapes
    else:
        with pytest.raises(cc.BadShape, match="is expected"):
            cc.check(net, (batch, 3, size, size + 2), expect=expected)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(set(ENDS) - {"pair"})), st.integers(1, 3), st.integers(3, 5))
def test_expect_on_the_command_line_wants_the_batch_that_went_in(tmp_path_factory, end, batch, size):
    folder = tmp_path_factory.getbasetemp()
    (folder / "ends.py").write_text("import sys\nnet = sys.modules['test_expectation_net'].net\n")
    import sys
    import types

    sys.modules["test_expectation_net"] = types.SimpleNamespace(net=Net(end))
    with torch.no_grad():
        try:
            shape = tuple(sys.modules["test_expectation_net"].net(torch.zeros(batch, 3, size, size)).shape)
        except RuntimeError:
            return
    options = ["--input", f"3x{size}x{size}", "--batch", str(batch), "-q"]
    wanted = "x".join(map(str, shape[1:])) or str(shape[0])
    result = CliRunner().invoke(main, ["inspect", f"{folder}/ends.py:net", *options, "--expect", wanted])
    assert result.exit_code == (0 if len(shape) > 1 and shape[0] == batch else 1), result.output


def test_a_batch_that_took_rows_is_said():
    with pytest.raises(cc.BadShape, match="the batch of 1 has become 9; a view or reshape by -1 may have taken rows"):
        cc.check(Net("pixels"), (1, 3, 5, 5), expect=(1, 4))


def test_a_check_raises_the_whole_explanation():
    with pytest.raises(cc.BadShape) as found:
        cc.check(nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(100, 10)), (1, 3, 8, 8), expect=(1, 10))
    first, *more = str(found.value).splitlines()
    assert "288" in first
    assert any(line.startswith("fix ") for line in more)
    assert found.value.fixes


def test_outputs_may_be_expected_by_name():
    report = cc.inspect(Net("pair"), (2, 3, 5, 5))
    names = list(report.outputs)
    cc.check(Net("pair"), (2, 3, 5, 5), expect={names[1]: (8, 3, 3), names[0]: (2, 4, 3, 3)})
    with pytest.raises(cc.BadShape, match="are expected"):
        cc.check(Net("pair"), (2, 3, 5, 5), expect={"logits": (2, 4)})


@pytest.mark.parametrize("expect", ["1x10", 10, (1, 2.5), [(1, 10), 3], (True, 10), [[None, object()]]])
def test_what_is_no_shape_is_refused(expect):
    with pytest.raises(cc.BadArgument, match="expect is a shape with the batch"):
        cc.check(cc.zoo.lenet(), expect=expect)
