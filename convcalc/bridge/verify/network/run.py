"""A network verified: the cases of each kind by name, and the report of all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from convcalc.bridge.verify.network.footprints import compare_footprints, nodes_to_try
from convcalc.bridge.verify.network.nodes import compare_nodes
from convcalc.bridge.verify.network.sizes import compare_sizes, sizes_to_try
from convcalc.bridge.verify.network.subject import Subject, said, skipped
from convcalc.bridge.verify.network.tiles import compare_tiles
from convcalc.bridge.verify.report import Comparison, VerifyReport, tally
from convcalc.bridge.verify.spread import spread
from convcalc.errors import ConvcalcError, Unreadable


class Checks:
    """What compares cases of one network, which it opens when the first is there: each worker anew."""

    def __init__(self, opens: Callable[[], Subject], subject: Subject | None = None) -> None:
        self._opens, self._subject = opens, subject

    def __call__(self, cases: Iterable[str]) -> Iterator[Comparison]:
        """Compare every case."""
        self._subject = self._subject or self._opens()
        for case in cases:
            yield compare(self._subject, case)


def verify_network(
    opens: Callable[[], Subject],
    *,
    only: str | None = None,
    workers: int = 1,
    progress: Callable[[int, int], object] | None = None,
) -> VerifyReport:
    """Verify a network in all that is said of it, or in `only` one case; `opens` gives it, to each worker anew.

    `progress` is called with (done, count) after each case.
    """
    subject = opens()
    some = cases_of(subject) if only is None else [only]
    results = spread(
        Checks(opens, subject if workers == 1 else None),
        some,
        workers,
        batch=max(1, min(8, len(some) // (4 * workers))),
    )
    return tally(results, len(some), subject.place, subject.seed, progress, subject.name)


def cases_of(subject: Subject) -> list[str]:
    """Return the name of every case."""
    with subject.apart("cases"):
        footprints = [f"footprints {node}" for node in nodes_to_try(subject)] or ["footprints"]
        try:
            sizes = sizes_to_try(subject)
        except ConvcalcError:
            sizes = []
    return ["nodes", *footprints, *(sizes or ["sizes"]), "tiles"]


KINDS = {"nodes": "shapes", "sizes": "legal sizes", "meta": "legal sizes"}
"""What is compared in a case, where its name says it otherwise."""


def compare(subject: Subject, case: str) -> Comparison:
    """Compare one case, by its name; raises `Unreadable` for what is none.

    What convcalc or torch does not answer cannot be compared; that convcalc breaks is a mismatch.
    """
    kind, _, where = case.partition(" ")
    shown = KINDS.get(kind, kind)
    try:
        with subject.apart(case):
            return _compared(subject, kind, where, case)
    except Unreadable:
        raise
    except ConvcalcError as error:
        return skipped(shown, said(error))
    except Exception as error:  # a bug of convcalc's
        found = subject.mismatch(shown, case, f"convcalc raises {type(error).__name__}: {said(error)}")
        return Comparison(kinds=(shown,), mismatches=(found,))


def _compared(subject: Subject, kind: str, where: str, case: str) -> Comparison:
    match kind:
        case "nodes":
            return compare_nodes(subject)
        case "footprints" if where:
            return compare_footprints(subject, where, case)
        case "footprints":
            return skipped("footprints", "no output has positions on the axes of the input")
        case "sizes" | "meta":
            return _sizes(subject, where, case)
        case "tiles":
            return compare_tiles(subject)
    raise Unreadable(f"{case!r} is no case: nodes, footprints NODE, sizes 57x224, meta 57x224 or tiles")


def _sizes(subject: Subject, where: str, case: str) -> Comparison:
    axes = subject.legal.axes
    if not where:
        return skipped("legal sizes", "no size is known to run")
    sizes = [int(size) for size in where.split("x") if size.isdigit()]
    if len(sizes) != len(axes):
        raise Unreadable(
            f"{case!r} is no case: sizes are those of {', '.join(axes)}, as {'x'.join(['57'] * len(axes))}"
        )
    return compare_sizes(subject, sizes, case, far=case.startswith("meta"))
