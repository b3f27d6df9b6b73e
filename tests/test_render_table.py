"""Tables on a terminal: what is too wide goes by the order given; numbers never break; equal headings stay apart."""

from __future__ import annotations

import pytest

from convcalc.render.table import print_table

COLUMNS = ["layer", "op", "MACs", "layer", "MACs"]
ROWS = [["conv1", "conv 64 k7 s2 p3", "118,013,952", "block1.conv1", "33,872,256"]]


@pytest.fixture
def printed(monkeypatch, capsys):
    def run(width, columns=COLUMNS, rows=ROWS, spare=()):
        monkeypatch.setenv("COLUMNS", str(width))
        print_table(columns, rows, spare)
        return capsys.readouterr().out.splitlines()

    return run


def test_equal_headings_keep_their_own_columns(printed):
    heading, _, row = printed(120)
    assert heading.split() == COLUMNS
    assert row.split() == ["conv1", "conv", "64", "k7", "s2", "p3", *ROWS[0][2:]]


def test_a_number_never_breaks(printed):
    for width in range(48, 90):
        text = "\n".join(printed(width))
        assert "118,013,952" in text, width
        assert "33,872,256" in text, width
        assert all(len(line.rstrip()) <= width for line in text.splitlines())


def test_spare_columns_go_in_their_order_and_are_named(printed):
    assert "too few" not in "\n".join(printed(120, spare=["op"]))
    lines = printed(56, spare=["op"])
    assert lines[-1] == "56 columns are too few for: op"
    assert "conv 64" not in "\n".join(lines)
