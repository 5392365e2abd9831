"""The assistants of all clients, from engines that are loaded once."""

from __future__ import annotations

from edgevoice.assistant import Assistant
from edgevoice.build import build
from edgevoice.bus import Bus
from edgevoice.clock import SystemClock
from edgevoice.context import AudioIO, Resume, SessionContext
from edgevoice.engines.pool import EnginePool
from edgevoice.errors import EdgevoiceError
from edgevoice.models.store import Store
from edgevoice.models.voices import languages, voices
from edgevoice.open_devices import clips_source, quiet_sink
from edgevoice.server.conversation import ClientBuild, Offers, Voice
from edgevoice.settings import Config


def sharing(pool: EnginePool) -> ClientBuild:
    """Builds assistants with engines from `pool`."""

    def built(context: SessionContext, audio: AudioIO, resume: Resume) -> Assistant:
        return build(context, audio, resume, pool)

    return built


def preload(config: Config, pool: EnginePool) -> None:
    """Load all engines into `pool`: the first client does not wait, and none is held up while a
    model loads. Raises EdgevoiceError."""
    clock = SystemClock()
    nothing = AudioIO(clips_source(clock, iter(()), "nothing"), quiet_sink(clock, "nothing"))
    # It ends by itself once it is ready.
    build(SessionContext(config, clock, Bus(clock)), nothing, pool=pool).run()


def offers(config: Config) -> Offers:
    """The installed voices, and the languages that they speak and the recognizer understands."""
    store = Store(config)
    installed = [m for m in store.installed() if m.entry.role == "tts" and not m.entry.shape]
    found = [
        Voice(m.name, m.entry.title, language.split("_")[0])
        for m in installed
        for language in m.entry.languages[:1]
    ]
    try:
        used, spoken = next(iter(voices(store).values())).name, languages(store)
        recognizer = store.choose("stt").entry
    except EdgevoiceError:
        return Offers(("en",), found, "")
    known = [v.language for v in found if recognizer.speaks(v.language)]
    return Offers(tuple(dict.fromkeys([*spoken, *known])), found, used)
