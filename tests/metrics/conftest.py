"""Metrics as they are without anybody's own OpenTelemetry settings."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def no_collector_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests has perhaps a collector; it gets nothing of them."""
    for variable in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(variable)
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
