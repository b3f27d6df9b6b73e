"""The signs of formulas: whether one is nowhere below 0, from where on it keeps its sign, its least and most."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product as choices

from convcalc.sizes.atoms import Atom, Extreme, Floor, Monomial
from convcalc.sizes.expr import Expr
from convcalc.sizes.quasiaffine import form_of_atom, quasi_affine
from convcalc.sizes.size import Size, larger, smaller

COUNTED = 256
"""The most sizes at which a value is worked out to find its least and its largest."""


FAR = 2**40
"""Where the search for the size from which a product keeps its sign is given up."""


def sign_everywhere(value: Size) -> int | None:
    """Return 1, 0 or -1 where `value` is seen to be >= 0, always 0, or <= 0 at all sizes >= 0; None if unsure.

    A value of several sizes is seen through where it is a sum of values of one each, whose ranges add up, and where
    it is made of products that only grow.

    >>> n, m = Expr.symbol("n"), Expr.symbol("m")
    >>> sign_everywhere((n + 6) // 7 * 7 - n), sign_everywhere(n // 2 - n), sign_everywhere(n - 3)
    (1, -1, None)
    >>> sign_everywhere(n + m // 2), sign_everywhere(n // 2 - m), sign_everywhere(-(n // 4) * (m // 4))
    (1, None, -1)
    >>> sign_everywhere(n * m - n * m // 7 * 7)
    1
    """
    return _sign(value) if isinstance(value, Expr) else None


@lru_cache(maxsize=4096)
def _sign(value: Expr) -> int | None:
    if value.is_constant:
        return (value.constant > 0) - (value.constant < 0)
    parts: dict[str, Expr] = {}
    for product, factor in value.terms.items():
        part = Expr({product: factor})
        if len(part.symbols) > 1:
            return _sign_of_products(value)
        for symbol in part.symbols:
            parts[symbol] = parts.get(symbol, Expr.const(0)) + part
    for reading in (_bounds, _counted):
        ranges = [reading(part) for part in parts.values()]
        low, high = (_added(side, value.constant) for side in zip(*ranges, strict=True))
        if low >= 0:
            return int(high > 0)
        if high <= 0:
            return -1
    return None


def _sign_of_products(value: Expr) -> int | None:
    corner = dict.fromkeys(value.symbols, 0)
    bases = {atom.tree[0] for product in value.terms for atom, _ in product if isinstance(atom, Floor) and atom.tree}
    for base in bases:  # x - x//m * m, x a product: any x >= 0
        if sign_on(Expr({base: 1}), corner) == 1 and (of_one := _in_place_of(base, value)) is not None:
            return _sign(of_one)
    return 1 if sign_on(value, corner) == 1 else -1 if sign_on(-value, corner) == 1 else None


def _in_place_of(base: Monomial, value: Expr) -> Expr | None:
    """`value` with one size in the place of `base`; None where it depends on more than that."""
    size = Expr.symbol("x")
    total = Expr.const(value.constant)
    for product, factor in value.terms.items():
        match product:
            case ():
                continue
            case _ if product == base:
                total += factor * size
            case ((Floor() as floor, 1),) if floor.tree and floor.tree[0] == base:
                total += factor * ((size + floor.shift) // floor.modulus)
            case _:
                return None
    return total


def _added(side: Sequence[float], constant: int) -> float:
    endless = [bound for bound in side if bound in (-math.inf, math.inf)]
    return endless[0] if endless else sum(side, constant)


def _bounds(part: Expr) -> tuple[float, float]:
    """Bounds of a value of one size, from its form."""
    form = quasi_affine(part)
    if form is None or form.start > 0:
        return -math.inf, math.inf
    low = math.ceil(form.low) if form.slope >= 0 else -math.inf
    return low, math.floor(form.high) if form.slope <= 0 else math.inf


def _counted(part: Expr) -> tuple[float, float]:
    """The least and the largest value of one size: where it repeats or rises, the least is met in the first period."""
    form = quasi_affine(part)
    if form is None or form.start + form.period > COUNTED:
        return _bounds(part)
    (symbol,) = part.symbols
    values = [part(**{symbol: n}) for n in range(form.start + form.period)]
    return min(values) if form.slope >= 0 else -math.inf, max(values) if form.slope <= 0 else math.inf


def least_of(a: Size, b: Size) -> Size:
    """Return the smaller of two values of sizes that are >= 0, without a minimum where one is never above the other.

    >>> n = Expr.symbol("n")
    >>> str(least_of(n, (n + 6) // 7 * 7)), str(least_of(n, 7))
    ('n', 'min(n, 7)')
    """
    sign = sign_everywhere(a - b) if isinstance(a, Expr) or isinstance(b, Expr) else None
    return smaller(a, b) if sign is None else b if sign > 0 else a


def most_of(a: Size, b: Size) -> Size:
    """Return the larger of two values of sizes that are >= 0, without a maximum where one is never below the other.

    >>> str(most_of(Expr.symbol("n"), 0))
    'n'
    """
    sign = sign_everywhere(a - b) if isinstance(a, Expr) or isinstance(b, Expr) else None
    return larger(a, b) if sign is None else a if sign > 0 else b


@dataclass(frozen=True)
class Settled:
    """From size `start` on, whether a condition `holds`: always, never, or (None) with this `period`."""

    start: int
    holds: bool | None
    period: int = 1


def settles(value: Expr) -> Settled | None:
    """Return from which size on `value >= 0` always holds, never holds, or is periodic; None where undecided.

    A slope above 0 wins from ceil(-low/slope) on, one below 0 loses from floor(high/-slope) + 1 on, and without a
    slope the value repeats. A product of sizes is settled once `sign_on` says so.

    >>> n = Expr.symbol("n")
    >>> settles(n // 2 - 3)
    Settled(start=7, holds=True, period=1)
    >>> settles(7 - n // 32), settles(-(n % 16)), settles((n // 4 - 2) * (n // 4 - 2) - 25).holds
    (Settled(start=256, holds=False, period=1), Settled(start=0, holds=None, period=16), True)
    """
    form = quasi_affine(value)
    if form is None:
        return _settled_product(value)
    if form.slope > 0:
        return Settled(max(form.start, math.ceil(-form.low / form.slope)), True)
    if form.slope < 0:
        return Settled(max(form.start, math.floor(form.high / -form.slope) + 1), False)
    if form.low >= 0 or form.high < 0:
        return Settled(form.start, form.low >= 0)
    return Settled(form.start, None, form.period)


def sign_on(value: Expr, corner: Mapping[str, int]) -> int:
    """Return 1 where `value` >= 0 is seen for all sizes at or above `corner`, -1 where < 0 is, else 0.

    Each factor a of a product is written as its least value there plus a' >= 0. If no coefficient of the product,
    multiplied out in the a', is negative, the value is not; if none is positive, and the constant is negative, the
    value is.

    >>> H, W = Expr.symbol("H"), Expr.symbol("W")
    >>> flattened = (H // 4 - 2) * (W // 4 - 2)
    >>> [sign_on(25 - flattened, {"H": h, "W": 12}) for h in (12, 100, 112)]
    [0, 0, -1]
    """
    parts = _choices(value)
    if parts is not None:
        name, values = parts
        return (max if name == "max" else min)(sign_on(one, corner) for one in values)
    shifted: dict[tuple[Atom, ...], int] = {}
    for product, factor in value.terms.items():
        factors = []
        for atom, power in product:
            least = _least(atom, corner)
            if least is None:
                return 0
            factors += [((atom, 1), (None, least))] * power
        for part in choices(*factors):
            key = tuple(sorted((atom for atom, _ in part if atom is not None), key=lambda atom: atom.key))
            shifted[key] = shifted.get(key, 0) + factor * math.prod(number for _, number in part)
    if all(number >= 0 for number in shifted.values()):
        return 1
    return -1 if shifted.get((), 0) < 0 and all(number <= 0 for number in shifted.values()) else 0


def _choices(value: Expr) -> tuple[str, list[Expr]] | None:
    """What a sum with an extreme of several sizes in it is the "min" or "max" of; None where it has none.

    >>> H, W = Expr.symbol("H"), Expr.symbol("W")
    >>> name, values = _choices(3 - smaller(H * W, H + W))
    >>> name, [str(one) for one in values]
    ('max', ['3 - H - W', '3 - H*W'])
    """
    for product, factor in value.terms.items():
        if len(product) == 1 and product[0][1] == 1:
            atom = product[0][0]
            if isinstance(atom, Extreme) and (len(atom.symbols) != 1 or form_of_atom(atom) is None):
                rest = value - Expr({product: factor})
                name = atom.name if factor > 0 else {"min": "max", "max": "min"}[atom.name]
                return name, [rest + factor * choice for choice in atom.choices]
    return None


def _least(atom: Atom, corner: Mapping[str, int]) -> int | None:
    """A lower bound of an atom of one size at or above the corner."""
    if len(atom.symbols) != 1 or (form := form_of_atom(atom)) is None:
        return None
    return form.least(corner[next(iter(atom.symbols))])


def keeps_sign_from(value: Expr, symbol: str, corner: Mapping[str, int], sign: int) -> int | None:
    """Return a size of `symbol` from which on `sign_on` is `sign`; None where none is found up to 2**40.

    `corner` gives where all sizes start.

    >>> H, W = Expr.symbol("H"), Expr.symbol("W")
    >>> keeps_sign_from(25 - (H // 4 - 2) * (W // 4 - 2), "H", {"H": 12, "W": 12}, -1)
    112
    """
    low = corner[symbol]
    step = 1
    while sign_on(value, {**corner, symbol: low + step - 1}) != sign:
        step *= 2
        if step > FAR:
            return None
    passed, high = low + step // 2 - 1, low + step - 1  # at high the sign is kept, at passed not yet known to be
    while high - passed > 1:
        middle = (passed + high) // 2
        if sign_on(value, {**corner, symbol: middle}) == sign:
            high = middle
        else:
            passed = middle
    return high


def _settled_product(value: Expr) -> Settled | None:
    if len(value.symbols) != 1:
        return None
    (symbol,) = value.symbols
    for sign in (1, -1):
        start = keeps_sign_from(value, symbol, {symbol: 0}, sign)
        if start is not None:
            return Settled(start, sign > 0)
    return None
