"""Devices that are not there, or go while a command uses them: one message, and no more."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from null_sinks import NullSinks

from tests.command import edgevoice_process, message
from tests.processes import PATIENCE, running

pytestmark = pytest.mark.devices


@pytest.fixture
def own_sinks(null_sinks: NullSinks) -> Iterator[NullSinks]:
    """A sound server that a test may break."""
    own = NullSinks(null_sinks.folder.parent / "breakable")
    own.start()
    yield own
    own.stop()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "--plain"), "no microphone was found"),
        (("say", "Hello."), "no speaker was found"),
        (("ask", "Why?", "--say"), "no speaker was found"),
        (("devices",), "no sound device was found"),
        (("bench", "run", "--through-devices", "--play-to", "user"), "no microphone was found"),
    ],
)
def test_without_a_device_every_command_that_needs_one_says_so(
    words: tuple[str, ...], said: str, sound_env: dict[str, str]
) -> None:
    """What is missing, and what to do, before anything is loaded."""
    env = {**sound_env, "PULSE_SERVER": "unix:/nowhere"}
    assert said in message(edgevoice_process(*words, env=env))


@pytest.mark.parametrize("kind", ["input", "output"])
def test_a_device_that_is_not_there_is_named_with_those_that_are(
    kind: str, sound_env: dict[str, str]
) -> None:
    """A mistyped name gets the list to choose from."""
    setting = ("--set", f"audio.{kind}=Nonesuch")
    words = ("run", "--plain") if kind == "input" else ("say", "Hello.")
    told = message(edgevoice_process(*setting, *words, env=sound_env))
    assert "is called 'Nonesuch'" in told
    assert "choose one of: " in told


def test_what_the_bench_is_to_play_to_is_looked_for_first(sound_env: dict[str, str]) -> None:
    """A mistyped device is told before a question is spoken or a model is loaded."""
    words = ("bench", "run", "--through-devices", "--play-to", "Nonesuch")
    assert "no speaker is called 'Nonesuch'" in message(edgevoice_process(*words, env=sound_env))


@pytest.mark.models
def test_a_speaker_that_goes_in_the_middle_of_a_sentence_ends_it_with_a_message(
    own_sinks: NullSinks, sound_env: dict[str, str], starter_models: dict[str, Path]
) -> None:
    """`say` does not go on into nowhere, and does not wait for ever."""
    env = {**sound_env, **own_sinks.env()}
    text = "This sentence is long enough for somebody to pull the plug. " * 4
    command = (sys.executable, "-m", "edgevoice", "say", text)
    with running(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        own_sinks.wait_for_sound()
        own_sinks.stop()
        out, errors = process.communicate(timeout=PATIENCE)
    # PortAudio's library has its own word to say on stderr, and no way to be asked not to.
    errors = "\n".join(line for line in errors.splitlines() if not line.startswith("Expression "))
    assert "the speaker stopped accepting sound" in message(
        subprocess.CompletedProcess([], process.returncode, out, errors)
    )
