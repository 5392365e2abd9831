"""Transcription: from utterances to text, while the user speaks and at the end.

Interim transcripts are made during speech. The words that two of them agree on go to the language
model at once. An interim transcript of every voiced sample becomes the final one; nothing is
transcribed twice. In a long utterance the text up to a pause is kept, so that the last transcript
covers only the audio after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from edgevoice import events as ev
from edgevoice.audio import CAPTURE_RATE, Utterance
from edgevoice.context import Engines, StageContext
from edgevoice.mailbox import Mailbox
from edgevoice.messages import (
    AgentInput,
    FinalQuestion,
    FinalRequest,
    InterimRequest,
    PartialQuestion,
    TranscriptionRequest,
)
from edgevoice.protocols import Effort, Recognizer, Segment, Transcript
from edgevoice.transcription.local_agreement import LocalAgreement, without_last_word
from edgevoice.transcription.self_speech import SelfSpeechFilter
from edgevoice.transcription.spoken_language import LanguageTracker, is_settled, listed
from edgevoice.turn import Turn
from edgevoice.turn_taking.activation import without_wake_word
from edgevoice.turn_taking.barge_in import LexicalBargeIn
from edgevoice.turn_taking.hallucinations import is_nobody
from edgevoice.words import count

SETTLED_TEXT_SECONDS = 12.0
"""Seconds of speech before a pause from which its text is kept, with enough context.
Word error rate of 1,437 recorded words: 14.1 % with six seconds, 13.0 % with twelve, 12.9 % with
the full window."""

SETTLED_TAIL = int(0.064 * CAPTURE_RATE)
"""Samples from the last voiced sample before a pause to the end of the settled part."""


@dataclass(slots=True)
class _Draft:
    """The transcripts of the utterance that begins at stream index `start`.

    `newest` is the newest transcript, of the audio up to index `end`; its beginning `likely` will
    stay. The text before index `cut` is settled. `pause` is the index and the transcript that are
    settled next if the user goes on. The `language` is empty until it is settled.
    """

    start: int
    cut: int
    settled: Transcript | None = None
    newest: Transcript | None = None
    end: int = 0
    pause: tuple[int, Transcript] | None = None
    language: str = ""
    likely: str = ""
    agreement: LocalAgreement = field(default_factory=LocalAgreement)


class Transcriber:
    """Owns the recognizer. Runs in two threads, so that an interim transcript delays no other."""

    def __init__(
        self,
        context: StageContext,
        engines: Engines,
        inbox: Mailbox[TranscriptionRequest],
        interims: Mailbox[InterimRequest],
        outbox: Mailbox[AgentInput],
    ) -> None:
        config, floor = context.config, context.floor
        self._config = config
        self.self_speech = SelfSpeechFilter(engines.pronounce)
        """Follows the replies, as a subscriber of the bus."""
        self._wake_word = engines.wake_word
        self._load_recognizer = engines.recognizer
        self._floor = floor
        self._failures = context.failures
        self._bus = context.bus
        self._barge_in = LexicalBargeIn(config, floor)
        self._inbox = inbox
        self._interims = interims
        self._outbox = outbox
        self._loaded = context.loaded
        self._pre_roll = config.turn.pre_roll_ms / 1000
        self._recognizer: Recognizer | None = None
        self._languages = LanguageTracker(listed(config.stt.language) or ("en",))
        self._latest: Turn | None = None
        self._failure: tuple[Turn, str, str] | None = None
        """The last reported failure: its turn, the error, and the message."""
        self._draft = _Draft(-1, -1)

    def run(self) -> None:
        """Run until the inbox is closed. Raises ModelError if the model cannot be loaded."""
        try:
            recognizer = self._load_recognizer()
            with self._floor.monitor:
                self._recognizer = recognizer
            self._loaded("transcription")
            while (request := self._inbox.get()) is not None:
                if isinstance(request, InterimRequest):
                    self._transcribe_interim(request, "endpoint")
                else:
                    self._transcribe_final(request)
        finally:
            self._inbox.close()
            self._interims.close()
            self._outbox.close()

    def forget(self) -> None:
        """A new conversation, perhaps with another speaker: begin with the main language."""
        self._languages.last = self._languages.languages[0]

    @property
    def language(self) -> str:
        """The language of the last turn."""
        return self._languages.last

    def interim(self) -> None:
        """Make interim transcripts until the inbox is closed; runs in its own thread."""
        while (request := self._interims.get()) is not None:
            # If the voice has stopped since, a transcript of more audio is under way.
            if self._recognizer is not None and not request.turn.speech.silent:
                self._transcribe_interim(request, "interim")

    def _transcribe_interim(self, request: InterimRequest, effort: Effort) -> None:
        turn, said = request.turn, request.take()
        if effort == "endpoint" and self._draft.start == said.start:
            # The agent may start on the last transcript while this one verifies it.
            self._send_partial(turn)
            known = self._complete_interim(turn, said)
            if known is not None and known.sure:
                # The voice had faded before; now it is silent, and these may be all the words.
                self._take_for_barge_in(turn, known, said)
                return
        self._report_started(turn, said, partial=True)
        try:
            read = self._transcribe(turn, said, effort)
            text = read.text
        except Exception as error:
            # The turn goes on: the same recognizer gets the whole question soon.
            self._report_failure(turn, error)
            return
        self._take_for_barge_in(turn, read, said)
        self._note(turn, read, said.seconds, 0.0)
        with self._floor.monitor:
            draft = self._draft
            if not text or turn.cancelled or turn.question or draft.end > said.end:
                return
            agreed = draft.agreement.add(text)
            # All but the last word is likely, too: a wrong guess costs only a rollback.
            draft.likely = max(agreed, without_last_word(text), key=len)
            turn.transcription.text, turn.transcription.language = text, read.language
        if self._config.stt.partials:
            self._bus.emit(ev.InterimTranscript(turn=turn.number, text=text, agreed=len(agreed)))
        self._send_partial(turn)

    def _take_for_barge_in(self, turn: Turn, read: Transcript, said: Utterance) -> None:
        text = self._without_self_speech(turn, read)
        self._barge_in.interim(turn, replace(read, text=text), said)

    def _send_partial(self, turn: Turn) -> None:
        draft, words = self._draft, turn.transcription
        if self._config.slm.prefill_ahead and words.text:
            self._outbox.put(
                PartialQuestion(turn, words.text, draft.likely, draft.end, words.language)
            )

    def _transcribe_final(self, question: FinalRequest) -> None:
        turn = question.turn
        text, language = "", ""
        try:
            text, language = self._final_transcript(question)
        except Exception as error:
            self._floor.cancel(turn, "failed", self._report_failure(turn, error))
        turn.transcription.language = language
        self._latest = turn
        turn.transcription.text = turn.transcription.question = text
        # Also without text: a committed turn is settled at the end of the pipeline.
        self._outbox.put(FinalQuestion(turn, text, language))

    def _report_failure(self, turn: Turn, error: Exception) -> str:
        """Report a failure once per turn; returns the message."""
        with self._floor.monitor:
            reported = self._failure
        if reported is not None and reported[:2] == (turn, repr(error)):
            return reported[2]
        what = self._failures.report("transcription", turn, error)
        with self._floor.monitor:
            self._failure = turn, repr(error), what
        return what

    def _final_transcript(self, question: FinalRequest) -> tuple[str, str]:
        """The text of the question, empty if there is none, and its language."""
        turn, said = question.turn, question.said
        if isinstance(said, str):
            self._report_final(turn, said, Transcript("", ""))
            self._note_language()
            return said, self._languages.last
        transcript = self._whole_transcript(turn, said)
        doubt = self._note(turn, transcript, said.seconds, question.voiced)
        if doubt is not None:
            self._floor.cancel(turn, "no_speech", doubt)
            return "", ""
        text = self._without_self_speech(turn, transcript)
        if not text:
            self._floor.cancel(turn, "no_speech", "the assistant's own words")
            return "", ""
        self._report_final(turn, text, transcript)
        if not self._barge_in.are_to_be_answered(turn, replace(transcript, text=text)):
            return "", ""
        return text, transcript.language

    def _whole_transcript(self, turn: Turn, said: Utterance) -> Transcript:
        """The newest interim transcript if it is complete and sure, else another one."""
        transcript = self._complete_interim(turn, said)
        if transcript is None or not transcript.sure:
            doubtful = transcript is not None and transcript.doubtful
            self._report_started(turn, said, partial=False)
            again = transcript.language if transcript is not None else ""
            transcript = self._transcribe(turn, said, "fallback" if doubtful else "final", again)
        draft = self._draft
        if said.voiced_end - draft.cut >= SETTLED_TEXT_SECONDS * CAPTURE_RATE:
            draft.pause = said.voiced_end + SETTLED_TAIL, transcript
        return transcript

    def _report_final(self, turn: Turn, text: str, read: Transcript) -> None:
        self._bus.emit(
            ev.FinalTranscript(
                turn=turn.number,
                text=text,
                language=read.language,
                no_speech=round(read.no_speech, 4),
                logprob=round(read.logprob, 4),
            )
        )

    def _note(self, turn: Turn, read: Transcript, seconds: float, voiced: float) -> str | None:
        """Count the transcript; returns why it is no speech of the user, or None if it is."""
        words = turn.transcription
        doubt = is_nobody(read, seconds, voiced, self._config.stt)
        if doubt is None:
            words.accepted_words = max(words.accepted_words, count(read.text))
        words.transcripts += 1
        return doubt

    def _without_self_speech(self, turn: Turn, read: Transcript) -> str:
        """The text without the assistant's own words."""
        if not self._config.echo.self_speech or turn.origin == "talk_key":
            return read.text
        return self.self_speech.without(turn.number, read.text, read.language)

    def _complete_interim(self, turn: Turn, said: Utterance) -> Transcript | None:
        """The newest interim transcript, if it covers every word."""
        words_end = min(turn.speech.words_end or said.voiced_end, said.voiced_end)
        with self._floor.monitor:
            draft = self._draft
            whole = draft.start == said.start and draft.end >= words_end
            return draft.newest if whole else None

    def _transcribe(
        self, turn: Turn, said: Utterance, effort: Effort, language: str = ""
    ) -> Transcript:
        """Transcribe the utterance so far; only the audio after the settled part is decoded.

        `language`: the known language, or empty.
        """
        assert self._recognizer is not None
        with self._floor.monitor:
            draft = self._draft
            if draft.start != said.start:
                draft = self._draft = _Draft(said.start, said.start)
                self._note_language()
            elif draft.pause is not None and draft.pause[0] < said.end:
                (draft.cut, draft.settled), draft.pause = draft.pause, None
            cut, settled = draft.cut, draft.settled
            language = draft.language or language or (settled.language if settled else "")
        rest = said.samples[cut - said.start :]
        spoken = (said.voiced_end - said.start) / CAPTURE_RATE - self._pre_roll
        among = {language: 1.0} if language else self._languages.weights(spoken)
        transcript = self._recognizer.transcribe(rest, effort, among)
        transcript = replace(transcript, text=transcript.text.strip())
        if settled is not None:
            if is_nobody(transcript, len(rest) / CAPTURE_RATE, 0.0, self._config.stt):
                # A breath after the settled part, for which Whisper makes up a "Thank you".
                transcript = replace(transcript, text="")
            transcript = _joined(settled, transcript, (cut - said.start) / CAPTURE_RATE)
        elif self._wake_word:
            said_after = without_wake_word(
                transcript.text, self._wake_word, within=turn.speech.called
            )
            transcript = replace(transcript, text=said_after)
        with self._floor.monitor:
            if said.end >= draft.end:
                draft.newest, draft.end = transcript, said.end
            if is_settled(transcript.certainty if len(among) > 1 else 0.0, spoken):
                draft.language = transcript.language
        return transcript

    def _note_language(self) -> None:
        """A new utterance begins: note the language of the last committed turn."""
        if self._latest is not None and self._latest.committed:
            self._languages.spoke(self._latest.transcription.language)

    def _report_started(self, turn: Turn, said: Utterance, partial: bool) -> None:
        draft = self._draft
        new = len(said.samples) - (draft.cut - said.start if draft.start == said.start else 0)
        self._bus.emit(
            ev.TranscriptionStarted(turn=turn.number, seconds=new / CAPTURE_RATE, partial=partial)
        )


def _joined(settled: Transcript, rest: Transcript, offset: float) -> Transcript:
    """Join two parts of one utterance; the second begins `offset` seconds into it."""
    if not rest.text:
        return settled
    return Transcript(
        f"{settled.text} {rest.text}".strip(),
        settled.language,
        min(settled.no_speech, rest.no_speech),
        float(np.mean([settled.logprob, rest.logprob])),
        max(settled.compression, rest.compression),
        (
            *settled.segments,
            *(Segment(s.text, s.start + offset, s.end + offset) for s in rest.segments),
        ),
        rest.sure,
        rest.doubtful,
    )
