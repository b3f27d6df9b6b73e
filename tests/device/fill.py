"""Fill the tables of docs/verify.md and docs/performance.md from the result of a device.

    python tests/device/fill.py device-result/device.json
    python tests/device/fill.py            # nothing is measured: every row says so

Results of a CPU are no results of a device, and are refused.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from tables import blocks

PAGES = [Path(__file__).resolve().parents[2] / "docs" / name for name in ("verify.md", "performance.md")]


def filled(page: str, found: dict[str, str]) -> str:
    """Return a page with its blocks filled.

    >>> filled("<!-- device: speed -->\\nold\\n<!-- end -->", {"speed": "new"})
    '<!-- device: speed -->\\n\\nnew\\n\\n<!-- end -->'
    """
    return re.sub(
        r"(<!-- device: (\w+) -->\n).*?(<!-- end -->)",
        lambda block: f"{block[1]}\n{found[block[2]]}\n\n{block[3]}",
        page,
        flags=re.DOTALL,
    )


def main(arguments: list[str]) -> int:
    """Fill the pages; 2 where the result is none of a device."""
    document = json.loads(Path(arguments[0]).read_text(encoding="utf-8")) if arguments else None
    if document is not None and document["device"]["type"] != "cuda":
        print("this was measured on the CPU, to try the script: it does not go into the pages", file=sys.stderr)
        return 2
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8"), blocks(document)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
