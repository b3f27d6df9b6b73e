"""Recurrent networks: each step reads the one before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.errors import BadArgument, BadShape
from convcalc.footprints.field import Field
from convcalc.footprints.stencils import everything, everything_before, identity
from convcalc.layers.base import Layer, Shape, must_end_with, must_equal, named, product, written
from convcalc.sizes.conditions import Check, Reader, enforce
from convcalc.sizes.size import Size

GATES = {"rnn": 1, "gru": 3, "lstm": 4}
"""How many linear maps of input and state each kind has."""


@dataclass(frozen=True, eq=False, repr=False)
class Recurrent(Layer):
    """An RNN, GRU or LSTM (torch's `RNN`, `GRU`, `LSTM`) on (T, N, features); with `batch_first` on (N, T, features).

    The outputs are those of all steps and the last hidden state, of an LSTM also the last cell state. Initial states
    may follow the input.

    >>> lstm = Recurrent("lstm", 64, input_size=32, batch_first=True, bidirectional=True)
    >>> lstm.out_shapes((1, 100, 32))
    ((1, 100, 128), (2, 1, 64), (2, 1, 64))
    >>> lstm.params((1, 100, 32)), lstm.macs((1, 100, 32))
    (50176, 4915200)
    """

    op: ClassVar[str] = named("kind")
    takes: ClassVar[tuple[int, int | None]] = (1, 3)
    kind: str
    hidden_size: int
    _: KW_ONLY
    input_size: int | None = None
    num_layers: int = 1
    bias: bool = True
    batch_first: bool = False
    bidirectional: bool = False
    proj_size: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in GATES:
            raise BadArgument(f"unknown kind {self.kind!r}: use one of {', '.join(GATES)}")

    @property
    def outputs(self) -> int:
        """Steps and states."""
        return 3 if self.kind == "lstm" else 2

    @property
    def directions(self) -> int:
        """1, or 2 where it also runs backwards."""
        return 2 if self.bidirectional else 1

    def out_shape(self, shape: Shape, /, *states: Shape, check: Check = enforce) -> Shape:
        """(T, N, directions * hidden_size), in the order of the input."""
        if len(shape) not in (2, 3):
            raise BadShape(f"{self.kind} takes (T, N, features) or (T, features): got {written(shape)}")
        must_end_with("input_size", self.input_size, shape, check)
        return (*shape[:-1], self.directions * (self.proj_size or self.hidden_size))

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """All steps, and the last states (layers * directions, N, size)."""
        shape = shapes[0]
        steps = self.out_shape(*shapes, check=check)
        batch = () if len(shape) == 2 else (shape[0 if self.batch_first else 1],)
        states = [(self.num_layers * self.directions, *batch, self.proj_size or self.hidden_size)]
        if self.kind == "lstm":
            states.append((self.num_layers * self.directions, *batch, self.hidden_size))
        return (steps, *states)

    def _matrices(self, shape: Shape) -> tuple[Size, Size]:
        """The elements of all weight matrices, and of all biases."""
        gates, hidden, out = GATES[self.kind], self.hidden_size, self.proj_size or self.hidden_size
        first = shape[-1] if self.input_size is None else self.input_size
        inputs = first + (self.num_layers - 1) * self.directions * out
        each = gates * hidden * (inputs + self.num_layers * out) + self.num_layers * self.proj_size * hidden
        biases = 2 * gates * hidden * self.num_layers if self.bias else 0
        return self.directions * each, self.directions * biases

    def params(self, shape: Shape, /, *states: Shape) -> Size:
        """Matrices for input and state of each gate, and two biases each."""
        matrices, biases = self._matrices(shape)
        return matrices + biases

    def macs(self, shape: Shape, /, *states: Shape) -> Size:
        """Steps * elements of all matrices; products of gates alone are not counted."""
        return product(shape[:-1]) * self._matrices(shape)[0]

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Each step reads those before, or all; the states read all. Unknown where the two look alike."""
        (field, *states), shape = fields, shapes[0]
        steps, *ends = self.out_shapes(*shapes)
        if any(state.reads_anything for state in states) or steps in ends:
            return Field.unknown(len(field.axes))
        time, last = 1 if self.batch_first and len(shape) == 3 else 0, len(shape) - 1
        if output == steps:
            along = identity() | everything() if self.bidirectional else everything_before()
            return field.over(shape, {time: along, last: everything()}, output)
        one = tuple(1 if axis in (time, last) else size for axis, size in enumerate(shape))
        batch = tuple(size for axis, size in enumerate(one) if axis != time)
        ended = field.over(shape, {time: everything(), last: everything()}, one)
        return ended.viewed(one, batch).served(batch, output)


@dataclass(frozen=True, eq=False, repr=False)
class RecurrentCell(Layer):
    """One step of an RNN, GRU or LSTM (torch's `RNNCell`, `GRUCell`, `LSTMCell`) on (N, features) and the last states.

    The output is the hidden state; of an LSTM also the cell state.

    >>> cell = RecurrentCell("lstm", 7, input_size=5)
    >>> cell.out_shapes((2, 5), (2, 7), (2, 7)), cell.params((2, 5)), cell.macs((2, 5))
    (((2, 7), (2, 7)), 392, 672)
    """

    takes: ClassVar[tuple[int, int | None]] = (2, 3)
    kind: str
    hidden_size: int
    _: KW_ONLY
    input_size: int
    bias: bool = True

    @property
    def op(self) -> str:
        """The kind, as a cell."""
        return f"{self.kind}cell"

    @property
    def outputs(self) -> int:
        """Hidden state, and cell state."""
        return 2 if self.kind == "lstm" else 1

    def out_shape(self, shape: Shape, /, *states: Shape, check: Check = enforce) -> Shape:
        """(N, hidden_size)."""
        if len(shape) not in (1, 2):
            raise BadShape(f"{self.op} takes (N, features) or (features,): got {written(shape)}")
        for given, wanted in [(shape, self.input_size), *((state, self.hidden_size) for state in states)]:
            must_equal(given[-1], wanted, check, self._refusal(given, wanted))
        return (*shape[:-1], self.hidden_size)

    def _refusal(self, shape: Shape, wanted: int) -> Callable[[Reader], BadShape]:
        return lambda at: BadShape(
            f"{self.op} takes {wanted} on the last axis of {written(shape, at)}",
            rule="the last axes equal input_size and hidden_size",
        )

    def params(self, shape: Shape, /, *states: Shape) -> Size:
        """Matrices for input and state of each gate, and two biases each."""
        return GATES[self.kind] * self.hidden_size * (self.input_size + self.hidden_size + 2 * self.bias)

    def macs(self, shape: Shape, /, *states: Shape) -> Size:
        """Rows * elements of the matrices."""
        return product(shape[:-1]) * GATES[self.kind] * self.hidden_size * (self.input_size + self.hidden_size)
