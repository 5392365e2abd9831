"""A session on virtual time, with skills in front of a scripted language model."""

from __future__ import annotations

import datetime
import random
from pathlib import Path

from edgevoice.agent.language_model_agent import LanguageModelAgent
from edgevoice.assistant import Assistant
from edgevoice.context import Resume
from edgevoice.settings import Config
from edgevoice.skills.answering import BuiltInSkills, Facts
from edgevoice.skills.intent_agent import IntentAgent
from edgevoice.skills.own import OwnSkill
from edgevoice.skills.ringing import Ringing
from edgevoice.skills.skills import Skills
from edgevoice.skills.timers import Timers
from edgevoice.testing.rehearsal import Rehearsal

NOON = datetime.datetime(2026, 12, 1, 12, 0)
"""A Tuesday."""


class SkilledRehearsal(Rehearsal):
    """`begins`: the local time at the start; `path`: where timers are kept."""

    def __init__(
        self,
        config: Config | None = None,
        begins: datetime.datetime = NOON,
        path: Path | None = None,
        spoken: tuple[str, ...] = ("en",),
        answer: str = "I am a language model.",
    ) -> None:
        super().__init__(answer, config)
        self.wall = lambda: begins + datetime.timedelta(seconds=self.clock.now())
        self.timers = Timers(path, lambda: self.wall().timestamp())  # type: ignore[misc]
        self.answers = BuiltInSkills(self.timers, Facts(self.wall, "", random.Random(1)))
        skills = Skills(spoken, self.answers, frozenset(self.answers.groups()))
        self.agent = IntentAgent(LanguageModelAgent(self.slm, self.config), skills)
        self.ringer = Ringing(self.timers, self.wall, self.clock.now, spoken[0])

    def assemble(self, resume: Resume | None = None) -> Assistant:
        """The assistant, ready to run."""
        assistant = super().assemble(resume)
        self.answers.host = assistant
        return assistant

    def use(self, own: OwnSkill) -> None:
        """Add a skill of the user's own."""
        allowed = frozenset((*self.answers.groups(), own.name))
        skills = Skills(("en",), self.answers, allowed, [own])
        self.agent = IntentAgent(LanguageModelAgent(self.slm, self.config), skills)
