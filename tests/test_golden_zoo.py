"""Every network of the zoo as its table; totals equal column sums; the published numbers and those of the course.

The tables are in tests/golden. To write them anew after a change that is meant: python tests/test_golden_zoo.py
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from convcalc.cli import main
from convcalc.zoo import MODELS

GOLDEN = Path(__file__).parent / "golden"

LONG = {"resnet50": 2, "resnet101": 2, "resnet152": 2, "densenet121": 2, "densenet169": 2, "densenet201": 2}
"""Networks shown by blocks, and how deep."""

TAUGHT = {
    "resnet18_biased": ["resnet18(classes=10, bias=True, shortcut_norm=False)", "--depth", "1"],
    "resnet50_1x1": ["resnet50(stride_on='1x1')", "--depth", "1"],
    "googlenet_aux": ["googlenet(aux=True)", "--depth", "1"],
    "unet_padded": ["unet(padded=True)", "--depth", "1"],
    "lenet_fails": ["lenet", "--input", "1x64x64"],
    "any_size": ["conv 8 k3 s2 p1; relu; maxpool 2; gap; flatten; linear 10", "--input", "3xHxW"],
}


HEADINGS = ("layer", "op", "output", "any size", "params", "MACs", "receptive field", "stride")


def commands() -> dict[str, list[str]]:
    """The arguments of each golden table, by the name of its file."""
    depth = {name: ["--depth", str(LONG[name])] if name in LONG else [] for name in MODELS}
    return {name: [name, *depth[name]] for name in MODELS} | TAUGHT


def shown(arguments: list[str]) -> str:
    return CliRunner().invoke(main, ["inspect", *arguments], prog_name="convcalc").output


def read(table: str) -> list[dict[str, str]]:
    """The rows of a table, by their headings; columns begin where the headings do."""
    lines = table.splitlines()
    names = [name for name in HEADINGS if name in lines[0]]
    starts = [lines[0].index(name) for name in names]
    ends = [*starts[1:], None]
    rows = []
    for line in lines[1:]:
        rows.append({name: line[a:b].strip() for name, a, b in zip(names, starts, ends, strict=True)})
        if line.startswith("total "):
            return rows
    raise AssertionError("a table has totals")


@pytest.mark.parametrize("name", commands())
def test_a_network_is_its_golden_table(name):
    assert shown(commands()[name]) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_every_golden_table_is_tested():
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(commands())


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.txt")), ids=lambda path: path.stem)
def test_totals_equal_column_sums(path):
    *rows, total = read(path.read_text(encoding="utf-8"))
    assert rows
    assert total["layer"] == "total"
    if not any("⌊" in row["MACs"] for row in rows):
        for column in ("params", "MACs"):
            numbers = [int(row[column].replace(",", "")) for row in rows if row["output"] != "FAILS"]
            assert sum(numbers) == int(total[column].replace(",", ""))


@pytest.mark.parametrize("name", MODELS)
def test_totals_do_not_depend_on_how_deep_one_looks(name):
    documents = [
        json.loads(CliRunner().invoke(main, ["inspect", name, "--json", *depth]).stdout)
        for depth in ([], ["--depth", "1"], ["--depth", "2"])
    ]
    whole = documents[0]
    for document in documents:
        for key in ("params", "macs"):
            assert sum(row[key] for row in document["layers"]) == document[key] == whole[key]
        assert document["layers"][-1]["output"] == document["output"]


@pytest.mark.parametrize(
    ("name", "layers", "outputs"),
    [
        (
            "lenet",
            "conv1 pool1 conv2 pool2 flatten fc1 fc2 fc3",
            "6x28x28 6x14x14 16x10x10 16x5x5 400 120 84 10",
        ),
        (
            "alexnet",
            "features.conv1 features.pool1 features.conv2 features.pool2 features.conv3 features.conv4 features.conv5 "
            "features.pool3 flatten classifier.fc1 classifier.fc3",
            "96x54x54 96x26x26 256x26x26 256x12x12 384x12x12 384x12x12 256x12x12 256x5x5 6400 4096 10",
        ),
        (
            "vgg11",
            "block1.pool block2.pool block3.pool block4.pool block5.pool",
            "64x112x112 128x56x56 256x28x28 512x14x14 512x7x7",
        ),
        (
            "nin",
            "block1.relu3 pool1 block2.relu3 pool2 block3.relu3 pool3 block4.relu3 avgpool flatten",
            "96x54x54 96x26x26 256x26x26 256x12x12 384x12x12 384x5x5 10x5x5 10x1x1 10",
        ),
        (
            "googlenet",
            "stem.conv1 stem.pool1 stem.pool2 pool3 pool4 inception5b.concat avgpool",
            "64x48x48 64x24x24 192x12x12 480x6x6 832x3x3 1024x3x3 1024x1x1",
        ),
        (
            "resnet18_biased",
            "maxpool layer1 layer2 layer3 layer4 avgpool flatten fc",
            "64x56x56 64x56x56 128x28x28 256x14x14 512x7x7 512x1x1 512 10",
        ),
        (
            "densenet",
            "pool1 block1.3.concat transition1.pool block2.3.concat transition2.pool block3.3.concat "
            "transition3.pool block4.3.concat flatten fc",
            "64x24x24 192x24x24 96x12x12 224x12x12 112x6x6 240x6x6 120x3x3 248x3x3 248 10",
        ),
        ("unet", "enc1.relu2 enc5.relu2 dec4.relu2 out", "64x568x568 1024x28x28 512x52x52 2x388x388"),
    ],
)
def test_the_tables_say_what_courses_and_papers_say(name, layers, outputs):
    table = {row["layer"]: row["output"] for row in read((GOLDEN / f"{name}.txt").read_text(encoding="utf-8"))}
    assert [table[layer] for layer in layers.split()] == outputs.split()


def test_a_wrong_total_would_be_caught(tmp_path):
    text = (GOLDEN / "lenet.txt").read_text(encoding="utf-8").replace("48,120", "48,121")
    (tmp_path / "wrong.txt").write_text(text, encoding="utf-8")
    with pytest.raises(AssertionError):
        test_totals_equal_column_sums(tmp_path / "wrong.txt")


if __name__ == "__main__":
    for _name, _arguments in commands().items():
        (GOLDEN / f"{_name}.txt").write_text(shown(_arguments), encoding="utf-8")
