"""A set of sizes as a person writes it."""

from __future__ import annotations

from convcalc.sizes.sets import SizeSet
from convcalc.sizes.text import PRETTY, PYTHON, Style
from convcalc.sizes.words import listing


def set_text(sizes: SizeSet, name: str, style: Style = PRETTY) -> str:
    """Return a set of sizes as a person writes it.

    >>> set_text(SizeSet(16, (12,), 188), "H"), set_text(SizeSet(16, (12,), 188), "H", PYTHON)
    ('H ≡ 12 mod 16, H >= 188', 'H % 16 == 12, H >= 188')
    >>> set_text(SizeSet(16, (0,), 16), "H"), set_text(SizeSet(2, (1,), 5, (2,)), "n")
    ('H a multiple of 16, H >= 16', 'n is 2; or n odd, n >= 5')
    """
    parts = [] if not sizes.finite else [SizeSet(finite=sizes.finite).text(name)]
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
