"""Whether a combination can be measured at all, found out before hours of work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from edgevoice.bench.corpus.preparation import ROLES
from edgevoice.bench.matrix.axes import Combination
from edgevoice.catalog import SHAPE, Entry, Role
from edgevoice.errors import ModelError
from edgevoice.models.machine import total_memory
from edgevoice.models.shape_table import ARCHITECTURES, Architecture
from edgevoice.models.store import Store
from edgevoice.settings import Config
from edgevoice.transcription.spoken_language import listed

Load = Callable[[Mapping[str, str]], Config]
"""The configuration with these settings over all others. Raises ConfigError."""
Make = Callable[[Architecture, Store], Entry]
"""Makes the shape of a model."""


def resolved(
    cell: Combination, load: Load, make: Make | None = None, alone: Collection[Role] = ()
) -> tuple[Combination, Config]:
    """The combination and its configuration; with `make`, shapes stand for what is not here.

    The models of the roles that are measured `alone` are in memory one after the other, and no
    others are needed. Raises EdgevoiceError that says why it cannot be measured.
    """
    config = load(cell.settings)
    name = config.models.slm
    if name and "slm" in (alone or ROLES) and not _is_here(name, Store(config)):
        shape = _stand_in(name, Store(config), make)
        config = load({**cell.settings, "models.slm": shape})
        told = {k: f"{v} (shape)" if v == name else v for k, v in cell.values.items()}
        cell = Combination(told, {**cell.settings, "models.slm": shape})
    models = chosen(config, alone)
    _speaks(models, config, cell.settings)
    for group in [[entry] for entry in models.values()] if alone else [models.values()]:
        _fits(group, total_memory())
    return cell, config


def _stand_in(name: str, store: Store, make: Make | None) -> str:
    """The shape of the model called `name`, which is not here. Raises ModelError."""
    short = name.removeprefix(SHAPE)
    pull = f"edgevoice models pull {name}"
    if short not in ARCHITECTURES:
        store.catalog.get(name)
        more = "" if make is None else ", and no shape of it is known"
        raise ModelError(f"the model {name} is not here{more}", remedy=pull)
    if make is None:
        here = "" if name.startswith(SHAPE) or name not in store.catalog else f"{pull}, or "
        raise ModelError(
            f"the model {name} is not here", remedy=f"{here}--shapes to measure its shape"
        )
    shape = ARCHITECTURES[short]
    return shape.model if _is_here(shape.model, store) else make(shape, store).name


def chosen(config: Config, alone: Collection[Role] = ()) -> dict[Role, Entry]:
    """The model of each role, or of those that are measured `alone`. Raises ModelError."""
    store = Store(config)
    found = {role: store.choose(role, shapes=True).entry for role in alone or ROLES}
    if not alone and (turn := store.optional("turn")):
        found["turn"] = turn.entry
    return found


def _is_here(name: str, store: Store) -> bool:
    # A damaged one is told of by its own error.
    here = ("present", "damaged")
    return name in store.catalog and store.state(store.catalog.get(name)) in here


def _speaks(models: Mapping[Role, Entry], config: Config, varied: Collection[str]) -> None:
    """Raise ModelError where a combination puts a language together with a model for another."""
    language = config.stt.language
    codes = listed(language)
    named: dict[Role, str] = {"stt": "recognizer", "tts": "voice"}
    for role, what in named.items():
        entry = models.get(role)
        needed = codes if role == "stt" else codes[:1]
        if entry is None or all(map(entry.speaks, needed)):
            continue
        # What was set for all combinations is nobody's mistake here.
        if {f"models.{role}", "stt.language"} & set(varied):
            raise ModelError(
                f"the {what} {entry.name} is for {', '.join(entry.languages)}, "
                f"and stt.language is {language}",
                remedy=f"vary stt.language along with it, or leave {entry.name} out",
            )


def _fits(models: Iterable[Entry], memory: int) -> None:
    """Raise ModelError where the models together take more memory than there is."""
    models = list(models)
    needed = sum(entry.ram for entry in models)
    if needed > memory:
        raise ModelError(
            f"its models need {needed / 1e9:.1f} GB of memory together, "
            f"{memory / 1e9:.1f} GB is all there is",
            where=", ".join(entry.name for entry in models),
            remedy="choose smaller models; edgevoice models list shows what each takes",
        )
