"""From frames to utterances: begins, prolongs and ends turns, and requests their transcripts."""

from __future__ import annotations

from edgevoice import events as ev
from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Frame
from edgevoice.capture.background import Background
from edgevoice.capture.fading import FadingVoice
from edgevoice.capture.recent_frames import RecentFrames
from edgevoice.capture.utterance_audio import UtteranceAudio
from edgevoice.capture.wake_gate import LAG, WAKE_FRAMES
from edgevoice.context import StageContext
from edgevoice.mailbox import Mailbox
from edgevoice.messages import FinalRequest, InterimRequest, Pause, TranscriptionRequest
from edgevoice.protocols import AudioSource
from edgevoice.turn import Turn
from edgevoice.turn_taking.barge_in import AcousticBargeIn, VoiceOnset
from edgevoice.turn_taking.end_of_turn import EndOfTurnPredictor, EndOfTurnQueue
from edgevoice.turn_taking.endpointing import HYSTERESIS, Boundary, BoundaryKind, Endpointer
from edgevoice.turn_taking.premature_end import PrematureEnd

INTERIM_SAMPLES = int(0.5 * CAPTURE_RATE)
"""New samples between two interim transcripts."""

SAME_BREATH_SAMPLES = 2 * LAG
"""Samples after a wake word within which speech belongs to the same breath."""


