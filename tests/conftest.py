"""What all tests share: models, recordings, and settings that are nobody's own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgevoice.settings import Config, SttSettings, TtsSettings

if TYPE_CHECKING:
    from edgevoice.engines.piper import Piper
    from edgevoice.engines.whisper import Whisper

pytest_plugins = ("tests.lanes", "tests.reproducing", "tests.sampling")

ROOT = Path(__file__).resolve().parent.parent

STARTER = (
    "silero-vad",
    "whisper-base",
    "qwen2.5-coder-0.5b",
    "en_US-joe-medium",
    "smart-turn-v3.2",
)


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds a home folder for each test."""
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(scope="session")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The evaluated system prompts and measured batch costs that tests with models share."""
    return tmp_path_factory.mktemp("prompts")


@pytest.fixture(autouse=True)
def no_settings_of_ones_own(
    homes: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Hide the configuration, the catalog and the variables of the user who runs the tests."""
    for variable in [name for name in os.environ if name.startswith("EDGEVOICE_")]:
        monkeypatch.delenv(variable)
    home = Path(tempfile.mkdtemp(dir=homes))
    monkeypatch.setenv("EDGEVOICE_CONFIG", str(home / "config.toml"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    if request.node.get_closest_marker("models"):
        # Else each language model would evaluate its prompt and measure its batches for seconds.
        (home / "cache" / "edgevoice").mkdir(parents=True)
        prompts = request.getfixturevalue("prompts")
        (home / "cache" / "edgevoice" / "prompts").symlink_to(prompts, target_is_directory=True)
        monkeypatch.setenv("EDGEVOICE_SLM_EXAMPLES", "false")
        # The same answer in each run.
        monkeypatch.setenv("EDGEVOICE_SLM_TEMPERATURE", "0")


@pytest.fixture(scope="session")
def model_path(pytestconfig: pytest.Config) -> Callable[[str], Path]:
    """Gives what the engine of a model is to open; fails, with the command, where it is absent.

    A voice says a sentence differently each time. Here it does so alike in every run, for what
    fails once is to fail again.
    """
    import onnxruntime

    from edgevoice.models.store import Store

    # Voices that are opened from now on begin their variations with it.
    onnxruntime.set_seed(pytestconfig.getoption("--seed"))
    store = Store(Config())

    def path(name: str) -> Path:
        installed = store.find(name)
        if installed is None:
            pytest.fail(
                f"the model {name} is not here: edgevoice models pull {name}", pytrace=False
            )
        return installed.path

    return path


@pytest.fixture(scope="session")
def starter_models(model_path: Callable[[str], Path]) -> dict[str, Path]:
    """What each engine opens, by role: vad, stt, slm, tts, turn; the small language model."""
    return dict(zip(("vad", "stt", "slm", "tts", "turn"), map(model_path, STARTER), strict=True))


@pytest.fixture(scope="session")
def recognizer(starter_models: dict[str, Path]) -> Whisper:
    """The starter recognizer with the settings as they come, loaded once."""
    from edgevoice.engines.whisper import Whisper

    return Whisper(starter_models["stt"], SttSettings())


@pytest.fixture(scope="session")
def steady_voice(starter_models: dict[str, Path]) -> Piper:
    """The starter voice, loaded once; it says a sentence the same way each time."""
    from edgevoice.engines.piper import Piper

    return Piper(starter_models["tts"], TtsSettings(variation=0.0))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Recordings of speech and noise that lie beside a checkout, where there are any."""
    folder = ROOT.parent / "shared"
    if not (folder / "speech").is_dir():
        pytest.skip(f"no recordings beside this checkout: {folder}/speech")
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
