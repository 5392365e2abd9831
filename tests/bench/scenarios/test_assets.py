"""The sounds of a scenario: what belongs together is said together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgevoice.audio import CAPTURE_RATE, Audio, Samples
from edgevoice.bench.scenarios.assets import FADE_SECONDS, AudioClip, ScenarioAssets, breaths
from edgevoice.bench.scenarios.scenario import Scenario, ScenarioStep
from edgevoice.errors import ConfigError
from edgevoice.protocols import Cancelled
from edgevoice.testing.scripted import ScriptedSynthesizer
from edgevoice.testing.virtual import VirtualClock

CAPITAL = ScenarioStep(say="What is the capital", part="begun")
ITALY = ScenarioStep(say="of Italy?", after="step", wait=0.9)
A_CHARACTER = 960
"""Samples that the scripted voice takes for one at 16 kHz."""


class Ears:
    """Whatever sounds is speech."""

    def probability(self, samples: Samples) -> float:
        return float(np.abs(samples).max() > 0.1)

    def reset(self) -> None:
        pass


class Voice(ScriptedSynthesizer):
    """Notes what it is asked to say, and perhaps does not tell where the words are."""

    tells = True
    said: list[str]

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        self.said = [*getattr(self, "said", []), text]
        for audio in super().synthesize(text, cancelled):
            yield audio if self.tells else Audio(audio.samples, audio.rate)


def pitched(step: ScenarioStep, pitch: float = 1.0) -> ScenarioStep:
    return ScenarioStep(say=step.say, after=step.after, wait=step.wait, pitch=pitch, part=step.part)


def made(voice: Voice, *steps: ScenarioStep) -> tuple[AudioClip, ...]:
    scenario = Scenario(format="edgevoice scenario", version=1, means="", step=steps)
    clips = ScenarioAssets(voice, Ears()).script(scenario, Path("a.toml")).clips
    return tuple(clip for clip in clips if clip)


def test_a_sentence_with_a_pause_in_it_is_said_in_one_breath_and_cut_before_a_word() -> None:
    """So its first half does not end like a whole sentence, in a voice that falls."""
    voice = Voice(VirtualClock())
    one, other = made(voice, pitched(CAPITAL), pitched(ITALY))
    assert voice.said == ["What is the capital of Italy?"]
    assert len(one.samples) == A_CHARACTER * len("What is the capital ")
    assert len(one.samples) + len(other.samples) == A_CHARACTER * len(voice.said[0])
    for clip in (one, other):
        assert not clip.samples[0]
        assert not clip.samples[-1]
        assert clip.samples[round(FADE_SECONDS * CAPTURE_RATE) + 200] == pytest.approx(
            0.5, abs=0.01
        )


def test_a_voice_that_does_not_tell_where_words_are_says_each_part_for_itself() -> None:
    """Nothing is cut where it cannot be known to be a word's beginning."""
    voice = Voice(VirtualClock())
    voice.tells = False
    assert len(made(voice, CAPITAL, ITALY)) == 2
    assert voice.said == ["What is the capital of Italy?", CAPITAL.say, ITALY.say]


def test_only_what_one_voice_goes_on_with_is_one_sentence() -> None:
    """Not a question behind a whole one, nor another voice, nor what comes after a reply."""
    whole = ScenarioStep(say="Stop.", after="step")
    late = ScenarioStep(say="of Italy?", after="reply", part="interruption")
    other = pitched(ITALY, 1.3)
    cough = ScenarioStep(noise="cough", after="step")
    assert breaths([CAPITAL, ITALY, whole]) == [(CAPITAL, ITALY), (whole,)]
    for step in (late, other, cough):
        assert breaths([CAPITAL, step]) == [(CAPITAL,), (step,)]
    digits = [ScenarioStep(say=d, after="step", part="begun") for d in ("one", "two", "three")]
    assert breaths(digits) == [tuple(digits)]
    assert breaths([]) == []


def test_what_has_no_words_is_an_error_that_quotes_it() -> None:
    """Whether alone or as a part."""

    class Mute(Voice):
        def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
            return iter(())

    with pytest.raises(ConfigError, match=r"'\.\.\.' has no words"):
        made(Mute(VirtualClock()), ScenarioStep(say="..."))