class UtteranceDetector:
    """Follows the frames of `source` while activated; runs in capture's thread."""

    def __init__(
        self,
        context: StageContext,
        source: AudioSource,
        outbox: Mailbox[TranscriptionRequest],
        interims: Mailbox[InterimRequest],
        predictor: EndOfTurnPredictor,
    ) -> None:
        config, floor = context.config, context.floor
        self._settings = config.turn
        self._shows_interim = config.stt.partials or config.slm.prefill_ahead
        self._source = source
        self._floor = floor
        self._bus = context.bus
        self._outbox = outbox
        self._interims = interims
        self._end_of_turn = EndOfTurnQueue(config.turn, predictor)
        self._background = Background(context)
        self._premature_end = PrematureEnd(config.turn, self._bus)
        self._endpoint = Endpointer(config.turn, self._premature_end.tempo)
        self._barge_in = AcousticBargeIn(config.turn, floor)
        self._onset = VoiceOnset()
        self._recent = RecentFrames(config.turn)
        self._longest = int(config.turn.max_seconds * CAPTURE_RATE)
        self._audio = UtteranceAudio()
        self._started_at = 0.0
        self._fading = FadingVoice()
        self._requested = 0
        self._covered = 0
        """Stream index up to which a transcript was requested after the voice had faded."""
        self._pause = 0
        self._weighed: tuple[int, str, float | None] | None = None
        self._voiced = False
        self._turn: Turn | None = None
        self.talking = False
        """Whether push-to-talk is on: silence does not end the utterance."""
        self.called: int | None = None
        """Stream index at the end of a wake word that no speech has followed yet."""

    @property
    def hearing(self) -> bool:
        """Whether an utterance is under way."""
        return self._turn is not None

    @property
    def full(self) -> bool:
        """Whether the current utterance has reached the longest allowed length."""
        return self.hearing and self._audio.samples >= self._longest

    def forget(self) -> None:
        """A new conversation, perhaps with another speaker: reset the speaker's tempo."""
        self._premature_end.forget()

    def skip(self, frame: Frame) -> None:
        """Take a frame while not activated; the next utterance may begin in it."""
        self.called = None
        self._barge_in.reset()
        self._recent.add(frame)

    def recent(self, first: int, end: int) -> list[Frame]:
        """The recent frames that begin in [`first`, `end`)."""
        return self._recent.between(first, end)

    def restart(self) -> None:
        """Reset the endpointer: the next frame does not follow the last one."""
        self._endpoint.reset()

    def finish(self) -> None:
        """The source has ended: end the current utterance."""
        if self._turn is not None:
            self._floor.confirm(self._turn)
            self._ended(Boundary(BoundaryKind.ENDED, self._audio.end))

    def fill(self, missing: int) -> None:
        """Insert silence in the current utterance for `missing` lost samples."""
        if self._turn is not None:
            self._audio.fill(missing)

    def finish_if_paused(self) -> None:
        """End the current utterance if it is in a pause."""
        turn = self._turn
        if turn is not None and turn.speech.silent and turn.speech.requested:
            self._ended(Boundary(BoundaryKind.ENDED, self._pause))

    def drop(self, why: str = "") -> bool:
        """Cancel the current utterance and drop recent frames; false if there were none."""
        self.talking, self.called = False, None
        if self._turn is not None:
            self._floor.cancel(self._turn, "interrupted", why)
            self._turn = None
        self._barge_in.reset()
        if not self._recent:
            return False
        self._recent.clear()
        self._endpoint.reset()
        self._background.reset()
        return True

    def push(self, frame: Frame, probability: float) -> None:
        """Take the next frame, which is speech with this probability."""
        answering = self._floor.turns.answering
        if self._ignores_speech(answering):
            return
        self._drop_dismissed()
        self._keep(frame)
        if not self.talking:
            probability = self._background.without(frame, probability, self._endpoint.speaking)
        self._begin_by_key(frame.index)
        self._end_answered()
        self._weigh()
        self._step_endpoint(frame.index, probability, answering)
        self._end_by_key(frame.index + FRAME_SAMPLES)
        voiced = probability >= self._settings.speech_threshold - HYSTERESIS
        self._note_voice(frame, voiced)
        self._barge_in.step(self._turn, voiced)
        if self._turn is not None and not self.talking:
            self._limit(self._turn, frame.index)
        self._request_interim(voiced)

    def _ignores_speech(self, answering: bool) -> bool:
        """Whether a reply is under way that speech must not interrupt."""
        if self._settings.barge_in or not answering or self._turn is not None or self.talking:
            return False
        self._endpoint.reset()
        self._recent.clear()
        return True

    def _drop_dismissed(self) -> None:
        """Start again if the utterance was no interruption."""
        turn = self._turn
        if turn is not None and turn.tentative and turn.cancelled:
            self._turn = None
            self._end_speech(turn, turn.speech.voiced_end)
            self._endpoint.reset()
            self._barge_in.begin()

    def _keep(self, frame: Frame) -> None:
        if not self._recent.holds(frame):
            self._recent.add(frame)
        if self._turn is not None:
            self._audio.add(frame.samples)

    def _begin_by_key(self, index: int) -> None:
        if not self.talking:
            return
        if begun := self._endpoint.hold(index):
            self._handle(begun)
        if self._turn is not None:
            self._floor.confirm(self._turn)

    def _end_by_key(self, end: int) -> None:
        if not self.talking and (released := self._endpoint.release(end)):
            self._handle(released)

    def _end_answered(self) -> None:
        """End the turn if playback has committed it: the silence was long enough for the reply to
        start."""
        if self._turn is not None and self._turn.committed:
            self._end_of_turn.answered(True, self._endpoint.silence_ms)
            self._handle(self._endpoint.finish())

    def _step_endpoint(self, index: int, probability: float, answering: bool) -> None:
        turn = self._turn
        ready = turn is not None and (turn.playback.ready or turn.reply.acts)
        self._end_of_turn.answered(ready, self._endpoint.silence_ms)
        boundary = self._endpoint.step(probability, index, interrupting=answering, ready=ready)
        if boundary:
            self._handle(boundary)
        if self._turn is not None:
            self._turn.speech.may_end = self._endpoint.may_end

    def _note_voice(self, frame: Frame, voiced: bool) -> None:
        self._onset.follow(frame.index, voiced, self._turn)
        if self._turn is None:
            return
        speech = self._turn.speech
        speech.silent = not voiced
        if voiced:
            speech.voiced_end = frame.index + FRAME_SAMPLES
            self._fading.push(frame.samples, speech.voiced_end)
            speech.loud_end, speech.words_end = self._fading.loud_end, self._fading.words_end
            speech.voiced = self._endpoint.voiced / CAPTURE_RATE

    def _request_interim(self, voiced: bool) -> None:
        """Request a transcript now and then, and whenever the voice fades: if this was the last
        word, the transcript is there by the time the pause is reported. The first silent frame
        requests it again, because the words may be the whole question from then on."""
        first_silent, self._voiced = self._voiced and not voiced, voiced
        words_end = self._turn.speech.words_end if self._turn is not None else 0
        if self._audio.end <= words_end:
            self._request_transcript(self._interims, INTERIM_SAMPLES)
        elif (self._covered < words_end or first_silent) and self._request_transcript(
            self._outbox, 1
        ):
            self._covered = self._audio.end

    def _limit(self, turn: Turn, index: int) -> None:
        """At stream index `index`, end an utterance that continues only by background voices."""
        self._background.follow(turn, index)
        end = None if turn.speech.requested else self._background.end_of_user(turn, index)
        if end is not None:
            self._audio.cut(end)
            self._ended(Boundary(BoundaryKind.ENDED, end))
            self._endpoint.reset()
        elif self._background.is_unintelligible(turn, index):
            self._turn = None
            self._endpoint.reset()

    def _weigh(self) -> None:
        """Pass new evidence about the pause to the endpointer."""
        turn = self._turn
        if turn is None or not turn.speech.requested or not turn.question:
            return
        complete = self._end_of_turn.score(turn)
        if complete is None and self._end_of_turn.open:
            # Until the score is there, assume the most cautious one.
            complete = 0.0
        known = (turn.number, turn.question, complete)
        if known != self._weighed:
            self._weighed = known
            language = turn.transcription.language
            self._endpoint.weigh(
                self._pause, complete=complete, text=turn.question, language=language
            )
        if turn.synthesis.started:
            self._end_of_turn.request(self._endpoint.missing_ms)

    def _handle(self, boundary: Boundary) -> None:
        match boundary.signal:
            case BoundaryKind.STARTED:
                self._started(boundary)
            case BoundaryKind.PAUSED:
                self._paused(boundary)
            case BoundaryKind.RESUMED:
                self._resumed()
            case BoundaryKind.ENDED:
                self._ended(boundary)

    def _started(self, boundary: Boundary) -> None:
        reply = None if self.talking else self._floor.turns.reply
        # During a reply a turn begins late: a short word before that belongs to it.
        onset = self._onset.since if reply is not None else None
        begun = boundary.index if onset is None else min(onset, boundary.index)
        first = begun - self._recent.pre_roll
        called, self.called = self.called, None
        # In the same breath, the wake word stays in the audio, because the first word is
        # transcribed better with it; the transcript drops it. After a pause, drop it here.
        in_one_breath = called is not None and boundary.index < called + SAME_BREATH_SAMPLES
        if called is not None:
            word = called - WAKE_FRAMES * FRAME_SAMPLES
            first = word if in_one_breath else max(first, called)
        self._audio = UtteranceAudio(self._recent.since(first))
        self._started_at = self._source.time_of(begun)
        self._fading = FadingVoice()
        self._requested = self._covered = 0
        for unclear in self._floor.turns:
            # Two utterances in a row are an interruption, though neither is transcribed yet.
            self._floor.confirm(unclear)
        turn = self._floor.begin("talk_key" if self.talking else "speech", interrupts=reply)
        self._background.begin(boundary.index)
        turn.speech.called = in_one_breath
        self._turn = turn
        if not self.talking:
            self._premature_end.began(boundary.index)
        if reply is None:
            self._floor.cancel_others(turn, "barge_in")
            self._barge_in.reset()
        self._barge_in.begin()
        self._bus.emit(ev.SpeechStarted(turn=turn.number, at=self._started_at))

    def _paused(self, boundary: Boundary) -> None:
        if self._turn is None:
            return
        self._pause = boundary.index
        at = self._source.time_of(boundary.index)
        self._bus.emit(ev.SpeechPaused(turn=self._turn.number, at=at))
        if self._settings.speculate:
            self._request_final(self._turn, boundary)
            self._end_of_turn.request_early()

    def _resumed(self) -> None:
        old = self._turn
        if old is None:
            return
        self._floor.cancel(old, "resumed")
        self._turn = self._floor.begin(old.origin, replaces=old)
        self._turn.speech.called = old.speech.called
        self._bus.emit(ev.SpeechStarted(turn=self._turn.number, at=self._started_at))

    def _ended(self, boundary: Boundary) -> None:
        turn, self._turn = self._turn, None
        if turn is None:
            return
        self._end_speech(turn, boundary.index)
        asked = turn.speech.requested
        self._background.ended(turn)
        end, endpoint = self._audio.end, self._endpoint
        self._premature_end.ended(turn, boundary.index, end, endpoint.ended_at_ms, endpoint.voiced)
        self._floor.commit(turn)
        if not asked:
            self._request_final(turn, boundary)

    def _end_speech(self, turn: Turn, index: int) -> None:
        at = self._source.time_of(index)
        self._bus.emit(ev.SpeechEnded(turn=turn.number, at=at, seconds=self._audio.seconds))

    def _request_final(self, turn: Turn, boundary: Boundary) -> None:
        turn.speech.requested = True
        utterance = self._audio.until(boundary.index)
        self._end_of_turn.enter(Pause(turn, utterance))
        self._outbox.put(FinalRequest(turn, utterance, self._endpoint.voiced / CAPTURE_RATE))

    def _request_transcript(
        self, inbox: Mailbox[TranscriptionRequest] | Mailbox[InterimRequest], minimum: int
    ) -> bool:
        """Request a transcript, if that is possible and there are `minimum` new samples."""
        turn = self._turn
        size = self._audio.samples
        wanted = self._shows_interim or self._background.is_doubtful(self._audio.end)
        if turn is None or not wanted or turn.speech.requested:
            return False
        if size - self._requested < minimum:
            return False
        if not inbox.offer(InterimRequest(turn, self._audio.reader())):
            return False
        self._requested = size
        return True
