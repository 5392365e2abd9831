"""The skills of a session: what it understands at once, in which languages, and how it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgevoice.skills.answering import BuiltInSkills, Handler
from edgevoice.skills.intents import Intent, intent
from edgevoice.skills.matcher import Match, Matcher
from edgevoice.skills.own import OwnSkill
from edgevoice.skills.own_actions import SkillFailed, done
from edgevoice.skills.phrases import Phrases
from edgevoice.skills.sentence_files import languages, sentence_file
from edgevoice.skills.timers import Timers


@dataclass(frozen=True, slots=True)
class Understood:
    """An utterance that a skill answers. `acts`: `answer` has an effect, and must be called once
    the turn is committed."""

    intent: Intent
    acts: bool
    answer: Callable[[], str]


class Skills:
    """Understands utterances in `spoken` languages, the main one first; called from one thread."""

    def __init__(
        self,
        spoken: tuple[str, ...],
        answers: BuiltInSkills,
        allowed: frozenset[str],
        own: Sequence[OwnSkill] = (),
    ) -> None:
        self._own = [skill for skill in own if skill.name in allowed]
        self.answers = answers
        self.language = spoken[0]
        self._spoken = spoken
        self._allowed = allowed
        self._voices: dict[str, tuple[Matcher, Phrases]] = {}
        self._last: tuple[str, str, Understood | None] = "", "", None

    @property
    def timers(self) -> Timers:
        """The timers that they set."""
        return self.answers.timers

    def load(self) -> None:
        """Read the sentence files; else the first utterance in each language does."""
        for language in self._spoken:
            self._voice(language)[0].load()

    def _voice(self, language: str) -> tuple[Matcher, Phrases]:
        if language not in self._voices:
            file = sentence_file(language)
            self._voices[language] = Matcher(language, file), Phrases(language, file)
        return self._voices[language]

    def understood(self, text: str, language: str = "") -> Understood | None:
        """What a skill would do about an utterance; None: it is for the language model."""
        language = language or self._spoken[0]
        if self._last[:2] != (text, language):
            self._last = text, language, self._find(text, language)
        return self._last[2]

    def _find(self, text: str, language: str) -> Understood | None:
        for skill in self._own:
            if (match := skill.match(text, language)) is not None:
                return self._own_answer(skill, match, language)
        if language not in languages():
            return None
        matcher, phrases = self._voice(language)
        match = matcher.match(text)
        found = intent(match) if match else None
        if found is None:
            return None
        handler = self.answers.handler(found.name, self._allowed.__contains__)
        if handler is None or not self._answerable(found, phrases):
            return None
        return Understood(
            found, self.answers.acts(found.name), _answering(self.answers, handler, found, phrases)
        )

    def _own_answer(self, skill: OwnSkill, match: Match, language: str) -> Understood:
        each = skill.file.intents[match.intent]
        slots = {name: match.figures.written.get(said, said) for name, said in match.slots.items()}
        phrases = self._voice(language)[1]

        def answer() -> str:
            chosen = self.answers.facts.random
            try:
                output = done(each, skill.folder, slots, chosen)
            except SkillFailed:
                failed = phrases.answer("skill_failed", title=skill.file.title)
                return failed or f"{skill.file.title}: –"
            said = chosen.choice(each.answers[language]).format(**slots, output=output)
            return said[:1].upper() + said[1:]

        return Understood(Intent(f"{skill.name}.{match.intent}", slots), True, answer)

    def _answerable(self, found: Intent, phrases: Phrases) -> bool:
        return phrases.has(ANSWERED_BY.get(found.name, found.name))


ANSWERED_BY = {
    "timer_add": "timer_change",
    "timer_less": "timer_change",
    "alarm_list": "alarms",
    "reminder_list": "reminders",
    "language": "language_known",
    "repeat": "repeat_nothing",
    "battery": "no_battery",
}
"""Intents whose answer has another name; an intent without an answer is not understood."""


def _answering(
    answers: BuiltInSkills, handler: Handler, found: Intent, phrases: Phrases
) -> Callable[[], str]:
    return lambda: answers.say(handler, found, phrases)
