"""Every function of torch that convcalc knows, and what a call of it is: `SPECS`."""

from convcalc.bridge.calls import pointwise, products, sources, views, windows
from convcalc.bridge.calls.registry import NAMES, SPECS, NotKnown, Spec, name_of

__all__ = ["NAMES", "SPECS", "NotKnown", "Spec", "name_of", "pointwise", "products", "sources", "views", "windows"]
