"""Which languages are spoken here, and which of the voices that are here says each of them."""

from __future__ import annotations

from edgevoice.catalog import Entry
from edgevoice.errors import EdgevoiceError
from edgevoice.models.store import Installed, Store
from edgevoice.transcription.spoken_language import listed


def languages(store: Store) -> tuple[str, ...]:
    """What is spoken under the store's configuration, the main language first.

    With `auto` it is what can be understood and answered: the languages of the voices that are
    here, so far as a recognizer that is named knows them.
    """
    if codes := listed(store.config.stt.language):
        return codes
    models = store.config.models
    voice, recognizer = (store.catalog.get(n) if n else None for n in (models.tts, models.stt))
    here = [voice, *(e for e in store.ranked("tts") if store.state(e) == "present")]
    spoken = [code.split("_")[0] for entry in here if entry for code in entry.languages]
    known = [code for code in spoken if recognizer is None or recognizer.speaks(code)]
    return tuple(dict.fromkeys(known)) or ("en",)


def voices(store: Store) -> dict[str, Installed]:
    """The voice of each language that is spoken and has one, the main one's first.

    The main language always has one. A voice that is named speaks all that it is for, and the main
    language where it is for nothing that is spoken. Raises ModelError if there is no voice at all,
    or if one is damaged.
    """
    codes = languages(store)
    chosen = store.choose("tts")
    for_none = not any(_is_for(chosen.entry, code) for code in codes)
    found: dict[str, Installed] = {}
    for code in codes:
        if (for_none and code == codes[0]) or _is_for(chosen.entry, code):
            found[code] = chosen
        elif name := best(store, code, present=True):
            found[code] = store.require(name)
    return found if codes[0] in found else {codes[0]: chosen, **found}


def best(store: Store, language: str, *, present: bool = False) -> str:
    """The best voice for a language, of all or of those that are `present`; empty if none."""
    able = (entry for entry in store.ranked("tts") if _is_for(entry, language))
    return next((e.name for e in able if not present or store.state(e) == "present"), "")


def speaking(store: Store) -> set[str]:
    """The names of the voices that would run; none where there is a fault."""
    try:
        return {voice.name for voice in voices(store).values()}
    except EdgevoiceError:
        return set()


def missing(store: Store) -> dict[str, str]:
    """The languages that have no voice here, each with the one to pull; empty where none is known.

    Raises what `voices` does.
    """
    here = voices(store)
    return {
        code: best(store, code)
        for code in languages(store)
        if code not in here or not here[code].entry.speaks(code)
    }


def _is_for(entry: Entry, language: str) -> bool:
    """Whether the entry says that it is for the language."""
    return bool(entry.languages) and entry.speaks(language)
