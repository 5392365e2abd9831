"""Choose the models of a session, and say which others would serve the user better."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgevoice.catalog import REFERENCE
from edgevoice.models.store import Installed, Store
from edgevoice.models.voices import instead_of, languages, missing
from edgevoice.models.voices import voices as voices_here
from edgevoice.settings import Config
from edgevoice.transcription.spoken_language import check_known, named


@dataclass(frozen=True, slots=True)
class ChosenModels:
    """The models of a session.

    `languages` are those that are spoken, the main one first; `voices` has the voice of each
    language that has one.
    """

    languages: tuple[str, ...]
    vad: Installed
    stt: Installed
    slm: Installed | None
    draft: Installed | None
    voices: dict[str, Installed]
    turn: Installed | None

    @property
    def tts(self) -> Installed:
        """The voice of the main language."""
        return self.voices[self.languages[0]]


def choose(store: Store, config: Config, shapes: bool, answers: bool) -> ChosenModels:
    """The models of the settings; `answers`: with a language model. Raises ModelError if one is
    missing."""
    vad, stt = (store.choose(role, shapes=shapes) for role in ("vad", "stt"))
    slm = store.choose("slm", shapes=shapes) if answers else None
    check_known(stt.name, stt.entry.languages, config.stt.language)
    draft = store.draft_of(slm) if slm else None
    spoken, voices = languages(store), voices_here(store)
    return ChosenModels(spoken, vad, stt, slm, draft, voices, store.optional("turn"))


def advice(store: Store, config: Config, models: ChosenModels, begins: bool) -> Iterator[str]:
    """What the user can install for better results; `begins`: the first time in a session."""
    wanted = begins and not models.turn and not config.models.turn and store.starter_of("turn")
    if wanted:
        yield (
            "end-of-turn detection uses silence and text only; "
            f"`edgevoice models pull {wanted}` makes it faster and more reliable"
        )
    if begins:
        for language, better in missing(store).items():
            yield _voiceless(language, better, models.tts)
    unnamed = None if config.models.slm or config.models.reference != "ask" else models.slm
    speaks = REFERENCE in store.catalog and store.catalog.get(REFERENCE).speaks
    if unnamed and not store.find(REFERENCE) and speaks and all(map(speaks, models.languages)):
        yield (
            f"the language model is {unnamed.name}; `edgevoice models pull {REFERENCE}` "
            "installs the reference model"
        )


def too_slow(voice: Installed, factor: float, store: Store) -> str:
    """What a voice that cannot keep up means, and which one to choose."""
    other = instead_of(store, voice.entry)
    fix = f"`--tts {other}`" if other else "another voice"
    if other and store.find(other) is None:
        fix = f"`edgevoice models pull {other}`, then {fix}"
    return (
        f"the voice {voice.name} takes {factor:.1f} s for a second of speech on this machine, so "
        f"replies will have gaps; choose {fix}"
    )


def _voiceless(language: str, better: str, instead: Installed) -> str:
    """How to get a voice for a language without one."""
    fix = f"`edgevoice models pull {better}`" if better else "`edgevoice models add` a Piper voice"
    return f"there is no voice for {named(language)}, so {instead.name} speaks it: {fix}"
