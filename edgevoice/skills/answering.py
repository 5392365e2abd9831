"""Answers the instant intents; what acts does so only when it is called."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgevoice import __version__
from edgevoice.errors import StorageError
from edgevoice.skills import moments
from edgevoice.skills.host import Host
from edgevoice.skills.intents import Intent
from edgevoice.skills.phrases import Phrases
from edgevoice.skills.timer_answers import TimerAnswers
from edgevoice.skills.timers import Timers
from edgevoice.transcription.spoken_language import named

SPEED_STEP = 1.2
"""Factor of a step in the speaking rate."""
SLOWEST, FASTEST = 0.6, 1.75
LOUDER = 0.2
"""A step of the volume."""
LEAST_VOLUME = 0.1

Handler = Callable[[Mapping[str, Any], Phrases], str]


@dataclass(frozen=True, slots=True)
class Facts:
    """What answers need to know of the session."""

    wall: Callable[[], datetime.datetime]
    """The local date and time."""
    model: str = ""
    random: random.Random = field(default_factory=random.Random)


class BuiltInSkills:
    """The built-in intents. `host` is the session that they change; without one, they do not."""

    def __init__(self, timers: Timers, facts: Facts, host: Host | None = None) -> None:
        self.host = host
        self.timers = timers
        self.facts = facts
        self._muted_from = 1.0
        timing = TimerAnswers(timers, facts.wall)
        self._groups: dict[str, dict[str, Handler]] = {
            "clock": {
                "time": self._time,
                "date": self._date,
                "weekday": self._weekday,
                "day_of": self._day_of,
                "date_in": self._day_of,
                "days_until": self._days_until,
            },
            "timers": timing.handlers(),
            "calculator": {"calculate": self._calculate, "convert": self._convert},
            "games": {"coin": self._coin, "dice": self._dice, "number": self._number},
            "spelling": {"spell": self._spell},
            "system": {"battery": self._battery, "system": self._system, "help": self._help},
        }
        self._hosted: dict[str, dict[str, Handler]] = {
            "sound": {
                "volume_up": self._volume_up,
                "volume_down": self._volume_down,
                "volume_set": self._volume_set,
                "mute": self._mute,
                "unmute": self._unmute,
                "mute_microphone": self._mute_microphone,
                "slower": self._slower,
                "faster": self._faster,
                "normal_speed": self._normal_speed,
            },
            "conversation": {
                "stop": self._stop,
                "start_over": self._start_over,
                "language": self._language,
                "repeat": lambda args, phrases: phrases.answer("repeat_nothing"),
            },
        }
        self._acting = {
            name
            for group in ("timers", "sound", "conversation")
            for name in {**self._groups, **self._hosted}[group]
        } - {"timer_left", "alarm_list", "reminder_list", "reminder_when", "language", "repeat"}

    def groups(self) -> Sequence[str]:
        """The names of the groups that settings allow or not."""
        return (*self._groups, *self._hosted)

    def handler(self, intent: str, allowed: Callable[[str], bool]) -> Handler | None:
        """What answers an intent; None if nothing does, or its group is not allowed."""
        groups = self._groups | (self._hosted if self.host is not None else {})
        for group, handlers in groups.items():
            if intent in handlers and allowed(group):
                return handlers[intent]
        return None

    def acts(self, intent: str) -> bool:
        """Whether the intent has an effect, and must wait for the turn to be committed."""
        return intent in self._acting

    def say(self, handler: Handler, intent: Intent, phrases: Phrases) -> str:
        """The answer; calls what acts."""
        try:
            return handler(intent.args, phrases)
        except StorageError:
            return phrases.answer("storage")

    # The clock

    def _now(self) -> datetime.datetime:
        return self.facts.wall()

    def _time(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        now = self._now()
        return phrases.answer("time", time=phrases.clock(now.hour, now.minute))

    def _date(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        return phrases.answer("date", date=phrases.date(self._now().date()))

    def _weekday(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        return phrases.answer("weekday", weekday=phrases.weekday(self._now().date()))

    def _day_of(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        day = moments.date(args, self._now().date())
        outcome = "date_in" if "count" in args else "day_of"
        return phrases.answer(outcome, date=phrases.date(day))

    def _days_until(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        today = self._now().date()
        day = moments.date(args, today)
        count = (day - today).days
        if not count:
            return phrases.answer("today")
        named_day = phrases.word(args.get("feast", "")) or phrases.date(day)
        outcome = "days_until_one" if count == 1 and phrases.has("days_until_one") else "days_until"
        return phrases.answer(outcome, days=phrases.days(count), date=named_day)

    # Numbers

    def _calculate(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        result = args["result"]
        if isinstance(result, str):
            return phrases.answer(f"calculate_{result}")
        number, exact = phrases.number(result)
        return phrases.answer("calculate" if exact else "calculate_about", result=number)

    def _convert(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        # Imported at the first conversion: it takes half a second.
        from edgevoice.skills.units import converted

        value, unit, to = args["value"], args["from"], args["to"]
        found = converted(value, unit, to)
        said = phrases.measured(value, unit)
        if found is None:
            return phrases.answer("convert_never", value=said)
        exact = phrases.number(found)[1]
        result = phrases.measured(found, to)
        return phrases.answer("convert" if exact else "convert_about", value=said, result=result)

    def _spell(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        word = str(args["text"])
        letters = ", ".join(
            letter.upper() if letter != "ß" else letter for letter in word if letter.isalnum()
        )
        return phrases.answer("spell", word=word, letters=letters)

    # Games

    def _coin(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        side = self.facts.random.choice(("heads", "tails"))
        return phrases.answer("coin", side=phrases.word(side))

    def _dice(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        rolls = [
            self.facts.random.randint(1, args.get("sides", 6)) for _ in range(args.get("count", 1))
        ]
        if len(rolls) == 1:
            return phrases.answer("dice", roll=rolls[0])
        return phrases.answer(
            "dice_many", rolls=phrases.listed(list(map(str, rolls))), sum=sum(rolls)
        )

    def _number(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        return phrases.answer("number", number=self.facts.random.randint(args["low"], args["high"]))

    # The device

    def _help(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        return phrases.answer("help")

    def _battery(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        import psutil

        found = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
        if found is None:
            return phrases.answer("no_battery")
        outcome = "battery_charging" if found.power_plugged else "battery"
        return phrases.answer(outcome, percent=round(found.percent))

    def _system(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        import psutil

        memory = round(psutil.Process().memory_info().rss / 2**20)
        model = f", {self.facts.model}" if self.facts.model else ""
        return phrases.answer("system", version=__version__, model=model, memory=memory)

    # The session

    def _session(self) -> Host:
        assert self.host is not None
        return self.host

    def _volume_up(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        return self._volume("volume_up", self._session().volume + LOUDER, phrases)

    def _volume_down(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        return self._volume("volume_down", self._session().volume - LOUDER, phrases)

    def _volume(self, outcome: str, volume: float, phrases: Phrases) -> str:
        host = self._session()
        before = host.volume
        host.volume = min(1.0, max(LEAST_VOLUME, volume))
        if abs(host.volume - before) < 0.01:
            return phrases.answer("volume_full" if outcome == "volume_up" else "volume_least")
        return phrases.answer(outcome)

    def _volume_set(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        percent = args["percent"] if isinstance(args["percent"], int) else int(args["percent"])
        self._session().volume = percent / 100
        return phrases.answer("volume_set", percent=percent)

    def _mute(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        host = self._session()
        self._muted_from, host.volume = host.volume or self._muted_from, 0.0
        return phrases.answer("mute")

    def _unmute(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        host = self._session()
        host.volume = host.volume or self._muted_from
        return phrases.answer("unmute")

    def _mute_microphone(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        self._session().mute(True)
        return phrases.answer("mute_microphone")

    def _slower(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        return self._speed("slower", self._session().speed / SPEED_STEP, phrases)

    def _faster(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        return self._speed("faster", self._session().speed * SPEED_STEP, phrases)

    def _normal_speed(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        self._session().speed = 1.0
        return phrases.answer("normal_speed")

    def _speed(self, outcome: str, speed: float, phrases: Phrases) -> str:
        if not SLOWEST <= speed <= FASTEST:
            return phrases.answer("speed_limit")
        self._session().speed = speed
        return phrases.answer(outcome)

    def _stop(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        return "" if self._session().stop_ringing() else phrases.answer("stop")

    def _start_over(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        self._session().start_over()
        return phrases.answer("start_over")

    def _language(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        wanted, known = args["language"], self._session().languages()
        name = language_name(wanted, phrases.language)
        if wanted == phrases.language:
            return phrases.answer("language_same")
        outcome = "language_known" if wanted in known else "language_unknown"
        return phrases.answer(outcome, language=name)


def language_name(code: str, language: str) -> str:
    """The name of a language, in another one."""
    from edgevoice.languages import cldr

    return cldr.language_name(code, language) or named(code)
