"""The views of a transposed convolution against torch, rung by rung: shapes on meta, then values and gradients."""

import dataclasses
import sys

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from convcalc.arithmetic.transposed.arrays import convolve
from convcalc.arithmetic.transposed.views import transposed_by_matrix, transposed_by_stamps, transposed_by_zeros
from convcalc.bridge.device import need_device, need_torch, one_thread
from convcalc.bridge.verify import transposed as room
from convcalc.bridge.verify.transposed import Case, compare, draw_cases, verify_transposed
from convcalc.errors import Refused, Unreadable

torch = pytest.importorskip("torch", reason="torch is an extra: pip install 'convcalc[torch]'")


@pytest.fixture(autouse=True, scope="module")
def _quick():
    with one_thread():
        yield


@st.composite
def cases(draw, padding=3):
    axes = draw(st.integers(1, 3))
    numbers = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(axes))  # noqa: E731
    stride, dilation, groups = numbers(1, 4), numbers(1, 3), draw(st.integers(1, 3))
    return Case(
        batch=draw(st.integers(1, 2)),
        groups=groups,
        in_channels=groups * draw(st.integers(1, 2)),
        out_channels=groups * draw(st.integers(1, 2)),
        input_size=numbers(1, 3),
        kernel_size=numbers(1, 3),
        stride=stride,
        padding=numbers(0, padding),
        output_padding=tuple(draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True)),
        dilation=dilation,
        seed=draw(st.integers(0, 2**32)),
    )


def theirs(case, x, weight):
    call = getattr(torch.nn.functional, f"conv_transpose{len(case.input_size)}d")
    return call(x, weight, **case.settings)


