"""What the language model is told beside the system prompt: example replies, the date and time."""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Callable, Sequence

from edgevoice.history import History
from edgevoice.protocols import ChatMessage
from edgevoice.settings import Config
from edgevoice.transcription.spoken_language import leads, listed

EXAMPLES = (
    ("How many wheels does a car have?", "A car has four wheels."),
    ("Who wrote Faust?", "Goethe wrote Faust."),
    ("Can I eat bread?", "Yes, bread is safe to eat."),
    ("May my dog eat raisins?", "No, raisins are poisonous for dogs."),
    ("Are you Alexa?", "No, I'm edgevoice, an open-source voice assistant."),
    ("Where did I park my car?", "I don't know, because you haven't told me."),
    ("Lock the front door.", "Sorry, I can't do that. I can only talk."),
    ("What is the score of the game?", "I don't know, because I am offline."),
    ("Is it windy?", "I don't know, because I can't see the weather."),
)
"""Questions and good replies. A small model follows these rather than a rule (answers-2026-11)."""


def instruct(
    history: History, config: Config, wall: Callable[[], datetime.datetime] | None
) -> None:
    """Give `history` what the settings say; `wall` is the local time, None if it is not told."""
    history.leads = leads(listed(config.stt.language))
    if config.slm.date_time and wall is not None:
        history.date_line = lambda: date_line(wall())


def examples(config: Config) -> Sequence[ChatMessage]:
    """The example replies as messages; none if another language than English is spoken."""
    if not config.slm.examples or leads(listed(config.stt.language)):
        return ()
    return [
        message
        for question, reply in EXAMPLES
        for message in (
            ChatMessage("user", question, example=True),
            ChatMessage("assistant", reply, example=True),
        )
    ]


def date_line(now: datetime.datetime) -> str:
    """The date and time in one short line, whatever the locale.

    It goes in front of a question, behind everything that was evaluated before, and is prefilled
    while the user speaks.
    """
    weekday, month = calendar.day_name[now.weekday()], calendar.month_name[now.month]
    hour, half = now.hour % 12 or 12, "am" if now.hour < 12 else "pm"
    return f"[{weekday}, {month} {now.day}, {now.year}, {hour}:{now.minute:02} {half}]"
