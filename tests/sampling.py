"""A pytest plugin: statistical tests and generated inputs take a fixed sample, or with
`--thorough` as much as a release is tested with.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import settings

SHARE = 6
"""One in so many trials of a statistical test is made without `--thorough`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--thorough`."""
    parser.addoption(
        "--thorough",
        action="store_true",
        help="Make all trials of statistical tests, and generate new inputs rather than a sample.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose how many inputs Hypothesis generates; `--hypothesis-profile` still wins."""
    settings.register_profile("sample", derandomize=True, max_examples=25, deadline=None)
    settings.register_profile("thorough", max_examples=400, deadline=None, print_blob=True)
    settings.load_profile("thorough" if config.getoption("--thorough") else "sample")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that make trials, so that a thorough run can choose them."""
    for item in items:
        if "trials" in getattr(item, "fixturenames", ()):
            item.add_marker("statistics")


@pytest.fixture
def trials(pytestconfig: pytest.Config) -> Callable[[int], int]:
    """Gives the number of trials to make, of those that a thorough run makes."""
    return lambda all_of_them: (
        all_of_them if pytestconfig.getoption("--thorough") else all_of_them // SHARE
    )
