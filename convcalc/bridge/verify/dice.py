"""Random numbers for cases: sizes and hyper-parameters, legal and not."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from convcalc.layers import Layer


@dataclass(frozen=True)
class Case:
    """A layer, and the shape of the input it is given.

    >>> from convcalc.layers.pool import MaxPool
    >>> Case(MaxPool(2), (1, 3, 8, 8)).layer.out_shape((1, 3, 8, 8))
    (1, 3, 4, 4)
    """

    layer: Layer
    shape: tuple[int, ...]

    @property
    def axes(self) -> int:
        """The number of spatial axes, as the layer or else the shape says.

        >>> from convcalc.layers.pool import MaxPool
        >>> Case(MaxPool(2), (1, 3, 8, 8)).axes
        2
        """
        return len(self.shape) - 2 if self.layer.axes is None else self.layer.axes


Words: TypeAlias = dict[str, Any]


BAD: dict[str, tuple[float, ...]] = {
    "kernel_size": (0, -1),
    "stride": (0, -1),
    "padding": (-1,),
    "dilation": (0, -1),
    "groups": (0, -1),
    "output_padding": (-1, 3),
    "output_size": (0, -1),
    "size": (0, -1),
    "scale_factor": (0.0, -1.5),
}
"""Values of the hyper-parameters that are bad, or may be."""


@dataclass
class Dice:
    """Draws for a case on some axes, each from one `random()`: quick, and hypothesis shrinks it to the first value."""

    rng: random.Random
    axes: int

    def __post_init__(self) -> None:
        self.rank = self.rng.random()

    @property
    def word(self) -> int | None:
        """The number of axes where the layer must name it, as `case` takes the batch away, and else now and then."""
        return self.axes if self.rank < 0.15 or self.rank > 0.7 else None

    def chance(self, probability: float) -> bool:
        """Whether something of this probability happens."""
        return self.rng.random() < probability

    def number(self, low: int, high: int) -> int:
        """A number from `low` to `high`, both among them."""
        return low + int(self.rng.random() * (high - low + 1))

    def pick(self, *values: Any) -> Any:
        """One of the values."""
        return values[int(self.rng.random() * len(values))]

    def each(self, low: int, high: int) -> tuple[int, ...]:
        """One number for each axis; half of the time they agree."""
        if self.chance(0.5):
            return (self.number(low, high),) * self.axes
        return tuple(self.number(low, high) for _ in range(self.axes))

    def put(self, value: Any, *others: Any) -> Any:
        """`value` with one of `others` in one place, or one of them alone where it has no places."""
        if not isinstance(value, tuple):
            return self.pick(*others)
        place = self.number(0, len(value) - 1)
        return (*value[:place], self.pick(*others), *value[place + 1 :])

    def spoil(self, words: Words, probability: float = 0.25) -> Words:
        """Now and then `words` with a bad value for one of them, or a value for one axis too many."""
        if self.chance(probability):
            name = self.pick(*(name for name in BAD if words.get(name) is not None))
            words = {**words, name: self.put(words[name], *BAD[name])}
        if self.chance(0.02) and isinstance(words.get("kernel_size"), tuple):
            words = {**words, "kernel_size": (*words["kernel_size"], 1)}
        return words

    def short(self, words: Words) -> Words:
        """`words` with one value for all axes where they agree, now and then."""
        return {
            name: value[0] if isinstance(value, tuple) and len(set(value)) == 1 and self.chance(0.7) else value
            for name, value in words.items()
        }

    def sizes(self, spans: Iterable[int]) -> tuple[int, ...]:
        """Sizes into which windows that span so much fit, by a little or more; now and then they just do not."""
        slack, misfit = SLACK[self.axes], 0.12 / self.axes
        return tuple(max(1, span + (-1 if self.chance(misfit) else self.number(0, slack))) for span in spans)

    def case(self, layer: Layer, channels: int, sizes: tuple[int, ...]) -> Case:
        """Give `layer`, whose axes are `word`, an input: some without a batch, empty, or of a wrong rank."""
        shape = (self.number(1, 2), channels, *sizes)
        if self.chance(0.06):
            shape = (0, *shape[1:])
        if self.chance(0.05 if shape[0] else 0.5):  # where there is nothing anyway, a size of 0 may be legal
            shape = (shape[0], *self.put(shape[1:], 0))
        if self.rank < 0.12:
            return Case(layer, shape[1:])
        return Case(layer, self.pick(shape[2:], (1, *shape)) if self.rank < 0.15 else shape)


SLACK = {1: 9, 2: 5, 3: 3}
"""By how much an input outgrows the kernel, at most, for a number of axes."""
