"""Every function of torch that convcalc knows, and what a call of it is: `SPECS`."""

from convcalc.bridge.calls import (
    norms,
    parts,
    pointwise,
    products,
    recurrent,
    reductions,
    sources,
    spectra,
    views,
    windows,
)
from convcalc.bridge.calls.registry import NAMES, SPECS, NotKnown, Spec, name_of

__all__ = [
    "NAMES",
    "SPECS",
    "NotKnown",
    "Spec",
    "name_of",
    "norms",
    "parts",
    "pointwise",
    "products",
    "recurrent",
    "reductions",
    "sources",
    "spectra",
    "views",
    "windows",
]
