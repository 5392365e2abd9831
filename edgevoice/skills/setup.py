"""The skills of a session, as the settings say."""

from __future__ import annotations

import time
from collections.abc import Sequence

from edgevoice.clock import local_time
from edgevoice.context import SessionContext
from edgevoice.errors import ConfigError, NoHomeError
from edgevoice.places import user_folder
from edgevoice.protocols import Agent
from edgevoice.settings import Config, SkillsSettings
from edgevoice.skills.answering import BuiltInSkills, Facts
from edgevoice.skills.intent_agent import IntentAgent
from edgevoice.skills.own import installed
from edgevoice.skills.ringing import Ringing
from edgevoice.skills.skills import Skills
from edgevoice.skills.timers import Timers
from edgevoice.transcription.spoken_language import listed

ALL = "all"


def kept_timers() -> Timers:
    """The timers on disk."""
    return Timers(user_folder("data") / "timers.json", time.time)


def opened_skills(
    context: SessionContext, spoken: tuple[str, ...], model: str = ""
) -> Skills | None:
    """The skills of a session in `spoken` languages; None if they are off. Raises ConfigError."""
    settings = context.config.skills
    if not settings.enabled:
        return None
    wall = context.wall or local_time

    def now() -> float:
        return wall().timestamp()

    try:
        timers = kept_timers() if settings.keep_timers else Timers(None, now)
        own = installed()
    except NoHomeError:
        # A service without a home folder has no skills of its own, and nowhere to keep timers.
        timers, own = Timers(None, now), []
    answers = BuiltInSkills(timers, Facts(wall, model))
    known = (*answers.groups(), *(skill.name for skill in own))
    return Skills(spoken, answers, allowed(settings, known), own)


def answered_at_once(question: str, config: Config) -> str | None:
    """The answer of a skill outside a session, in the first language that understands it; None if
    none does."""
    from edgevoice.bus import Bus
    from edgevoice.clock import SystemClock

    clock = SystemClock()
    spoken = listed(config.stt.language) or ("en",)
    skills = opened_skills(SessionContext(config, clock, Bus(clock)), spoken)
    if skills is None:
        return None
    found = (skills.understood(question, language) for language in spoken)
    understood = next((each for each in found if each is not None), None)
    return understood.answer() if understood and understood.intent.name != "repeat" else None


def allowed(settings: SkillsSettings, known: Sequence[str]) -> frozenset[str]:
    """The skills of `known` that may answer. Raises ConfigError for an unknown one."""
    if settings.allow.strip() == ALL:
        return frozenset(known)
    names = frozenset(filter(None, (name.strip() for name in settings.allow.split(","))))
    if unknown := sorted(names - set(known)):
        raise ConfigError(
            f"skills.allow names {unknown[0]}, and there is no such skill",
            remedy=f"all, or of: {', '.join(known)}",
        )
    return names


def with_skills(agent: Agent, skills: Skills | None) -> Agent:
    """The agent, with the skills in front of it; they are loaded."""
    if skills is None:
        return agent
    skills.load()
    return IntentAgent(agent, skills)


def ringing(skills: Skills, context: SessionContext) -> Ringing:
    """What rings the timers of these skills."""
    wall = context.wall or local_time
    return Ringing(skills.timers, wall, context.clock.now, skills.language)


def built_in_names() -> Sequence[str]:
    """The names of the built-in skills."""
    return BuiltInSkills(Timers(None, time.time), Facts(local_time)).groups()


def is_allowed(config: Config, name: str, known: Sequence[str]) -> bool:
    """Whether the settings allow a skill of `known`. Raises ConfigError for an unknown one."""
    return config.skills.enabled and name in allowed(config.skills, known)
