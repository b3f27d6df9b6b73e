"""Rates without holes whose field is a given one: the fewest layers, and of these the least largest rate.

L layers of K taps read (K - 1)·Q + 1 positions, Q being the sum of their rates. Ascending, no rate passes
1 + (K - 1)·S, S being the sum of those before it (docs/dilation.md), so 1, K, K², ... is the most, and with no rate
past M the most is each of these or M. With M + 1 the last rates, those that are M, are 1 more each, so every sum
between is there too: raise the last of them alone.
"""

from __future__ import annotations

from convcalc.arithmetic.dilation.rates import LIMIT
from convcalc.errors import BadArgument, NoSolution
from convcalc.sizes.size import numbers


def reaching_rates(field: int, kernel_size: int = 3, fewest: int = 1, most: int | None = None) -> tuple[int, ...]:
    """Return rates without holes whose receptive field is `field`: fewest layers, then least largest rate.

    `fewest` and `most` bound the layers. Raises `NoSolution` where there are none, with what is near.

    >>> reaching_rates(27), reaching_rates(25), reaching_rates(25, fewest=5)
    ((1, 3, 9), (1, 3, 8), (1, 2, 3, 3, 3))
    >>> reaching_rates(200)
    Traceback (most recent call last):
    ...
    convcalc.errors.NoSolution: no rates reach 200: with K 3 a field is 1 more than a multiple of 2; 199 and 201 are
    """
    field, taps, fewest = numbers("field kernel_size layers", field, kernel_size, fewest)
    for name, value, least in (("field", field, 1), ("kernel_size", taps, 2), ("layers", fewest, 1)):
        if not least <= value < LIMIT:
            raise BadArgument(f"{name} must be >= {least}: {value}", rule=f"{name} >= {least}")
    total, left = divmod(field - 1, taps - 1)
    if left:
        near = [1 + (taps - 1) * one for one in (total, total + 1) if one]
        raise NoSolution(
            f"no rates reach {field}: with K {taps} a field is 1 more than a multiple of {taps - 1}; "
            f"{' and '.join(map(str, near))} {'are' if len(near) > 1 else 'is'}",
            rule="field = 1 + (K - 1)·(sum of rates)",
            fixes=[f"--field {one}" for one in near],
        )
    layers = needed = fewest_layers(field, taps)
    layers = max(layers, fewest)
    if most is not None and layers > most:
        raise NoSolution(
            f"{_rates(most)} reach{'es' * (most == 1)} {taps**most} at most without holes with K {taps}, not {field}; "
            f"{needed} do",
            rule="field <= K**layers",
            fixes=[f"--layers {needed}", f"--field {taps**most}"],
        )
    if layers > total:
        raise NoSolution(
            f"{_rates(layers)} reach{'es' * (layers == 1)} {1 + (taps - 1) * layers} at least with K {taps}, "
            f"not {field}{f'; use {total}' if total else ''}",
            rule="rates >= 1",
            fixes=[f"--layers {total}"] if total else [],
        )
    low, high = 1, total
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if sum(_largest(taps, layers, middle)) >= total else (middle + 1, high)
    below = _largest(taps, layers, low - 1) if low > 1 else [0] * layers
    raised = total - sum(below)
    return (*below[: layers - raised], *([low] * raised))


def fewest_layers(field: int, kernel_size: int) -> int:
    """Return how many layers it takes at least to read a field without holes.

    >>> fewest_layers(27, 3), fewest_layers(29, 3)
    (3, 4)
    """
    layers, length = 1, kernel_size
    while length < field:
        layers, length = layers + 1, length * kernel_size
    return layers


def _rates(count: int) -> str:
    return "1 rate" if count == 1 else f"{count} rates"


def _largest(taps: int, layers: int, most: int) -> list[int]:
    """The largest rates up to `most`: 1, K, K², ..., and then `most`."""
    rates = []
    rate = 1
    for _ in range(layers):
        rates.append(min(rate, most))
        rate = min(rate * taps, most)
    return rates
