"""Playback: plays the audio without gaps, and knows to the sample what was played."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from edgevoice import events as ev
from edgevoice.audio import UNSPOKEN, Audio, Mark, Samples, first_audible
from edgevoice.context import StageContext
from edgevoice.errors import SpeakerAwayError
from edgevoice.mailbox import Mailbox
from edgevoice.messages import Clause, Cue, EndOfReply, SpeechAudio, clause_is_dead
from edgevoice.player import NOTHING, Player
from edgevoice.resample import Resampler
from edgevoice.turn import Turn

TICK = 0.05
"""Seconds between two updates of the playback progress."""

WRITE_SECONDS = 0.1
"""Seconds of audio per write; limits how late a cancelled turn stops."""


@dataclass(slots=True)
class _Passage:
    """A clause in the sink: samples [start, end) so far, of an expected `length`; `whole` once all
    are written. `marks` count from `start`, `voice_samples` are the samples of the voice so
    far, `marked` whether it marks its words."""

    clause: Clause
    start: int
    end: int
    length: int = 0
    whole: bool = False
    audible: bool = False
    marks: list[Mark] = field(default_factory=list)
    voice_samples: int = 0
    marked: bool = False

    def take(self, audio: Audio, rate: int) -> None:
        """Add the word marks of the next piece, for a sink of this rate in Hz."""
        self.marked = audio.marks is not None and (self.marked or not self.voice_samples)
        for mark in audio.marks or ():
            start, stop = (
                max(0, self.voice_samples + sample) * rate // audio.rate
                for sample in (mark.start, mark.stop)
            )
            self.marks.append(Mark(mark.begin, mark.end, start, stop))
        self.voice_samples += len(audio.samples)

    def boundaries(self) -> Iterator[tuple[int, int]]:
        """Where it can be cut: character of the reply, and sample."""
        yield self.clause.start, self.start
        for mark in self.marks if self.marked else ():
            if self.start + mark.stop <= self.end:
                yield self.clause.start + mark.end, self.start + mark.stop
        if self.whole:
            yield self.clause.end, self.end

    def cut(self, char: int, sample: int) -> _Passage:
        """The part before character `char` of the reply, and before `sample`."""
        if self.clause.end <= char:
            return self
        size = char - self.clause.start
        return replace(
            self,
            clause=replace(self.clause, text=self.clause.text[:size], end=char),
            end=sample,
            length=sample - self.start,
            whole=True,
            marks=[mark for mark in self.marks if mark.end <= size],
        )

    def chars(self, played: int) -> int:
        """Number of characters of the reply that were played after `played` samples."""
        if played >= self.end and self.whole:
            return self.clause.end
        if self.marked:
            # A word counts once its larger part was played.
            doubled = 2 * (played - self.start)
            ended = [mark.end for mark in self.marks if doubled > mark.start + mark.stop]
            return self.clause.start + max(ended, default=0)
        share = (played - self.start) / self.length if self.length else 0.0
        text = self.clause.text
        reached = min(len(text), int(share * len(text)))
        # Back to the last whole word.
        while 0 < reached < len(text) and not text[reached].isspace():
            reached -= 1
        return self.clause.start + reached


@dataclass(slots=True)
class _Playing:
    turn: Turn
    passages: list[_Passage] = field(default_factory=list)
    due: list[tuple[int, int, int]] = field(default_factory=list)
    """Clauses written but not yet played: clause number, first sample, first audible sample."""
    spoken: int = 0


class Playback:
    """Owns the sink; runs in its own thread, and settles every turn at its end."""

    def __init__(
        self,
        context: StageContext,
        sink: Player,
        inbox: Mailbox[SpeechAudio | EndOfReply | Cue],
        settled: Callable[[Turn], None],
    ) -> None:
        self._sink = sink
        self._floor = context.floor
        self._bus = context.bus
        self._inbox = inbox
        self._settled = settled
        self._playing: _Playing | None = None
        self._converting: tuple[Clause, Resampler] | None = None
        self._underruns = 0
        self._floor.playback.word_start = self._word_before
        self._floor.playback.cut = self._cut

    def run(self) -> None:
        """Run until the inbox is closed. Raises DeviceError when the speaker is lost."""
        try:
            while not self._inbox.closed:
                item = self._inbox.get(TICK if self._playing else None)
                with self._patiently(
                    item.turn if isinstance(item, SpeechAudio | EndOfReply) else None
                ):
                    if isinstance(item, SpeechAudio):
                        self._play(item)
                    elif isinstance(item, EndOfReply):
                        self._finish(item.turn)
                    elif isinstance(item, Cue):
                        self._say(item.audio)
                    self._follow()
        finally:
            self._inbox.close()

    @contextmanager
    def _patiently(self, turn: Turn | None) -> Iterator[None]:
        """Cancel only the reply if the speaker is unavailable for too long."""
        try:
            yield
        except SpeakerAwayError as error:
            turn = turn or (self._playing.turn if self._playing else None)
            if turn is not None:
                self._floor.cancel(turn, "interrupted", error.what)

    def _play(self, sound: SpeechAudio) -> None:
        turn = sound.turn
        # From now on the turn may end early, because there is audio to play.
        turn.playback.ready = True
        if turn.speech.may_end:
            self._floor.commit(turn)
        samples = self._convert(sound)
        with self._floor.monitor:
            self._floor.monitor.wait_for(lambda: turn.committed or turn.cancelled)
        with self._floor.monitor:
            if clause_is_dead(sound):
                return
            passage = self._passage(sound)
            if sound.audio is not None:
                passage.take(sound.audio, self._sink.rate)
            left = sound.audio.left * self._sink.rate // sound.audio.rate if sound.audio else 0
            passage.length = passage.end - passage.start + len(samples) + left
        self._write(passage, sound, samples)

    def _passage(self, sound: SpeechAudio) -> _Passage:
        """The passage that a piece of audio belongs to."""
        playing = self._playing
        if playing is None or playing.turn is not sound.turn:
            playing = self._playing = _Playing(sound.turn)
        if not playing.passages or playing.passages[-1].clause is not sound.clause:
            at = playing.passages[-1].end if playing.passages else self._sink.samples_played()
            playing.passages.append(_Passage(sound.clause, at, at))
        return playing.passages[-1]

    def _say(self, aside: Audio) -> None:
        """Play a cue, which is not part of a reply."""
        stream = Resampler(aside.rate, self._sink.rate)
        self._sink.write(np.concatenate([stream.push(aside.samples), stream.flush()]))

    def _convert(self, sound: SpeechAudio) -> Samples:
        """The piece at the speaker's rate; a clause is one stream, to avoid audible seams."""
        if self._converting is not None and self._converting[0] is not sound.clause:
            self._converting = None
        samples = np.zeros(0, dtype=np.float32)
        if sound.audio is not None:
            if self._converting is None:
                stream = Resampler(sound.audio.rate, self._sink.rate)
                self._converting = sound.clause, stream
            samples = self._converting[1].push(sound.audio.samples)
        if sound.last and self._converting is not None:
            samples = np.concatenate([samples, self._converting[1].flush()])
            self._converting = None
        return samples

    def _write(self, passage: _Passage, sound: SpeechAudio, samples: Samples) -> None:
        turn = sound.turn
        size = max(1, int(WRITE_SECONDS * self._sink.rate))
        for offset in range(0, len(samples), size):
            if clause_is_dead(sound):
                return
            begun = self._begun(passage) and sound.audio is not UNSPOKEN
            part = samples[offset : offset + size]
            number = self._sink.write(part)
            if begun and self._sink.silent_before(number):
                self._bus.emit(ev.Underrun(turn=turn.number, count=1))
            with self._floor.monitor:
                if turn.reply.withdrawn(sound.number, sound.clause.end):
                    # It was written while the reply was being cut.
                    self._sink.replace(number, NOTHING)
                    return
                self._note_written(passage, sound.number, number, part)
            self._follow()
        with self._floor.monitor:
            if sound.last and not clause_is_dead(sound):
                passage.whole = True
                if not passage.audible and passage.end > passage.start:
                    self._due(sound.number, passage.start, passage.end - 1)

    def _begun(self, passage: _Passage) -> bool:
        """Whether audio of the reply was written before the next piece of `passage`."""
        playing = self._playing
        return passage.end > passage.start or (playing is not None and len(playing.passages) > 1)

    def _note_written(self, passage: _Passage, clause: int, number: int, part: Samples) -> None:
        if passage.end == passage.start:
            passage.start = number
        passage.end = number + len(part)
        quiet = first_audible(part)
        if quiet < len(part) and not passage.audible:
            passage.audible = True
            self._due(clause, passage.start, number + quiet)

    def _due(self, clause: int, first: int, audible: int) -> None:
        if self._playing is not None:
            self._playing.due.append((clause, first, audible))

    def _cut(self, turn: Turn, start: int, clause: int) -> int:
        """See PlaybackControl.cut. It is called by the agent, in its own thread."""
        playing = self._playing
        if playing is None or playing.turn is not turn or not playing.passages:
            return clause
        if clause > playing.passages[-1].clause.start:
            return clause
        droppable = self._sink.droppable()
        places = [place for passage in playing.passages for place in passage.boundaries()]
        places = [place for place in places if place[1] >= droppable]
        before = [place for place in places if place[0] <= start]
        if not places:
            # The rest of this clause is not written yet, and nobody knows where its words end.
            return playing.passages[-1].clause.end
        char, sample = max(before) if before else min(places)
        self._sink.replace(sample, NOTHING)
        playing.passages = [
            passage.cut(char, sample) for passage in playing.passages if passage.clause.start < char
        ]
        playing.due = [due for due in playing.due if due[1] < sample]
        return char

    def _follow(self) -> None:
        """Report the playback progress."""
        playing = self._playing
        if playing is not None:
            stopped_at = playing.turn.stopped_at
            self._report(playing, self._sink.samples_played() if stopped_at is None else stopped_at)

    def _report(self, playing: _Playing, played: int) -> None:
        """Report what is new, now that `played` samples of the sink were played."""
        turn = playing.turn
        with self._floor.monitor:
            begun = [due for due in playing.due if played > due[1]]
            playing.due = playing.due[len(begun) :]
        if begun and not turn.playback.number:
            turn.playback.number = self._floor.turns.count_answered()
        for clause, first, audible in begun:
            self._bus.emit(
                ev.PlaybackStarted(
                    turn=turn.number,
                    clause=clause,
                    at=self._sink.time_of(first),
                    audible_at=self._sink.time_of(audible),
                    number=turn.playback.number,
                )
            )
        chars = _played_chars(playing, played)
        if chars > playing.spoken:
            playing.spoken = chars
            self._bus.emit(ev.PlaybackProgress(turn=turn.number, chars=chars))
        missed = self._sink.underruns()
        if missed > self._underruns:
            self._bus.emit(ev.Underrun(turn=turn.number, count=missed - self._underruns))
            self._underruns = missed

    def _word_before(self, number: int) -> int:
        """First sample of the word that sample `number` is in; `number` if unknown."""
        playing = self._playing
        begun = [
            passage.start + mark.start
            for passage in (playing.passages if playing else [])
            if passage.marked
            for mark in passage.marks
            if passage.start + mark.start < number < passage.start + mark.stop
        ]
        return max(begun, default=number)

    def _finish(self, turn: Turn) -> None:
        playing = self._playing if self._playing and self._playing.turn is turn else None
        played = 0
        if playing is not None and playing.passages:
            end = playing.passages[-1].end
            with self._patiently(turn):
                while not turn.cancelled and self._sink.samples_played() < end:
                    with self._floor.monitor:
                        self._floor.monitor.wait_for(turn.is_cancelled, TICK)
                    self._follow()
            if turn.cancelled:
                # Once more, in case a slice was written while playback was being stopped.
                again = self._sink.stop()
                end = again if turn.stopped_at is None else min(again, turn.stopped_at)
                self._report(playing, end)
            else:
                self._follow()
            played = _played_chars(playing, end)
            self._bus.emit(ev.PlaybackEnded(turn=turn.number, at=self._sink.time_of(end)))
        self._playing = None
        self._floor.settle(turn, played)
        self._settled(turn)


def _played_chars(playing: _Playing, samples: int) -> int:
    chars = playing.spoken
    for passage in playing.passages:
        if samples > passage.start or (passage.whole and samples >= passage.end):
            chars = max(chars, passage.chars(samples))
    return chars
