"""The result of a device as tables: for its own page, and as the blocks of the pages that it fills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

NOT_YET = "not yet measured"
VERIFIED = ("cases", "computed", "refused by both", "mismatches", "not compared", "seconds")
SPEED = ("network", "batch", "input", "notes", "here", "by MACs and matrix rate", "peak memory", "estimate")
COMMANDS = ("layers", "transposed", "lenet", "alexnet", "resnet18", "googlenet", "densenet", "unet")
NETWORKS = (
    ("LeNet", 256, "1x28x28", 35726.4),
    ("AlexNet", 128, "1x224x224", 3941.8),
    ("VGG-11", 128, "1x224x224", None),
    ("VGG-11, quarter width", 128, "1x224x224", 2463.7),
    ("NiN", 128, "1x224x224", 3087.6),
    ("GoogLeNet", 128, "1x96x96", 3265.5),
    ("ResNet-18", 256, "1x96x96", 5032.7),
    ("DenseNet", 256, "1x96x96", 5626.3),
)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown.

    >>> print(table(["a", "b"], [["1", "2"]]))
    | a | b |
    | --- | --- |
    | 1 | 2 |
    """
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def where(document: dict[str, Any] | None) -> str:
    """Return on what something was measured, in a sentence."""
    if document is None:
        return f"On a CUDA device: {NOT_YET}."
    on = document["device"]
    driver = f", driver {on['driver']}" if on["driver"] else ""
    more = f", CUDA {on['cuda']}, cuDNN {on['cudnn']}" if on["type"] == "cuda" else ""
    small = " **In small, to try the script: these are no figures of a device.**" if document["small"] else ""
    return f"On {on['name']}{driver}, torch {on['torch']}{more}, Python {on['python']}, {on['date']}.{small}"


def verified(document: dict[str, Any] | None) -> str:
    """Return what was verified; a row that is missing is not yet measured."""
    found = {run["name"]: run for run in (document or {}).get("verify", [])}
    rows = [
        [f"`{found[name]['command']}`", *_counts(found[name])]
        if name in found
        else [f"`convcalc verify {name} --device cuda`", NOT_YET, *[""] * 5]
        for name in COMMANDS
    ]
    return table(("on a device", *VERIFIED), rows)


def _counts(run: dict[str, Any]) -> list[str]:
    if "not_run" in run:
        return [f"not run: {run['not_run']}", *[""] * 5]
    unchecked = sum(one["count"] for one in run["unchecked"])
    numbers = (run["checked"] + run["refused"], run["checked"], run["refused"], len(run["mismatches"]), unchecked)
    end = ", then stopped" if run["interrupted"] else ""
    return [*(f"{number:,}" for number in numbers), f"{run['seconds']:.1f}{end}"]


def speed(document: dict[str, Any] | None) -> str:
    """Return examples a second, beside the notes' and what the MACs allow, and memory; a missing row says so."""
    found = {row["name"]: row for row in (document or {}).get("speed", {}).get("rows", [])}
    rows = [
        _speed(found[name]) if name in found else [name, str(batch), size, _number(noted), NOT_YET, "", "", ""]
        for name, batch, size, noted in NETWORKS
    ]
    return table(SPEED, rows)


def _speed(row: dict[str, Any]) -> list[str]:
    if "failed" in row:
        return [row["name"], "", "", "", f"failed: {row['failed']}", "", "", ""]
    return [
        row["name"],
        str(row["batch"]),
        row["input"],
        _number(row["noted"]),
        _number(row["examples_per_second"]),
        _number(row["bound"]),
        _bytes(row["peak_bytes"]),
        _bytes(row["estimated_bytes"]),
    ]


def rates(document: dict[str, Any] | None) -> str:
    """Return the measured rate of matrix products, in a sentence."""
    if document is None or "speed" not in document:
        return f"Matrix rate of the device: {NOT_YET}."
    found = document["speed"].get("matrix_flops", {})
    return "Matrix rate: " + ", ".join(f"{rate / 1e12:.2f} TFLOP/s in {name}" for name, rate in found.items()) + "."


def blocks(document: dict[str, Any] | None) -> dict[str, str]:
    """Return the blocks that pages have, by name."""
    return {
        "verified": f"{where(document)}\n\n{verified(document)}",
        "speed": f"{where(document)} {rates(document)}\n\n{speed(document)}",
    }


def markdown(document: dict[str, Any]) -> str:
    """Return the whole result as a page."""
    counts = document.get("tests", {}).get("counts", {})
    tests = ", ".join(f"{number} {word}" for word, number in counts.items()) or "not run"
    parts = (
        f"# On a device\n\n{where(document)} {document['seconds']} s in all.",
        f"Tests that need a device: {tests}.",
        verified(document),
        f"Training, examples a second, synthetic data. {rates(document)}",
        speed(document),
        *(
            f"- {one['message']}\n  `{one['code']}`"
            for run in document.get("verify", [])
            for one in run.get("mismatches", [])
        ),
    )
    return "\n\n".join(parts) + "\n"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _bytes(value: int | None) -> str:
    return "" if value is None else f"{value / 2**30:.2f} GiB"
