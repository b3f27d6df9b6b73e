"""How sizes and lines are written, whatever they answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from convcalc.errors import ConvcalcError
from convcalc.sizes.expr import Expr
from convcalc.sizes.size import Size, is_symbolic
from convcalc.sizes.text import PYTHON, Style, grouped, write  # noqa: F401 -- PYTHON serves the examples
from convcalc.version import __version__

Line: TypeAlias = tuple[str, str]
"""A label and what it labels."""


def number(value: Size, style: Style) -> str:
    """Return a size as text in `style`.

    >>> number(28, PYTHON), number(Expr.symbol("n") // 2, PYTHON)
    ('28', 'n//2')
    """
    return write(value, style) if isinstance(value, Expr) else str(value)


def count(value: Size, style: Style) -> str:
    """Return a number of things, in groups of three digits; of a symbolic one its formula.

    >>> count(61706, PYTHON), count(25 * Expr.symbol("C"), PYTHON)
    ('61,706', '25*C')
    """
    if isinstance(value, Expr) and value.is_constant:
        value = value.constant
    return f"{value:,}".replace("-", style.minus) if isinstance(value, int) else number(value, style)


def across(values: Sequence[Size], style: Style) -> str:
    """Return one size per axis as `28x32`.

    >>> across([28, 32], PYTHON)
    '28x32'
    """
    texts = [number(value, style) for value in values]
    return texts[0] if len(texts) == 1 else "x".join(map(grouped, texts))


def labelled(lines: Iterable[Line], column: int = 11) -> str:
    """Return lines with their texts from `column` on; a label too long for that goes before its own text.

    >>> print(labelled([("28 -> 28", "n"), ("read", "every row")]))
    28 -> 28   n
    read       every row
    """
    return "\n".join(
        f"{label:<{column if len(label) <= column - 2 else len(label) + 3}}{text}".rstrip() for label, text in lines
    )


def error_lines(error: ConvcalcError) -> list[str]:
    """Return why the answer is no: the sentence, where and on what a call failed, the rule, the ways out.

    >>> from convcalc.errors import BadShape
    >>> error_lines(BadShape("fc: 400 features, not 8192", rule="features agree", fixes=["in_features=8192"]))
    ['Error: fc: 400 features, not 8192', 'rule   features agree', 'fix    in_features=8192']
    """
    first, *more = error.lines()
    return [f"Error: {first}", *more]


def listed(names: Sequence[str], most: int, more: str = "more") -> str:
    """Return names with commas; of many the first, and how many there are more.

    >>> listed(["a", "b"], 3), listed(["a", "b", "c", "d"], 3)
    ('a, b', 'a, b, c and 1 more')
    """
    rest = f" and {len(names) - most} {more}" if len(names) > most else ""
    return f"{', '.join(names[:most])}{rest}"


def needed(values: Iterable[Size], style: Style) -> str:
    """Return the conditions value >= 0, without those that hold anyway or follow from another.

    >>> n = Expr.symbol("n")
    >>> needed([n - 1, n + 2, n - 5, n - 3], PYTHON)
    'n >= 5'
    >>> needed([n // 2 - 8, 8 - n // 2], PYTHON)
    'n//2 = 8'
    """
    strongest: dict[Expr, Expr] = {}
    known = {value: None for value in values if isinstance(value, Expr)}
    equal = [
        value for value in known if -value in known and (value.constant, str(value)) < (-value.constant, str(-value))
    ]
    for value in known:
        if value not in equal and -value not in equal and not _is_plain(value):
            letters = value - value.constant
            if letters not in strongest or value.constant < strongest[letters].constant:
                strongest[letters] = value
    texts = [_relation(value, "=", style) for value in equal]
    return ", ".join([*texts, *(_relation(value, ">=", style) for value in strongest.values())])


def _is_plain(value: Expr) -> bool:
    """Whether value >= 0 says no more than that letters are at least 0, or a single one at least 1."""
    letters = [product for product in value.terms if product]
    single = len(letters) == 1 and len(letters[0]) == 1
    return all(value.terms[product] > 0 for product in letters) and value.constant >= (-1 if single else 0)


def _relation(value: Expr, sign: str, style: Style) -> str:
    """`value` >= 0, or = 0, with what is subtracted moved to the other side."""
    more = Expr({product: factor for product, factor in value.terms.items() if factor > 0})
    less = Expr({product: -factor for product, factor in value.terms.items() if factor < 0})
    return f"{write(more, style)} {sign} {write(less, style)}"


def plain(value: Any) -> Any:
    """Return a value for JSON: an expression as its Python text, a fraction as exact text, a tuple as a list.

    >>> plain((Expr.symbol("H") // 2, Fraction(4), Fraction(1, 2), None))
    ['H//2', 4, '1/2', None]
    """
    match value:
        case Expr():
            return value.constant if value.is_constant else value.text
        case Fraction():
            return value.numerator if value.denominator == 1 else str(value)
        case tuple() | list():
            return [plain(entry) for entry in value]
        case dict():
            return {name: plain(entry) for name, entry in value.items()}
        case _:
            return str(value) if is_symbolic(value) else value


def picked(value: Any, names: str) -> dict[str, Any]:
    """Return attributes of a value for JSON, by their names.

    >>> picked(Fraction(3, 2), "numerator denominator")
    {'numerator': 3, 'denominator': 2}
    """
    return {name: plain(getattr(value, name)) for name in names.split()}


def document(record: Mapping[str, Any]) -> str:
    """Return a record as the JSON document that every command prints: with the schema and the version.

    >>> document({"kind": "conv"}).splitlines()[1:2]
    ['  "schema": 1,']
    """
    import json  # not needed for the answer in words

    return json.dumps({"schema": 1, "convcalc": __version__, **record}, indent=2)


def single(values: Sequence[Any]) -> Any:
    """Return one value per axis for JSON: of one axis its own, of several all.

    >>> single([3]), single([3, 5])
    (3, [3, 5])
    """
    return values[0] if len(values) == 1 else values


def stacked(records: Sequence[dict[str, Any]], shared: Sequence[str] = ()) -> dict[str, Any]:
    """Return the JSON record of several axes: of one its own, of several a list under each key not `shared`.

    >>> stacked([{"kind": "conv", "n": 28}, {"kind": "conv", "n": 32}], shared=["kind"])
    {'kind': 'conv', 'n': [28, 32]}
    """
    if len(records) == 1:
        return dict(records[0])
    return {key: value if key in shared else [record[key] for record in records] for key, value in records[0].items()}


def same_text(texts: Sequence[str]) -> str:
    """Return one text per axis as one, once where they agree.

    >>> same_text(["3", "5"]), same_text(["3", "3"])
    ('3x5', '3')
    """
    return texts[0] if len(set(texts)) == 1 else "x".join(texts)


UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def bytes_text(amount: int) -> str:
    """Return a number of bytes in three digits and its unit, in powers of 1024.

    >>> bytes_text(600), bytes_text(246824), bytes_text(512 * 1024**2)
    ('600 B', '241 KiB', '512 MiB')
    """
    power = 0
    while power < 4 and amount >= 999.5 * 1024**power:
        power += 1
    unit = 1024**power
    small = amount < 999.5 * unit  # what is not may be more than a float holds
    return f"{amount / unit:.3g} {UNITS[power]}" if small else f"{(amount + unit // 2) // unit:,} {UNITS[power]}"


_ROOM = 400
"""So many characters are written at most, beside the first argument."""


def spelled(name: str, values: Iterable[Any], named: Mapping[str, Any]) -> str:
    """Return the call of `name` with these arguments; those that find no room are counted.

    >>> spelled("Conv", [64, 3], {"stride": 2})
    'Conv(64, 3, stride=2)'
    >>> spelled("Sequential", [1, 2, "a" * 400, 3], {})
    'Sequential(1, 2, ... 2 more)'
    """
    words = [*map(repr, values), *(f"{key}={value!r}" for key, value in named.items())]
    written: list[str] = []
    for word in words:
        if sum(map(len, written)) + len(word) > _ROOM:
            written.append(f"... {len(words) - len(written)} more" if written else f"{word[:_ROOM]}...")
            break
        written.append(word)
    return f"{name}({', '.join(written)})"
