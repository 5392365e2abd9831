"""Which engine runs which model, and how other packages add theirs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from edgevoice import catalog
from edgevoice.catalog import Entry
from edgevoice.config import load
from edgevoice.engines import registry
from edgevoice.errors import ConfigError, ModelError
from edgevoice.settings import Config, Models
from edgevoice.wav import read_speech
from tests.command import edgevoice, message
from tests.conftest import ROOT
from tests.engines.conftest import PARROT, Install


@pytest.mark.parametrize("name", registry.BUILT_IN)
def test_every_engine_is_what_its_entry_says(name: str) -> None:
    """The entry is found by the role and the format; the engine names both itself."""
    engine = registry.engine(name)
    role, _, format_ = name.partition(".")
    assert engine.role == role
    assert format_ in engine.formats


def test_the_packaged_models_have_engines() -> None:
    """No model is listed that nothing can run."""
    for entry in catalog.Catalog.load():
        assert f"{entry.role}.{entry.format}" in registry.BUILT_IN, entry.name


def test_listing_the_engines_imports_none() -> None:
    """The start of the program and the configuration stay fast."""
    program = (
        "import sys; from edgevoice.engines import registry; registry.entries(); "
        "heavy = {'numpy', 'onnxruntime', 'piper', 'llama_cpp', 'ctranslate2'}; "
        "sys.exit(str(heavy & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert not done.stderr.strip()


def test_only_the_registry_knows_the_engines() -> None:
    """Outside engines/ no module imports one, so that another can take its place."""
    pattern = re.compile(r"engines(\.| import .*)(piper|whisper|llama|kokoro|silero|smart_turn)")
    package = ROOT / "edgevoice"
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in package.rglob("*.py")
        if path.parent != package / "engines"
        for line in path.read_text("utf-8").splitlines()
        if pattern.search(line)
    ]
    assert found == []


def test_an_engine_of_another_package_speaks(parrot: None, tmp_path: Path) -> None:
    """`say` uses it like any voice; its model has an address and no files."""
    out = tmp_path / "out.wav"
    done = edgevoice("say", "--tts", "polly", "one two three", "-o", out)
    assert done.returncode == 0, done.stderr
    assert len(read_speech(str(out))) == pytest.approx(0.15 * 16_000, abs=50)


def test_an_engine_of_another_package_has_a_section_of_the_settings(
    parrot: None, tmp_path: Path
) -> None:
    """It is read from the file, the environment and the command line, and checked."""
    out = tmp_path / "out.wav"
    set_up = ("say", "--tts", "polly", "one two three four", "-o", out)

    def pitch(*words: str, env: dict[str, str] | None = None) -> float:
        done = edgevoice(*words, *set_up, env=env)
        assert done.returncode == 0, done.stderr
        spectrum = np.abs(np.fft.rfft(read_speech(str(out))))
        return float(np.argmax(spectrum) / len(spectrum) * 8000)

    assert pitch() == pytest.approx(440, abs=3)
    assert pitch("--set", "parrot.hertz=880") == pytest.approx(880, abs=3)
    assert load(environ={"EDGEVOICE_PARROT_HERTZ": "660"}).config.engines == {
        "parrot": {"hertz": 660.0}
    }
    file = tmp_path / "config.toml"
    file.write_text("[parrot]\nhertz = 220\n")
    assert pitch("--config", str(file)) == pytest.approx(220, abs=3)
    assert "parrot.hertz" in edgevoice("--config", file, "config", "show").stdout
    message(edgevoice("--set", "parrot.hertz=high", *set_up), 2)
    message(edgevoice("--set", "parrot.feathers=2", *set_up), 2)


def test_a_section_that_no_engine_has_is_an_error(parrot: None, tmp_path: Path) -> None:
    """As every misspelled section is."""
    file = tmp_path / "config.toml"
    file.write_text("[parot]\nhertz = 220\n")
    with pytest.raises(ConfigError, match="unknown section parot"):
        load(file)


def test_a_model_without_an_engine_is_refused(tmp_path: Path) -> None:
    """The message names the formats that could be run."""
    own = catalog.data_folder() / "catalog.toml"
    own.parent.mkdir(parents=True)
    catalog.append(own, PARROT)
    text = message(edgevoice("say", "--tts", "polly", "hello", "-o", tmp_path / "out.wav"))
    assert "no engine runs tts models of the format parrot" in text
    assert "piper" in text


@pytest.mark.parametrize("source", ["import nothing_of_this_name", "ENGINE = 7", "1 / 0"])
def test_an_unusable_engine_is_named(install: Install, source: str) -> None:
    """An error in another package's code names the package."""
    install("tts.parrot = edgevoice_parrot:ENGINE", source)
    with pytest.raises(ModelError, match="edgevoice-parrot") as error:
        registry.engine("tts.parrot")
    assert error.value.remedy


def test_a_model_that_an_engine_of_another_package_cannot_load_is_refused(
    parrot: None, tmp_path: Path
) -> None:
    """Whatever its code raises names the package; so does an invalid section of a Config."""
    own = catalog.data_folder() / "catalog.toml"
    catalog.append(own, replace(PARROT, name="mute", address="tone:none"))
    text = message(edgevoice("say", "--tts", "mute", "hello", "-o", tmp_path / "out.wav"))
    assert "edgevoice-parrot" in text
    with pytest.raises(ConfigError, match="parrot"):
        registry.load_chosen(
            "tts", Config(models=Models(tts="polly"), engines={"parrot": {"hertz": "high"}})
        )


def test_another_package_cannot_replace_an_engine(install: Install) -> None:
    """What is built in stays."""
    install("tts.piper = edgevoice_parrot:ENGINE", "1 / 0")
    assert registry.entries()["tts.piper"] == registry.BUILT_IN["tts.piper"]
    assert registry.engine("tts.piper").formats == ("piper",)


def test_a_model_has_files_or_an_address() -> None:
    """One of both says where it is."""
    with pytest.raises(ValueError, match="either files or an address"):
        Entry("polly", "tts", "parrot", "A parrot")
