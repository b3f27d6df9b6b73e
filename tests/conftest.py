"""What all tests share: the profiles of Hypothesis, and the seed of every random number.

The plain run draws the same examples each time, so it never fails by luck.
`--hypothesis-profile=search` draws anew, `MORE` times as many, and shows how to draw a failure again.
"""

import os
import random
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # before torch is imported: what tests compute is small, and is shared out

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MORE = 20  # examples of the search for each one of the plain run

# Speed is measured in tests/benchmarks and never asserted here; a busy machine must not fail a test either.
_untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", _untimed, derandomize=True)
settings.register_profile("search", _untimed, max_examples=MORE * _untimed.max_examples, print_blob=True)
settings.load_profile("ci")


def searching() -> bool:
    """Whether this run draws anew."""
    return settings.get_current_profile_name() == "search"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that names its own number of examples has more of them in a search, too."""
    if searching():
        for test in {getattr(item, "function", None) for item in items}:
            if hasattr(test, "_hypothesis_internal_settings_applied"):
                own = test._hypothesis_internal_use_settings
                test._hypothesis_internal_use_settings = settings(own, max_examples=MORE * own.max_examples)


SEED = pytest.StashKey[int]()


@pytest.hookimpl(trylast=True)  # after Hypothesis has read its options
def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed of the run: 0, and any in a search that is not given one (`--hypothesis-seed`)."""
    given = getattr(config, "workerinput", {}).get("seed", config.getoption("hypothesis_seed", default=None))
    config.stash[SEED] = int(given or random.SystemRandom().randrange(2**31)) if searching() else 0


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the seed on to a process that runs some of the tests (`-n 2`)."""
    node.workerinput["seed"] = node.config.stash[SEED]


def pytest_report_header(config: pytest.Config) -> str:
    """Name the seed, that a failure can be had again."""
    return f"profile: {settings.get_current_profile_name()}, seed of random numbers: {config.stash[SEED]}"


@pytest.fixture(autouse=True)
def _seeded(pytestconfig: pytest.Config) -> None:
    """Every test starts from the run's seed, whichever tests ran before it."""
    seed = pytestconfig.stash[SEED]
    random.seed(seed)
    np.random.seed(seed)  # the generator that code under test reads
    torch: ModuleType | None = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real browser; without one the tests that need it are skipped."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no chromium here: apt-get install chromium")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Open a page of a network; what is asked for anywhere, and every error, fails the test."""
    wrong: list[str] = []
    contexts: list[Any] = []

    def opened(html: str, at: str = "", **settings: Any) -> Any:
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
