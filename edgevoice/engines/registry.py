"""Which engine runs which model. Listing the engines imports none of them.

Each engine has an entry called `role.format`, for example `tts.piper`, which leads to its `ENGINE`.
Other packages add theirs as entry points of the group `edgevoice.engines`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import msgspec

from edgevoice.errors import ConfigError, EdgevoiceError, ModelError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from edgevoice.events import Role
    from edgevoice.models.store import Installed
    from edgevoice.settings import Config

GROUP = "edgevoice.engines"
"""The group of entry points of other packages."""

BUILT_IN: Mapping[str, str] = {
    "vad.onnx": "edgevoice.engines.silero:ENGINE",
    "turn.onnx": "edgevoice.engines.smart_turn:ENGINE",
    "stt.ctranslate2": "edgevoice.engines.whisper:ENGINE",
    "tts.piper": "edgevoice.engines.piper:ENGINE",
    "tts.kokoro": "edgevoice.engines.kokoro:ENGINE",
    "slm.gguf": "edgevoice.engines.llama:ENGINE",
    "slm.synthetic": "edgevoice.engines.synthetic:ENGINE",
}
"""The entries of edgevoice itself: the module, and the name in it."""


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine: its role, the formats of the models it takes, and how it is loaded.

    `load` returns the role's object of protocols.py. It raises ModelError for an unusable model,
    ConfigError for an unsuitable setting. `settings` is the type of the engine's own section of the
    settings, which has the name of its first format.
    """

    role: Role
    formats: tuple[str, ...]
    load: Callable[[Installed, Config], Any]
    settings: type[msgspec.Struct] | None = None

    def own(self, config: Config) -> Any:
        """The engine's own section: an instance of `settings`. Raises ConfigError."""
        assert self.settings is not None
        section = self.formats[0]
        built_in = getattr(config, section, None)
        if isinstance(built_in, self.settings):
            return built_in
        try:
            return msgspec.convert(config.engines.get(section, {}), self.settings)
        except msgspec.ValidationError as error:
            raise ConfigError(
                f"a setting of the section {section} is not valid: {error}",
                remedy=f"correct Config.engines[{section!r}]",
            ) from None


def load(model: Installed, config: Config, variant: str = "") -> Any:
    """Load the engine that runs `model`. Raises ModelError and ConfigError.

    `variant` names an entry for other formats that takes this model as well.
    """
    entry = model.entry
    wanted = variant or ("synthetic" if entry.shape else entry.format)
    name = f"{entry.role}.{wanted}"
    found = engine(name)
    try:
        return found.load(model, config)
    except EdgevoiceError:
        raise
    except Exception as error:
        if name in BUILT_IN:
            raise
        # Another package's code may raise anything.
        raise _unusable(_others()[name], f"{type(error).__name__}: {error}") from error


def load_chosen(role: Role, config: Config) -> Any:
    """Load the engine and the model that the settings choose for `role`. Raises as `load` does."""
    from edgevoice.models.store import Store

    return load(Store(config).choose(role), config)


def entries() -> Mapping[str, str]:
    """Every entry by its name `role.format`: the module, and the name in it. Imports none."""
    # Another package cannot replace an engine of edgevoice unnoticed.
    return {name: entry.value for name, entry in _others().items()} | dict(BUILT_IN)


def engine(name: str) -> Engine:
    """The engine of the entry `name`. Raises ModelError if there is none, or if it is unusable."""
    if name in BUILT_IN:
        built_in: Engine = resolve_name(BUILT_IN[name])
        return built_in
    role, _, format_ = name.partition(".")
    entry = _others().get(name)
    if entry is None:
        known = [each.partition(".")[2] for each in entries() if each.startswith(f"{role}.")]
        raise ModelError(
            f"no engine runs {role} models of the format {format_}",
            remedy="install the package with its engine, or choose a model of another format: "
            + ", ".join(sorted(known)),
        )
    try:
        found = entry.load()
    except Exception as error:  # another package's code may raise anything
        raise _unusable(entry, f"{type(error).__name__}: {error}") from error
    if not isinstance(found, Engine) or found.role != role or format_ not in found.formats:
        raise _unusable(entry, f"{entry.value} is not an Engine for {name}")
    return found


def settings_of(section: str) -> type[msgspec.Struct] | None:
    """The type of another package's section of the settings; None if no engine has it."""
    for name in _others():
        if name.partition(".")[2] == section:
            return engine(name).settings
    return None


def sections() -> list[str]:
    """The sections of the settings that engines of other packages may have."""
    return [name.partition(".")[2] for name in _others()]


def _others() -> dict[str, EntryPoint]:
    return _installed_in(tuple(sys.path))


@lru_cache(maxsize=1)
def _installed_in(folders: tuple[str, ...]) -> dict[str, EntryPoint]:
    """The entries of other packages; to look for them takes tens of milliseconds."""
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in BUILT_IN}


def _unusable(entry: EntryPoint, why: str) -> ModelError:
    package = entry.dist.name if entry.dist else entry.module
    return ModelError(
        f"the engine {entry.name} of the package {package} cannot be used: {why}",
        remedy=f"update or uninstall {package}",
    )
