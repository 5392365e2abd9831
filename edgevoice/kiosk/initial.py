"""The first kiosk.toml, with what an integrator decides and a comment for each line."""

from __future__ import annotations

from dataclasses import dataclass

import tomlkit

from edgevoice.errors import ConfigError
from edgevoice.kiosk.hours import parsed
from edgevoice.languages import codes

PROMPT = (
    "You are the voice guide of {place}. Your answers are spoken aloud to visitors: reply in one "
    "or two short, plain sentences. If you do not know, say so."
)


@dataclass(frozen=True)
class KioskAnswers:
    """What `edgevoice kiosk init` asks."""

    place: str = "this place"
    languages: str = "en"
    hours: str = ""
    reset_s: int = 45
    emergency: str = ""
    forbidden: str = ""
    wake_word: str = ""

    def check(self) -> None:
        """Raises ConfigError for an answer that cannot be used."""
        parsed(self.hours)
        known = set(codes())
        for code in self.languages.split(","):
            if code.strip() not in known:
                raise ConfigError(
                    f"unknown language {code.strip()!r}",
                    where="languages",
                    remedy="use codes such as en or de,en",
                )


def kiosk_toml(answers: KioskAnswers) -> str:
    """The text of kiosk.toml. Raises ConfigError."""
    answers.check()
    languages = ",".join(code.strip() for code in answers.languages.split(","))
    mode = "wake" if answers.wake_word else "always"
    return "\n".join(
        [
            "# Every other setting of edgevoice may stand here, too: edgevoice config show",
            "",
            "[kiosk]",
            "# Seconds of silence after which a visitor is forgotten.",
            _line("reset_s", answers.reset_s),
            "# When the microphone is on; empty: always.",
            _line("hours", answers.hours),
            "# What to say in an emergency, and what not to talk about.",
            _line("emergency", answers.emergency),
            _line("forbidden", answers.forbidden),
            "",
            "[slm]",
            _line("system_prompt", PROMPT.format(place=answers.place)),
            "",
            "[stt]",
            "# The languages of the visitors; the first is the main one.",
            _line("language", languages),
            "",
            "[activation]",
            '# "always", "wake" for a wake word, or "push" for a button.',
            _line("mode", mode),
            *(["", "[wake]", _line("word", answers.wake_word)] if answers.wake_word else []),
            "",
            "[audio]",
            "# Start before the devices are there, and wait for them.",
            _line("wait", True),
            "",
            "[turn]",
            "# Visitors think longer before they go on.",
            _line("patience", "patient"),
            "",
        ]
    )


def _line(key: str, value: object) -> str:
    return tomlkit.dumps({key: value}).strip()
