"""Every public name, and the methods of what they return, asked wrongly: an answer or one sentence, nothing bare."""

from __future__ import annotations

import inspect
import operator
from contextlib import suppress

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import convcalc as cc

H = cc.Expr.symbol("H")
NETS = [cc.Conv(4, 3, padding=1), cc.Sequential(cc.Conv(4, 3), cc.ReLU()), cc.zoo.lenet()]
WRONG = [
    *(None, True, False, -3, -1, 0, 1, 3, 10**30, 2.5, 1.0, float("nan"), float("inf"), 1j, "abc", "", "same", b"x"),
    *((), (1,), (1, 2), (1, 3, 8, 8), (1, 3, -8, 8), (1, 3, 8.0, 8), (1, 3, "H", "W"), (None,), ("a", "b"), ((1, 2),)),
    *([], [1, 2], [[1]], {}, {"a": 1}, {"input": (1, 3, 8, 8)}, set(), object(), object, len, range(3), slice(3), ...),
    *(np.int8(3), np.array([1, 2, 3]), np.array(2.5), np.array([[1]]), sympy.Symbol("t"), H, "conv 3 k3", *NETS),
]
RIGHT = {
    "net": NETS[0],
    "a": NETS[0],
    "b": NETS[1],
    "input_size": (1, 3, 8, 8),
    "shape": (1, 3, 8),
    "layers": "conv 4 k3",
    "kernel_size": 3,
    "out_channels": 4,
    "scale_factor": 2,
    "padding": 1,
    "n": 8,
    "k": 3,
    "out": 6,
    "solve": "n",
    "x": np.ones((1, 2, 4)),
    "weight": np.ones((2, 2, 3)),
    "rates": [1, 2],
    "texts": "conv 4 k3",
    "size": 4,
}
TORCH = ("from_torch", "to_torch")
CALLABLES = sorted(
    name
    for name in cc.__all__
    if name not in ("zoo", "Block", *TORCH)  # Block is abstract: Python says so
    and callable(getattr(cc, name))
    and not (isinstance(getattr(cc, name), type) and issubclass(getattr(cc, name), Exception))
)
RESULTS = {
    "Report": cc.inspect(NETS[1], (1, 3, 8, 8)),
    "Legal": cc.valid_sizes(NETS[1], (1, 3, "H", "W")),
    "Comparison": cc.compare(NETS[0], NETS[1], (1, 3, 8, 8)),
    "HDC": cc.hdc([1, 2, 9]),
    "Graph": cc.zoo.lenet(),
    "SizeSet": cc.SizeSet(2, (0,)),
    "Boxes": cc.valid_sizes(NETS[1], (1, 3, "H", "W")).runs,
}
METHODS = [
    *(("Report", name) for name in ("__getitem__", "to_dict", "to_json")),
    *(("Legal", name) for name in ("__getitem__", "__contains__", "why_not", "is_exact", "record")),
    *(("Comparison", "__getitem__"), ("Graph", "__getitem__"), ("Graph", "__contains__"), ("Graph", "shapes_of")),
    *(("Boxes", name) for name in ("__getitem__", "__contains__", "nearest")),
    *(("SizeSet", name) for name in ("__contains__", "nearest", "below")),
]


@settings(max_examples=900, deadline=None)
@given(st.sampled_from(CALLABLES), st.data())
def test_a_public_name_asked_wrongly_answers_or_says_why_not(name, data):
    function = getattr(cc, name)
    given_here, more = {}, []
    for entry in inspect.signature(function).parameters.values():
        asked = entry.default is entry.empty or data.draw(st.integers(0, 2)) == 0
        if entry.kind is entry.VAR_POSITIONAL:
            more = data.draw(st.lists(st.sampled_from([*WRONG, *NETS]), max_size=3))
        elif asked and entry.kind is not entry.VAR_KEYWORD and entry.name not in ("check", "empty", "least"):
            right = st.just(RIGHT.get(entry.name, 2))
            given_here[entry.name] = data.draw(st.one_of(st.sampled_from(WRONG), right))
    before = [given_here.pop(key) for key in list(given_here) if more and key in ("net", "a", "b")]
    with suppress(cc.ConvcalcError):
        made = function(*before, *more, **given_here)
        if isinstance(made, cc.Layer) and made.takes == (1, 1):
            for shape in ((1, 4, 8, 8), (1, 4, "n")):
                with suppress(cc.ConvcalcError):
                    cc.inspect(made, shape)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(METHODS), st.lists(st.sampled_from(WRONG), min_size=1, max_size=3))
