"""Reports compared: what changed, what only has another name, and no traceback whatever the file holds."""

from __future__ import annotations

import copy
import json

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import convcalc as cc
from convcalc.analysis.changes import find_changes
from convcalc.cli import main

LENET = cc.inspect(cc.zoo.lenet()).to_dict()


def compare(*arguments: str):
    return CliRunner().invoke(main, ["compare", *map(str, arguments)], prog_name="convcalc")


def save(path, *arguments: str):
    path.write_text(CliRunner().invoke(main, ["inspect", *arguments, "--json"]).stdout)
    return str(path)


@given(
    st.integers(0, len(LENET["layers"]) - 1),
    st.sampled_from(["output", "symbolic", "params", "macs", "receptive_field", "stride", "global"]),
)
def test_one_value_changed_is_one_change(place, key):
    other = copy.deepcopy(LENET)
    row = other["layers"][place]
    row[key] = not row[key] if key == "global" else ["changed"]
    found = find_changes(LENET, other).found
    assert [(one.layer, one.what) for one in found] == [(row["name"], key)]
    assert (found[0].before, found[0].after) == (LENET["layers"][place][key], row[key])


@given(st.permutations(range(len(LENET["layers"]))))
def test_order_and_notes_are_no_change(order):
    other = {**LENET, "layers": [LENET["layers"][place] for place in order], "notes": [], "remarks": ["x"]}
    assert find_changes(LENET, other).found == ()


@given(st.sets(st.integers(0, len(LENET["layers"]) - 1)))
def test_another_name_is_no_change(places):
    other = copy.deepcopy(LENET)
    for place in places:
        other["layers"][place]["name"] += "_new"
    found = find_changes(LENET, other)
    assert found.found == ()
    assert {old for old, _ in found.renamed} == {LENET["layers"][place]["name"] for place in places}


@given(st.integers(0, len(LENET["layers"]) - 1))
def test_a_layer_that_goes_or_comes_is_a_change(place):
    other = {**LENET, "layers": [row for row in LENET["layers"] if row is not LENET["layers"][place]]}
    name = LENET["layers"][place]["name"]
    for old, new, side in ((LENET, other, "after"), (other, LENET, "before")):
        ((one),) = find_changes(old, new).found
        assert (one.layer, one.what, getattr(one, side)) == (name, "layer", None)


def test_the_same_report_is_exit_0_and_another_exit_1(tmp_path):
    old, new = save(tmp_path / "old.json", "lenet"), save(tmp_path / "new.json", "lenet(classes=12)")
    same = compare(old, old)
    assert (same.exit_code, "shapes, sizes, receptive fields and cost are the same" in same.stdout) == (0, True)
    assert compare(old, "lenet").exit_code == 0
    assert compare("lenet", old).exit_code == 0
    for pair in ((old, new), (old, "lenet(classes=12)"), ("lenet", new)):
        result = compare(*pair, "--json")
        document = json.loads(result.stdout)
        assert (result.exit_code, document["error"]["kind"], document["schema"]) == (1, "refused", 1)
        changes = {(one["layer"], one["what"]): (one["before"], one["after"]) for one in document["changes"]}
        assert changes["fc3", "params"] == (84 * 10 + 10, 84 * 12 + 12)
        assert changes["", "output"] == ([1, 10], [1, 12])
        assert {layer for layer, _ in changes} == {"", "fc3"}
    lines = compare(old, new).stdout.splitlines()
    assert lines[0].endswith(f"{len(changes)} changes")
    assert ["fc3", "params", "850", "1,020"] in [line.split() for line in lines]
    assert compare(old, new, "-q").stdout.splitlines() == lines[:1]


def test_a_target_is_inspected_on_the_inputs_of_the_report(tmp_path):
    old = save(tmp_path / "old.json", "lenet", "--input", "1x30x31", "--batch", "3")
    assert compare(old, "lenet").exit_code == 0
    assert compare(old, "lenet", "--input", "1x28x28").exit_code == 1
    symbolic = save(tmp_path / "symbolic.json", "conv 8 k3 s2", "--input", "3xHxW")
    assert compare(symbolic, "conv 8 k3 s2").exit_code == 0
    assert compare(symbolic, "conv 8 k3 s2 p1").exit_code == 1


