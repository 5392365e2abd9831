"""A pytest plugin that makes few trials and generates few inputs: a sample that `--seed` fixes.

With `--thorough` there are as many as a release is tested with.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

SHARE = 6
"""Without `--thorough`, a statistical test runs one in this many of its trials."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--thorough`."""
    parser.addoption(
        "--thorough",
        action="store_true",
        help="Make all trials of statistical tests, and generate many inputs rather than a sample.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose how many inputs Hypothesis generates; `--hypothesis-profile` still wins."""
    # Examples are slow on a busy machine; that is no failure. On CI Hypothesis ignores the seed.
    patient = settings(
        deadline=None,
        derandomize=False,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.register_profile("sample", patient, max_examples=25)
    settings.register_profile("thorough", patient, max_examples=400)
    settings.load_profile("thorough" if config.getoption("--thorough") else "sample")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that make trials, so that a thorough run can choose them."""
    for item in items:
        if "trials" in getattr(item, "fixturenames", ()):
            item.add_marker("statistics")


@pytest.fixture
def trials(pytestconfig: pytest.Config) -> Callable[[int], int]:
    """Gives the number of trials to make, of those that a thorough run makes."""
    share = 1 if pytestconfig.getoption("--thorough") else SHARE
    return lambda all_of_them: all_of_them // share
