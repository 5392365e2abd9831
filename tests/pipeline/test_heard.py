"""What is remembered of an interrupted reply ends at the word that was heard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from edgevoice import events as ev
from edgevoice.audio import Audio
from edgevoice.devices.simulated import SimulatedSink
from edgevoice.protocols import Cancelled
from edgevoice.settings import Config, TtsSettings
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import ScriptedSynthesizer

CHAR = 0.06
"""Seconds in which the scripted voice says a character."""
REPLY = "The first clause is this. And here comes the second one."


class InPieces(ScriptedSynthesizer):
    """The scripted voice in pieces of 0.15 s, with the marks in the second one; or with none."""

    marking = True
    lead = 0.0

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        step = int(0.15 * self.rate)
        for whole in super().synthesize(text, cancelled):
            whole.samples[: int(self.lead * self.rate)] = 0.0
            for start in range(0, len(whole.samples), step):
                part = whole.samples[start : start + step]
                sound = Audio(part, self.rate, len(whole.samples) - start - len(part))
                marks = whole.marks if start == step else ()
                yield sound.marked(marks or (), -start) if self.marking else sound


def rehearse(voice: type[ScriptedSynthesizer], reply: str, rate: int, config: Config) -> Rehearsal:
    show = Rehearsal(reply, config)
    show.synthesizer = voice(show.clock)
    show.sink = SimulatedSink(show.clock, rate, "virtual speaker")
    show.at(1.0, lambda assistant: assistant.say("tell me"))
    show.at(20.0, lambda assistant: assistant.close())
    show.hear((25.0, "enough", 0.5))
    return show


def interrupted(
    after: float,
    reply: str = REPLY,
    voice: type[ScriptedSynthesizer] = InPieces,
    rate: int = 16_000,
    config: Config | None = None,
) -> Rehearsal:
    """A reply interrupted `after` so many seconds of it were heard."""
    config = config or Config(tts=TtsSettings(shorten_silence=False))
    first = rehearse(voice, reply, rate, config)
    first.run()
    began = first.all(ev.PlaybackStarted)[0].at
    show = rehearse(voice, reply, rate, config)
    show.at(began + after, lambda assistant: assistant.interrupt())
    show.run()
    return show


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize(
    ("chars", "heard"),
    [
        (1, ""),
        (2, "The"),
        (5, "The"),
        (6.4, "The"),
        (6.6, "The first"),
        (12.9, "The first"),
        (13.1, "The first clause"),
        (24.9, "The first clause is this."),
        (26.2, "The first clause is this."),
        (27.7, "The first clause is this. And"),
        (100, REPLY),
    ],
)
def test_it_ends_at_the_word_of_which_the_larger_part_was_heard(
    chars: float, heard: str, rate: int
) -> None:
    """In the first word, in a clause, between two and behind the last; at any sample rate."""
    show = interrupted(chars * CHAR, rate=rate)
    assert show.heard == [heard]
    spoken = [event.chars for event in show.all(ev.PlaybackProgress)]
    assert REPLY[: max(spoken, default=0)].rstrip() == heard
    if heard:
        assert show.assistant.history.messages[-1].text == heard


def test_silence_that_is_left_out_is_not_counted() -> None:
    """Where the first clause begins with silence which nobody waits for, the words still fit."""

    class Late(InPieces):
        lead = 0.2

    config = Config(tts=TtsSettings(shorten_silence=True))
    for chars, heard in ((6.2, "The"), (6.8, "The first")):
        # 0.2 s and no more than the 5 ms that are left before the first sound.
        show = interrupted(chars * CHAR - 0.2 + 0.005, voice=Late, config=config)
        assert show.heard == [heard]


def test_what_the_words_stand_for_is_remembered_as_it_was_written() -> None:
    """Said in other words, the reply is remembered in those that the model wrote."""
    reply = "It costs $5.20, or **more** & never less, whatever you may think of it."
    voice_says = "It costs 5 dollars 20, or more"
    show = interrupted(len(voice_says) * CHAR, reply)
    assert show.heard == ["It costs $5.20, or **more**"]


def test_a_voice_that_tells_nothing_of_its_words_is_measured_by_their_share() -> None:
    """Half of the sound is half of the text, back to the last whole word."""

    class Silent(InPieces):
        marking = False

    reply = "these are ten words of one clause without any break"
    show = interrupted(CHAR * (len(reply) / 2 - 1), reply, voice=Silent)
    assert show.heard == ["these are ten words of"]
