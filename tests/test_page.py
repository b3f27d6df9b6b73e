"""The page of a report: what it tells in a real browser is what the library tells, and it asks for nothing."""

from __future__ import annotations

import json
import random
import re

import pytest
from click.testing import CliRunner
from test_javascript import differences

import convcalc as cc
from convcalc.analysis.comparison import Count, compare_reports
from convcalc.analysis.comparison_text import count_row
from convcalc.analysis.report.told import template
from convcalc.cli import main
from convcalc.sizes.text import PRETTY


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


def test_values_in_a_browser_are_those_of_python(visit):
    page = visit("<!doctype html><title>values</title>")
    assert differences(1000, 100, page.evaluate) == []


# -- in a notebook -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["report", "comparison"])
def test_a_notebook_has_the_page_in_a_frame_that_can_do_nothing_else(kind, visit):
    net = cc.zoo.unet()
    result = cc.inspect(net) if kind == "report" else cc.compare(net, cc.zoo.unet(levels=3))
    page = visit(f"<!doctype html><title>notebook</title>{result._repr_html_()}")
    frame = page.frame_locator("iframe")
    frame.get_by_label("H", exact=True).fill("350")
    assert frame.get_by_role("status").first.inner_text().startswith("Runs, but loses rows.")
    frame.locator("#r3").focus()
    assert page.locator("iframe").get_attribute("sandbox") == "allow-scripts"
    page.get_by_text("as a table").click()
    assert page.locator("table").first.is_visible()


def test_where_nothing_moves_a_notebook_has_tables_alone():
    assert cc.inspect(cc.Linear(10), (4, 20))._repr_html_().startswith("<table>")
    assert cc.inspect(cc.zoo.lenet(), (1, 1, 9, 9))._repr_html_().startswith("<table>")


# -- two networks ------------------------------------------------------------------------------------------------


def totals(page, key):
    places = (f"#a-{key}", f"#b-{key}", f"#{key}-difference", f"#{key}-ratio")
    return [page.locator(place).inner_text() for place in places]


@pytest.mark.parametrize("names", [("resnet18", "vgg16"), ("unet", "unet"), ("lenet", "nin"), ("vgg11", "alexnet")])
def test_a_browser_tells_of_both_networks_what_the_library_tells(names, visit):
    a, b = getattr(cc.zoo, names[0])(), getattr(cc.zoo, names[1])()
    if names[0] == names[1]:
        b = getattr(cc.zoo, names[1])(levels=3)
    page = visit(cc.compare(a, b).to_html())
    for sizes in [(28, 28), (224, 224), (350, 224), (348, 364)]:
        fill(page, N=2, H=sizes[0], W=sizes[1])
        shapes = [(2, *net.example[0][1:2], *sizes) for net in (a, b)]
        reports = [cc.inspect(net, shape) for net, shape in zip((a, b), shapes, strict=True)]
        for net, report, said in zip((a, b), reports, page.get_by_role("status").all_inner_texts(), strict=True):
            legal = cc.valid_sizes(net)
            wanted = "and loses no rows" if sizes in legal.exact else "but loses rows" if sizes in legal else ""
            assert said.startswith(f"Runs, {wanted}." if wanted else "Does not run."), (net, sizes, said)
            assert (report.error is None) == bool(wanted)
        if any(report.error for report in reports):
            assert totals(page, "macs")[2:] == ["-", "-"]
            continue
        found = compare_reports(*reports)
        for total in found.counts:
            assert totals(page, total.name) == count_row(total, PRETTY)[1:], (sizes, total)
        assert totals(page, "peak")[:2] == [f"{report.peak:,}" for report in reports]
        assert totals(page, "output")[:2] == ["x".join(map(str, report.output)) for report in reports]
        every = "rows => rows.map(row => [1, 2, 3, 4, 6, 7, 8].map(place => row.children[place].textContent))"
        shown = {tuple(line) for line in page.eval_on_selector_all("#layers tbody tr", every)}
        for row in found.rows:
            if row.same:
                cells = ("x".join(map(str, row.a.output)), f"{row.a.params:,}", f"{row.a.macs:,}")
                assert (*cells, "=", *cells) in shown


