"""A call that convcalc does not know: its shapes were measured once, and nothing is said of other sizes."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.errors import BadShape, Unknown
from convcalc.layers.base import Layer, Shape, named, product, written
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size


@dataclass(frozen=True, eq=False, repr=False)
class Opaque(Layer):
    """What gave `shapes` for inputs of the shapes `seen`; at other sizes its shapes are unknown. `why` says why.

    >>> nms = Opaque("nms", shapes=((100, 4),), seen=((1, 100, 4),))
    >>> nms.out_shape((1, 100, 4))
    (100, 4)
    >>> nms.out_shape((1, 200, 4))
    Traceback (most recent call last):
    ...
    convcalc.errors.Unknown: what nms gives is known for (1, 100, 4) alone: got (1, 200, 4)
    """

    op: ClassVar[str] = named("function")
    takes: ClassVar[tuple[int, int | None]] = (0, None)
    is_known: ClassVar[bool] = False
    hides: ClassVar[bool] = named("reads_input")
    function: str
    _: KW_ONLY
    shapes: tuple[Shape, ...]
    seen: tuple[Shape, ...]
    why: str = "an unknown function"
    mac_count: int | None = None
    reads_input: bool = True
    """Whether what was seen to read nothing may depend on the network's input all the same."""
    unread: int = 0  # type: ignore[misc]
    """How many of its last inputs are there as their sizes may decide its shapes."""

    @property
    def outputs(self) -> int:
        """As many as were seen."""
        return len(self.shapes)

    @property
    def is_counted(self) -> bool:
        """Whether they were measured."""
        return self.mac_count is not None

    @property
    def depends_on_sizes(self) -> bool:
        """Never: what is known are numbers."""
        return False

    def arguments(self) -> dict[str, str]:
        """Why nothing more is known."""
        return {"opaque": self.why}

    def out_shape(self, *shapes: Shape, check: Check = enforce) -> Shape:
        """The first shape that was seen."""
        return self.out_shapes(*shapes, check=check)[0]

    def out_shapes(self, *shapes: Shape, check: Check = enforce) -> tuple[Shape, ...]:
        """The shapes seen, for the inputs they were seen for."""
        if any(not _same(shape, seen) for shape, seen in zip(shapes, self.seen, strict=True)):
            known, got = (" and ".join(map(written, some)) for some in (self.seen, shapes))
            raise Unknown(f"what {self.function} gives is known for {known} alone: got {got}")
        return self.shapes

    def macs(self, *shapes: Shape) -> Size:
        """Those that were measured, or none that are known."""
        return self.mac_count or 0


def _same(shape: Shape, seen: Shape) -> bool:
    return len(shape) == len(seen) and all(
        isinstance(size, int) and size == known for size, known in zip(shape, seen, strict=True)
    )


@dataclass(frozen=True, eq=False, repr=False)
class Remade(Layer):
    """A tensor of `sizes` from all values of another, in a way that is not followed: `as_strided`, `histc`.

    >>> Remade("as_strided", (4, 4)).out_shape((10,))
    (4, 4)
    """

    op: ClassVar[str] = named("function")
    function: str
    sizes: Shape
    _: KW_ONLY
    needs: Size = 0
    """How many values it must have."""

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The sizes."""
        have = product(shape)
        check(
            have - self.needs,
            lambda at: BadShape(
                f"{self.op} reaches {at(self.needs)} values from the first on, and {written(shape, at)} has {at(have)}"
            ),
        )
        return self.sizes