def arrays(case):
    rng = np.random.default_rng(case.seed)
    x = rng.integers(-9, 10, (case.batch, case.in_channels, *case.input_size))
    return x, rng.integers(-9, 10, (case.in_channels, case.out_channels // case.groups, *case.kernel_size))


@given(cases(padding=1))
def test_shapes_on_meta(case):
    x, weight = (torch.empty(a.shape, device="meta") for a in arrays(case))
    try:
        sizes = [axis.output_size for axis in case.sizes()]
    except Refused:
        assume(False)  # meta makes tensors without elements; the CPU refuses, see below
    assert theirs(case, x, weight).shape == (case.batch, case.out_channels, *sizes)


@given(cases())
def test_the_three_views_are_torch_to_the_last_bit(case):
    x, weight = arrays(case)
    inputs = torch.tensor(x, dtype=torch.float64), torch.tensor(weight, dtype=torch.float64)
    try:
        expected = theirs(case, *inputs).numpy()
    except RuntimeError:
        for view in (transposed_by_stamps, transposed_by_zeros, transposed_by_matrix):
            with pytest.raises(Refused):
                view(x, weight, **case.settings)
        return
    for view in (transposed_by_stamps, transposed_by_zeros, transposed_by_matrix):
        np.testing.assert_array_equal(
            view(x.astype(float), weight.astype(float), **case.settings), expected, strict=True
        )
        np.testing.assert_array_equal(view(x, weight, **case.settings), expected)


def test_an_empty_batch_is_legal():
    case = dataclasses.replace(next(draw_cases(1, seed=0)), batch=0, output_padding=(0,))
    x, weight = arrays(case)
    expected = theirs(case, torch.tensor(x, dtype=torch.float64), torch.tensor(weight, dtype=torch.float64))
    for view in (transposed_by_stamps, transposed_by_zeros, transposed_by_matrix):
        assert view(x, weight, **case.settings).shape == expected.shape


@given(cases(), st.integers(1, 8))
def test_the_forward_convolution_is_torch_to_the_last_bit(case, size):
    rng = np.random.default_rng(case.seed)
    x = rng.integers(-9, 10, (1, case.in_channels, *(size for _ in case.input_size))).astype(float)
    weight = rng.integers(-9, 10, (case.out_channels, case.in_channels // case.groups, *case.kernel_size)).astype(float)
    call = getattr(torch.nn.functional, f"conv{len(case.input_size)}d")
    try:
        expected = call(torch.tensor(x), torch.tensor(weight), **case.forward).numpy()
    except RuntimeError:
        with pytest.raises(Refused):
            convolve(x, weight, **case.forward)
    else:
        np.testing.assert_array_equal(convolve(x, weight, **case.forward), expected, strict=True)


@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 3))
def test_same_padding_is_that_of_torch(size, kernel_size, dilation):
    x, weight = np.arange(1.0, size + 1).reshape(1, 1, -1), np.arange(1.0, kernel_size + 1).reshape(1, 1, -1)
    expected = torch.nn.functional.conv1d(
        torch.nn.functional.pad(  # what torch's own "same" does, without its warning for an even kernel
            torch.tensor(x), (dilation * (kernel_size - 1) // 2, -(-dilation * (kernel_size - 1) // 2))
        ),
        torch.tensor(weight),
        dilation=dilation,
    )
    np.testing.assert_array_equal(convolve(x, weight, padding="same", dilation=dilation), expected.numpy())


# -- verify ------------------------------------------------------------------------------------------------------


def check(report, device):
    assert report.ok, report.mismatches[0].code
    assert report.mismatches == ()
    assert report.device == str(torch.device(device))
    assert report.torch == torch.__version__
    assert report.device_name
    assert report.refused > 0
    for axes in (1, 2, 3):
        compared = {name[4:]: number for name, number in report.kinds.items() if name.startswith(f"{axes}-D ")}
        assert set(compared) == {
            "stamp view",
            "zero-insertion view",
            "matrix view",
            "equivalent convolution",
            "forward convolution",
            "forward matrix",
            "adjoint identity",
            "gradient of the input",
            "gradients of the equivalent convolution",
        }
        assert compared.pop("gradients of the equivalent convolution") == 2 * compared["stamp view"]
        assert len(set(compared.values())) == 1
    assert sum(number for name, number in report.kinds.items() if name.endswith("stamp view")) == report.checked


def test_verify_finds_no_mismatch_on_the_cpu():
    progress = []
    report = verify_transposed(count=150, seed=1, progress=lambda *at: progress.append(at))
    check(report, "cpu")
    assert report.checked + report.refused == 150
    assert report.seed == 1
    assert progress == [(done, 150) for done in range(1, 151)]


def test_the_same_seed_draws_the_same_cases():
    assert list(draw_cases(9, seed=5)) == list(draw_cases(9, seed=5))
    assert list(draw_cases(9, seed=5)) != list(draw_cases(9, seed=6))


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("transposed_by_stamps", lambda x, weight, **settings: transposed_by_stamps(x, weight + 1, **settings)),
        ("transposed_by_matrix", lambda x, weight, **settings: transposed_by_stamps(x, weight, **settings)[..., 1:]),
        ("insert_zeros", lambda places, stride: np.roll(room_insert_zeros(places, stride), 1, axis=1)),
        ("flip_kernel", lambda places, groups: room_flip_kernel(places, groups)[..., ::-1]),
        ("convolve", lambda x, weight, **settings: -convolve(x, weight, **settings)),
    ],
)
def test_a_mismatch_is_reported_with_a_line_that_reproduces_it(monkeypatch, capsys, name, broken):
    monkeypatch.setattr(room, name, broken)
    report = verify_transposed(count=12, seed=2)
    assert not report.ok
    found = report.mismatches[0]
    exec(found.code)
    assert found.message in capsys.readouterr().out
    assert "\n" not in found.code


room_insert_zeros, room_flip_kernel = room.insert_zeros, room.flip_kernel


def test_a_refusal_of_one_side_alone_is_a_mismatch(monkeypatch):
    case = next(case for case in draw_cases(99, seed=0) if not compare(case).refused)
    illegal = dataclasses.replace(case, output_padding=tuple(9 for _ in case.input_size))
    assert compare(illegal).refused
    monkeypatch.setattr(Case, "sizes", lambda self: ())
    assert compare(illegal).mismatches[0].message.startswith("torch alone refuses: ")
    monkeypatch.setattr(Case, "sizes", lambda self: (_ for _ in ()).throw(Refused("no")))
    assert compare(case).mismatches[0].message == "convcalc alone refuses: no"


# -- the way to torch --------------------------------------------------------------------------------------------


def test_without_torch_the_sentence_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(Unreadable, match=r"pip install 'convcalc\[torch\]'") as caught:
        verify_transposed(count=1)
    assert caught.value.fixes == ("pip install 'convcalc[torch]'",)


def test_a_device_that_is_none_is_named():
    with pytest.raises(Unreadable, match="device 'abacus' cannot be used: torch knows no such device"):
        verify_transposed("abacus", count=1)
    with pytest.raises(Unreadable, match="device 'meta' cannot be used"):
        need_device("meta")
    if not torch.cuda.is_available():
        with pytest.raises(Unreadable, match="device 'cuda' cannot be used: "):
            need_device("cuda")


def test_threads_are_given_back():
    before = need_torch().get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