def test_a_result_asked_wrongly_answers_or_says_why_not(method, wrong):
    owner, name = method
    found = getattr(RESULTS[owner], name)
    takes = inspect.signature(found).parameters.values()
    many = any(entry.kind is entry.VAR_POSITIONAL for entry in takes)
    with suppress(cc.ConvcalcError):
        found(*(wrong if many else wrong[: min(1, len(takes))]))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: cc.Conv(2.5, 3), "out_channels must be an integer: 2.5"),
        (lambda: cc.Conv("a", 3), "out_channels must be an integer: 'a'"),
        (lambda: cc.Conv(4, "3"), "kernel_size must be an integer: '3'"),
        (lambda: cc.Conv(4, True), "kernel_size must be an integer: True"),
        (lambda: cc.Conv(4, 3, bias="no"), "bias must be True or False: 'no'"),
        (lambda: cc.MaxPool(2, ceil_mode="False"), "ceil_mode must be True or False: 'False'"),
        (lambda: cc.Linear(None), "out_features must be an integer: None"),
        (lambda: cc.Dropout(1.5), "p is a probability, from 0 to 1: 1.5"),
        (lambda: cc.Dropout("half"), "p must be a number: 'half'"),
        (lambda: cc.valid_sizes(NETS[0], -3), "input_size is a shape with the batch, as (1, 3, 224, 224): got -3"),
        (
            lambda: cc.valid_sizes(NETS[0], "abc"),
            "input_size is a shape with the batch, as (1, 3, 224, 224): got 'abc'",
        ),
        (
            lambda: cc.valid_sizes(3, (1, 3, "H")),
            "a network is a torch module, a Graph, a block or a layer: got an int",
        ),
        (lambda: cc.inspect(NETS[0], (1, 3, 8.0)), "size must be an integer: 8.0"),
        (lambda: cc.inspect(NETS[0], (1, 3, 8, 8), train="yes"), "train must be True or False: 'yes'"),
        (lambda: cc.inspect(NETS[0], (1, 3, 8, 8), dtype="float17"), "unknown dtype 'float17'"),
        (lambda: RESULTS["Report"]["x"], "no layer 'x'"),
        (lambda: RESULTS["Comparison"]["x"], "no total 'x': there are params, macs, flops, activations"),
        (lambda: RESULTS["Legal"]["x"], "no axis 'x' here: there is H, W"),
        (lambda: RESULTS["Legal"].why_not(3, 4, 5), "sizes needs one value for all axes or 2, one for each: (3, 4, 5)"),
        (lambda: RESULTS["Legal"].why_not("a", 4), "H must be an integer: 'a'"),
        (lambda: RESULTS["Graph"]["x"], "no node 'x'"),
        (lambda: cc.read_stack(3), "a stack is text, as 'conv 64 k3 p1; maxpool 2': got 3"),
        (lambda: cc.transposed_by_matrix([1], [2]), "data must be a NumPy array of numbers: [1]"),
        (lambda: cc.run_chain(3, (1, 3, 8)), "a stack is made of layers, or text such as 'conv 64 k3 p1': got 3"),
    ],
)
def test_each_door_says_what_is_wrong(call, sentence):
    with pytest.raises(cc.ConvcalcError) as refusal:
        call()
    assert str(refusal.value).startswith(sentence)


def test_a_name_that_is_none_is_a_key_error_too():
    with pytest.raises(KeyError):
        RESULTS["Report"]["x"]


@pytest.mark.parametrize("sign", [operator.and_, operator.or_, operator.sub])
@pytest.mark.parametrize("result", ["SizeSet", "Boxes"])
def test_an_operator_on_something_else_is_python_s_error(result, sign):
    with pytest.raises(TypeError, match="unsupported operand"):
        sign(RESULTS[result], 3)


def test_one_size_for_all_axes_is_asked_for_once():
    assert RESULTS["Legal"].why_not(1).node == RESULTS["Legal"].why_not(1, 1).node


def test_a_floating_dtype_is_that_of_the_weights_too_and_the_module_keeps_its_own():
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(144, 5))
    params = sum(value.numel() for value in module.parameters())
    for dtype in ("float16", torch.float16, "float64", "bfloat16"):
        report = cc.inspect(module, (1, 3, 8, 8), dtype=dtype)
        assert report.error is None
        width = torch.empty(0, dtype=getattr(torch, str(dtype).removeprefix("torch."))).element_size()
        assert report.weight_bytes == params * width
    assert all(value.dtype is torch.float32 for value in module.parameters())


def test_every_analysis_takes_what_inspect_takes():
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.MaxPool2d(2))
    example = torch.zeros(2, 3, 10, 12)
    for function in (cc.inspect, cc.valid_sizes, cc.find_notes, cc.check):
        function(module, example_inputs=example, dtype="float32", train=True)
        function(module, input_size=(2, 3, 10, 12), dtype="float16", train=False)
    cc.compare(module, module, input_size=(2, 3, 10, 12), dtype="float16", train=True)