def test_a_failure_that_comes_is_a_change(tmp_path):
    good = save(tmp_path / "good.json", "lenet")
    bad = save(tmp_path / "bad.json", "lenet", "--input", "1x64x64")
    assert compare(good, good).exit_code == 0
    assert compare(bad, bad).exit_code == 1
    assert f"{bad} fails: fc1: in_features=400" in compare(bad, bad).stderr
    assert "error" in {one["what"] for one in json.loads(compare(good, bad, "--json").stdout)["changes"]}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is no JSON document: line 1"),
        ("{", "is no JSON document: line 1"),
        ("[1, 2]", "is no report: convcalc inspect TARGET --json prints one"),
        ("3", "is no report"),
        ('{"schema": 2}', "has a schema other than 1"),
        ('{"schema": 1}', "is no report of inspect: it has no layers with names"),
        ('{"schema": 1, "params": 1, "layers": {}}', "it has no layers with names"),
        ('{"schema": 1, "params": 1, "layers": [3]}', "it has no layers with names"),
        ('{"schema": 1, "params": 1, "layers": [{"name": 3}]}', "it has no layers with names"),
        ('{"schema": 1, "params": 1, "layers": [{"name": "a"}, {"name": "a"}]}', "two layers have one name"),
        ("[" * 200_000, "is no JSON document"),
        ('{"schema": 1, "params": ' + "9" * 2000 + "}", "is no JSON document: a number of 2000 digits"),
        ('{"schema": NaN}', "is no JSON document: NaN is no number"),
    ],
)
def test_a_file_that_is_no_report_is_one_sentence(tmp_path, content, sentence):
    (tmp_path / "odd.json").write_text(content)
    for pair in ((tmp_path / "odd.json", "lenet"), ("lenet", tmp_path / "odd.json")):
        result = compare(*pair, "--json")
        assert (result.exit_code, result.stdout) == (2, "")
        assert sentence in result.stderr


def test_other_files_and_options_are_one_sentence(tmp_path):
    (tmp_path / "latin.json").write_bytes(b"\xff\xfe\xff")
    (tmp_path / "folder.json").mkdir()
    no_inputs = tmp_path / "no_inputs.json"
    no_inputs.write_text('{"schema": 1, "params": 1, "layers": []}')
    report = save(tmp_path / "report.json", "lenet")
    for arguments, sentence in (
        (["nowhere.json", "lenet"], "no file 'nowhere.json'"),
        ([tmp_path / "latin.json", "lenet"], "cannot read"),
        ([tmp_path / "folder.json", "lenet"], "no file"),
        ([no_inputs, "lenet"], "does not say its inputs: give them as --input"),
        ([report, "lenet", "--depth", "1"], "--depth is for two targets"),
        ([report, "resnet18"], None),
    ):
        result = compare(*arguments)
        assert result.exit_code == (2 if sentence else 1), (arguments, result.output)
        assert sentence is None or sentence in result.stderr


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
KEYS = ["output", "outputs", "symbolic", "params", "macs", "receptive_field", "stride", "global", "constant", "op"]
ROWS = st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4), max_size=4).map(
    lambda rows: [{**row, "name": f"layer{place}\x1b[2J"} for place, row in enumerate(rows)]
)
REPORTS = st.tuples(st.dictionaries(st.sampled_from(["input", "inputs", "output", "macs", "error"]), VALUES), ROWS).map(
    lambda pair: {**pair[0], "schema": 1, "params": 1, "layers": pair[1]}
)


@settings(max_examples=100)
@given(REPORTS, REPORTS, st.booleans())
def test_no_report_gives_a_traceback(tmp_path_factory, old, new, as_json):
    folder = tmp_path_factory.mktemp("reports")
    for name, report in (("old", old), ("new", new)):
        (folder / f"{name}.json").write_text(json.dumps(report))
    for pair in (("old.json", "new.json"), ("old.json", "lenet"), ("lenet", "new.json")):
        paths = [folder / text if text.endswith(".json") else text for text in pair]
        result = compare(*paths, *["--json"] * as_json)
        assert result.exit_code in (0, 1, 2)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "\x1b" not in result.stdout
        if as_json and result.exit_code < 2:
            assert json.loads(result.stdout)["schema"] == 1
