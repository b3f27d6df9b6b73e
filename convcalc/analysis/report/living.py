"""What every living page has: its head, the boxes of its letters, a verdict for each network, the script, and a frame.

Nothing is fetched from anywhere. Without letters there is no script, and nothing moves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any, NamedTuple

from convcalc.sizes.javascript import PRELUDE


class PageMaker(NamedTuple):
    """How the page of a result is made; notebooks show it where that is `quick`, and its tables elsewhere."""

    make: Callable[[Any], str]
    quick: bool

    def beside(self, result: Any, table: str) -> str:
        """Return what a notebook shows of a result: its page in a frame, where something moves in it, and its table.

        >>> PageMaker(lambda result: "a page", quick=True).beside(None, "<table></table>")
        '<table></table>'
        """
        page = self.make(result) if self.quick else ""
        return framed(page, table) if 'id="data"' in page else table


def living_page(
    title: str, parts: Sequence[str], letters: Sequence[str] = (), nets: Sequence[tuple[dict[str, Any], str]] = ()
) -> str:
    """Return a page of some parts; `nets` are what `worked` returns for each network, whose letters have boxes.

    >>> living_page("a < b", ["<p>one</p>"]).splitlines()[-1]
    '<p>one</p></main></body></html>'
    """
    whole = [f"<h1>{escape(title)}</h1>", *filter(None, parts)]
    if nets:
        data = {"letters": list(letters), "nets": [net for net, _ in nets]}
        written = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
        programs = ",".join(program for _, program in nets)
        whole.append(
            f'<script type="application/json" id="data">{written}</script>\n'
            f"<script>{PRELUDE}const F=[{programs}];\n{_file('page.js')}</script>"
        )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width,initial-scale=1"><title>{escape(title)}</title>\n'
        f"<style>{_file('page.css')}</style></head>\n"
        f"<body><main>{chr(10).join(whole)}</main></body></html>\n"
    )


def _file(name: str) -> str:
    return files("convcalc.analysis.report").joinpath(name).read_text(encoding="utf-8")


def boxes(letters: Sequence[str], example: Mapping[str, int], verdicts: Sequence[tuple[str, str]]) -> str:
    """Return a box and a slider for each letter; for each network, a prefix and its name, a verdict and its sizes.

    >>> boxes(["H"], {"H": 28}, [("", "")]).count("<input "), boxes(["H"], {"H": 28}, [("", "")]).count('role="status"')
    (2, 1)
    """
    fields = []
    for place, letter in enumerate(letters):
        name, value = escape(letter), example[letter]
        most = max(16, 2 * value)
        fields.append(
            f'<div class="size"><label for="box-{place}">{name}</label>'
            f'<input id="box-{place}" type="number" min="1" step="1" value="{value}" aria-label="{name}">'
            f'<input id="bar-{place}" type="range" min="1" max="{most}" value="{value}" aria-label="{name}, dragged">'
            "</div>"
        )
    verdict = "".join(
        f'<p class="verdict">{f"<b>{escape(name)}</b> " if name else ""}'
        f'<span id="{prefix}status" class="status" role="status"></span></p>'
        for prefix, name in verdicts
    )
    seen = "".join(_sizes_around(prefix, escape(name)) for prefix, name in verdicts)
    return (
        f'<section class="live" aria-label="Sizes">{"".join(fields)}{verdict}<p class="keys">'
        '<span class="key good">loses no rows</span> <span class="key fair">loses rows</span> '
        f'<span class="key no">does not run</span></p><div class="seen-by">{seen}</div>'
        "</section><noscript><style>.live{display:none}</style></noscript>"
    )


def _sizes_around(prefix: str, name: str) -> str:
    """The comb of the sizes around, and the map of the receptive field."""
    before, of = (f"{name}: ", f" of {name}") if name else ("", "")
    return (
        f'<div class="seen"><figure class="comb"><figcaption>{before}which <span id="{prefix}comb-of"></span> run'
        f'</figcaption><svg id="{prefix}comb" viewBox="0 0 582 56" role="img" '
        f'aria-label="the sizes around this one that run{of}"></svg></figure>'
        f'<figure id="{prefix}field" class="field" hidden><figcaption id="{prefix}field-of"></figcaption>'
        f'<svg id="{prefix}field-map" viewBox="0 0 164 164" role="img" '
        f'aria-label="the receptive field over the input{of}"></svg></figure></div>'
    )


def sorted_table(heads: Sequence[str], lines: Sequence[str], kind: str = "") -> str:
    """Return the table of the layers, which is sorted by a press on a heading; the lines are `tr` elements.

    >>> sorted_table(["layer"], []).count("<button")
    1
    """
    top = "".join(f'<th scope="col"><button type="button">{escape(name)}</button></th>' for name in heads)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Layers"><table id="layers" class="{kind}">'
        f"<thead><tr>{top}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def framed(page: str, table: str) -> str:
    """Return a page in a frame that may run its script and nothing else, for notebooks; below it a table.

    The table is there for viewers that strip frames.

    >>> framed('<p title="x">', "<table></table>").partition(" sandbox=")[0]
    '<iframe srcdoc="&lt;p title=&quot;x&quot;&gt;"'
    """
    return (
        f'<iframe srcdoc="{escape(page)}" sandbox="allow-scripts" title="the page, in which sizes can be changed" '
        'style="width:100%;height:600px;border:1px solid #8884"></iframe>'
        f"<details><summary>as a table</summary>{table}</details>"
    )
