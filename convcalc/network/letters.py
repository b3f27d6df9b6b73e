"""Letters for the sizes of an input, whatever is asked: L; H, W; D, H, W on the axes after batch and channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from convcalc.errors import BadArgument
from convcalc.layers import Shape
from convcalc.sizes.axes import axis_names
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import is_symbolic


def with_letters(shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    """Return input shapes with letters for the numbers on spatial axes; inputs of one size share their letters.

    >>> with_letters({"image": (1, 3, 8, 9), "mask": (1, 1, 8, 9), "sound": (1, 2, 30)})
    {'image': (1, 3, H, W), 'mask': (1, 1, H, W), 'sound': (1, 2, L_sound)}
    """
    first: dict[Shape, str] = {}
    found = {}
    for name, shape in shapes.items():
        own = "".join(letter if letter.isalnum() else "_" for letter in name)  # "xs.1" is an entry of a list
        suffix = first.setdefault(shape[2:], f"_{own}" if first else "")
        letters = [
            size if is_symbolic(size) else Expr.symbol(f"{letter}{suffix}")
            for letter, size in zip(axis_names(max(0, len(shape) - 2)), shape[2:], strict=True)
        ]
        found[name] = (*shape[:2], *letters)
    return found


def sizes_asked(shapes: Mapping[str, Shape], captured: Sequence[Shape] = ()) -> dict[str, Shape]:
    """Return input shapes with letters for the sizes that are asked about: those that have one, else all of them.

    A capture has letters where they stand elsewhere, or depend on each other. Raises `BadArgument` where no input has
    a spatial size.

    >>> sizes_asked({"image": (1, 3, 8, 8)}), sizes_asked({"image": (1, 3, Expr.symbol("n"), 8)})
    ({'image': (1, 3, H, W)}, {'image': (1, 3, n, 8)})
    >>> sizes_asked({"m": (1, 8, 4), "y": (1, 32)}, [(1, 8, Expr.symbol("L")), (1, 8 * Expr.symbol("L"))])
    {'m': (1, 8, L), 'y': (1, 8*L)}
    """
    if any(isinstance(size, Expr) for shape in shapes.values() for size in shape):
        return dict(shapes)
    found = with_letters(shapes)
    if captured and tells_more(captured, tuple(found.values())):
        return dict(zip(shapes, captured, strict=True))
    if not any(len(shape) > 2 for shape in found.values()):
        given = ", ".join(f"({', '.join(map(str, shape))})" for shape in shapes.values())
        raise BadArgument(f"the input has no spatial axis: {given}; give a size a name to ask which it may have")
    return found


def tells_more(captured: Sequence[Shape], letters: Sequence[Shape]) -> bool:
    """Return whether captured letters stand on other axes than some others do, or depend on each other.

    >>> H, W = map(Expr.symbol, "HW")
    >>> [tells_more([shape], [(1, 3, H, W)]) for shape in ((1, 3, H, 8), (1, H, 8, 8), (1, 3, H, H // 2))]
    [False, True, True]
    """
    pairs = [pair for some in zip(captured, letters, strict=True) for pair in zip(*some, strict=True)]
    return any(
        isinstance(size, Expr) and not (isinstance(letter, Expr) and str(size) in size.symbols)
        for size, letter in pairs
    )
