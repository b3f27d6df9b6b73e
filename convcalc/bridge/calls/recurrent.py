"""Calls of recurrent networks and of their cells."""

from __future__ import annotations

from typing import Any

from convcalc.bridge.calls.arguments import arranged, plain, several
from convcalc.bridge.calls.registry import NotKnown, Spec, is_tensor, spec
from convcalc.layers import Recurrent, RecurrentCell
from convcalc.layers.recurrent import GATES

_ORDER = "input hx weights has_biases=None num_layers=1 dropout=0.0 train=False bidirectional=False batch_first=False"


def _recurrent(kind: str) -> Any:
    def made(given: Any) -> Spec:
        hx, weights = given.hx, given.weights
        if is_tensor(weights) or is_tensor(hx) is (kind == "lstm"):  # (values, batch sizes, states, weights, ...)
            raise NotKnown("a packed sequence, whose lengths are values")
        rows, projected = weights[1].shape  # the map of the hidden state: (gates * hidden, hidden or its projection)
        hidden = rows // GATES[kind]
        layer = Recurrent(
            kind,
            hidden,
            input_size=weights[0].shape[1],
            num_layers=plain(given.num_layers),
            bias=bool(given.has_biases),
            batch_first=bool(given.batch_first),
            bidirectional=bool(given.bidirectional),
            proj_size=0 if projected == hidden else projected,
        )
        return Spec(layer, (given.input, *several(hx)), tuple(weights))

    return arranged(_ORDER, made)


def one_step(function: Any, args: Any, kwargs: Any, layer: Recurrent) -> Any:
    """Run a recurrent call on meta for its first step alone; the outputs of all steps have that shape, longer.

    torch unrolls every step there, though none has a value.
    """
    whole = args[0]
    time = 1 if layer.batch_first and whole.dim() == 3 else 0
    if whole.device.type != "meta" or whole.shape[time] < 2:
        return function(*args, **kwargs)
    steps, *states = function(whole.narrow(time, 0, 1), *args[1:], **kwargs)
    shape = [whole.shape[axis] if axis == time else size for axis, size in enumerate(steps.shape)]
    return (steps.new_empty(shape), *states)


def _cell(kind: str) -> Any:
    def made(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Spec:
        layer = RecurrentCell(kind, w_hh.shape[1], input_size=w_ih.shape[1], bias=b_ih is not None)
        return Spec(layer, (input, *several(hx)), (w_ih, w_hh, b_ih, b_hh))

    return made


for _kind, _names in {"lstm": ("lstm",), "gru": ("gru",), "rnn": ("rnn_tanh", "rnn_relu")}.items():
    spec(*_names)(_recurrent(_kind))
    spec(*(f"{name}_cell" for name in _names))(_cell(_kind))
