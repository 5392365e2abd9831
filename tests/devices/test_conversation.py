"""Talking to it through real PortAudio devices: asked aloud, answered aloud, and made sense of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from null_sinks import NullSinks

from edgevoice import events as ev
from edgevoice.audio import AUDIBLE_DBFS, Samples
from edgevoice.settings import SttSettings
from edgevoice.timings import fold
from edgevoice.trace import read
from edgevoice.wav import read_speech
from tests.command import said, talking
from tests.conftest import ROOT
from tests.devices.conftest import Recording
from tests.processes import PATIENCE

pytestmark = [pytest.mark.devices, pytest.mark.models]


@pytest.fixture(scope="module")
def spoken(
    starter_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Questions as sound files."""
    folder = tmp_path_factory.mktemp("spoken")
    texts = {
        "capital": "What is the capital of Italy?",
        "story": "Please tell me a long story about the sea.",
        "stop": "Stop please. What is two plus two?",
    }
    return {name: said(text, folder / f"{name}.wav") for name, text in texts.items()}


def words_in(path: Path, starter_models: dict[str, Path]) -> str:
    from edgevoice.engines.whisper import Whisper

    return Whisper(starter_models["stt"], SttSettings()).transcribe(read_speech(path)).text


def audible(samples: Samples) -> tuple[int, int]:
    """The first and the last audible sample."""
    loud = np.flatnonzero(np.abs(samples) > 10 ** (AUDIBLE_DBFS / 20))
    return int(loud[0]), int(loud[-1])


def asked_aloud(
    sinks: NullSinks, env: dict[str, str], recording: Recording, question: Path, folder: Path
) -> tuple[Path, Path]:
    """Put one question through the devices; returns the trace and what the speaker played."""
    trace, reply = folder / "trace.jsonl", folder / "reply.wav"
    with talking(env, "--trace", str(trace)) as talk:
        talk.expect("ready")
        with recording(reply):
            sinks.play(question).wait()
            talk.expect("response time")
    return trace, reply


def test_a_spoken_question_gets_a_spoken_answer_that_makes_sense(
    null_sinks: NullSinks,
    sound_env: dict[str, str],
    recording: Recording,
    spoken: dict[str, Path],
    starter_models: dict[str, Path],
    tmp_path: Path,
) -> None:
    """Played into the microphone, recorded from the speaker, transcribed: the answer is there."""
    trace, reply = asked_aloud(null_sinks, sound_env, recording, spoken["capital"], tmp_path)
    assert "Rome" in words_in(reply, starter_models)
    [turn] = fold(read(trace))
    assert turn.response_time is not None
    assert sum(s.seconds for s in turn.spans) == pytest.approx(turn.response_time, abs=1e-9)


def test_speaking_into_the_reply_stops_the_sound_and_is_answered(
    null_sinks: NullSinks,
    sound_env: dict[str, str],
    recording: Recording,
    spoken: dict[str, Path],
    tmp_path: Path,
) -> None:
    """A barge-in through real devices: the reply ends early, the new question gets its own."""
    trace = tmp_path / "trace.jsonl"
    with talking(sound_env, "--trace", str(trace)) as talk:
        talk.expect("ready")
        null_sinks.play(spoken["story"]).wait()
        talk.expect("edgevoice:")
        null_sinks.play(spoken["stop"]).wait()
        talk.expect("(interrupted", 1)
        talk.expect("response time", 2)
    events = list(read(trace))
    first, *_, last = [e for e in events if isinstance(e, ev.TurnCompleted)]
    tokens = [e for e in events if isinstance(e, ev.TokenGenerated) and e.turn == first.turn]
    written = "".join(e.text for e in tokens)
    assert first.interrupted
    assert written.strip().startswith(first.heard)
    assert len(first.heard) < len(written.strip())
    assert last.turn > first.turn
    assert not last.interrupted


def test_the_traced_gap_is_the_one_a_recording_shows(
    null_sinks: NullSinks,
    sound_env: dict[str, str],
    recording: Recording,
    spoken: dict[str, Path],
    tmp_path: Path,
) -> None:
    """What the trace says left the speaker, and for how long, is what a recorder heard."""
    trace, reply = asked_aloud(null_sinks, sound_env, recording, spoken["capital"], tmp_path)
    events = list(read(trace))
    begun = next(e for e in events if isinstance(e, ev.PlaybackStarted))
    ended = next(e for e in events if isinstance(e, ev.PlaybackEnded))
    first, last = audible(read_speech(reply))
    heard = (last - first) / 16_000
    # The voice ends in a little silence, which the recording cannot tell from the end.
    assert -0.03 <= (ended.at - begun.audible_at) - heard <= 0.6


def test_a_sound_server_that_dies_costs_nothing_but_the_time_it_is_away(
    sound_env: dict[str, str],
    spoken: dict[str, Path],
    tmp_path: Path,
    starter_models: dict[str, Path],
) -> None:
    """It says what it lost and what it found, and goes on with the same conversation."""
    own = NullSinks(Path(sound_env["PULSE_SERVER"].removeprefix("unix:")).parent.parent / "own")
    own.start()
    trace = tmp_path / "trace.jsonl"
    try:
        with talking({**sound_env, **own.env()}, "--trace", str(trace)) as talk:
            talk.expect("ready")
            own.play(spoken["capital"]).wait()
            talk.expect("response time")
            own.kill()
            talk.expect("! speaker lost")
            talk.expect("! microphone lost")
            own.start()
            talk.expect("(the speaker is back")
            talk.expect("(the microphone is back")
            own.play(spoken["capital"]).wait()
            talk.expect("response time", 2)
    finally:
        own.stop()
    assert any(line.startswith("  fix: plug it in again") for line in talk.lines)
    first, second = (e for e in read(trace) if isinstance(e, ev.TurnCompleted))
    assert first.heard
    assert second.heard


def test_without_any_device_the_error_says_so_and_names_the_demo(
    sound_env: dict[str, str], starter_models: dict[str, Path]
) -> None:
    """No microphone: what is wrong, how to fix it, and what works without one."""
    env = {**sound_env, "PULSE_SERVER": "unix:/nowhere"}
    done = subprocess.run(
        [sys.executable, "-m", "edgevoice", "run", "--plain"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert "no microphone was found" in done.stderr
    assert "edgevoice demo" in done.stderr
    assert "Traceback" not in done.stderr
