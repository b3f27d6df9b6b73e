"""The page of limits is what the constants of the package are."""

import importlib.util

import pytest
from test_docs import ROOT

from convcalc.footprints import taps as tapsets

pytest.importorskip("torch")  # some of them are beside what it is called with


def generator():
    spec = importlib.util.spec_from_file_location("generate_limits", ROOT / "docs" / "generate_limits.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    return generate


def test_the_page_is_the_constants():
    generate = generator()
    assert generate.PAGE.read_text(encoding="utf-8") == generate.page(), "run: python docs/generate_limits.py"


def test_every_limit_says_what_it_is_of():
    assert [(one.module, one.name) for one in generator().limits() if not one.text] == []


def test_another_number_is_another_page(monkeypatch):
    before = generator().page()
    monkeypatch.setattr(tapsets, "MAX_SPAN", 2**20)
    after = generator().page()
    assert before.count("2^24") == after.count("2^24") + 1
