"""Ways to be addressed, through real PortAudio devices: wake word, keys from outside, mute."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from null_sinks import NullSinks

from edgevoice import events as ev
from edgevoice.trace import read
from tests.command import Talk, edgevoice_process, said, talking
from tests.processes import until

pytestmark = [pytest.mark.devices, pytest.mark.models]


@pytest.fixture(scope="module")
def spoken(
    starter_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Questions as sound files."""
    folder = tmp_path_factory.mktemp("spoken")
    texts = {
        "unaddressed": "What is the capital of Spain?",
        "addressed": "Hey Jarvis, what is the capital of Italy?",
        "follow up": "And what is the capital of France?",
    }
    return {name: said(text, folder / f"{name}.wav") for name, text in texts.items()}


def recording(sinks: NullSinks) -> bool:
    """Whether any program records, as the sound server sees it."""
    listed = subprocess.run(
        ["pactl", "list", "short", "source-outputs"],
        env=sinks.env() | {"PATH": "/usr/bin:/bin"},
        check=True,
        capture_output=True,
        text=True,
    )
    return bool(listed.stdout.strip())


def asked(trace: Path) -> list[str]:
    return [event.text for event in read(trace) if isinstance(event, ev.FinalTranscript)]


def read_so_far(trace: Path) -> str:
    """What the recognizer of a session that still runs has read while somebody spoke."""
    return " ".join(re.findall(r'"type":"interim_transcript".*', trace.read_text("utf-8")))


def told(env: dict[str, str], *words: str) -> str:
    """What a command says to whoever pressed the key."""
    done = edgevoice_process(*words, env=env)
    assert done.returncode == 0, done
    return done.stdout.strip()


def say(sinks: NullSinks, wav: Path, talk: Talk, answer: int) -> None:
    """Say it, and wait for as many answers as there are to be by then."""
    sinks.play(wav).wait()
    talk.expect("response time", answer)


def test_only_what_follows_the_wake_word_is_answered_and_a_follow_up(
    null_sinks: NullSinks, sound_env: dict[str, str], spoken: dict[str, Path], tmp_path: Path
) -> None:
    """In one breath with the wake word, which is no part of the question; then without it."""
    trace = tmp_path / "trace.jsonl"
    with talking(sound_env, "--wake-word", "--trace", trace) as talk:
        talk.expect("asleep")
        null_sinks.play(spoken["unaddressed"]).wait()
        say(null_sinks, spoken["addressed"], talk, 1)
        say(null_sinks, spoken["follow up"], talk, 2)
        talk.expect("asleep", 2)
    first, *_, last = asked(trace)
    assert "Italy" in first
    assert "Jarvis" not in first
    assert "France" in last
    assert "Spain" not in " ".join(asked(trace))


def test_a_key_of_the_desktop_makes_it_listen_and_answer(
    null_sinks: NullSinks, sound_env: dict[str, str], spoken: dict[str, Path], tmp_path: Path
) -> None:
    """`edgevoice ptt press` and `release`, from another process."""
    trace = tmp_path / "trace.jsonl"
    with talking(sound_env, "--push-to-talk", "--trace", trace) as talk:
        talk.expect("not listening")
        null_sinks.play(spoken["unaddressed"]).wait()
        assert told(sound_env, "ptt", "press") == "talking"
        null_sinks.play(spoken["follow up"]).wait()
        until(lambda: "France" in read_so_far(trace))
        assert told(sound_env, "ptt", "release") == "not talking"
        talk.expect("response time")
    assert len(asked(trace)) == 1
    assert "France" in asked(trace)[0]


def test_mute_closes_the_stream_and_unmute_opens_it_in_the_same_time(
    null_sinks: NullSinks, sound_env: dict[str, str], spoken: dict[str, Path], tmp_path: Path
) -> None:
    """The sound server sees nobody record meanwhile; afterwards a question is answered, and its
    times are those of the session."""
    trace = tmp_path / "trace.jsonl"
    with talking(sound_env, "--trace", trace) as talk:
        talk.expect("ready")
        until(lambda: recording(null_sinks))
        assert told(sound_env, "mute", "on") == "muted"
        until(lambda: not recording(null_sinks))
        talk.expect("microphone muted")
        null_sinks.play(spoken["unaddressed"]).wait()
        assert not recording(null_sinks)
        assert told(sound_env, "mute", "toggle") == "listening"
        until(lambda: recording(null_sinks))
        say(null_sinks, spoken["follow up"], talk, 1)
    events = list(read(trace))
    assert len(asked(trace)) == 1
    assert "France" in asked(trace)[0]
    assert not [event for event in events if isinstance(event, ev.DeviceLost)]
    started = next(event for event in events if isinstance(event, ev.SpeechStarted))
    unmuted = [event.t for event in events if isinstance(event, ev.Muted)][-1]
    assert unmuted < started.at < started.t
