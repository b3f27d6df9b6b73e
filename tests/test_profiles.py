"""The plain run never fails by luck; the search draws anew."""

import subprocess
import sys
from pathlib import Path

from hypothesis import settings

TEST = """
from hypothesis import given, settings, strategies as st
drawn = {"own": [], "plain": []}

@settings(max_examples=3)
@given(st.integers(0, 10**30))
def test_own(x):
    drawn["own"].append(x)

@given(st.integers(0, 10**30))
def test_plain(x):
    drawn["plain"].append(x)

def test_print():
    print(len(drawn["own"]), "and", len(drawn["plain"]), "examples")
"""


def test_no_test_of_a_plain_run_draws_anew(request):
    of_tests = {
        item.name: item.function._hypothesis_internal_use_settings
        for item in request.session.items
        if hasattr(getattr(item, "function", None), "_hypothesis_internal_use_settings")
    }
    plain = settings.get_current_profile_name() == "ci"
    assert [name for name, own in of_tests.items() if own.derandomize != plain or own.deadline is not None] == []


def test_a_search_draws_twenty_times_as_many(tmp_path):
    (tmp_path / "conftest.py").write_text(Path(__file__).with_name("conftest.py").read_text())
    (tmp_path / "test_it.py").write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-sq", "-p", "no:cacheprovider", "--hypothesis-profile=search"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "60 and 2000 examples" in run.stdout
