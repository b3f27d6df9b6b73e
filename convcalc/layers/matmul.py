"""Linear maps, products of matrices, and sums of products by index."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.arithmetic.formulas import at_least
from convcalc.errors import BadArgument, BadShape
from convcalc.footprints.field import Field, unite
from convcalc.footprints.stencils import everything
from convcalc.layers.base import Layer, Shape, must_end_with, must_equal, product, written
from convcalc.layers.merge import Combine, broadcast
from convcalc.sizes.conditions import Check, Reader, enforce
from convcalc.sizes.size import Size


@dataclass(frozen=True, eq=False, repr=False)
class Matmul(Layer):
    """The product of matrices in the last two axes, the axes before them broadcast (torch's `matmul`, `@`, `bmm`).

    >>> Matmul().out_shape((8, 3, 197, 64), (8, 3, 64, 197)), Matmul().macs((8, 3, 197, 64), (8, 3, 64, 197))
    ((8, 3, 197, 197), 59610624)
    """

    takes: ClassVar[tuple[int, int | None]] = (2, 2)

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """(..., rows of a, columns of b); a vector is a row before and a column after."""
        a, b = shapes
        if not a or not b:
            raise BadShape("matmul takes tensors of 1 axis or more")
        must_equal(
            a[-1],
            b[-2] if len(b) > 1 else b[0],
            check,
            lambda at: BadShape(
                f"matmul takes as many columns as rows: got {written(a, at)} and {written(b, at)}",
                rule="columns of the first == rows of the second",
            ),
        )
        batch = Combine("matmul").out_shape(a[:-2], b[:-2], check=check) if len(a) > 2 or len(b) > 2 else ()
        return (*batch, *(a[-2:-1] if len(a) > 1 else ()), *(b[-1:] if len(b) > 1 else ()))

    def macs(self, *shapes: Shape) -> Size:
        """Output elements * columns of the first."""
        return product(self.out_shape(*shapes)) * shapes[0][-1]

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Everything along columns of the first and rows of the second; each keeps its other axes."""
        (a, b), (left, right) = fields, shapes
        rows, columns = left if len(left) > 1 else (1, *left), right if len(right) > 1 else (*right, 1)
        batch = output[: len(output) - (len(left) > 1) - (len(right) > 1)]
        wide = (*batch, rows[-2], columns[-1])
        ours, theirs = (*rows[:-1], 1), (*columns[:-2], 1, columns[-1])
        first = a.viewed(left, rows).over(rows, {len(rows) - 1: everything()}, ours).served(ours, wide)
        second = b.viewed(right, columns).over(columns, {len(columns) - 2: everything()}, theirs).served(theirs, wide)
        return unite((first, second), wide).viewed(wide, output)


@dataclass(frozen=True, eq=False, repr=False)
class Einsum(Layer):
    """A sum of products by index (torch's `einsum`), `equation` such as "bhqd,bhkd->bhqk".

    >>> Einsum("bqd,bkd->bqk").out_shape((1, 4, 8), (1, 6, 8)), Einsum("bqd,bkd->bqk").macs((1, 4, 8), (1, 6, 8))
    ((1, 4, 6), 192)
    """

    memory: ClassVar[str] = "mixed"
    takes: ClassVar[tuple[int, int | None]] = (1, None)
    equation: str

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The sizes of the output's letters, in order."""
        sizes, output = self._sizes(shapes, check)
        return tuple(sizes[letter] for letter in output)

    def macs(self, *shapes: Shape) -> Size:
        """The sizes of two tensors' letters multiplied; 0 where none that they share is summed over, as for one tensor.

        A letter of one tensor alone that is summed over is summed first. Three tensors or more are multiplied two by
        two, from left to right.
        """
        if len(shapes) < 2:
            return 0
        sizes, output = self._sizes(shapes, enforce)
        terms, _ = self._letters(shapes)
        total: Size = 0
        left = terms[0]
        for place, right in enumerate(terms[1:], 2):
            later = set(output).union(*terms[place:])
            if (set(left) & set(right)) - later:
                kept = [a for a in dict.fromkeys(left + right) if a in later or (a in left and a in right)]
                total = total + product([sizes[letter] for letter in kept])
            left = "".join(letter for letter in dict.fromkeys(left + right) if letter in later)
        return total

    def _letters(self, shapes: Sequence[Shape]) -> tuple[list[str], str]:
        """The letters of each operand and of the output, an ellipsis written out."""
        inputs, arrow, output = self.equation.replace(" ", "").partition("->")
        terms = inputs.split(",")
        if len(terms) != len(shapes):
            raise BadShape(f"einsum {self.equation!r} takes {len(terms)} tensors: got {len(shapes)}")
        spare = [letter for letter in string.ascii_letters if letter not in self.equation]
        dots = max(
            (len(shape) - len(term) + 3 for term, shape in zip(terms, shapes, strict=True) if "..." in term), default=0
        )
        names = "".join(spare[:dots])
        written_out = []
        for term, shape in zip(terms, shapes, strict=True):
            own = len(shape) - len(term) + 3
            letters = term.replace("...", names[len(names) - own :] if own else "")
            if len(letters) != len(shape):
                raise BadShape(f"einsum {self.equation!r}: {term!r} does not name the axes of {written(shape)}")
            written_out.append(letters)
        if not arrow:
            counts = "".join(terms).replace(".", "")
            output = ("..." if "..." in inputs else "") + "".join(
                sorted(l for l in set(counts) if counts.count(l) == 1)
            )
        return written_out, output.replace("...", names)

    def _sizes(self, shapes: Sequence[Shape], check: Check) -> tuple[dict[str, Size], str]:
        terms, output = self._letters(shapes)
        sizes: dict[str, Size] = {}
        for term, shape in zip(terms, shapes, strict=True):
            for letter, size in zip(term, shape, strict=True):
                known = sizes.get(letter)
                sizes[letter] = (
                    size if known is None else broadcast(known, size, check, self._unequal(letter, known, size))
                )
        missing = [letter for letter in output if letter not in sizes]
        if missing:
            raise BadArgument(f"einsum {self.equation!r} has no input with {', '.join(missing)}")
        return sizes, output

    def _unequal(self, letter: str, a: Size, b: Size) -> Callable[[Reader], BadShape]:
        return lambda at: BadShape(f"einsum {self.equation!r}: {letter} is {at(a)} and {at(b)}")

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Everything along the letters that are summed over; the others keep their positions."""
        terms, letters = self._letters(shapes)
        return unite(
            [
                _placed(field, shape, term, letters, output)
                for field, shape, term in zip(fields, shapes, terms, strict=True)
            ],
            output,
        )


def _placed(field: Field, shape: Shape, term: str, letters: str, output: Shape) -> Field:
    """The field of one tensor of a product, on the axes of the output."""
    if not field.reads_anything:
        return field
    if len(set(term)) < len(term):  # a diagonal
        return Field.unknown(len(field.axes))
    summed = {axis: everything() for axis, letter in enumerate(term) if letter not in letters}
    kept = tuple(1 if axis in summed else size for axis, size in enumerate(shape))
    places = [letters.index(letter) if letter in letters else None for letter in term]
    wide = tuple(shape[term.index(letter)] if letter in term else 1 for letter in letters)
    return field.over(shape, summed, kept).moved(kept, places, wide).served(wide, output)


@dataclass(frozen=True, eq=False, repr=False)
class Linear(Layer):
    """A linear map of the last axis (torch's `Linear`): y = xAᵀ + b.

    `in_features` is the size of the last axis unless given; given, other input sizes are refused.

    >>> Linear(120).out_shape((1, 400)), Linear(120).params((1, 400)), Linear(120).macs((1, 400))
    ((1, 120), 48120, 48000)
    """

    torch_order: ClassVar[tuple[str, ...]] = ("in_features", "out_features", "bias")
    out_features: int
    _: KW_ONLY
    in_features: int | None = None
    bias: bool = True

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """(..., out_features); the last axis must equal in_features where that is given."""
        if not shape:
            raise BadShape("linear takes a shape of 1 axis or more: got ()")
        at_least(1, check, out_features=self.out_features)
        must_end_with("in_features", self.in_features, shape, check)
        return (*shape[:-1], self.out_features)

    def through(self, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field:
        """Everything along the last axis."""
        return fields[0].over(shapes[0], {len(output) - 1: everything()}, output)

    def adds_bias(self, output: Shape) -> bool:
        """With a bias, unless features are positions."""
        return self.bias and len(output) == 2

    def params(self, shape: Shape, /) -> Size:
        """in_features * out_features, plus out_features with a bias."""
        wanted = shape[-1] if self.in_features is None else self.in_features
        return wanted * self.out_features + (self.out_features if self.bias else 0)

    def macs(self, shape: Shape, /) -> Size:
        """Output elements * in_features."""
        wanted = shape[-1] if self.in_features is None else self.in_features
        return product(shape[:-1]) * wanted * self.out_features
