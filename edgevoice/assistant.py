"""The assistant: all stages as one pipeline with one lifetime.

    microphone ─frames→ capture ─utterance→ transcription ─question→ agent ─clauses→ synthesis
        ─audio→ playback → speaker;   every stage ─events→ bus → screen, trace, metrics …

Data flows down through mailboxes. Decisions about turns go around them, through the turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from edgevoice import events as ev
from edgevoice.agent.instructions import instruct
from edgevoice.agent.responder import Responder
from edgevoice.agent.speech_rate import SpeechRates
from edgevoice.capture.capture import Capture
from edgevoice.capture.utterance_detector import UtteranceDetector
from edgevoice.context import (
    AudioIO,
    Engines,
    LoadedPart,
    Resume,
    Ringer,
    SessionContext,
    StageContext,
)
from edgevoice.crew import Crew
from edgevoice.failures import FailureReporter
from edgevoice.history import History
from edgevoice.housekeeping import PERIOD, Housekeeping
from edgevoice.languages import language_data
from edgevoice.mailbox import Mailbox
from edgevoice.messages import (
    AgentInput,
    Announcement,
    ClauseToSpeak,
    Cue,
    EndOfReply,
    FinalRequest,
    InterimRequest,
    PartialQuestion,
    Pause,
    Prefill,
    SpeechAudio,
    SpokenCue,
    TranscriptionRequest,
    agent_input_is_dead,
    clause_is_dead,
    pause_is_over,
    request_is_dead,
)
from edgevoice.playback.playback import Playback
from edgevoice.protocols import ChatMessage
from edgevoice.synthesis.synthesis import Synthesis
from edgevoice.transcription.transcriber import Transcriber
from edgevoice.turn import Turn
from edgevoice.turn_records import TranscriptionRecord
from edgevoice.turn_taking.earcons import EarconKind, Earcons, earcon
from edgevoice.turn_taking.end_of_turn import EndOfTurnPredictor
from edgevoice.turn_taking.floor import Floor

QUEUE = 256
"""Size of the mailboxes, large enough never to block their writer."""

HEARING: frozenset[LoadedPart] = frozenset({"capture", "transcription"})
"""Parts that must be loaded before speech is captured, to be answered later."""

RING_PERIOD = 0.2
"""Seconds between two looks for timers that are due."""

ALL_PARTS: frozenset[LoadedPart] = HEARING | {"model", "prompt", "synthesis"}
"""Parts that must be loaded before a question can be answered at once."""


class Assistant:
    """One session: create it, subscribe to its bus, call `run` once.

    The commands (`interrupt`, `mute`, `speak`, `say`, `talk`, `new_conversation`, `close`) may be
    called from any thread while it runs. They return at once.
    """

    def __init__(
        self,
        context: SessionContext,
        audio: AudioIO,
        engines: Engines,
        resume: Resume | None = None,
        housekeeping: Housekeeping | None = None,
        ringer: Ringer | None = None,
    ) -> None:
        config, self.bus = context.config, context.bus
        resume = resume or Resume(History(config.slm.system_prompt))
        self.history = resume.history
        instruct(self.history, config, context.wall)
        turns = resume.next_turn, resume.answered
        self._floor = Floor(context.clock, context.bus, audio.sink, self.history, turns)
        self._parts: set[LoadedPart] = set()
        self._source = audio.opened(self.is_idle)
        self._sink = audio.sink
        self._housekeeping = housekeeping
        self._ringer = ringer
        self._spoken = tuple(engines.synthesizers)
        self._earcons = Earcons(config)
        self._make_mailboxes()
        self._make_stages(
            StageContext(
                config,
                context.clock,
                context.bus,
                floor=self._floor,
                history=self.history,
                failures=FailureReporter(context.bus, lambda: self._play_earcon("failed")),
                earcons=self._earcons,
                play_earcon=self._play_earcon,
                loaded=self._loaded,
            ),
            engines,
        )
        self._give_back = engines.give_back
        self._crew = Crew(context.clock, self._shut_down)
        self._closed = False
        self._reason = "closed"

    def _make_mailboxes(self) -> None:
        monitor = self._floor.monitor
        self._requests: Mailbox[TranscriptionRequest] = Mailbox(monitor, QUEUE, request_is_dead)
        self._interims: Mailbox[InterimRequest] = Mailbox(monitor, QUEUE, request_is_dead)
        self._pauses: Mailbox[Pause] = Mailbox(monitor, QUEUE, pause_is_over)
        self._questions: Mailbox[AgentInput] = Mailbox(monitor, QUEUE, agent_input_is_dead)
        self._clauses: Mailbox[ClauseToSpeak | EndOfReply | SpokenCue] = Mailbox(
            monitor, QUEUE, _is_dead
        )
        self._sounds: Mailbox[SpeechAudio | EndOfReply | Cue] = Mailbox(monitor, QUEUE, _is_dead)

    def _make_stages(self, context: StageContext, engines: Engines) -> None:
        self._predictor = EndOfTurnPredictor(
            context.clock, context.bus, context.failures, engines.turn_detector, self._pauses
        )
        utterances = UtteranceDetector(
            context, self._source, self._requests, self._interims, self._predictor
        )
        self._capture = Capture(context, self._source, engines, utterances)
        self._transcriber = Transcriber(
            context, engines, self._requests, self._interims, self._questions
        )
        rates = SpeechRates(list(engines.synthesizers))
        self._responder = Responder(context, engines.agent, self._questions, self._clauses, rates)
        self._synthesis = Synthesis(
            context, engines.synthesizers, self._clauses, self._sounds, rates
        )
        self._playback = Playback(context, self._sink, self._sounds, self._turn_settled)

    def run(self) -> None:
        """Run until the source ends or `close` is called.

        Raises ModelError if an engine cannot be loaded, and DeviceError if a device is lost.
        """
        with ExitStack() as subscribed:
            for subscriber in (self._transcriber.self_speech, self._prefill_lead):
                subscribed.callback(self.bus.subscribe(subscriber))
            if self._ringer is not None:
                subscribed.callback(self.bus.subscribe(self._ringer))
            self._run()

    def _run(self) -> None:
        crew = self._crew
        try:
            with crew:
                crew.start("playback", self._playback.run)
                crew.start("synthesis", self._synthesis.run)
                crew.start("agent", self._responder.run)
                crew.start("transcription", self._transcriber.run)
                crew.start("interim", self._transcriber.interim)
                crew.start("end_of_turn", self._predictor.run)
                crew.start("model", self._responder.load)
                crew.start("capture", self._listen)
                if (housekeeping := self._housekeeping) is not None:
                    crew.start("meter", partial(self._keep_house, housekeeping))
                if (ringer := self._ringer) is not None:
                    crew.start("timers", partial(self._ring, ringer))
                crew.join()
        except KeyboardInterrupt:
            self._reason = "interrupted"
            raise
        except Exception:
            self._reason = "failed"
            raise
        finally:
            try:
                self._sink.close()
            finally:
                # A thread that still uses the agent must not lose it.
                if crew.ended:
                    self._responder.close()
                    self._give_back()
                self.bus.emit(ev.SessionEnded(reason=self._reason))

    def _listen(self) -> None:
        self._capture.run()
        if not self._closed:
            # The source has ended: finish the current turns first.
            self._reason = "end_of_input"
            with self._floor.monitor:
                self._floor.monitor.wait_for(lambda: self._closed or not self._floor.turns)
        self._shut_down()

    def _keep_house(self, housekeeping: Housekeeping) -> None:
        while not self._closed:
            housekeeping.step(self.bus, self.is_idle, self.next_turn)
            with self._floor.monitor:
                self._floor.monitor.wait_for(lambda: self._closed, PERIOD)

    def _ring(self, ringer: Ringer) -> None:
        while not self._closed:
            if "synthesis" in self._parts:
                ringer.step(self, self.bus.emit)
            with self._floor.monitor:
                self._floor.monitor.wait_for(lambda: self._closed, RING_PERIOD)

    def _shut_down(self) -> None:
        with self._floor.monitor:
            self._closed = True
            self._floor.monitor.notify_all()
        try:
            self._floor.cancel_others(None, "shutdown")
            self._sink.stop()
        finally:
            self._source.close()
            self._requests.close()
            self._interims.close()
            self._pauses.close()

    def _loaded(self, part: LoadedPart) -> None:
        with self._floor.monitor:
            self._parts.add(part)
            now = frozenset(self._parts)
        if part in HEARING and now >= HEARING:
            self.bus.emit(ev.Listening())
        if now == ALL_PARTS:
            self.bus.emit(ev.Ready())

    def _prefill_lead(self, event: ev.Event) -> None:
        # Also while the session was idle, another one may have taken the KV cache.
        if isinstance(event, ev.SpeechStarted):
            for turn in self._floor.turns:
                if turn.number == event.turn:
                    language = self._transcriber.language
                    self._questions.offer(PartialQuestion(turn, "", "", 0, language))

    def _turn_settled(self, turn: Turn) -> None:
        if turn.committed:
            self._questions.offer(Prefill())

    @property
    def source_name(self) -> str:
        """Name of the microphone or its replacement."""
        return self._source.name

    @property
    def next_turn(self) -> int:
        """Number of the next turn."""
        return self._floor.turns.next_turn

    @property
    def answered(self) -> int:
        """How many turns were answered audibly."""
        return self._floor.turns.answered

    def is_idle(self) -> bool:
        """Whether everything is loaded and no turn is under way."""
        return self._parts >= ALL_PARTS and not self._floor.turns

    def interrupt(self) -> None:
        """Stop the current reply."""
        for turn in self._floor.turns:
            if turn.committed:
                self._floor.cancel(turn, "interrupted")

    def mute(self, on: bool) -> None:
        """Mute or unmute the microphone."""
        self._capture.muted = on
        self.bus.emit(ev.Muted(on=on))
        self._play_earcon("muted" if on else "unmuted")

    def speak(self, on: bool) -> None:
        """Speak the replies, or only show them."""
        self._synthesis.speaks = on
        self.bus.emit(ev.SpeechOutput(on=on))

    def say(self, text: str) -> None:
        """Answer a typed question."""
        turn = self._floor.begin("text")
        self._floor.cancel_others(turn, "barge_in")
        self._floor.commit(turn)
        self._requests.put(FinalRequest(turn, text.strip()))

    def announce(self, text: str, language: str) -> int | None:
        """Ring, and say something without a question: a running reply ends as by a barge-in.

        Returns the number of the turn; None, and nothing happens, while somebody speaks.
        """
        if any(turn.live and not turn.committed for turn in self._floor.turns):
            return None
        turn = self._floor.begin("announcement")
        turn.transcription = TranscriptionRecord(language=language)
        self._floor.cancel_others(turn, "barge_in")
        self._floor.commit(turn)
        self._questions.put(Announcement(turn, text, language, earcon("ring")))
        return turn.number

    def stop_ringing(self) -> bool:
        """Stop a timer that rings; false if none does."""
        return self._ringer is not None and self._ringer.stop()

    @property
    def volume(self) -> float:
        """Loudness of the replies, from 0 to 1."""
        return self._sink.loudness

    @volume.setter
    def volume(self, factor: float) -> None:
        self._sink.loudness = factor

    @property
    def speed(self) -> float:
        """Speaking rate, as a factor of the setting."""
        return self._synthesis.speed

    @speed.setter
    def speed(self, factor: float) -> None:
        self._synthesis.speed = factor

    def languages(self) -> tuple[str, ...]:
        """The languages that are understood and spoken, the main one first."""
        return self._spoken

    def start_over(self) -> None:
        """Forget the conversation; the reply under way is still played."""
        with self._floor.monitor:
            for turn in self._floor.turns:
                turn.forget()
            self.history.clear()
        self._capture.forget()
        self.bus.emit(ev.ConversationCleared())
        self._questions.offer(Prefill())

    def talk(self, on: bool) -> None:
        """Push-to-talk: start or end an utterance, whatever the microphone picks up."""
        self._capture.talking = on

    @property
    def listens(self) -> bool:
        """Whether speech is captured by now."""
        return self._parts >= HEARING

    @property
    def muted(self) -> bool:
        """Whether the microphone is muted."""
        return self._capture.muted

    @property
    def talking(self) -> bool:
        """Whether push-to-talk is on."""
        return self._capture.talking

    def _play_earcon(self, kind: EarconKind) -> None:
        language = self._transcriber.language
        if kind == "unclear" and (text := language_data(language).unclear):
            self._clauses.offer(SpokenCue(text, language))
        elif cue := self._earcons.sound(kind):
            self._sounds.offer(cue)

    def new_conversation(self, past: Sequence[ChatMessage] = ()) -> None:
        """Clear the history and start again from `past`."""
        self._floor.clear(past)
        self._capture.forget()
        self._transcriber.forget()
        self._questions.offer(Prefill())

    def close(self, hurry: bool = False) -> None:
        """End the session; `run` returns soon after. `hurry`: do not wait for a model that is
        loading."""
        if hurry:
            self._crew.hurry()
        else:
            self._shut_down()


def _is_dead(item: ClauseToSpeak | SpeechAudio | EndOfReply | Cue | SpokenCue) -> bool:
    return isinstance(item, ClauseToSpeak | SpeechAudio) and clause_is_dead(item)
