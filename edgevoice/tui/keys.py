"""The table of keys, for bindings, footer, help, palette and docs/reference/keys.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyBinding:
    """A key: `keys` are Textual's names, `shown` is the name for the user.

    `title` and `meaning` are for the command palette and the help, `label` for the footer. A key
    with an empty `label` is not in the footer.
    """

    keys: str
    shown: str
    action: str
    label: str
    title: str
    meaning: str


KEYS = (
    KeyBinding(
        "space", "space", "talk", "talk", "Talk", "talk: hold it, or tap it to start and to stop"
    ),
    KeyBinding("slash,enter", "/", "ask", "type", "Type a question", "type a question (or Enter)"),
    KeyBinding("escape,i", "esc", "stop", "stop", "Interrupt", "stop the reply (or i)"),
    KeyBinding("question_mark,f1", "?", "help", "help", "Help", "this help (or F1)"),
    KeyBinding("m", "m", "mute", "mute", "Mute", "mute or unmute the microphone"),
    KeyBinding("v", "v", "voice", "voice", "Voice", "speak replies, or only show them"),
    KeyBinding(
        "n", "n", "new", "new", "New conversation", "start over and forget this conversation"
    ),
    KeyBinding("q", "q", "quit", "quit", "Quit", "end the session (or Ctrl-C)"),
    KeyBinding("d", "d", "devices", "device", "Devices", "choose microphone and speaker"),
    KeyBinding("o", "o", "models", "model", "Models", "choose the models"),
    KeyBinding("t", "t", "theme", "theme", "Light or dark", "switch between light and dark"),
    KeyBinding(
        "c", "c", "copy", "copy", "Copy transcript", "copy the conversation to the clipboard"
    ),
    KeyBinding("s", "s", "save", "save", "Save", "save a transcript, or a trace"),
    KeyBinding(
        "up,left_square_bracket", "↑ [", "older", "", "Older turn", "previous turn's waterfall"
    ),
    KeyBinding(
        "down,right_square_bracket", "↓ ]", "newer", "", "Newer turn", "next turn's waterfall"
    ),
    KeyBinding("pageup", "PgUp", "page(-1)", "", "Scroll up", "scroll the conversation up"),
    KeyBinding("pagedown", "PgDn", "page(1)", "", "Scroll down", "scroll the conversation down"),
    KeyBinding(
        "home", "Home", "start", "", "First exchange", "go to the start of the conversation"
    ),
    KeyBinding("end", "End", "end", "", "Follow", "go to the end and follow it"),
)
"""In the order of the footer, which shows as many as fit."""
