"""Sets of sizes in words, and as the dynamic dimensions of `torch.export`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from convcalc.sizes.text import PRETTY, PYTHON, Style

if TYPE_CHECKING:
    from convcalc.sizes.sets import SizeSet

SHOWN = 8
"""How many runs or residues are written out before the rest is counted."""


def words(sizes: SizeSet, name: str = "n") -> str:
    """Return a set of sizes in words.

    >>> from convcalc.sizes.sets import SizeSet
    >>> words(SizeSet(16, (12,), 188)), words(SizeSet(1, (0,), 188)), words(SizeSet(6, (1, 2, 5)), "W")
    ('n >= 188 and n % 16 == 12', 'n >= 188', 'W % 6 in 1, 2, 5')
    >>> words(SizeSet(finite=(28, 29, 30, 31))), words(SizeSet()), words(SizeSet(1, (0,)))
    ('n in 28..31', 'no n', 'every n')
    """
    parts = [_members(sizes, name)] if sizes.finite else []
    if sizes.residues:
        parts.append(_classes(sizes, name))
    return "; or ".join(parts) or f"no {name}"


def _members(sizes: SizeSet, name: str) -> str:
    return f"{name} {'is' if len(sizes.finite) == 1 else 'in'} {listing(sizes.finite)}"


def _classes(sizes: SizeSet, name: str) -> str:
    if sizes.modulus == 1:
        return f"{name} >= {sizes.minimum}" if sizes.minimum else f"every {name}"
    residues = sizes.residues
    sense = f"== {residues[0]}" if len(residues) == 1 else f"in {listing(residues)}"
    pattern = f"{name} % {sizes.modulus} {sense}"
    return pattern if sizes.minimum == residues[0] else f"{name} >= {sizes.minimum} and {pattern}"


def set_text(sizes: SizeSet, name: str, style: Style = PRETTY) -> str:
    """Return a set of sizes as a person writes it.

    >>> from convcalc.sizes.sets import SizeSet
    >>> set_text(SizeSet(16, (12,), 188), "H"), set_text(SizeSet(16, (12,), 188), "H", PYTHON)
    ('H ≡ 12 mod 16, H >= 188', 'H % 16 == 12, H >= 188')
    >>> set_text(SizeSet(16, (0,), 16), "H"), set_text(SizeSet(2, (1,), 5, (2,)), "n")
    ('H a multiple of 16, H >= 16', 'n is 2; or n odd, n >= 5')
    """
    parts = [_members(sizes, name)] if sizes.finite else []
    if sizes.residues:
        pattern = _pattern(sizes, name, style)
        least = f"{name} >= {sizes.minimum}" if sizes.minimum or sizes.modulus > 1 else ""
        parts.append(", ".join(filter(None, (pattern, least))) or f"every {name}")
    return "; or ".join(parts) or f"no {name}"


def _pattern(sizes: SizeSet, name: str, style: Style) -> str:
    m, residues = sizes.modulus, sizes.residues
    if m == 1:
        return ""
    if residues == (0,):
        return f"{name} even" if m == 2 else f"{name} a multiple of {m}"
    if m == 2:
        return f"{name} odd"
    if style is PYTHON:
        return f"{name} % {m} == {residues[0]}" if len(residues) == 1 else f"{name} % {m} in {listing(residues)}"
    return f"{name} ≡ {listing(residues).replace(', ', ' or ') if len(residues) <= 3 else listing(residues)} mod {m}"


def listing(members: Sequence[int]) -> str:
    """Return ascending numbers with runs of three and more shortened, and only so many runs.

    >>> listing([3, 4, 5, 7, 8, 12]), listing(range(0, 100, 5))
    ('3..5, 7, 8, 12', '0, 5, 10, 15, 20, 25, 30, 35, ... (20 in all)')
    """
    texts: list[str] = []
    for first, last in runs(members):
        texts += [f"{first}..{last}"] if last - first >= 2 else map(str, range(first, last + 1))
        if len(texts) > SHOWN:
            return f"{', '.join(texts[:SHOWN])}, ... ({len(members):,} in all)"
    return ", ".join(texts)


def runs(members: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last of each run of successive numbers, ascending.

    >>> list(runs([3, 4, 5, 7]))
    [(3, 5), (7, 7)]
    """
    first = last = None
    for n in members:
        if last is not None and n == last + 1:
            last = n
            continue
        if first is not None and last is not None:
            yield first, last
        first = last = n
    if first is not None and last is not None:
        yield first, last


def export_dims(sizes: SizeSet, name: str) -> tuple[str, ...]:
    """Return the dimensions for `torch.export` that together say `sizes`: one text for each export that is needed.

    `torch.export.Dim` has a range, and `m*Dim(...) + r` is one residue class; a set of several classes or ranges is
    no single Dim, so each of them needs an export of its own. One size alone is static: an int. The exporter
    treats sizes 0 and 1 as static too, whatever the Dim says.

    >>> from convcalc.sizes.sets import SizeSet
    >>> export_dims(SizeSet(16, (12,), 188), "H")
    ('16*Dim("h", min=11) + 12',)
    >>> export_dims(SizeSet(1, (0,), 188), "H"), export_dims(SizeSet(finite=(28, 29, 30, 31)), "H")
    (('Dim("H", min=188)',), ('Dim("H", min=28, max=31)',))
    >>> export_dims(SizeSet(4, (1, 2), 5, (224,)), "H")
    ('224', '4*Dim("h", min=1) + 1', '4*Dim("h", min=1) + 2')
    """
    static = [
        str(first) if first == last else f'Dim("{name}", min={first}, max={last})' for first, last in runs(sizes.finite)
    ]
    if sizes.residues and sizes.modulus == 1:
        return (*static, f'Dim("{name}", min={sizes.minimum})')
    root = name.lower() if name.lower() != name else f"{name}_"
    derived = []
    for residue in sizes.residues:
        least = -((residue - sizes.minimum) // sizes.modulus)  # the first k with m*k + residue >= minimum
        shift = f" + {residue}" if residue else ""
        derived.append(f'{sizes.modulus}*Dim("{root}", min={least}){shift}')
    return (*static, *derived)
