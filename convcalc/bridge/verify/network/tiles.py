"""An image in tiles, whose outputs are put together, against the image whole."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from convcalc.bridge.capture.drawing import labelled_outputs
from convcalc.bridge.device import need_torch
from convcalc.bridge.verify.network.subject import Subject, skipped
from convcalc.bridge.verify.report import Comparison
from convcalc.errors import ConvcalcError

if TYPE_CHECKING:
    from convcalc.analysis.tiles import Tiles

KIND = "tiles"

TILES = (32, 64, 96, 128, 192, 256, 384, 512)
"""The sizes of a tile that are tried, until one keeps some output."""

ROUNDING = 1e-9
"""What sums in another order may differ by, of the largest value, in float64."""


def compare_tiles(subject: Subject, case: str = "tiles") -> Comparison:
    """Run the network on an image, and on its tiles by a plan; the outputs must be the same but for rounding."""
    plan = _plan(subject)
    torch = need_torch()
    sizes = [axis.image for axis in plan.axes]
    shape = (*subject.shapes[0][:2], *sizes)
    module = subject.module([shape]).double()
    for name, buffer in module.named_buffers():
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
    (image,) = subject.inputs([shape], kind=torch.float64)
    whole = _last(subject.run(module, image))
    put = torch.full_like(whole, float("nan"))
    for numbers in itertools.product(*(range(axis.count) for axis in plan.axes)):
        pairs = list(zip(plan.axes, numbers, strict=True))
        out = _last(subject.run(module, image[(..., *(slice(a.start(i), a.start(i) + a.tile) for a, i in pairs))]))
        kept = [axis.kept(number) for axis, number in pairs]
        to = [
            slice(axis.place(number) + first, axis.place(number) + last)
            for (axis, number), (first, last) in zip(pairs, kept, strict=True)
        ]
        put[(..., *to)] = out[(..., *(slice(*ends) for ends in kept))]
    first = image[(..., *(slice(axis.tile) for axis in plan.axes))]
    if not torch.equal(_last(subject.run(module, first)), _last(subject.run(module, first))):
        return skipped(KIND, "the network draws random numbers")
    apart = ((put - whole).abs() > ROUNDING * whole.abs().max()) | put.isnan()
    if not apart.any():
        return Comparison(kinds=(KIND,) * plan.count, checked=plan.count)
    where = tuple(apart.nonzero()[0].tolist())
    at = "x".join(map(str, sizes))
    message = (
        f"{plan.count} tiles of {'x'.join(str(axis.tile) for axis in plan.axes)} of an image of {at} differ from it "
        f"whole in {int(apart.sum()):,} of {apart.numel():,} values, first at {where}"
    )
    found = (subject.mismatch(KIND, case, message),)
    return Comparison(kinds=(KIND,) * plan.count, checked=plan.count, mismatches=found)


def _plan(subject: Subject) -> Tiles:
    """The plan with the smallest tiles that keep something; of an image of three on each axis, if it is cheap."""
    refusal: ConvcalcError | None = None
    legal = subject.legal
    for tile in TILES:
        try:
            for image in (2 * tile + 7, tile + 7):
                sizes = [legal.runs[axis].nearest(image)[1] or tile for axis in legal.axes]
                plan = subject.tiles(tile, sizes)
                if subject.macs_at([(*subject.shapes[0][:2], *sizes)]) <= subject.budget / 4:
                    return plan
            return plan
        except ConvcalcError as error:
            refusal = error
            if "keeps no output" not in error.message:
                break
    assert refusal is not None  # noqa: S101 -- every way but out of the loop sets it
    raise refusal


def _last(out: Any) -> Any:
    """The output that is meant by a plan: of several the last."""
    return labelled_outputs(out, "")[-1][1]
