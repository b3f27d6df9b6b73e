"""The legal sizes of axes that depend on each other, as boxes.

A condition on several sizes sees each of them only through a few values: h = H//4 - 2 and w = W//4 - 2 in
16*h*w = 400. The sizes of an axis with the same values are one class; a condition holds for all combinations of
sizes from the same classes or for none. So finitely many classes on each axis make an exact answer. They are
finitely many where the axis alone allows only finitely many sizes, where the conditions repeat as its size grows
((H*W) % 4), or where one is sure to fail from some size on, whatever the others are: h*w passes 25 once h does, as
w >= 1; or where all are sure to hold from some size on: h*w >= 2 from h = 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convcalc.analysis.validity.conditions import Condition, Refusal
from convcalc.analysis.validity.divisors import by_divisors
from convcalc.analysis.validity.one_axis import near
from convcalc.analysis.validity.quotients import parts
from convcalc.sizes.atoms import Floor
from convcalc.sizes.boxes import Boxes
from convcalc.sizes.expr import Expr
from convcalc.sizes.quasiaffine import quasi_affine
from convcalc.sizes.sets import SizeSet, every, only, union
from convcalc.sizes.signs import keeps_sign_from

CELLS = 10_000_000
"""The most combinations of classes that are tried."""

MOST = 4096
"""The longest period that is tried where conditions on several sizes repeat."""


@dataclass(frozen=True)
class Solved:
    """The boxes that pass all conditions, and what each condition refused first."""

    boxes: Boxes
    refused: tuple[Refusal, ...]


def solve(conditions: Sequence[Condition], domains: Mapping[str, SizeSet]) -> Solved | None:
    """Return which sizes of `domains` pass all conditions, exactly; None where that is not decided.

    >>> from convcalc.sizes.expr import Expr
    >>> from convcalc.errors import BadShape
    >>> from convcalc.sizes.sets import every
    >>> H, W = Expr.symbol("H"), Expr.symbol("W")
    >>> area = (H // 4 - 2) * (W // 4 - 2)
    >>> refuse = lambda at: BadShape("no")
    >>> found = solve([Condition(area - 25, refuse), Condition(25 - area, refuse)], {"H": every(12), "W": every(12)})
    >>> found.boxes.lines()
    ['H in 12..15, W in 108..111', 'H in 28..31, W in 28..31', 'H in 108..111, W in 12..15']
    """
    axes = tuple(domains)
    if not conditions or not all(domains.values()):
        return Solved(Boxes(axes, (tuple(domains.values()),)), ())
    few = None if all(one.is_finite for one in domains.values()) else by_divisors(conditions, domains)
    if few is not None:
        solved = solve(conditions, few)
        return None if solved is None else Solved(solved.boxes, tuple(_elsewhere(conditions, domains, solved)))
    classes = []
    for axis in axes:
        found = _classes(axis, conditions, domains)
        if found is None:
            return None
        classes.append(found)
    if math.prod(map(len, classes)) > CELLS:
        return _one_by_one(axes[0], classes[0], conditions, domains)
    return grid(axes, classes, conditions)


def _elsewhere(conditions: Sequence[Condition], domains: Mapping[str, SizeSet], found: Solved) -> Iterator[Refusal]:
    """What refuses the sizes that were never tried: one condition at least, as a divisor that is too small."""
    yield from found.refused
    known = {condition for condition, _, _ in found.refused}
    for which in (0, 1, 2, 64):
        sizes = {axis: near(domain, (domain.smallest or 0) + which) for axis, domain in domains.items()}
        for condition in conditions:
            if condition not in known and condition.value(**sizes) < 0:
                known.add(condition)
                yield Refusal(condition, None, sizes)


def _one_by_one(
    axis: str, classes: Sequence[SizeSet], conditions: Sequence[Condition], domains: Mapping[str, SizeSet]
) -> Solved | None:
    """Solve what is left for each class of one axis: with one size fixed, fewer of the others fit."""
    others = {name: domain for name, domain in domains.items() if name != axis}
    same: dict[tuple[tuple[SizeSet, ...], ...], list[SizeSet]] = {}
    refused: dict[Condition, Refusal] = {}
    for one in classes:
        n = next(iter(one))
        values = {old: Expr.const(0) + old.value(**{axis: n}) for old in conditions}
        broken = [old for old, value in values.items() if value.is_constant and value.constant < 0]
        if broken:
            smallest = {name: next(iter(domain)) for name, domain in others.items()}
            refused.setdefault(broken[0], Refusal(broken[0], None, {axis: n, **smallest}))
            continue
        put = {Condition(value, old.error, old.kind): old for old, value in values.items() if not value.is_constant}
        found = solve(list(put), others)
        if found is None:
            return None
        same.setdefault(found.boxes.boxes, []).append(one)
        for condition, _, example in found.refused:
            refused.setdefault(put[condition], Refusal(put[condition], None, {axis: n, **example}))
    boxes = tuple((union(ones), *box) for rest, ones in same.items() for box in rest)
    return Solved(Boxes((axis, *others), boxes), tuple(refused.values()))


def grid(axes: Sequence[str], classes: Sequence[Sequence[SizeSet]], conditions: Sequence[Condition]) -> Solved:
    """Try every combination of classes, by the smallest size of each.

    >>> from convcalc.errors import BadShape
    >>> square = Expr.symbol("H") - Expr.symbol("W")
    >>> refuse = lambda at: BadShape("no")
    >>> sizes = [only([3]), only([4])]
    >>> grid(("H", "W"), (sizes, sizes), [Condition(square, refuse), Condition(-square, refuse)]).boxes.lines()
    ['H is 3, W is 3', 'H is 4, W is 4']
    """
    smallest = [np.array([one.smallest for one in found], np.int64) for found in classes]
    sizes = dict(zip(axes, np.ix_(*smallest), strict=True))
    shape = tuple(map(len, classes))
    fits = np.ones(shape, bool)
    refused = []
    for condition in conditions:
        holds = np.broadcast_to(condition.holds(sizes), shape)
        broken = fits & ~holds
        if broken.any():
            place = np.unravel_index(int(broken.argmax()), shape)
            example = {axis: int(n[i]) for axis, n, i in zip(axes, smallest, place, strict=True)}
            sizes_of_one = union([classes[0][i] for i in np.flatnonzero(broken).tolist()]) if len(axes) == 1 else None
            refused.append(Refusal(condition, sizes_of_one, example))
            fits = fits & holds
    return Solved(Boxes(tuple(axes), tuple(_boxes(fits, classes))), tuple(refused))


def _boxes(fits: Any, classes: Sequence[Sequence[SizeSet]]) -> Iterator[tuple[SizeSet, ...]]:
    """Boxes for the combinations that fit: classes of the first axis with the same rest share one."""
    first, *others = classes
    if not others:
        if fits.any():
            yield (union([one for one, fit in zip(first, fits, strict=True) if fit]),)
        return
    same: dict[bytes, list[int]] = {}
    for place, rest in enumerate(fits):
        same.setdefault(rest.tobytes(), []).append(place)
    for places in same.values():
        for box in _boxes(fits[places[0]], others):
            yield (union([first[place] for place in places]), *box)


# -- classes of one axis -----------------------------------------------------------------------------------------


def _classes(axis: str, conditions: Sequence[Condition], domains: Mapping[str, SizeSet]) -> list[SizeSet] | None:
    """The sizes of `axis` in classes that the conditions do not tell apart; None where these have no end."""
    values = [condition.value for condition in conditions]
    domain = domains[axis]
    if domain.is_finite:
        return _alike(values, axis, domain.finite)
    period = _period(values, axis)
    if period is not None:
        period = math.lcm(period, domain.modulus)
        start = domain.minimum
        endless = [SizeSet(period, (n % period,), start) for n in range(start, start + period) if n in domain]
        return [*(only([n]) for n in domain.finite), *endless]
    corner = {name: next(iter(one)) for name, one in domains.items()}
    own = [value for value in values if axis in value.symbols]
    fails = [keeps_sign_from(value, axis, corner, -1) for value in own]
    end = min((end for end in fails if end is not None), default=CELLS + 1)
    if end <= CELLS:
        return _alike(values, axis, domain.below(end))
    holds = [keeps_sign_from(value, axis, corner, 1) for value in own]
    known = [end for end in holds if end is not None]
    if len(known) < len(own) or max(known) > CELLS:
        return None
    beyond = domain & every(max(known))  # one class: all holds there
    return [*_alike(values, axis, [n for n in domain.below(max(known)) if n not in beyond]), beyond]


def _period(values: Sequence[Expr], axis: str) -> int | None:
    """A number by which the size of `axis` may grow without changing any of `values`, if one is seen.

    Equal normal forms are equal for all sizes: 2*((H*W)//2) - H*W is the same for H + 2.
    """
    seen = (quasi_affine(part) for value in values for part in _seen(value, axis))
    own = math.lcm(*(form.period for form in seen if form is not None))
    outer = math.lcm(*(number for value in values for number in _denominators(value)))
    for period in (own * outer, own * outer**2):
        if period <= MOST and all(value(**{axis: Expr.symbol(axis) + period}) == value for value in values):
            return period
    return None


def _denominators(value: Expr) -> Iterator[int]:
    """The numbers by which something that depends on several sizes is divided."""
    for atom in (atom for product in value.terms for atom, _ in product if len(atom.symbols) > 1):
        if isinstance(atom, Floor) and atom.denominator.is_constant:
            yield atom.modulus
        for part in parts(atom):
            yield from _denominators(part)


def _alike(values: Sequence[Expr], axis: str, members: Sequence[int]) -> list[SizeSet]:
    """`members` by what `values` see of them."""
    seen = sorted({part for value in values for part in _seen(value, axis)}, key=str)
    sizes = np.array(members, np.int64)
    with np.errstate(divide="ignore"):
        columns = [part(**{axis: sizes}).tolist() for part in seen]
    groups: dict[tuple[int, ...], list[int]] = {}
    for n, *entries in zip(members, *columns, strict=True):
        groups.setdefault(tuple(entries), []).append(n)
    return [only(group) for group in groups.values()]


def _seen(value: Expr, axis: str) -> Iterator[Expr]:
    """The largest parts of `value` that depend on `axis` alone, as far as atoms go."""
    for atom in (atom for product in value.terms for atom, _ in product if axis in atom.symbols):
        if atom.symbols == {axis}:
            yield Expr.atom(atom)
        else:
            for part in parts(atom):
                yield from _seen(part, axis)