def test_ratios_in_a_page_are_written_as_the_library_writes_them(visit):
    page = visit(cc.compare(cc.zoo.lenet(), cc.zoo.lenet()).to_html())
    dice = random.Random(13)
    pairs = [(10 ** dice.randrange(12), dice.randrange(10 ** dice.randrange(1, 12))) for _ in range(2000)]
    pairs += [(8, 9), (16, 17), (2, 201), (0, 5), (7, 7), (10000, 10001), (1000, 99960), (10**9, 1), (1, 100)]
    asked = [[str(a), str(b)] for a, b in pairs]
    said = page.evaluate("pairs => pairs.map(([a, b]) => ratio(BigInt(a), BigInt(b)))", asked)
    assert said == [count_row(Count("params", a, b), PRETTY)[4] for a, b in pairs]


def test_both_networks_are_looked_at_and_linked_to(visit):
    page = visit(cc.compare(cc.zoo.unet(), cc.zoo.unet(levels=3)).to_html(), at="#H=350&W=572")
    assert page.get_by_label("H", exact=True).input_value() == "350"
    row = page.locator("#layers tbody tr").nth(3)
    row.focus()
    for prefix in "ab":
        assert row.locator("th").inner_text() in page.locator(f"#{prefix}-field-of").inner_text()
    assert page.url.endswith("#N=1&H=350&W=572&row=enc1.relu2")
    page.get_by_role("button", name="MACs").first.press("Enter")
    fill(page, H=572)
    assert [word.startswith("Runs, and") for word in page.get_by_role("status").all_inner_texts()] == [True, True]


@pytest.mark.parametrize("settings", [{"color_scheme": "dark"}, {"viewport": {"width": 400, "height": 800}}])
def test_axe_finds_nothing_wrong_with_two_networks(settings, visit):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit(cc.compare(cc.zoo.resnet18(), cc.zoo.vgg16()).to_html(), **settings)
    page.locator("#r5").hover()
    found = axe.Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_scripts_a_comparison_can_be_read(visit):
    page = visit(cc.compare(cc.zoo.lenet(), cc.zoo.nin()).to_html(), java_script_enabled=False)
    found = cc.compare(cc.zoo.lenet(), cc.zoo.nin())["params"]
    assert totals(page, "params") == count_row(found, PRETTY)[1:]
    assert not page.get_by_role("status").first.is_visible()


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
    assert data(html)["nets"][0]["rows"][0]["name"] == name


def test_a_network_that_refuses_its_input_has_the_failure_on_its_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["inspect", "lenet", "--input", "1x9x9", "--html", "page.html"])
    assert result.exit_code == 1
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "kernel does not fit" in html
    assert html.index("kernel does not fit") < html.index("<table")
    assert 'id="data"' not in html


def test_a_comparison_is_written_as_a_page_and_names_in_it_are_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["compare", "lenet", "vgg11", "--depth", "1", "--html", "both.html"])
    assert result.exit_code == 0
    html = (tmp_path / "both.html").read_text(encoding="utf-8")
    assert data(html)["letters"] == ["N", "H", "W"]
    assert not re.search(r'(?:src|href)="|@import|url\((?!#head\))|fetch\(|XMLHttpRequest', html)
    hostile = cc.Graph([cc.Node("</script><script>alert(1)</script>", cc.Conv(8, 3))], name="<img>")
    html = cc.compare(hostile, cc.Conv(8, 5), (1, 3, 28, 28)).to_html()
    assert "<script>alert" not in html
    assert "<img>" not in html


def test_a_saved_report_has_no_page_of_a_comparison(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved = CliRunner().invoke(main, ["inspect", "lenet", "--json"]).output
    (tmp_path / "old.json").write_text(saved, encoding="utf-8")
    result = CliRunner().invoke(main, ["compare", "old.json", "lenet", "--html", "both.html"])
    assert result.exit_code == 2
    assert "--html is for two targets" in result.output
    assert not (tmp_path / "both.html").exists()


def test_two_networks_that_share_no_letter_stand_still():
    html = cc.compare(cc.Linear(10), cc.Linear(12), (4, 20)).to_html()
    assert 'id="layers"' in html
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
