"""The sizes that a U-Net takes near a size: cropped as it was published, or padded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from convcalc.analysis.validity.of_graph import valid_sizes
from convcalc.designs.wish import read_span
from convcalc.network.shapes import infer_shapes
from convcalc.render.table import plain_table
from convcalc.render.words import Line, labelled
from convcalc.shown import Shown
from convcalc.zoo.unet import unet

DEEPEST, LARGEST_SIZE = 8, 1_000_000
"""The most levels of a decoder, and the largest size of its input."""


class Near(NamedTuple):
    """A U-Net as `convcalc inspect` reads it, and sizes that it takes and uses in full, with what comes out of each."""

    network: str
    sizes: tuple[tuple[int, int], ...]
    """The nearest below, the size itself where it is one, and the nearest above."""
    every: str
    """All sizes that it takes so."""


@dataclass(frozen=True, kw_only=True, repr=False)
class UNets(Shown):
    """The sizes near a size that a U-Net of so many levels takes: cropped as it was published, and padded."""

    size: int
    levels: int
    cropped: Near
    padded: Near

    def record(self) -> dict[str, Any]:
        """Return it for JSON."""
        networks = [
            {
                "network": one.network,
                "sizes": [{"size": size, "out": out} for size, out in one.sizes],
                "every": one.every,
            }
            for one in (self.cropped, self.padded)
        ]
        return {"kind": "unet", "size": self.size, "levels": self.levels, "networks": networks}

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Return the head and the rows of its table."""
        rows = [[one.network, str(n), str(out)] for one in (self.cropped, self.padded) for n, out in one.sizes]
        return ["network", "size", "output"], rows

    def notes(self) -> list[Line]:
        """Return what stands below the table."""
        source = "as published: Ronneberger, Fischer, Brox, arXiv:1505.04597"
        return [("cropped", f"every {self.cropped.every}, {source}"), ("padded", f"every {self.padded.every}")]

    def __str__(self) -> str:
        return "\n".join([plain_table(*self.table()), labelled(self.notes())])


def unet_sizes(size: Any, levels: Any = 4) -> UNets:
    """Return the sizes near `size` that a U-Net of so many levels takes and uses in full: cropped, and padded.

    >>> print(unet_sizes(100, 2))
    network                      size  output
    unet(levels=2)               96    56
    unet(levels=2)               100   60
    unet(levels=2)               104   64
    unet(padded=True, levels=2)  96    96
    unet(padded=True, levels=2)  100   100
    unet(padded=True, levels=2)  104   104
    cropped    every H >= 44 and H % 4 == 0, as published: Ronneberger, Fischer, Brox, arXiv:1505.04597
    padded     every H >= 4 and H % 4 == 0
    """
    wanted = read_span("size", size, LARGEST_SIZE).least
    depth = read_span("levels", levels, DEEPEST).least
    cropped, padded = (_near(wanted, depth, padded=padded) for padded in (False, True))
    return UNets(size=wanted, levels=depth, cropped=cropped, padded=padded)


def _near(wanted: int, levels: int, *, padded: bool) -> Near:
    net = unet(padded=padded, levels=levels)
    exact = valid_sizes(net, (1, 1, "H", "H")).exact["H"]
    sizes = {exact.nearest(wanted - 1)[0], *exact.nearest(wanted), exact.nearest(wanted + 1)[1]}
    return Near(
        network=f"unet({'padded=True, ' * padded}levels={levels})",
        sizes=tuple((n, infer_shapes(net, (1, 1, n, n))["out"][2]) for n in sorted(n for n in sizes if n is not None)),
        every=exact.text("H"),
    )
