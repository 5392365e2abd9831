"""Every key: the one table behind bindings, footer, help, palette and docs/reference/keys.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """`keys` as Textual names them, `shown` as the user reads them, `label` for the footer.

    `title` and `meaning` stand in the command palette and the help; an empty `label` keeps the key
    out of the footer.
    """

    keys: str
    shown: str
    action: str
    label: str
    title: str
    meaning: str


KEYS = (
    Key("space", "space", "talk", "talk", "Talk", "talk: hold it, or tap it before and after"),
    Key("slash,enter", "/", "ask", "type", "Type a question", "type a question instead (or Enter)"),
    Key("escape,i", "esc", "stop", "stop", "Interrupt", "stop the answer (or i)"),
    Key("m", "m", "mute", "mute", "Mute", "close the microphone, or open it again"),
    Key("n", "n", "new", "new", "New conversation", "start over: all that was said is forgotten"),
    Key("question_mark,f1", "?", "help", "help", "Help", "this help (or F1)"),
    Key("q", "q", "quit", "quit", "Quit", "end the session (or Ctrl-C)"),
    Key("d", "d", "devices", "device", "Devices", "choose microphone and speaker"),
    Key("o", "o", "models", "model", "Models", "choose the models"),
    Key("t", "t", "theme", "theme", "Light or dark", "switch between light and dark"),
    Key("c", "c", "copy", "copy", "Copy transcript", "copy the conversation to the clipboard"),
    Key(
        "s", "s", "save", "save", "Save trace", "save the session's events for the bench, as JSONL"
    ),
    Key("up,left_square_bracket", "↑ [", "older", "", "Older turn", "show the waterfall before"),
    Key("down,right_square_bracket", "↓ ]", "newer", "", "Newer turn", "show the waterfall after"),
    Key("pageup", "PgUp", "page(-1)", "", "Scroll up", "scroll the conversation back"),
    Key("pagedown", "PgDn", "page(1)", "", "Scroll down", "scroll the conversation on"),
    Key("home", "Home", "start", "", "First exchange", "go to the start of the conversation"),
    Key("end", "End", "end", "", "Follow", "go to the end and follow it"),
)
"""In the order of the footer, which shows as many as fit."""
