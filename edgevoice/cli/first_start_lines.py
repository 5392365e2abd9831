"""The questions of the first start as plain lines, where no screen can be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgevoice.cli import echo
from edgevoice.errors import EdgevoiceError

if TYPE_CHECKING:
    from edgevoice.tui.first_start import Choices, FirstStart

QUIET_DBFS = -50.0
"""Speech in front of a working microphone is louder."""

ANSWERS_HINT = (
    "Enter takes the default, Ctrl-D takes the rest as it is, Ctrl-C leaves and changes nothing."
)


def ask_lines(about: FirstStart) -> dict[str, str]:
    """Ask on standard error, read standard input; returns the chosen settings by `section.key`.

    Raises KeyboardInterrupt after Ctrl-C.
    """
    chosen: dict[str, str] = {}
    languages = about.languages()
    language = languages[0][0]
    echo(ANSWERS_HINT, err=True)
    try:
        language = _choice("Language", languages)
        voices = about.voices(language)
        if voices and (voice := _voice(about, language, voices)) != voices[0][0]:
            chosen["models.tts"] = voice
        _microphone(about)
    except EOFError:
        echo(err=True)
    return {"stt.language": language, **chosen}


def _microphone(about: FirstStart) -> None:
    try:
        name = about.open_microphone()
    except EdgevoiceError as error:
        echo(_problem(error), err=True)
        _answer("Press Enter to start")
        return
    _answer(f"\n{name}\nSay something, then press Enter")
    level = f"The loudest sound had {about.loudest:.0f} dB"
    if about.loudest < QUIET_DBFS:
        echo(f"{level}, which is too quiet for speech: see `edgevoice devices`.", err=True)
    else:
        echo(f"{level}: you are heard.", err=True)


def _voice(about: FirstStart, language: str, voices: Choices) -> str:
    """A name among `voices`, after listening to as many as the user likes."""
    _list("Voice", voices)
    while True:
        words = _answer("Number, or l and a number to listen [1]").lower().split()
        listens = bool(words) and words[0] in ("l", "listen")
        picked = _picked(" ".join(words[listens:]), voices)
        if picked is None:
            echo(f"Type a number from 1 to {len(voices)}, or for example: l 1", err=True)
        elif not listens:
            return picked
        else:
            echo("One moment …", err=True)
            try:
                about.listen(language, picked)
            except EdgevoiceError as error:
                echo(_problem(error), err=True)


def _choice(title: str, choices: Choices) -> str:
    _list(title, choices)
    while (picked := _picked(_answer("Number [1]").lower(), choices)) is None:
        echo(f"Type a number from 1 to {len(choices)}.", err=True)
    return picked


def _picked(answer: str, choices: Choices) -> str | None:
    """The name of the choice with this number, name or label; the first one if it is empty."""
    if answer.isdecimal():
        return choices[int(answer) - 1][0] if 1 <= int(answer) <= len(choices) else None
    names = [name for name, label in choices if answer in ("", name.lower(), label.lower())]
    return names[0] if names else None


def _list(title: str, choices: Choices) -> None:
    echo(f"\n{title}", err=True)
    for number, (_, label) in enumerate(choices, 1):
        echo(f"{number:>3}  {label}", err=True)


def _answer(prompt: str) -> str:
    """A line that the user types; "?" if it is not text. Raises EOFError after Ctrl-D."""
    echo(f"{prompt}: ", err=True, nl=False)
    try:
        return input().strip()
    except UnicodeDecodeError:
        return "?"


def _problem(error: EdgevoiceError) -> str:
    return f"{error.what}: {error.remedy}" if error.remedy else error.what
