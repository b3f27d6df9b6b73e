"""A verification against torch as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcalc.render.words import labelled

if TYPE_CHECKING:
    from convcalc.bridge.verify.report import VerifyReport


def render_report(report: VerifyReport) -> str:
    """Return the answer for people: the outcome, the cases of each kind, and a line for each mismatch.

    >>> from convcalc.bridge.verify.report import VerifyReport
    >>> print(render_report(VerifyReport(device="cpu", device_name="x86_64", torch="2.13.0", seed=0, checked=2,
    ...     refused=1, kinds={"Conv1d": 1, "Pad": 2}, seconds=0.5)))
    0 mismatches in 3 cases: 2 computed, 1 refused by both
    torch      2.13.0 on cpu (x86_64), seed 0
    rate       6 cases/s, 0.5 s
    Conv1d     1
    Pad        2
    """
    count = report.checked + report.refused
    end = "interrupted: " if report.interrupted else ""
    lines = [
        f"{end}{_counted(len(report.mismatches), 'mismatch', 'mismatches')} in {_counted(count, 'case', 'cases')}: "
        f"{report.checked:,} computed, {report.refused:,} refused by both",
        labelled(
            [
                ("torch", f"{report.torch} on {report.device} ({report.device_name}), seed {report.seed}"),
                ("rate", f"{count / report.seconds:,.0f} cases/s, {report.seconds:.1f} s"),
            ]
        ),
    ]
    lines += [f"{kind:<{_width(report)}}   {number:,}" for kind, number in report.kinds.items()]
    lines += [f"unchecked  {number:,} of {kind}: {why}" for (kind, why), number in report.unchecked.items()]
    lines += [f"mismatch   {entry.kind}: {entry.message}\n  {entry.code}" for entry in report.mismatches]
    return "\n".join(lines)


def _width(report: VerifyReport) -> int:
    return max([8, *map(len, report.kinds)])


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def report_record(report: VerifyReport) -> dict[str, Any]:
    """Return the JSON record of a report; each mismatch is a record of its own.

    >>> from convcalc.bridge.verify.report import VerifyReport
    >>> report = VerifyReport(device="cpu", device_name="x", torch="2.13.0", seed=0, checked=1, refused=0, seconds=0.1)
    >>> list(report_record(report))
    ['kind', 'target', 'device', 'device_name', 'torch', 'seed', 'checked', 'refused', 'kinds', 'unchecked', \
'mismatches', 'interrupted', 'seconds']
    """
    return {
        "kind": "verify",
        "target": report.target,
        "device": report.device,
        "device_name": report.device_name,
        "torch": report.torch,
        "seed": report.seed,
        "checked": report.checked,
        "refused": report.refused,
        "kinds": report.kinds,
        "unchecked": [{"kind": kind, "why": why, "count": number} for (kind, why), number in report.unchecked.items()],
        "mismatches": [
            {"kind": entry.kind, "message": entry.message, "code": entry.code} for entry in report.mismatches
        ],
        "interrupted": report.interrupted,
        "seconds": round(report.seconds, 3),
    }
