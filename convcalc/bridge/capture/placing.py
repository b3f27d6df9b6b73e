"""Which axes of a model's inputs may have other sizes, and how these belong together: found by running it.

Letters stand on the axes after batch and channels. Where the model runs at no other sizes of those, they may lie
elsewhere (tokens, label maps, grids, samples without channels), or depend on each other: the columns of y are eight
for each of m. So each axis but the first gets a letter; the calls say which are formulas in others, and each of the
rest is one if the model runs with another size there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from convcalc.analysis.validity.ties import asked_of, fitting, put, solved
from convcalc.bridge.events import taken_at
from convcalc.layers.base import Shape
from convcalc.network.graph import Graph
from convcalc.sizes.axes import axis_names
from convcalc.sizes.expr import Expr

MORE = (1, 16)
"""What is added to a size, to see whether the model runs there."""

MOST = 12
"""The most axes that are tried."""


def place(
    shapes: Mapping[str, Shape], graph_of: Callable[[Sequence[Shape]], Graph], runs: Callable[[list[Shape]], bool]
) -> list[Shape] | None:
    """Return the shapes of the inputs with letters, or formulas of letters, where the model takes other sizes.

    `graph_of` captures it with such shapes, at `shapes`; `runs` says whether it runs at others. None where all sizes
    are what they are.
    """
    every = {
        name: (*shape[:1], *(Expr.symbol(f"size_{place}_{axis}") for axis in range(1, len(shape))))
        for place, (name, shape) in enumerate(shapes.items())
    }
    sizes = {
        str(letter): size
        for name, letters in every.items()
        for letter, size in zip(letters[1:], shapes[name][1:], strict=True)
    }
    if not 0 < len(sizes) <= MOST or 0 in sizes.values():
        return None
    asked = asked_of(graph_of([*every.values()]), every, sizes)
    tied = {
        name: formula
        for name, formula in solved(asked, list(sizes)).items()
        if not any(runs(_at(every, {**sizes, name: sizes[name] + more})) for more in MORE)
    }
    free = [name for name in sizes if name not in tied]

    def at(name: str, more: int) -> list[Shape] | None:
        first = {letter: sizes[letter] + (more if letter == name else 0) for letter in [name, *free]}
        values = fitting([put(one, tied) for one in asked if put(one, tied).symbols], first, list(first))
        if values is None:
            return None
        whole = {**values, **{letter: int(formula(**values)) for letter, formula in tied.items()}}
        return _at(every, whole)

    def varies(name: str) -> bool:
        return any(there is not None and runs(there) for there in (at(name, more) for more in MORE))

    letters = {name for name in free if varies(name)}
    letters -= {name for name in letters if _is_channels(name, every, letters, tied)}
    constant = {name: sizes[name] for name in free if name not in letters}
    known = {**constant, **{name: taken_at(formula, constant) for name, formula in tied.items()}}
    placed = {name: taken_at(shape, known) for name, shape in every.items()}
    return [*_named(placed).values()] if letters else None


def _at(letters: Mapping[str, Shape], sizes: Mapping[str, int]) -> list[Shape]:
    return [taken_at(shape, sizes) for shape in letters.values()]


def _is_channels(letter: str, every: Mapping[str, Shape], letters: set[str], tied: Mapping[str, Expr]) -> bool:
    """Whether a letter stands on the channels of inputs alone, as far as these have positions after them."""
    own = {letter, *(other for other, formula in tied.items() if letter in formula.symbols)}
    varying = {*letters, *(other for other, formula in tied.items() if formula.symbols & letters)}
    return all(
        axis == 1 and len(shape) > 2 and str(shape[-1]) in varying
        for shape in every.values()
        for axis, size in enumerate(shape)
        if str(size) in own
    )


def _named(placed: Mapping[str, Shape]) -> dict[str, Shape]:
    """The shapes with letters by their axes, as L; H, W: those of the first input bare, of another with its name."""
    called: dict[str, Expr] = {}
    for name, shape in placed.items():
        own = "".join(one if one.isalnum() else "_" for one in name)
        varying = [size for size in shape if isinstance(size, Expr)]
        for letter, size in zip(axis_names(len(varying)), varying, strict=True):
            if str(size) in size.symbols and str(size) not in called:
                taken = set(map(str, called.values()))
                ways = (letter, f"{letter}_{own}", *(f"{letter}_{own}_{place}" for place in range(2, MOST + 2)))
                called[str(size)] = Expr.symbol(next(one for one in ways if one not in taken))
    return {name: taken_at(shape, called) for name, shape in placed.items()}
