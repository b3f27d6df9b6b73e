"""The page of a report: what it tells in a real browser is what the library tells, and it asks for nothing."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from click.testing import CliRunner

import convcalc as cc
from convcalc.analysis.report.told import template
from convcalc.cli import main

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no chromium here: apt-get install chromium")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser, tmp_path):
    """Open a page of a network; what is asked for anywhere, and every error, fails the test."""
    wrong, contexts = [], []

    def opened(html, at="", **settings):
        (tmp_path / "page.html").write_text(html, encoding="utf-8")
        context = browser.new_context(**settings)
        contexts.append(context)
        context.route(re.compile("^(?!file:)"), lambda route: (wrong.append(route.request.url), route.abort()))
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"file://{tmp_path / 'page.html'}{at}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def status(page):
    return page.get_by_role("status").inner_text()


def fill(page, **sizes):
    for letter, size in sizes.items():
        page.get_by_label(letter, exact=True).fill(str(size))


@pytest.mark.parametrize("name", ["unet", "lenet", "alexnet"])
def test_a_browser_tells_of_sizes_what_the_library_tells(name, visit):
    net = getattr(cc.zoo, name)()
    page, legal = visit(cc.inspect(net).to_html()), cc.valid_sizes(net)
    for sizes in [
        (28, 28),
        (31, 30),
        (188, 188),
        (187, 188),
        (188, 187),
        (224, 224),
        (350, 350),
        (348, 572),
        (108, 12),
    ]:
        fill(page, H=sizes[0], W=sizes[1])
        said, reason = status(page), legal.why_not(*sizes)
        if sizes not in legal:
            assert said.startswith("Does not run."), (sizes, said)
        elif sizes in legal.exact:
            assert said == "Runs, and loses no rows.", (sizes, said)
        else:
            assert said.startswith("Runs, but loses rows."), (sizes, said)
        if reason is not None:
            assert reason.node in said
            assert reason.sentence in said, (sizes, said, reason)
        if sizes in legal:
            report = cc.inspect(net, (3, *net.example[0][1:2], *sizes))
            fill(page, N=3)
            shapes = page.eval_on_selector_all("tbody tr[id]", "rows => rows.map(row => row.children[2].textContent)")
            assert shapes == ["x".join(map(str, row.output)) for row in report.layers]
            assert page.locator("#macs").inner_text() == f"{report.macs:,}"
            assert page.locator("#peak").inner_text() == f"{report.peak:,}"


def test_where_a_size_loses_rows_the_closest_that_lose_none_are_told(visit):
    page = visit(cc.inspect(cc.zoo.unet()).to_html(), at="#H=350&W=350&row=enc3.conv1")
    assert "H = 348, W = 348; or H = 364, W = 364" in status(page)
    assert "enc3.conv1: receptive field 24x24" in page.locator("#field-of").inner_text()
    fill(page, W=572)
    assert "Closest that lose none: H = 348 or 364." in status(page)
    assert page.url.endswith("#N=1&H=350&W=572&row=enc3.conv1")
    fill(page, H=3)
    assert "Closest that run: H = 188." in status(page)


def test_sizes_can_be_dragged_and_keys_suffice(visit):
    page = visit(cc.inspect(cc.zoo.unet()).to_html())
    slider = page.get_by_label("H, dragged")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_label("H", exact=True).input_value() == "573"
    assert status(page).startswith("Runs, but loses rows.")
    page.keyboard.press("Home")
    assert status(page).startswith("Does not run.")
    row = page.locator("#r5")
    row.focus()
    assert row.locator("th").inner_text() in page.locator("#field-of").inner_text()
    page.get_by_role("button", name="enc1").press("Enter")
    assert not page.locator("#r0").is_visible()
    page.get_by_role("button", name="MACs").press("Enter")
    fill(page, H=572)
    texts = page.eval_on_selector_all("tbody tr[id]", "rows => rows.map(row => row.children[4].textContent)")
    page.get_by_role("button", name="MACs").click()
    assert sorted(texts) != texts
    texts = page.eval_on_selector_all("tbody tr[id]", "rows => rows.map(row => row.children[4].textContent)")
    counts = [int(text.replace(",", "")) for text in texts]
    assert counts == sorted(counts, reverse=True)


def test_from_the_layer_that_refuses_on_nothing_is_told(visit):
    page = visit(cc.inspect(cc.zoo.unet()).to_html())
    fill(page, H=60, W=60)
    refused = re.match(r"Does not run\. ([\w.]+):", status(page))[1]
    names = page.eval_on_selector_all("tbody tr[id]", "rows => rows.map(row => row.children[0].textContent)")
    shapes = page.eval_on_selector_all("tbody tr[id]", "rows => rows.map(row => row.children[2].textContent)")
    end = names.index(refused)
    report = cc.inspect(cc.zoo.unet(), (1, 1, 60, 60))
    assert report.failed.name == refused
    assert shapes[:end] == ["x".join(map(str, row.output)) for row in report.layers]
    assert set(shapes[end:]) == {"–"}
    assert page.locator("#macs").inner_text() == "–"


def test_what_is_no_size_is_said(visit):
    page = visit(cc.inspect(cc.zoo.lenet()).to_html())
    for wrong in ("0", "-3", "1.5", ""):
        fill(page, H=wrong)
        assert status(page) == "A size is a whole number from 1 on."
    fill(page, H=28)
    assert status(page) == "Runs, and loses no rows."


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["unet", "broken"])
def test_axe_finds_nothing_wrong(name, scheme, visit):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    report = cc.inspect(cc.zoo.unet()) if name == "unet" else cc.inspect(cc.zoo.lenet(), (1, 1, 9, 9))
    page = visit(report.to_html(), color_scheme=scheme)
    found = axe.Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found] == []


def test_on_a_narrow_screen_nothing_but_tables_runs_out_of_it(visit):
    page = visit(cc.inspect(cc.zoo.unet()).to_html(), viewport={"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_without_scripts_the_report_can_be_read(visit):
    page = visit(cc.inspect(cc.zoo.lenet()).to_html(), java_script_enabled=False)
    assert page.locator("#r0").inner_text().split()[:2] == ["conv1", "conv"]
    assert not page.get_by_role("status").is_visible()


def test_a_drag_stays_smooth_with_two_hundred_layers(visit):
    layers = {f"conv{place}": cc.Conv(8, 3, padding=1) for place in range(200)}
    page = visit(cc.inspect(cc.Sequential(**layers), (1, 8, 64, 64)).to_html())
    assert page.locator("tbody tr[id]").count() == 200
    fill(page, H=100)
    assert status(page) == "Runs, and loses no rows."


# -- the file ----------------------------------------------------------------------------------------------------


def data(html):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', html)[1])


def test_the_file_is_small_and_names_nothing_outside():
    html = cc.inspect(cc.zoo.resnet50()).to_html()
    assert len(html.encode()) <= 150_000
    assert not re.search(r'(?:src|href)="|@import|url\((?!#head\))|fetch\(|XMLHttpRequest', html)
    layers = {f"c{place}": cc.Conv(8, 3, padding=1) for place in range(1000)}
    assert len(cc.inspect(cc.Sequential(**layers), (1, 8, 64, 64)).to_html().encode()) <= 1_000_000


def test_names_of_layers_are_text():
    name = "</script><script>alert(1)</script>"
    html = cc.inspect(cc.Graph([cc.Node(name, cc.Conv(8, 3))], name="<img>"), (1, 3, 8, 8)).to_html()
    assert "<script>alert" not in html
    assert "<img>" not in html
    assert data(html)["rows"][0]["name"] == name


def test_a_network_that_refuses_its_input_has_the_failure_on_its_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["inspect", "lenet", "--input", "1x9x9", "--html", "page.html"])
    assert result.exit_code == 1
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "kernel does not fit" in html
    assert html.index("kernel does not fit") < html.index("<table")
    assert 'id="data"' not in html


def test_a_page_that_cannot_be_written_is_status_2(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["inspect", "lenet", "--html", "no/such/page.html"])
    assert result.exit_code == 2
    assert "cannot write no/such/page.html" in result.output


@pytest.mark.parametrize("shape", [(1, 3, 100), ("N", 3, "L"), (1, 3, "L")])
def test_one_axis_and_letters_have_their_boxes(shape):
    html = cc.inspect(cc.Sequential(cc.Conv(8, 3, stride=2), cc.MaxPool(2)), shape).to_html()
    assert data(html)["letters"][-1] == "L"


def test_a_report_without_sizes_to_change_stands_still():
    html = cc.inspect(cc.Linear(10), (4, 20)).to_html()
    assert "<table" in html
    assert 'id="data"' not in html


def test_a_sentence_that_computes_is_told_by_formulas():
    n = cc.Expr.symbol("n")

    def says(at):
        return cc.BadShape(f"{at(n)} rows: use {at(n) - at(n) % 4} or {4 * (at(n) // 4) + 4}")

    parts = template(says, [{"n": 7}, {"n": 30}])
    told = "".join(part if isinstance(part, str) else str(part(n=13)) for part in parts)
    assert told == str(says(lambda size: size(n=13)))
