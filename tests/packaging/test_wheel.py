"""An installed edgevoice needs nothing from the checkout: everything travels in the wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CODE = """
import sys
sys.path.insert(0, sys.argv[1])
import edgevoice
assert edgevoice.__file__.startswith(sys.argv[1]), edgevoice.__file__
from edgevoice.catalog import Catalog, packaged_path
from edgevoice.cli.settings import explained
from edgevoice.settings import Config
from edgevoice.models.store import models_folder
assert str(packaged_path()).startswith(sys.argv[1]), packaged_path()
assert not str(models_folder(Config())).startswith(sys.argv[1]), models_folder(Config())
print(len(list(Catalog.load())), len([s for s in explained() if s.doc]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as `pip install .` makes it, with the build tools that are locked and installed."""
    folder = tmp_path_factory.mktemp("wheel")
    code = f"import hatchling.build; print(hatchling.build.build_wheel({str(folder)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.split()[-1]


def test_the_wheel_holds_the_whole_package_and_the_catalog(wheel: Path) -> None:
    """Every file of the package is in it, code or not, and the catalog beside the code."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = ROOT / "edgevoice"
    here = {
        file.relative_to(ROOT).as_posix()
        for file in package.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert here - names == set()
    assert "edgevoice/catalog.toml" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    """No weights, tests, scripts or locks travel along."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    outside = [name for name in names if not name.startswith(("edgevoice/", "edgevoice-"))]
    assert outside == []
    assert wheel.stat().st_size < 5_000_000


def test_unpacked_somewhere_else_it_finds_its_catalog_and_keeps_models_elsewhere(
    wheel: Path, tmp_path: Path
) -> None:
    """The catalog and the settings' explanations are read from the installed copy itself; weights
    go to the user's data folder, not into the installation."""
    installed = tmp_path / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(installed)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    models, settings = map(int, done.stdout.split())
    assert models >= 5
    assert settings >= 30


def test_the_wheel_names_its_command(wheel: Path) -> None:
    """`edgevoice` is the command that pip, pipx and uv install."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        assert "edgevoice = edgevoice.__main__:main" in archive.read(name).decode()
