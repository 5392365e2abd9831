"""The questions of the first start where no screen can be drawn: plain lines, read and typed."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest

from edgevoice.cli import Context, cli, first_start
from edgevoice.cli.converse import is_screen
from edgevoice.cli.first_start_lines import ask_lines
from edgevoice.config import load
from edgevoice.devices import listing
from edgevoice.errors import DeviceError
from edgevoice.models import pull
from tests.cli.test_run import MICROPHONE, SPEAKER, Stream
from tests.tui.test_first_start import Machine

LINES = """
Enter takes the default, Ctrl-D takes the rest as it is, Ctrl-C leaves and changes nothing.

Language
  1  English
  2  German
Number [1]:_
Voice
  1  Joe
  2  Alba · 63 MB
Number, or l and a number to listen [1]:_
USB headset
Say something, then press Enter: The loudest sound had -20 dB: you are heard.
"""


def asked(
    typed: str, monkeypatch: pytest.MonkeyPatch, machine: Machine | None = None
) -> tuple[dict[str, str], str]:
    """What these lines choose, and everything that was shown for them."""
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    monkeypatch.setattr(sys, "stderr", shown)
    return ask_lines(machine or Machine()), shown.getvalue()


def test_three_empty_lines_take_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Language, voice and microphone are read from top to bottom, without any control character."""
    assert asked("\n\n\n", monkeypatch) == (
        {"stt.language": "en"},
        LINES.lstrip("\n").replace("_\n", " \n"),
    )


@pytest.mark.parametrize("typed", ["2\nl\nl 2\n2\n\n", "german\nL 1\nlisten alba\nAlba\n\n"])
def test_choices_are_typed_as_numbers_or_names(typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Voices can be listened to before; one that cannot be had is reported with its remedy."""
    machine = Machine()
    chosen, shown = asked(typed, monkeypatch, machine)
    assert chosen == {"stt.language": "de", "models.tts": "alba"}
    assert machine.heard == [("de", "joe"), ("de", "alba")]
    assert "no source has it: check the network\n" in shown


def test_what_is_no_choice_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong number or word takes nothing."""
    chosen, shown = asked("3\n0\nklingon\n2\nl 7\n1\n\n", monkeypatch)
    assert chosen == {"stt.language": "de"}
    assert shown.count("Type a number from 1 to 2") == 4


def test_bytes_that_are_no_text_are_no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong key, or a terminal of another encoding, ends nothing."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"2\xff\n"), "utf-8"))
    monkeypatch.setattr(sys, "stderr", shown := io.StringIO())
    assert ask_lines(Machine()) == {"stt.language": "en"}
    assert "Type a number from 1 to 2." in shown.getvalue()


@pytest.mark.parametrize(("typed", "language"), [("", "en"), ("2\n", "de"), ("2\n2\n", "de")])
def test_the_end_of_the_input_takes_the_rest_as_it_is(
    typed: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-D, or a terminal that was closed, never waits."""
    chosen, shown = asked(typed, monkeypatch)
    assert chosen["stt.language"] == language
    assert ("models.tts" in chosen) == (typed.count("\n") > 1)
    assert shown.endswith("\n")


def test_a_microphone_that_is_too_quiet_or_does_not_open_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With what to do about it; the conversation starts nevertheless."""
    quiet, broken = Machine(), Machine()
    quiet.loudest = -71.2

    def busy() -> str:
        raise DeviceError("the microphone is busy", remedy="close the other program")

    broken.open_microphone = busy  # type: ignore[method-assign]
    chosen, shown = asked("\n\n\n", monkeypatch, quiet)
    assert chosen == {"stt.language": "en"}
    assert "-71 dB, which is too quiet for speech: see `edgevoice devices`" in shown
    chosen, shown = asked("\n\n\n", monkeypatch, broken)
    assert chosen == {"stt.language": "en"}
    assert "the microphone is busy: close the other program\n" in shown


class Tty(io.StringIO):
    """A terminal, as far as a stream can tell."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("term", ["dumb", None])
def test_a_terminal_that_cannot_draw_has_no_screen(
    term: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither has a pipe, nor a session with --plain."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys, "stdout", Tty())
    monkeypatch.setenv("TERM", "xterm")
    assert is_screen({"plain": False}, None)
    assert not is_screen({"plain": True}, None)
    if term is None:
        monkeypatch.delenv("TERM")
    else:
        monkeypatch.setenv("TERM", term)
    assert not is_screen({"plain": False}, None)


def test_choices_are_written_to_the_configuration_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And hold for the session that begins; Ctrl-C writes nothing, so that it asks again."""
    closed: list[bool] = []
    monkeypatch.setattr(Machine, "close", lambda _: closed.append(True), raising=False)
    monkeypatch.setattr(first_start, "MachineSetup", lambda _: Machine())
    monkeypatch.setattr("builtins.input", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    context = Context(None, ())
    config = context.resolve().config
    with pytest.raises(KeyboardInterrupt):
        first_start.ask(context, config, screen=False)
    assert not context.path.exists()
    answers = iter(["2", "2", ""])
    monkeypatch.setattr("builtins.input", lambda: next(answers))
    first_start.ask(context, config, screen=False)
    assert context.settings == {"stt.language": "de", "models.tts": "alba"}
    written = load().config
    assert (written.stt.language, written.models.tts) == ("de", "alba")
    assert closed == [True, True]


@pytest.mark.parametrize("words", [(), ("--plain",)])
def test_run_asks_in_a_terminal_without_a_screen(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --plain it asks nothing, because nobody may be there to answer."""

    class Asked(Exception):
        """The questions came up."""

    class Begun(Exception):
        """The conversation would begin."""

    def ask(context: Context, config: object, screen: bool) -> None:
        assert not screen
        raise Asked

    def begin(*_: object) -> None:
        raise Begun

    portaudio = SimpleNamespace(PortAudioError=OSError, InputStream=lambda **_: Stream())
    monkeypatch.setattr(listing, "listed", lambda: [MICROPHONE, SPEAKER])
    monkeypatch.setattr(listing, "sd", portaudio)
    monkeypatch.setattr(first_start, "ask", ask)
    monkeypatch.setattr(pull, "ensure_starter", lambda *_, **__: begin())
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys, "stdin", Tty())
    monkeypatch.setattr(sys, "stdout", Tty())
    with pytest.raises(Begun if words else Asked):
        cli.main(["run", *words], standalone_mode=False)
