"""Why no stack meets a wish: the bound that forbids it is the one without which there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import gcd

from convcalc.designs.ahead import NEVER, Ahead, work
from convcalc.designs.search import best_stacks
from convcalc.designs.space import Space
from convcalc.designs.wish import LONGEST_FIELD, MOST_VALUES, Span, Wish

TRIED, QUICK, NEAR = 5_000, 400_000, 8
"""Partial stacks and steps looked at for each way out, and how far another field may be."""


@dataclass(frozen=True)
class Reason:
    """Why there is none: a sentence, and ways out that were tried, as options."""

    text: str
    fixes: tuple[str, ...] = ()


def why_none(wish: Wish) -> Reason:
    """Return the bound that forbids a wish that nothing meets, and what would do.

    >>> from convcalc.designs.wish import read_wish
    >>> why_none(read_wish(9, layers="..3")).text
    '--layers 1..3 forbids it: 4 layers do'
    """
    step = gcd(*(taps - 1 for taps in wish.kernel_size.values)) * gcd(*wish.dilation.values)
    field = Space(wish).field
    if field.most is not None and field.most < field.least:
        return Reason(f"--size forbids it: without padding a field of {field.least} does not fit into {min(wish.size)}")
    if wish.stride is not None and wish.stride not in Space(wish).scales:
        return Reason(
            f"--strides {wish.strides.text} forbids it: no product of these is {wish.stride}",
            tuple(fix for option, fix in _wider(wish) if option == "strides"),
        )
    near = tuple(f"--field {one}" for one in _near(wish))
    if field.least == field.most and step and (field.least - 1) % step:
        what = f"--k {wish.kernel_size.text}" + (f" with --dilation {wish.dilation.text}" if _dilates(wish) else "")
        fixes = tuple(fix for option, fix in _wider(wish) if option in ("k", "dilation"))
        return Reason(f"{what} forbids it: every layer makes the field a multiple of {step} longer", (*fixes, *near))
    for option, fix in _wider(wish):
        if option == "layers":
            layers = fix.removeprefix("--layers ")
            return Reason(f"--layers {wish.layers.text} forbids it: {layers} layers do", (fix, *near))
        if option == "holes":
            return Reason("all that would do have holes, which --holes lets pass", (fix, *near))
        given = {"k": wish.kernel_size, "dilation": wish.dilation, "strides": wish.strides}[option].text
        return Reason(f"--{option} {given} forbids it: {fix} would do", (fix, *near))
    return Reason("several bounds together forbid it: no single one, somewhat wider, was found to let one pass", near)


def _dilates(wish: Wish) -> bool:
    return wish.dilation != Span(1, 1)


def _wider(wish: Wish) -> Iterator[tuple[str, str]]:
    """Yield each bound that alone, wider, lets a stack pass, and the option that would do."""
    if wish.layers != Span(1, None) and (count := _layers(replace(wish, layers=Span(1, None)))):
        yield "layers", f"--layers {count}"
    top = min(wish.kernel_size.values[-1] + 4, 1000)
    for least, most in ((wish.kernel_size.least, top), (1, top)):
        span = Span(max(least, most - MOST_VALUES + 1), most)
        if span != wish.kernel_size and _layers(replace(wish, kernel_size=span)):
            yield "k", f"--k {span.text}"
            break
    for most in (wish.dilation.values[-1], 8, 64, MOST_VALUES):
        span = Span(1, min(most, LONGEST_FIELD))
        wider = span != wish.dilation and wish.dilation.values[-1] <= span.values[-1] and wish.padded
        if wider and _layers(replace(wish, dilation=span)):
            yield "dilation", f"--dilation {span.text}"
            break
    for most in (2, 4, 16, MOST_VALUES):
        span = Span(1, most)
        wider = span != wish.strides and wish.strides.values[-1] <= most and wish.stride is not None
        if wider and _layers(replace(wish, strides=span)):
            yield "strides", f"--strides {span.text}"
            break
    if not wish.holes and _layers(replace(wish, holes=True)):
        yield "holes", "--holes"


def _layers(wish: Wish) -> int | None:
    """The fewest layers of a stack that meets a wish; None where none does, or none is found at once."""
    if work(space := Space(wish)) > QUICK:
        return None
    least = Ahead(space, lambda cost: cost.layers).least(0, 1, 0, 0)
    if least >= NEVER:
        return None
    if wish.holes or len(wish.dilation.values) == 1:
        return least
    found = best_stacks(replace(wish, minimize="layers"), 1, TRIED).stacks
    return len(found[0]) if found else None


def _near(wish: Wish) -> list[int]:
    """The next field below and above that some stack has."""
    if work(Space(wish)) > QUICK // NEAR:
        return []
    below = (wish.field.least - by for by in range(1, min(NEAR, wish.field.least - 1) + 1))
    above = () if wish.field.most is None else range(wish.field.most + 1, wish.field.most + NEAR + 1)
    found = (
        next((one for one in fields if _layers(replace(wish, field=Span(one, one)))), None) for fields in (below, above)
    )
    return [field for field in found if field is not None]
