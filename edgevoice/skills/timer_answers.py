"""Answers about timers, alarms and reminders."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edgevoice.skills import moments
from edgevoice.skills.phrases import Phrases
from edgevoice.skills.timers import Timer, TimerKind, Timers, TooManyTimers

Handler = Callable[[Mapping[str, Any], Phrases], str]


class TimerAnswers:
    """Sets, tells and cancels the timers of one user."""

    def __init__(self, timers: Timers, wall: Callable[[], datetime.datetime]) -> None:
        self._timers = timers
        self._wall = wall

    def handlers(self) -> dict[str, Handler]:
        """By intent."""
        return {
            "timer_set": self._set_timer,
            "timer_left": self._left,
            "timer_cancel": self._cancel_timer,
            "timer_pause": self._pause,
            "timer_resume": self._resume,
            "timer_add": self._add,
            "timer_less": self._less,
            "timer_change": self._change,
            "alarm_set": self._set_alarm,
            "alarm_list": self._alarms,
            "alarm_cancel": self._cancel_alarm,
            "reminder_set": self._set_reminder,
            "reminder_when": self._when,
            "reminder_list": self._reminders,
            "reminder_cancel": self._cancel_reminder,
        }

    def _set(self, kind: TimerKind, due: float, text: str, phrases: Phrases) -> bool:
        try:
            self._timers.add(kind, due, text, phrases.language)
        except TooManyTimers:
            return False
        return True

    def _set_timer(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        seconds, name = args["seconds"], args.get("name", "")
        if not self._set("timer", self._timers.now() + seconds, name, phrases):
            return phrases.answer("too_many_timers")
        outcome = "timer_set_named" if name else "timer_set"
        timer = phrases.word("named_timer", "{name}").format(name=name)
        return phrases.answer(outcome, duration=phrases.duration(seconds), timer=timer)

    def _left(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        found = self._found("timer", args)
        if not found:
            return phrases.answer("no_such_timer" if self._timers.of("timer") else "no_timer")
        if len(found) == 1:
            (timer,) = found
            left = self._remaining(timer, phrases)
            if timer.left is not None:
                return phrases.answer("timer_paused_at", timer=called(timer, phrases), left=left)
            return phrases.answer("timer_left", timers=left)
        each = [
            phrases.word("timer_left_one" if timer.left is None else "paused", "{left}").format(
                timer=called(timer, phrases), left=self._remaining(timer, phrases)
            )
            for timer in found
        ]
        return phrases.answer("timers_left", count=len(found), timers="; ".join(each))

    def _remaining(self, timer: Timer, phrases: Phrases) -> str:
        return phrases.duration(timer.remaining(self._timers.now()), rounded=True)

    def _found(self, kind: TimerKind, args: Mapping[str, Any]) -> list[Timer]:
        """The timers of a kind that are meant; all if none is named."""
        found = self._timers.of(kind)
        if name := str(args.get("name") or args.get("text") or "").casefold():
            found = [timer for timer in found if alike(timer.text.casefold(), name)]
        if "seconds" in args and kind == "timer":
            found = [timer for timer in found if abs(timer.seconds - args["seconds"]) < 1]
        if "hour" in args:
            found = [timer for timer in found if self._is_at(timer, args)]
        return found

    def _is_at(self, timer: Timer, args: Mapping[str, Any]) -> bool:
        then = datetime.datetime.fromtimestamp(timer.due)
        hours = {"am": (args["hour"] % 12,), "pm": (args["hour"] % 12 + 12,)}.get(
            args["half"], (args["hour"], (args["hour"] + 12) % 24)
        )
        return then.minute == args["minute"] and then.hour in hours

    def _cancel_timer(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        wanted = {name: value for name, value in args.items() if name != "seconds"}
        found = self._found("timer", args) or (
            self._found("timer", wanted) if "name" in args else []
        )
        if not found:
            return phrases.answer("no_such_timer" if self._timers.of("timer") else "no_timer")
        if len(found) > 1 and args.get("all") != "yes":
            return phrases.answer("which_timer", timers=self._called_all(found, phrases))
        self._timers.remove([timer.number for timer in found])
        if len(found) > 1:
            return phrases.answer("timers_cancel", count=len(found))
        return phrases.answer("timer_cancel", timer=called(found[0], phrases))

    def _called_all(self, found: Sequence[Timer], phrases: Phrases) -> str:
        names: list[str] = []
        for timer in found:
            name = called(timer, phrases)
            names.append(name if name not in names else f"{name} ({len(names) + 1})")
        return phrases.listed(names)

    def _one(self, args: Mapping[str, Any], paused: bool | None = None) -> Timer | None:
        """The timer that is meant; without a name, the one that rings next."""
        names = {name: value for name, value in args.items() if name == "name"}
        found = self._found("timer", names)
        if paused is not None:
            found = [timer for timer in found if (timer.left is not None) == paused] or found
        return found[0] if found else None

    def _none(self, phrases: Phrases) -> str:
        return phrases.answer("no_such_timer" if self._timers.of("timer") else "no_timer")

    def _pause(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        timer = self._one(args, paused=False)
        if timer is None:
            return self._none(phrases)
        self._timers.pause(timer, True)
        left = self._remaining(timer, phrases)
        return phrases.answer("timer_pause", timer=called(timer, phrases), left=left)

    def _resume(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        timer = self._one(args, paused=True)
        if timer is None:
            return self._none(phrases)
        if timer.left is None:
            return phrases.answer("not_paused", timer=called(timer, phrases))
        left = self._remaining(timer, phrases)
        self._timers.pause(timer, False)
        return phrases.answer("timer_resume", timer=called(timer, phrases), left=left)

    def _add(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        return self._lengthen(args, args["seconds"], phrases)

    def _less(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        return self._lengthen(args, -args["seconds"], phrases)

    def _change(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        timer = self._one(args)
        if timer is None:
            return self._none(phrases)
        left = timer.remaining(self._timers.now())
        return self._lengthen(args, args["seconds"] - left, phrases)

    def _lengthen(self, args: Mapping[str, Any], seconds: float, phrases: Phrases) -> str:
        timer = self._one(args)
        if timer is None:
            return self._none(phrases)
        timer = self._timers.lengthen(timer, seconds)
        left = self._remaining(timer, phrases)
        return phrases.answer("timer_change", timer=called(timer, phrases), left=left)

    # Alarms

    def _set_alarm(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        now = self._wall()
        then = moments.moment(args, now, wakes=True)
        if not self._set("alarm", then.timestamp(), "", phrases):
            return phrases.answer("too_many_timers")
        fields = {"moment": phrases.moment(then, now), "at": phrases.moment(then, now, at=True)}
        return phrases.answer("alarm_set", **fields)

    def _alarms(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        found = self._timers.of("alarm")
        if not found:
            return phrases.answer("no_alarm")
        names = phrases.listed([called(timer, phrases, self._wall()) for timer in found])
        return phrases.answer("alarms", alarms=names)

    def _cancel_alarm(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        found, now = self._found("alarm", args), self._wall()
        if not found:
            return phrases.answer("no_alarm")
        if len(found) > 1 and args.get("all") != "yes":
            names = phrases.listed([called(timer, phrases, now) for timer in found])
            return phrases.answer("which_alarm", alarms=names)
        self._timers.remove([timer.number for timer in found])
        if len(found) > 1:
            return phrases.answer("alarms_cancel", count=len(found))
        return phrases.answer("alarm_cancel", alarm=called(found[0], phrases, now))

    # Reminders

    def _set_reminder(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        now, text = self._wall(), args.get("text", "")
        bare = "" if text else "_bare"
        if "seconds" in args:
            due = self._timers.now() + args["seconds"]
            outcome, fields = "reminder_in", {"duration": phrases.duration(args["seconds"])}
        else:
            then = moments.moment(args, now, wakes=False)
            due = then.timestamp()
            outcome, fields = "reminder_set", {"at": phrases.moment(then, now, at=True)}
        if not self._set("reminder", due, text, phrases):
            return phrases.answer("too_many_timers")
        return phrases.answer(outcome + bare, text=text, **fields)

    def _when(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        return phrases.answer("reminder_when", text=args["text"])

    def _reminders(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        found = self._timers.of("reminder")
        if not found:
            return phrases.answer("no_reminder")
        texts = "; ".join(called(timer, phrases, self._wall()) for timer in found)
        return phrases.answer("reminders", reminders=texts)

    def _cancel_reminder(self, args: Mapping[str, Any], phrases: Phrases) -> str:
        found = self._found("reminder", args)
        if not found:
            return phrases.answer("no_reminder")
        if args.get("all") != "yes" and "text" not in args:
            found = found[:1]
        self._timers.remove([timer.number for timer in found])
        if len(found) > 1:
            return phrases.answer("reminders_cancel", count=len(found))
        return phrases.answer("reminder_cancel", text=found[0].text)


def alike(one: str, other: str) -> bool:
    """Whether two names mean the same timer: "egg" and "eggs"."""
    return bool(one) and (one.startswith(other) or other.startswith(one))


def called(timer: Timer, phrases: Phrases, now: datetime.datetime | None = None) -> str:
    """What a timer is called in a sentence; alarms and reminders with their time."""
    if timer.kind == "timer":
        if timer.text:
            return phrases.word("named_timer", "{name}").format(name=timer.text)
        duration = phrases.duration(timer.seconds, rounded=True)
        return phrases.word("sized_timer", "{duration}").format(duration=duration)
    then = datetime.datetime.fromtimestamp(timer.due)
    fields = {
        "moment": phrases.moment(then, now or then),
        "at": phrases.moment(then, now or then, at=True),
        "text": timer.text,
    }
    return phrases.word(timer.kind, "{moment}").format(**fields)


def announcement(timer: Timer, phrases: Phrases, now: datetime.datetime, late: bool) -> str:
    """What is said when a timer rings; `late`: it fell due while nothing ran."""
    then = datetime.datetime.fromtimestamp(timer.due)
    at = phrases.moment(then, now, at=True)
    if timer.kind == "timer":
        if late:
            return phrases.answer("late_timer", timer=called(timer, phrases), at=at)
        if timer.text:
            return phrases.answer("rings_named", timer=called(timer, phrases))
        return phrases.answer("rings_timer", duration=phrases.duration(timer.seconds))
    if timer.kind == "alarm":
        morning = then.hour < 12 and not late
        time = phrases.clock(now.hour, now.minute)
        what = phrases.answer("rings_alarm" if morning else "rings_alarm_late", time=time)
    elif timer.text:
        what = phrases.answer("rings_reminder", text=timer.text)
    else:
        what = phrases.answer("rings_reminder_bare")
    return phrases.answer("late", at=at, what=what) if late else what
