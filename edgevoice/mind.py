"""The mind: utterances become text, text becomes a reply, and the reply becomes clauses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Union

from edgevoice import events as ev
from edgevoice.audio import EAR_RATE, Samples, Utterance
from edgevoice.clauses import Clause, ClauseCutter
from edgevoice.config import Config
from edgevoice.errors import EdgevoiceError
from edgevoice.floor import Floor
from edgevoice.hallucinations import is_nobody
from edgevoice.mailbox import Mailbox
from edgevoice.stages import LanguageModel, Message, Prefilled, Recognizer, Stopped, Token
from edgevoice.turn import Turn

PROMPT_MARGIN = 32
"""Tokens of the context window kept free beside prompt and reply, for the template's own."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something to be answered; `said` is sound or typed text, `voiced` its seconds of speech."""

    turn: Turn
    said: Utterance | str
    voiced: float = 0.0


@dataclass(frozen=True, slots=True)
class Look:
    """A quick look at what is being said; `take` gives the sound so far, float32 [n] at 16 kHz."""

    turn: Turn
    take: Callable[[], Samples]


@dataclass(frozen=True, slots=True)
class Prime:
    """The conversation has changed: bring it into the KV cache while nobody speaks."""


Job = Union[Question, Look, Prime]


def job_is_dead(job: Job) -> bool:
    """A committed question is taken up even when it was cancelled: it is to be remembered."""
    match job:
        case Question():
            return job.turn.cancelled and not job.turn.committed
        case Look():
            return job.turn.cancelled or job.turn.asked
        case Prime():
            return False


@dataclass(frozen=True, slots=True)
class Say:
    """A clause to be spoken."""

    turn: Turn
    number: int
    clause: Clause


@dataclass(frozen=True, slots=True)
class End:
    """Nothing more will come of this turn. Goes down the whole pipeline, even for dead turns."""

    turn: Turn


