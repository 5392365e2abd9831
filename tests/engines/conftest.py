"""Packages with engines, as pip leaves them, for tests."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgevoice import catalog
from edgevoice.catalog import Entry

Install = Callable[[str, str], None]
"""Installs a package with an engine: its entry point, and the source of its module."""

PARROT = Entry("polly", "tts", "parrot", "A parrot", address="tone:0.05", rank=1)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """A package is a module and its metadata in a folder of sys.path, as pip leaves them."""

    def install(entry_point: str, source: str) -> None:
        site = tmp_path / "site-packages"
        about = site / "edgevoice_parrot-1.0.dist-info"
        about.mkdir(parents=True)
        (site / "edgevoice_parrot.py").write_text(source, "utf-8")
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: edgevoice-parrot\n")
        (about / "entry_points.txt").write_text(f"[edgevoice.engines]\n{entry_point}\n")
        monkeypatch.syspath_prepend(site)
        monkeypatch.delitem(sys.modules, "edgevoice_parrot", raising=False)

    return install


@pytest.fixture
def parrot(install: Install) -> None:
    """The engine of tests/engines/parrot.py, with a model for it in the user's own catalog."""
    source = Path(__file__).with_name("parrot.py").read_text("utf-8")
    install("tts.parrot = edgevoice_parrot:ENGINE", source)
    own = catalog.data_folder() / "catalog.toml"
    own.parent.mkdir(parents=True)
    catalog.append(own, PARROT)
