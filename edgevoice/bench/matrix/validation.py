"""Whether a combination can be measured at all, found out before hours of work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from edgevoice.bench.corpus.preparation import NEEDED_ROLES
from edgevoice.bench.matrix.axes import Combination
from edgevoice.catalog import SHAPE, Entry
from edgevoice.errors import ModelError
from edgevoice.events import Role
from edgevoice.models.machine import total_memory
from edgevoice.models.shape_table import ARCHITECTURES, Architecture
from edgevoice.models.store import Store
from edgevoice.settings import Config
from edgevoice.transcription.spoken_language import check_known

LoadConfig = Callable[[Mapping[str, str]], Config]
"""The configuration with these settings over all others. Raises ConfigError."""
Make = Callable[[Architecture, Store], Entry]
"""Makes a synthetic model."""


def resolved(
    cell: Combination, load: LoadConfig, make: Make | None = None, alone: Collection[Role] = ()
) -> tuple[Combination, Config]:
    """The combination and its configuration; `make` replaces a missing model by its synthetic one.

    Models of the roles measured `alone` are in memory one after the other, and no others are
    needed. Raises EdgevoiceError if it cannot be measured.
    """
    config = load(cell.settings)
    name = config.models.slm
    if name and "slm" in (alone or NEEDED_ROLES) and not _is_here(name, Store(config)):
        shape = _stand_in(name, Store(config), make)
        config = load({**cell.settings, "models.slm": shape})
        values = {k: f"{v} (shape)" if v == name else v for k, v in cell.values.items()}
        cell = Combination(values, {**cell.settings, "models.slm": shape})
    store = Store(config)
    models = {role: store.choose(role, shapes=True).entry for role in alone or NEEDED_ROLES}
    if not alone and (turn := store.optional("turn")):
        models["turn"] = turn.entry
    if stt := models.get("stt"):
        check_known(stt.name, stt.languages, config.stt.language)
    memory = total_memory()
    for group in [[entry] for entry in models.values()] if alone else [[*models.values()]]:
        needed = sum(entry.ram for entry in group)
        if needed > memory:
            raise ModelError(
                f"its models need {needed / 1e9:.1f} GB of memory together, "
                f"{memory / 1e9:.1f} GB is all there is",
                where=", ".join(entry.name for entry in group),
                remedy="choose smaller models; edgevoice models list shows what each takes",
            )
    return cell, config


def _stand_in(name: str, store: Store, make: Make | None) -> str:
    """The synthetic model of the missing model `name`. Raises ModelError."""
    architecture = ARCHITECTURES.get(name.removeprefix(SHAPE))
    pull = f"edgevoice models pull {name}"
    if architecture is None:
        store.catalog.get(name)
        more = "" if make is None else ", and no shape of it is known"
        raise ModelError(f"the model {name} is not here{more}", remedy=pull)
    if make is None:
        here = "" if name.startswith(SHAPE) or name not in store.catalog else f"{pull}, or "
        raise ModelError(
            f"the model {name} is not here", remedy=f"{here}--shapes to measure its shape"
        )
    shape = architecture.model
    return shape if _is_here(shape, store) else make(architecture, store).name


def _is_here(name: str, store: Store) -> bool:
    # A damaged one is reported by its own error.
    here = ("present", "damaged")
    return name in store.catalog and store.state(store.catalog.get(name)) in here
