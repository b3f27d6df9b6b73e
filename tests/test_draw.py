"""Pictures show what the formulas, footprints and arrays say; files are whole, safe and the same every time.

A few are kept as text in tests/golden. To write them anew after a change that is meant: python tests/test_draw.py
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import assume, given
from hypothesis import strategies as st

import convcalc as cc
from convcalc.arithmetic.transposed.arrays import convolve
from convcalc.arithmetic.transposed.example import worked_example
from convcalc.arithmetic.transposed.size import transposed_size
from convcalc.arithmetic.transposed.stamps import StampNumbers, Stamps
from convcalc.arithmetic.window_size import conv_size, pool_size
from convcalc.arithmetic.windows import Numbers, Windows
from convcalc.cli import main
from convcalc.errors import ConvcalcError
from convcalc.render.svg import STYLE

SVG = "{http://www.w3.org/2000/svg}"
SMALL = st.integers(1, 4)


def marks(svg: str, kind: str) -> list[ElementTree.Element]:
    """The marks of a class, parsed."""
    return [mark for mark in ElementTree.fromstring(svg).iter() if mark.get("class") == kind]


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(main, ["draw", *arguments], prog_name="convcalc", catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


PICTURES = {
    "conv": lambda: cc.draw.conv((6, 6), k=3, s=2, p=1, at=(1, 2)),
    "conv in numbers": lambda: cc.draw.conv(9, k=3, s=2, p=(1, 2), d=3, values=True),
    "conv that moves": lambda: cc.draw.conv((4, 5), k=2, animate=True),
    "far conv": lambda: cc.draw.conv((224, 224), k=7, s=2, p=3, at=(56, 3)),
    "groups": lambda: cc.draw.conv(5, k=3, channels=(4, 8), groups=2),
    "pool": lambda: cc.draw.pool((5, 5), k=2, ceil_mode=True, at=(2, 2), values=True),
    "tconv": lambda: cc.draw.tconv(4, k=3, s=2, p=1, op=1, at=[3], values=True),
    "tconv on two axes": lambda: cc.draw.tconv((3, 3), k=3, s=2, p=1, at=(1, 3)),
    "tconv that crops": lambda: cc.draw.tconv(5, k=2, s=1, p=1, animate=True),
    "overlap": lambda: cc.draw.overlap(k=3, s=2, d=2),
    "hdc": lambda: cc.draw.hdc([1, 2, 9]),
    "long hdc": lambda: cc.draw.hdc([1, 2, 400]),
    "net": lambda: cc.draw.net(cc.zoo.resnet18()),
    "field": lambda: cc.draw.field(cc.zoo.unet(), cell=(0, 194)),
    "sizes": lambda: cc.draw.sizes(cc.zoo.lenet()),
    "tiles": lambda: cc.draw.tiles(cc.zoo.unet(), tile=600, image=(1500, 900)),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_one_whole_file_that_asks_for_nothing_and_is_the_same_every_time(name):
    svg = PICTURES[name]().to_svg()
    root = ElementTree.fromstring(svg)
    assert svg == PICTURES[name]().to_svg()
    assert root.find(f"{SVG}title").text
    assert root.find(f"{SVG}desc").text
    assert not re.search(r"(href|src|@import|url\((?!#head\)))", svg.replace("http://www.w3.org/2000/svg", ""))
    kinds = {mark.get("class") for mark in root.iter() if mark.get("class")}
    assert {kind for kind in kinds if not re.fullmatch(r"f\d+", kind)} <= {*STYLE, "ground"}


GOLDEN = {
    Path(__file__).parent / "golden" / f"draw_{name.replace(' ', '_')}.svg": PICTURES[name]
    for name in ("conv", "conv in numbers", "tconv", "hdc", "tiles")
}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_picture_is_its_golden_file(path):
    assert GOLDEN[path]().to_svg() == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PICTURES)
def test_every_mark_lies_within_the_picture(name):
    picture = PICTURES[name]()
    for mark in ElementTree.fromstring(picture.to_svg()).iter(f"{SVG}rect"):
        if mark.get("class") != "ground":
            x, y, width, height = (float(mark.get(key)) for key in ("x", "y", "width", "height"))
            assert 0 <= x <= x + width <= picture.width
            assert 0 <= y <= y + height <= picture.height
    for mark in ElementTree.fromstring(picture.to_svg()).iter(f"{SVG}text"):
        size = float(mark.get("font-size", 12))
        wide = len(mark.text) * size * 0.6
        start = float(mark.get("x")) - {"middle": wide / 2, "end": wide}.get(mark.get("text-anchor"), 0)
        assert start >= -1
        assert start + wide <= picture.width + 1, mark.text


# -- windows -----------------------------------------------------------------------------------------------------


@given(n=st.integers(1, 12), k=SMALL, s=SMALL, p=st.tuples(st.integers(0, 3), st.integers(0, 3)), d=st.integers(1, 3))
def test_the_taps_of_a_convolution_are_what_its_footprint_reads(n, k, s, p, d):
    try:
        size = conv_size(n, k, stride=s, padding=p, dilation=d)
    except ConvcalcError:
        assume(False)
    axis, reads = Windows(size), cc.Reads.conv(n, k, stride=s, padding=p, dilation=d)
    inside = [[tap for tap in axis.taps(j) if 0 <= tap < n] for j in range(size.output_size)]
    assert inside == [list(reads.at(j)) for j in range(size.output_size)]
    assert [at for at in range(n) if axis.kind(at) == "lost"] == list(reads.unread)
    assert all(axis.first <= tap <= axis.last for j in range(size.output_size) for tap in axis.taps(j))


@given(n=st.integers(2, 12), k=st.integers(2, 4), s=SMALL, p=st.integers(0, 1))
def test_the_last_window_in_ceil_mode_hangs_over_as_the_footprint_has_it(n, k, s, p):
    try:
        size = pool_size(n, k, stride=s, padding=p, ceil_mode=True)
    except ConvcalcError:
        assume(False)
    axis, reads = Windows(size), cc.Reads.pool(n, k, stride=s, padding=p, ceil_mode=True)
    last = int(size.output_size) - 1
    assert [tap for tap in axis.taps(last) if 0 <= tap < n] == list(reads.at(last))
    over = list(range(n + p, axis.taps(last)[-1] + 1))
    assert [axis.kind(tap) for tap in over] == ["zero"] * len(over)


@given(shape=st.lists(st.integers(3, 5), min_size=1, max_size=2), k=st.integers(1, 3), s=st.integers(1, 2))
def test_the_numbers_of_a_convolution_are_those_of_the_arrays(shape, k, s):
    axes = [Windows(conv_size(n, k, stride=s, padding=1)) for n in shape]
    x = np.arange(1, np.prod(shape) + 1).reshape(1, 1, *shape)
    weight = np.arange(1, k ** len(shape) + 1).reshape(1, 1, *[k] * len(shape))
    expected = convolve(np.pad(x, [(0, 0), (0, 0), *[(1, 1)] * len(shape)]), weight, stride=(s,) * len(shape))[0, 0]
    found = Numbers(axes)
    assert all(found.output(place) == value for place, value in np.ndenumerate(expected))


def test_the_numbers_of_a_pooling_are_the_largest_of_each_window():
    svg = cc.draw.pool(5, k=2, values=True, ceil_mode=True, at=[2]).to_svg()
    texts = [mark.text for mark in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert [text for text in texts if text.isdigit()].count("4") >= 2  # 1 2 | 3 4 | 5
    assert Numbers([Windows(pool_size(5, 2, stride=2, ceil_mode=True))]).output([2]) == 5


def test_the_kernel_is_drawn_where_the_output_has_it():
    svg = cc.draw.conv((6, 6), k=3, s=2, p=1, at=(1, 2)).to_svg()
    cells = [(float(mark.get("x")), float(mark.get("y"))) for mark in marks(svg, "cell")][1:]  # but the legend's
    taps = [(float(mark.get("x")), float(mark.get("y"))) for mark in marks(svg, "tap")]
    side = 26
    left, top = min(x for x, _ in cells), min(y for _, y in cells)
    drawn = {(round((y - top) / side), round((x - left) / side)) for x, y in taps[1:]}
    legend = {(round((y - top) / side), round((x - left) / side)) for x, y in taps[:1]}
    assert (drawn | legend) >= {(row, column) for row in (1, 2, 3) for column in (3, 4, 5)}
    assert len(taps) == 10
    assert len(marks(svg, "now")) == 2
    assert len(marks(svg, "pad")) == 8 * 8 - 6 * 6 + 1


def test_past_64_cells_both_ends_are_drawn_and_what_matters():
    svg = cc.draw.conv(1000, k=5, at=[500]).to_svg()
    numbers = {mark.text for mark in marks(svg, "faint")}
    assert {"0", "996", "500"} <= numbers or len(marks(svg, "tap")) == 6
    assert len(marks(svg, "cell")) + len(marks(svg, "tap")) < 70
    assert "…" in numbers


@pytest.mark.parametrize("kind", ["conv", "tconv", "pool"])
def test_a_map_of_any_size_is_drawn_at_once(kind):
    svg = getattr(cc.draw, kind)(10**30, k=3, at=[10**29]).to_svg()
    assert str(10**29) in svg
    assert len(svg) < 50_000


def test_the_stride_of_a_checkerboard_is_one_unless_given():
    assert run("overlap", "--k", "3") == cc.draw.overlap(3, 1).to_svg()


def test_each_output_is_a_frame_and_readers_may_want_no_motion():
    picture = cc.draw.conv((4, 5), k=2, animate=True)
    assert len(picture.frames) == 3 * 4
    svg = picture.to_svg()
    assert svg.count('<g class="f') == 12
    assert "prefers-reduced-motion:reduce" in svg
    assert "prefers-color-scheme:dark" in svg
    assert "animation" not in cc.draw.conv(5, k=3).to_svg()


# -- transposed --------------------------------------------------------------------------------------------------


@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=2),
    k=st.integers(1, 3),
    s=st.integers(1, 3),
    p=st.integers(0, 2),
    op=st.integers(0, 1),
    d=st.integers(1, 2),
)
def test_both_views_of_a_transposed_convolution_give_the_numbers_of_the_arrays(shape, k, s, p, op, d):
    try:
        sizes = [transposed_size(n, k, stride=s, padding=p, output_padding=op, dilation=d) for n in shape]
    except ConvcalcError:
        assume(False)
    found, expected = StampNumbers(list(map(Stamps, sizes))), worked_example(sizes).output
    for place, value in np.ndenumerate(expected):
        assert found.stamped(place) == found.convolved(place) == value


@given(n=st.integers(1, 5), k=SMALL, s=SMALL, d=st.integers(1, 3))
def test_a_stamp_meets_an_output_where_it_covers_it(n, k, s, d):
    axis = Stamps(transposed_size(n, k, stride=s, dilation=d))
    for output in range(int(axis.size.output_size)):
        covering = sorted(place for place in range(n) if output in axis.stamp(place))
        assert sorted({place for place, _ in axis.meeting(output)}) == covering


def test_the_names_of_the_weights_show_the_flip():
    svg = cc.draw.tconv(3, k=3, s=2, p=1, at=[2]).to_svg()
    x_of = {}
    for mark in marks(svg, "on"):
        x_of.setdefault(mark.text, []).append(float(mark.get("x")))
    assert max(x_of["w2"]) < max(x_of["w1"]) < max(x_of["w0"])  # under the flipped kernel, the rightmost of each name


@given(k=SMALL, s=SMALL, d=st.integers(1, 3))
def test_the_checkerboard_counts_terms(k, s, d):
    svg = cc.draw.overlap(k, s, d, n=(3, 4)).to_svg()
    drawn = [int(mark.text) for mark in ElementTree.fromstring(svg).iter(f"{SVG}text") if mark.text.isdigit()]
    ones = [np.ones((1, 1, n)) for n in (3, 4)]
    rows, columns = (cc.transposed_by_stamps(one, np.ones((1, 1, k)), stride=s, dilation=d)[0, 0] for one in ones)
    expected = np.outer(rows, columns).ravel().astype(int).tolist()
    assert drawn[: len(expected)] == expected


# -- stacks and networks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rates", [(1, 2, 9), (2, 2, 2), (1, 2, 5), (3,), (4, 1)])
def test_holes_are_crossed_out_and_ways_counted(rates):
    found, svg = cc.hdc(rates), cc.draw.hdc(rates).to_svg()
    below = marks(svg, "out")
    fields = [found, *([cc.hdc(found.tries[0].rates)] if found.tries else [])]
    assert len(below) == sum(one.receptive_field for one in fields) + 1
    last = [one.hole_count for one in fields]
    crossed = len(marks(svg, "lost"))
    holes = sum(
        width - bin(bits).count("1")
        for one in fields
        for bits, width in zip(one.prefixes(one.receptive_field), one.fields, strict=True)
    )
    assert crossed == holes + bool(last[0])


@given(data=st.data())
def test_boxes_of_a_layout_lie_apart_and_lines_join_them(data):
    from convcalc.render.layered import GAP, layered

    count = data.draw(st.integers(2, 12))
    names = [f"n{place}" for place in range(count)]
    boxes = {name: (data.draw(st.integers(10, 80)), 20) for name in names}
    pairs = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :]]
    edges = data.draw(st.lists(st.sampled_from(pairs), unique=True, max_size=20))
    if data.draw(st.booleans()):
        edges.append((names[-1], names[0]))  # a module that is called again
    found = layered(boxes, edges)
    spans = {name: (x, y, x + boxes[name][0], y + 20) for name, (x, y) in found.places.items()}
    for a in names:
        assert spans[a][0] + 1e-6 >= 0
        assert spans[a][2] <= found.width + 1e-6
        for b in names:
            if a < b and spans[a][1] == spans[b][1]:
                gap = max(spans[b][0] - spans[a][2], spans[a][0] - spans[b][2])
                assert gap >= GAP - 1e-6
    for a, b in edges:
        start, end = found.lines[a, b][0], found.lines[a, b][-1]
        for name, (x, y) in ((a, start), (b, end)):
            assert x == pytest.approx((spans[name][0] + spans[name][2]) / 2)
            assert y in (spans[name][1], spans[name][3])


def test_a_level_keeps_its_order_where_no_lines_need_cross():
    from convcalc.render.layered import layered

    boxes = dict.fromkeys(["top", "a", "b", "c", "d"], (40, 20))
    edges = [("top", "a"), ("top", "b"), ("a", "d"), ("b", "c")]  # c and d are given the other way round
    places = layered(boxes, edges).places
    assert (places["a"][0] < places["b"][0]) == (places["d"][0] < places["c"][0])


def test_the_graph_of_a_network_has_a_line_for_each_skip():
    svg = cc.draw.net(cc.zoo.resnet18()).to_svg()
    adds = sum(row.op == "add" for row in cc.inspect(cc.zoo.resnet18()).layers)
    lines = len([mark for mark in marks(svg, "edge") if mark.get("marker-end")])
    boxes = int(re.match(r"(\d+) boxes", cc.draw.net(cc.zoo.resnet18()).description)[1])
    assert lines == boxes + adds  # a chain, the input's line, and one more line into each sum


def test_names_of_layers_are_text_and_never_markup():
    name = "<script>alert(1)</script>&\"'"
    net = cc.Graph([cc.Node(name, cc.Conv(8, 3))], name="<b>")
    svg = cc.draw.net(net, (1, 3, 8, 8)).to_svg()
    assert "<script" not in svg
    assert "<b>" not in svg
    texts = [mark.text for mark in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert name in texts


def test_the_ways_to_an_input_are_the_gradient_of_ones():
    torch = pytest.importorskip("torch")
    from convcalc.analysis.cell import count_ways

    layers = [("conv", 3, 2, 1), ("conv", 3, 1, 1), ("conv", 5, 2, 2)]
    net = cc.Sequential(*(cc.Conv(1, k, stride=s, padding=p, bias=False) for _, k, s, p in layers))
    module = torch.nn.Sequential(*(torch.nn.Conv1d(1, 1, k, s, p, bias=False) for _, k, s, p in layers)).double()
    for parameter in module.parameters():
        torch.nn.init.ones_(parameter)
    for cell in (0, 3, 7):
        x = torch.zeros(1, 1, 32, dtype=torch.float64, requires_grad=True)
        module(x)[0, 0, cell].backward()
        expected = {place: int(value) for place, value in enumerate(x.grad[0, 0].tolist()) if value}
        assert count_ways(net, "2", [cell], (1, 1, 32)) == (expected,)


def test_ways_add_up_where_branches_meet():
    from convcalc.analysis.cell import count_ways

    body = cc.Residual(cc.Conv(3, 3, padding=1))
    assert count_ways(body, "add", [4], (1, 3, 9)) == ({3: 1, 4: 2, 5: 1},)


def test_the_comb_has_a_tooth_for_each_size_as_the_sets_say():
    legal = cc.valid_sizes(cc.zoo.unet())
    svg = cc.draw.sizes(cc.zoo.unet()).to_svg()
    shown = range(legal["H"].smallest - 12, legal["H"].smallest + 84)
    good = [size for size in shown if size in legal.exact["H"]]
    fair = [size for size in shown if size in legal["H"] and size not in legal.exact["H"]]
    assert len(marks(svg, "fair")) == len(fair) + 1
    assert len(marks(svg, "good")) == 2 * len(good) + 1  # a tooth and a dot on the steps each
    assert len(marks(svg, "bad")) == len(shown) - len(good) - len(fair) + 1


def test_what_is_kept_of_all_tiles_is_the_output_once():
    found = cc.find_tiles(cc.zoo.unet(), tile=600, image=(1500, 900))
    svg = cc.draw.tiles(cc.zoo.unet(), tile=600, image=(1500, 900)).to_svg()
    parts = [*marks(svg, "out"), *marks(svg, "cell")]
    area = sum(float(mark.get("width")) * float(mark.get("height")) for mark in parts)
    whole = (1500 * 900 + 1316 * 716) * (320 / 1500) ** 2  # the image, and the output put together
    assert area == pytest.approx(whole, rel=0.01)
    assert found.count == len(marks(svg, "hull")) - 1


# -- files -------------------------------------------------------------------------------------------------------


def test_png_and_gif_are_pictures(tmp_path):
    image = pytest.importorskip("PIL.Image")
    pytest.importorskip("resvg_py")
    picture = cc.draw.conv(4, k=3, animate=True)
    for name, frames in (("a.png", 1), ("a.gif", 2)):
        assert picture.save(tmp_path / name) == (tmp_path / name).stat().st_size
        with image.open(tmp_path / name) as opened:
            assert getattr(opened, "n_frames", 1) == frames
            assert opened.convert("L").getextrema()[0] < 100  # something dark is drawn on the light ground


def test_without_the_extra_a_png_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    monkeypatch.chdir(tmp_path)
    assert "pip install 'convcalc[plot]'" in run("hdc", "1", "2", "-o", "a.png", status=2)
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["conv", "--n", "5x5", "--k", "9"], 1, "kernel does not fit"),
        (["conv", "--n", "n", "--k", "3"], 1, "numbers, not letters"),
        (["conv", "--n", "5x5x5", "--k", "3"], 1, "one axis or two"),
        (["conv", "--n", "5", "--k", "3", "--at", "7"], 1, "there is no output 7"),
        (["conv", "--n", "5", "--k", "3", "--at", "1x1"], 1, "has 2 places for 1 axes"),
        (["conv", "--n", "5", "--k", "3", "--channels", "4x6", "--groups", "4"], 1, "must divide both"),
        (["conv", "--n", "5", "--k", "3", "--groups", "4"], 2, "add --channels"),
        (["conv", "--n", "200x200", "--k", "3", "--animate"], 1, "too many to draw"),
        (["conv", "--n", "32x32", "--k", "31x31", "--p", "15", "--animate"], 1, "984,064 taps in all steps"),
        (["conv", "--n", "9x9", "--k", "9x9", "--s", "s"], 1, "numbers, not letters"),
        (["tconv", "--n", "5", "--k", "1000000000000"], 1, "1,000,000,000,000 taps are too many to draw"),
        (["hdc", "1", "2", "--s", "1000000000"], 1, "a field of 4,000,000,003 is too long to draw"),
        (["conv", "--n", "1..4", "--k", "3"], 2, "is a range"),
        (["conv", "--n", "5"], 2, "the kernel size is needed"),
        (["tconv", "--n", "5", "--k", "3", "--op", "4"], 1, "output_padding"),
        (["overlap", "--k", "0", "--s", "2"], 1, "kernel_size must be >= 1"),
        (["hdc", "0"], 1, "rate must be at least 1"),
        (["net", "lenet", "--input", "1x9x9"], 1, "kernel does not fit"),
        (["field", "lenet", "--at", "nope"], 2, "no node 'nope'"),
        (["field", "lenet", "--at", "conv1", "--cell", "99x1"], 1, "has no position 99x1"),
        (["sizes", "lenet", "--near", "1x2x3"], 2, "one or 2"),
        (["tiles", "resnet18", "--image", "1000"], 1, "forbids exact tiles"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_drawn_is_a_sentence_and_no_file(arguments, status, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert said in run(*arguments, "-o", "a.svg", status=status)
    assert list(tmp_path.iterdir()) == []
    if status == 1:
        result = CliRunner().invoke(main, ["draw", *arguments, "--json"])
        assert json.loads(result.stdout)["kind"] == "draw"
        assert said in json.loads(result.stdout)["error"]["message"]


@pytest.mark.parametrize("name", ["a.txt", "a", "no/such/folder.svg"])
def test_a_file_that_cannot_be_is_status_2(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("hdc", "1", "2", "-o", name, status=2)
    assert list(tmp_path.iterdir()) == []


def test_without_a_file_the_svg_is_printed_and_json_tells_of_it():
    printed = run("hdc", "1", "2")
    assert printed == cc.draw.hdc([1, 2]).to_svg()
    document = json.loads(run("hdc", "1", "2", "--json"))
    assert document["bytes"] == len(printed.encode())
    assert document["file"] is None


if __name__ == "__main__":
    for file, draw in GOLDEN.items():
        file.write_text(draw().to_svg(), encoding="utf-8")