class Mind:
    """Owns the recognizer and the language model; runs in a thread of its own."""

    def __init__(
        self,
        config: Config,
        recognizer: Callable[[], Recognizer],
        language_model: Callable[[], LanguageModel],
        floor: Floor,
        inbox: Mailbox[Job],
        outbox: Mailbox[Say | End],
        loaded: Callable[[], None],
    ) -> None:
        self._config = config
        self._load_recognizer = recognizer
        self._load_language_model = language_model
        self._floor = floor
        self._bus = floor.bus
        self._inbox = inbox
        self._outbox = outbox
        self._loaded = loaded
        self._recognizer: Recognizer | None = None
        self._slm: LanguageModel | None = None
        self._primed = False

    def load_language_model(self) -> None:
        """Load the model; runs in a thread of its own, so that the ears need not wait for it."""
        slm = self._load_language_model()
        with self._floor.monitor:
            self._slm = slm
            self._floor.monitor.notify_all()
        self._inbox.put(Prime())
        self._loaded()

    def run(self) -> None:
        """Answer until the inbox is closed. Raises ModelError when a model cannot be loaded."""
        try:
            self._recognizer = self._load_recognizer()
            self._loaded()
            while (job := self._inbox.get()) is not None:
                match job:
                    case Look():
                        self._look(job, self._recognizer)
                    case Prime():
                        self._prime()
                    case Question():
                        try:
                            self._answer(job, self._recognizer)
                        finally:
                            self._outbox.put(End(job.turn))
        finally:
            self._inbox.close()
            self._outbox.close()

    def close(self) -> None:
        """Free the language model; only after `run` has returned."""
        if self._slm is not None:
            self._slm.close()

    def _model(self, turn: Turn | None) -> LanguageModel | None:
        """The language model, waiting for it to be loaded; None if it is not wanted any more."""
        with self._floor.monitor:
            self._floor.monitor.wait_for(
                lambda: self._slm is not None or bool(turn and turn.cancelled)
            )
            return self._slm

    def _prime(self) -> None:
        with self._floor.monitor:
            slm, messages = self._slm, self._floor.history.messages
        if slm is not None:
            try:
                slm.prime(messages, lambda: not self._inbox.empty)
            except Exception as error:
                self._failed(None, error)
            if not self._primed:
                self._primed = True
                self._loaded()

    def _look(self, look: Look, recognizer: Recognizer) -> None:
        samples = look.take()
        number = look.turn.number
        self._bus.emit(
            ev.RecognitionStarted(turn=number, seconds=len(samples) / EAR_RATE, partial=True)
        )
        try:
            text = recognizer.transcribe(samples, partial=True).text.strip()
        except Exception:
            # The whole question goes to the same recognizer soon, and then the failure is told.
            return
        if text and not look.turn.cancelled:
            self._bus.emit(ev.PartialHeard(turn=number, text=text))

    def _answer(self, question: Question, recognizer: Recognizer) -> None:
        turn = question.turn
        try:
            text, language = self._recognize(question, recognizer)
            if not text:
                return
            turn.question = text
            self._floor.wait_for_earlier(turn)
            slm = self._model(turn)
            if turn.cancelled or slm is None:
                return
            self._reply(turn, slm, self._prompt(text, slm), language)
        except Exception as error:
            self._failed(turn, error)

    def _recognize(self, question: Question, recognizer: Recognizer) -> tuple[str, str]:
        """The text of the question, empty if there was none, and its language."""
        turn, said = question.turn, question.said
        if isinstance(said, str):
            self._bus.emit(
                ev.Recognized(turn=turn.number, text=said, language="", no_speech=0.0, logprob=0.0)
            )
            language = self._config.stt.language
            return said, "en" if language == "auto" else language
        self._bus.emit(ev.RecognitionStarted(turn=turn.number, seconds=said.seconds, partial=False))
        transcript = recognizer.transcribe(said.samples)
        doubt = is_nobody(transcript, said.seconds, question.voiced, self._config.stt)
        if doubt is not None:
            self._floor.cancel(turn, "nothing_said", doubt)
            return "", ""
        text = transcript.text.strip()
        self._bus.emit(
            ev.Recognized(
                turn=turn.number,
                text=text,
                language=transcript.language,
                no_speech=round(transcript.no_speech, 4),
                logprob=round(transcript.logprob, 4),
            )
        )
        return text, transcript.language

    def _prompt(self, text: str, slm: LanguageModel) -> Sequence[Message]:
        room = slm.context - min(self._config.slm.max_tokens, slm.context // 2) - PROMPT_MARGIN
        history = self._floor.history
        dropped = history.trim(text, slm.count, room)
        if dropped:
            self._bus.emit(ev.HistoryTrimmed(messages=dropped))
        return history.asking(text)

    def _reply(
        self, turn: Turn, slm: LanguageModel, messages: Sequence[Message], language: str
    ) -> None:
        cutter = ClauseCutter(self._config.tts.first_clause_words, language)
        count = 0

        def cut(clauses: list[Clause]) -> None:
            nonlocal count
            for clause in clauses:
                self._bus.emit(
                    ev.ClauseCut(
                        turn=turn.number, clause=count, text=clause.text, spoken=clause.spoken
                    )
                )
                self._outbox.put(Say(turn, count, clause))
                count += 1

        self._bus.emit(ev.PromptStarted(turn=turn.number))
        for item in slm.reply(messages, turn.is_cancelled):
            match item:
                case Prefilled():
                    self._bus.emit(
                        ev.PromptReady(turn=turn.number, tokens=item.tokens, reused=item.reused)
                    )
                case Token():
                    index = len(turn.tokens)
                    turn.tokens.append(item.id)
                    turn.reply += item.text
                    self._bus.emit(ev.TokenMade(turn=turn.number, index=index, text=item.text))
                    cut(cutter.push(item.text))
                case Stopped():
                    cut(cutter.flush())
                    self._bus.emit(
                        ev.ReplyEnded(turn=turn.number, tokens=len(turn.tokens), reason=item.reason)
                    )

    def _failed(self, turn: Turn | None, error: Exception) -> None:
        what, remedy = describe(error)
        number = turn.number if turn else None
        self._bus.emit(ev.StageFailed(stage="mind", turn=number, what=what, remedy=remedy))
        if turn is not None:
            self._floor.cancel(turn, "failed", what)


def describe(error: Exception) -> tuple[str, str]:
    """What failed and the remedy, for an error of ours or of a library's."""
    if isinstance(error, EdgevoiceError):
        return error.what, error.remedy
    what = f"{type(error).__name__}: {error}"
    return what, "run with --debug and report what it prints"
