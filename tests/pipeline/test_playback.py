"""Sound in pieces: when it begins, whether it is whole, and how far it is known to be heard."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from edgevoice import events as ev
from edgevoice.audio import Audio, Samples
from edgevoice.clock import Clock
from edgevoice.devices.simulated import SimulatedSink
from edgevoice.protocols import Cancelled
from edgevoice.settings import Config, TtsSettings
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import ScriptedLanguageModel

RATE = 16_000


class PieceByPiece:
    """A tone `second_per_char` long in pieces of `size` seconds, `rtf` seconds of work a second."""

    def __init__(
        self, clock: Clock, size: float = 0.2, rtf: float = 0.1, rate: int = RATE, quiet: float = 0
    ) -> None:
        self.rate = rate
        self._clock = clock
        self._size, self._rtf, self._quiet = size, rtf, quiet

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        whole = np.arange(int(len(text) * 0.06 * self.rate)) * (2 * np.pi * 220 / self.rate)
        sound = (np.sin(whole) / 2).astype(np.float32)
        sound[: int(self._quiet * self.rate)] = 0.0
        step = int(self._size * self.rate)
        for start in range(0, len(sound), step):
            part = sound[start : start + step]
            self._clock.sleep(len(part) / self.rate * self._rtf)
            if cancelled():
                return
            yield Audio(part, self.rate, len(sound) - start - len(part))


class Tape:
    """Keeps what was heard."""

    def __init__(self) -> None:
        self.blocks: list[Samples] = []

    def write(self, samples: Samples) -> None:
        self.blocks.append(samples)

    def close(self) -> None:
        return None

    @property
    def silences(self) -> int:
        """How many silences of over 2 ms there are between the first sound and the last."""
        sound = np.abs(np.concatenate(self.blocks)) > 1e-3
        return int(np.count_nonzero(np.diff(np.flatnonzero(sound)) > RATE * 0.002))


def ask(answer: str, **voice: float) -> tuple[Rehearsal, Tape]:
    """A typed question, answered by a voice that works piece by piece, and what was heard."""
    unhushed = Config(tts=TtsSettings(shorten_silence=False))
    show, tape = Rehearsal(answer, unhushed), Tape()
    show.synthesizer = PieceByPiece(show.clock, **voice)  # type: ignore[arg-type]
    show.sink = SimulatedSink(show.clock, RATE, "tape", tape)
    show.at(1.0, lambda assistant: assistant.say("tell me"))
    show.at(20.0, lambda assistant: assistant.close())
    show.hear((25.0, "enough", 0.5))
    show.run()
    return show, tape


def test_the_first_piece_is_heard_before_the_clause_is_made() -> None:
    """Playback of a clause begins while most of it is still to be synthesized."""
    show, _ = ask("A clause that takes quite a while to be made, and then some more.", rtf=0.9)
    assert show.all(ev.PlaybackStarted)[0].at < show.all(ev.SynthesisEnded)[0].t - 0.5
    assert show.all(ev.Underrun) == []


def test_pieces_are_joined_without_a_seam_at_another_rate() -> None:
    """Resampled piece by piece, a clause is the very sound it is when resampled in one."""
    heard = []
    for size in (0.013, 0.2, 100.0):
        _, tape = ask("Just one clause.", size=size, rate=22_050)
        heard.append(np.trim_zeros(np.concatenate(tape.blocks)))
    for other in heard[1:]:
        np.testing.assert_allclose(heard[0], other, atol=1e-6)
    assert len(heard[0]) > 0.9 * RATE * 0.06 * len("Just one clause.")


@pytest.mark.parametrize("rtf", [0.1, 0.5, 0.95, 1.3, 2.0])
@pytest.mark.parametrize("answer", ["One clause of some length, that is all.", "One. Two. Three."])
def test_every_silence_within_a_reply_is_an_underrun_and_nothing_else_is(
    rtf: float, answer: str
) -> None:
    """Between pieces and between clauses alike: what is counted is what a recording shows."""
    show, tape = ask(answer, rtf=rtf)
    counted = sum(event.count for event in show.all(ev.Underrun))
    assert counted == tape.silences
    assert (counted > 0) == (rtf > 1)


def test_a_clause_that_comes_too_late_is_an_underrun() -> None:
    """Silence between two clauses counts, though each of them is gapless."""
    answer = "One is here. " + "And a long one that takes its time to be thought of. " * 2
    show = Rehearsal()
    show.slm = ScriptedLanguageModel(show.clock, lambda _: answer, token=0.4)
    show.hear((0.2, "tell me", 0.8))
    show.run()
    starts = [event.at for event in show.all(ev.PlaybackStarted)]
    lengths = [event.seconds for event in show.all(ev.SynthesisEnded)]
    late = sum(
        b - a > length + 1e-3 for (a, b), length in zip(pairwise(starts), lengths, strict=False)
    )
    assert late > 0
    assert sum(event.count for event in show.all(ev.Underrun)) == late


def test_silence_between_two_replies_is_no_underrun() -> None:
    """A speaker that has nothing to say is not one that ran dry."""
    show = Rehearsal("Yes.")
    show.hear((0.2, "one", 0.6))
    show.hear((0.2, "two", 0.6))
    show.run()
    assert len(show.all(ev.PlaybackEnded)) == 2
    assert show.all(ev.Underrun) == []


def test_what_was_heard_is_measured_by_what_is_still_to_come() -> None:
    """Interrupted after its first pieces, a clause counts as heard by their share of the whole."""
    answer = "these are ten words of one clause without any break"
    show = Rehearsal(answer)
    show.synthesizer = PieceByPiece(show.clock, rtf=0.9)
    show.hear((0.2, "tell me", 0.8))
    show.at(4.5, lambda assistant: assistant.interrupt())
    show.run()
    begun = show.all(ev.PlaybackStarted)[0].at
    assert show.all(ev.TurnCompleted)[0].interrupted
    seconds = show.all(ev.PlaybackEnded)[0].at - begun
    assert 0.3 < seconds < 2.5
    share = seconds / (len(answer) * 0.06)
    assert len(show.heard[0]) == pytest.approx(share * len(answer), abs=8)


def test_a_clause_that_begins_with_a_silent_piece_tells_when_it_is_audible() -> None:
    """The first audible sample may come with a later piece than the first."""
    show, _ = ask("Quite quiet to begin with.", size=0.1, quiet=0.25)
    started = show.all(ev.PlaybackStarted)[0]
    assert started.audible_at - started.at == pytest.approx(0.25, abs=0.002)
