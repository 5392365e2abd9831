"""The languages of the configuration, and the voice for each."""

from __future__ import annotations

from edgevoice.catalog import Entry
from edgevoice.errors import EdgevoiceError
from edgevoice.models.store import Installed, Store
from edgevoice.transcription.spoken_language import listed


def languages(store: Store) -> tuple[str, ...]:
    """The languages of the store's configuration, the main language first.

    With `auto` these are the languages of the present voices that a configured speech-to-text
    model knows.
    """
    if codes := listed(store.config.stt.language):
        return codes
    models = store.config.models
    voice, recognizer = (store.catalog.get(n) if n else None for n in (models.tts, models.stt))
    present_voices = [voice, *(e for e in store.ranked("tts") if store.state(e) == "present")]
    spoken = [code.split("_")[0] for entry in present_voices if entry for code in entry.languages]
    known = [code for code in spoken if recognizer is None or recognizer.speaks(code)]
    return tuple(dict.fromkeys(known)) or ("en",)


def voices(store: Store) -> dict[str, Installed]:
    """The voice of each language that has one, the main language first.

    The main language always has a voice. A configured voice speaks all its languages; if none of
    them is used, it speaks the main language. Raises ModelError if there is no voice, or if one is
    damaged.
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
    """The name of the best voice for a language, of all or only of present ones; may be empty."""
    usable = (entry for entry in store.ranked("tts") if _is_for(entry, language))
    return next((e.name for e in usable if not present or store.state(e) == "present"), "")


def instead_of(store: Store, slow: Entry) -> str:
    """The voice to choose if `slow` is too slow here: one of another kind, best a present one.

    Empty if the catalog has none for its language.
    """
    language = next((code.split("_")[0] for code in slow.languages), "en")
    others = [e for e in store.ranked("tts") if e.format != slow.format and _is_for(e, language)]
    others.sort(key=lambda entry: store.state(entry) != "present")
    return others[0].name if others else ""


def speaking(store: Store) -> set[str]:
    """The names of the voices that would be used; empty on an error."""
    try:
        return {voice.name for voice in voices(store).values()}
    except EdgevoiceError:
        return set()


def missing(store: Store) -> dict[str, str]:
    """The languages without a present voice, each with the voice to pull, which may be empty.

    Raises what `voices` does.
    """
    present_voices = voices(store)
    return {
        code: best(store, code)
        for code in languages(store)
        if code not in present_voices or not present_voices[code].entry.speaks(code)
    }


def _is_for(entry: Entry, language: str) -> bool:
    """Whether the entry names the language."""
    return bool(entry.languages) and entry.speaks(language)
