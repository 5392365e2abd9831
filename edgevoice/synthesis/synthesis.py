"""Synthesis: from clauses to audio, one clause ahead of playback."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from edgevoice import events as ev
from edgevoice.agent.speech_rate import SpeechRates
from edgevoice.audio import UNSPOKEN, Audio
from edgevoice.context import StageContext
from edgevoice.languages.text_normalization import prepare
from edgevoice.mailbox import Mailbox
from edgevoice.messages import (
    Clause,
    ClauseToSpeak,
    Cue,
    EndOfReply,
    SpeechAudio,
    SpokenCue,
    clause_is_dead,
)
from edgevoice.protocols import Synthesizer
from edgevoice.synthesis.alignment import written
from edgevoice.synthesis.synthesis_timing import TimedSynthesis
from edgevoice.transcription.spoken_language import named
from edgevoice.turn import Turn

AHEAD = 2
"""Most clauses that wait for playback before the next one is synthesized: enough against gaps after
a short clause, and few enough to leave the cores to the language model."""


class Synthesis:
    """Owns the synthesizers, one per language; runs in its own thread.

    The main language's voice speaks languages without a voice; one notice says so.
    """

    def __init__(
        self,
        context: StageContext,
        synthesizers: Mapping[str, Callable[[], Synthesizer]],
        inbox: Mailbox[ClauseToSpeak | EndOfReply | SpokenCue],
        outbox: Mailbox[SpeechAudio | EndOfReply | Cue],
        speech_rates: SpeechRates,
    ) -> None:
        self.speaks = True
        """Whether replies are spoken. If not, each clause counts as played at once."""
        self.speed = 1.0
        """Speaking rate of the next clause, as a factor of the setting."""
        self._earcons = context.earcons
        self._synthesizers = synthesizers
        self._settings = context.config.tts
        self._speech_rates = speech_rates
        self._voices: dict[str, TimedSynthesis] = {}
        self._missing: set[str] = set()
        self._started: Turn | None = None
        self._floor = context.floor
        self._failures = context.failures
        self._clock = context.clock
        self._bus = context.bus
        self._inbox = inbox
        self._outbox = outbox
        self._loaded = context.loaded

    def run(self) -> None:
        """Run until the inbox is closed. Raises ModelError if a voice cannot be loaded."""
        try:
            self._load()
            self._prepare(self._voices[next(iter(self._synthesizers))])
            self._loaded("synthesis")
            while (item := self._inbox.get()) is not None:
                if isinstance(item, EndOfReply):
                    self._outbox.put(item)
                    continue
                if isinstance(item, SpokenCue):
                    self._play_cue(item)
                    continue
                try:
                    self._synthesize(item)
                except Exception as error:
                    told = self._failures.report("synthesis", item.turn, error)
                    self._floor.cancel(item.turn, "failed", told)
        finally:
            self._inbox.close()
            self._outbox.close()

    def _prepare(self, voice: TimedSynthesis) -> None:
        """Synthesize the answer to the wake word in advance."""
        if words := self._earcons.words:
            self._earcons.spoken = _whole(voice, words)

    def _play_cue(self, words: SpokenCue) -> None:
        if words.audio is not None:
            self._outbox.put(Cue(words.audio))
            return
        if not self.speaks:
            return
        try:
            audio = _whole(self._timed(words.language), words.text)
        except Exception as error:
            self._failures.report("synthesis", None, error)
            return
        if audio is not None:
            self._outbox.offer(Cue(audio))

    def _load(self) -> None:
        loaded: dict[Callable[[], Synthesizer], Synthesizer] = {}
        # The main one last, so that it is the last to be reported as loaded.
        for language, load in reversed(list(self._synthesizers.items())):
            voice = loaded[load] = loaded.get(load) or load()
            prepare(language)
            self._voices[language] = TimedSynthesis(
                voice, self._settings, self._speech_rates.of(language), self._clock.now
            )

    def _timed(self, language: str) -> TimedSynthesis:
        """The voice for this language, else the main language's."""
        main = next(iter(self._synthesizers))
        if language not in self._voices and language not in self._missing:
            self._missing.add(language)
            told = f"no voice speaks {named(language)}: the one for {named(main)} is used"
            self._bus.emit(ev.Notice(text=told))
        voice = self._voices.get(language) or self._voices[main]
        voice.set_speed(self.speed)
        return voice

    def _synthesize(self, say: ClauseToSpeak) -> None:
        turn, number = say.turn, say.number
        if not say.clause.spoken:
            # Nothing to say (a rule, a stray asterisk), but playback counts its characters.
            self._outbox.put(SpeechAudio(turn, number, say.clause, None, last=True))
            return

        def dead() -> bool:
            return clause_is_dead(say)

        self._outbox.wait_while(lambda waiting: not dead() and _clauses(waiting) >= AHEAD)
        if dead():
            return
        turn.synthesis.started = True
        self._bus.emit(ev.SynthesisStarted(turn=turn.number, clause=number))
        seconds = 0.0
        first = self._started is not turn
        voice = self._timed(turn.transcription.language)
        voiced = voice.sound(say.clause.spoken, dead, first=first) if self.speaks else [UNSPOKEN]
        for audio in voiced:
            if not seconds:
                self._started = turn
                self._bus.emit(ev.FirstAudio(turn=turn.number, clause=number))
            seconds += audio.seconds
            self._outbox.put(
                SpeechAudio(turn, number, say.clause, _written(audio, say.clause), False)
            )
        self._bus.emit(
            ev.SynthesisEnded(turn=turn.number, clause=number, seconds=round(seconds, 4))
        )
        self._outbox.put(SpeechAudio(turn, number, say.clause, None, last=True))


def _written(audio: Audio, clause: Clause) -> Audio:
    """The sound with marks of the words as the model wrote them."""
    if not audio.marks:
        return audio
    return audio.marked(written(audio.marks, clause.text, clause.spoken))


def _whole(voice: TimedSynthesis, words: str) -> Audio | None:
    made = list(voice.sound(words, lambda: False, first=True))
    if not made:
        return None
    return Audio(np.concatenate([audio.samples for audio in made]), made[0].rate)


def _clauses(waiting: Sequence[SpeechAudio | EndOfReply | Cue]) -> int:
    sounds = [item for item in waiting if isinstance(item, SpeechAudio) and item.last]
    return sum(not clause_is_dead(item) for item in sounds)
