"""Everything that needs a device, in one go: JSON and a table, with what was reached and where.

    tests/device/run.sh [--device cuda|cpu] [--out DIR]

Needs a bare checkout, and torch, numpy, sympy, click, rich and pytest. With `--device cpu` it is tried in small: batch
2, two steps, short runs, and the result says so. Each step has its time; what is not done then is stopped as by Ctrl-C,
and says how far it came. `tests/device/fill.py` puts the result into the pages.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tables import markdown

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("lenet", "alexnet", "resnet18", "googlenet", "densenet", "unet")
CUDA = {"all": 230, "tests": 45, "speed": 60, "layers": 66, "transposed": 20, "target": 45}
CPU = {"all": 285, "tests": 40, "speed": 90, "layers": 20, "transposed": 15, "target": 25}
"""Seconds: for all, and for each step, imports included; on CUDA the targets run side by side."""


class Clock:
    """Runs commands, each within its seconds and what is left of all."""

    def __init__(self, seconds: dict[str, int]) -> None:
        self.seconds, self.end = seconds, time.monotonic() + seconds["all"]

    def run(self, step: str, *command: str) -> dict[str, Any]:
        """Run a command; where its time is over, interrupt it as a user would."""
        left = min(self.seconds[step], self.end - time.monotonic())
        if left < 3:
            return {"not_run": "out of time"}
        start = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            out, err = process.communicate(timeout=left)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            try:
                out, err = process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
        took = round(time.monotonic() - start, 1)
        print(f"{took:6.1f} s  {' '.join(command)[:90]}  exit {process.returncode}", file=sys.stderr, flush=True)
        return {"out": out, "err": err[-2000:], "status": process.returncode, "took": took}


def about(device: str) -> dict[str, Any]:
    """Return what it ran on: date, device, driver, versions."""
    import numpy
    import torch

    found = {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "type": device,
        "name": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "driver": None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version() if device == "cuda" else None,
        "numpy": numpy.__version__,
    }
    if device == "cuda":
        found["name"] = torch.cuda.get_device_name()
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
            said = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True)
            found["driver"] = said.stdout.split("\n")[0].strip()
    return found


def verified(clock: Clock, step: str, *arguments: str) -> dict[str, Any]:
    """Return the document of a verification, with its command line and the seconds that it took with its imports."""
    found = clock.run(step, "-m", "convcalc", "verify", *arguments, "--json")
    record: dict[str, Any] = {"name": arguments[0], "command": f"convcalc verify {' '.join(arguments)}"}
    try:
        document = json.loads(found["out"])
    except (KeyError, ValueError):
        why = found.get("not_run") or (found["err"].splitlines() or ["no answer in its time"])[-1]
        return {**record, "not_run": why}
    kept = ("target", "seed", "checked", "refused", "kinds", "unchecked", "mismatches", "interrupted", "seconds")
    return {**record, **{key: document[key] for key in kept}, "took": found["took"]}


def tested(clock: Clock) -> dict[str, Any]:
    """Run the tests that need a device; nothing of them needs hypothesis, which the other tests share."""
    options = ("-q", "-rs", "--noconftest", "-o", "addopts=", "-p", "no:cacheprovider", "-m", "gpu")
    found = clock.run("tests", "-m", "pytest", *options, "tests/device/test_cuda.py")
    counts = {
        word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped|errors?)", found.get("out", ""))
    }
    return {
        "counts": counts,
        "failures": re.findall(r"^FAILED (.*)$", found.get("out", ""), re.M),
        "took": found.get("took"),
    }


def main() -> int:
    """Run all; 1 where something differs or failed."""
    parser = argparse.ArgumentParser(prog="tests/device/run.sh")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--out", type=Path, default=Path("device-result"))
    asked = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has it ignored in the background
    import torch

    if asked.device == "cuda" and not torch.cuda.is_available():
        parser.error("torch finds no CUDA device; --device cpu tries everything in small")
    asked.out.mkdir(parents=True, exist_ok=True)
    small = asked.device == "cpu"
    clock = Clock(CPU if small else CUDA)
    start = time.monotonic()
    document: dict[str, Any] = {"device": about(asked.device), "small": small}

    def keep(**found: Any) -> None:
        document.update(found, seconds=round(time.monotonic() - start, 1))
        (asked.out / "device.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        (asked.out / "device.md").write_text(markdown(document), encoding="utf-8")

    keep(tests=tested(clock))
    file = asked.out.resolve() / "speed.json"
    file.unlink(missing_ok=True)  # of a run before
    few = ("--batch", "2", "--steps", "2") if small else ()
    timed = clock.run(
        "speed", str(Path(__file__).with_name("speed.py")), "--device", asked.device, "--out", str(file), *few
    )
    rows = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"rows": []}
    keep(speed={**rows, "took": timed.get("took"), "said": timed.get("err", "")[-300:]})
    on = ("--device", asked.device, *(() if small else ("--workers", "8")))
    runs = [verified(clock, "layers", "layers", "--count", "1000000", *on)]
    keep(verify=runs)
    runs.append(verified(clock, "transposed", "transposed", "--count", "100000", *on))
    keep(verify=runs)
    with ThreadPoolExecutor(1 if small else len(TARGETS)) as pool:  # each waits for a process of its own
        for found in pool.map(lambda name: verified(clock, "target", name, "--device", asked.device), TARGETS):
            runs.append(found)
            keep(verify=runs)
    print(markdown(document))
    failed = document["tests"]["counts"].get("failed", 0) or any(run.get("mismatches") for run in runs)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
