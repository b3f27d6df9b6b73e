"""What a document holds where there is no answer: the keys of the answer, each null or empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NULL: Mapping[str, str] = {
    "conv": "n k s p d output_padding ceil_mode out formula working unread back",
    "stack": "input output out formula",
    "hdc": "k M m2_ok gcd paper_ok exact_ok receptive_field covered hole_count criterion",
    "zoo": "",
    "inspect": "model input output params macs flops trainable memory",
    "sizes": "proved up_to window near",
    "field": "model input output",
    "compare": "a b totals",
    "tiles": "count memory memory_whole",
    "verify": "device device_name torch seed checked refused seconds",
}
_EMPTY: Mapping[str, str] = {
    "conv": "needs",
    "stack": "layers needs",
    "hdc": "rates holes tries s",
    "zoo": "networks",
    "inspect": "opaque path needs notes remarks layers unused",
    "sizes": "axes runs exact unknown reasons",
    "field": "needs layers",
    "compare": "layers",
    "tiles": "axes",
    "verify": "mismatches",
}
_FORMULAS = ("tconv", "pool")
_CHECKS = ("layers", "transposed")
"""The commands below `verify`."""


def nothing_found(command: str) -> dict[str, Any]:
    """Return the record of a command whose question was refused before there was anything to say.

    >>> nothing_found("tiles")
    {'kind': 'tiles', 'count': None, 'memory': None, 'memory_whole': None, 'axes': []}
    """
    like = "conv" if command in _FORMULAS else "verify" if command in _CHECKS else command
    others: dict[str, dict[str, Any]] = {
        "sizes": {"tried": ""},
        "inspect": {"inputs": {}, "outputs": {}},
        "verify": {"kinds": {}},
    }
    return {
        "kind": "verify" if like == "verify" else command,
        **dict.fromkeys(_NULL[like].split()),
        **{key: [] for key in _EMPTY[like].split()},
        **others.get(like, {}),
    }
