"""Skills of the user's own: a folder each, with a `skill.toml`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Formatter

from msgspec import Struct, field

from edgevoice.errors import ConfigError
from edgevoice.outside import Malformed, converted, from_toml, read_text
from edgevoice.places import user_folder
from edgevoice.skills.matcher import Match, Matcher
from edgevoice.skills.sentence_files import SentenceFile, languages, sentence_file
from edgevoice.skills.templates import TemplateError
from edgevoice.transcription.spoken_language import LANGUAGE_CODES

FILE = "skill.toml"
EXAMPLE_SKILLS = Path(__file__).parent / "examples"
"""Skills that ship, to be added by their name."""
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FIELD = re.compile(r"\{(\w+)\}")
GIVEN = frozenset({"output", "token", "python"})
"""Fields that are no slots: what was answered, the token file's content, and this Python."""


class HttpCall(Struct, frozen=True, forbid_unknown_fields=True):
    """A call to a device in the local network; `{slot}` stands for what was said."""

    url: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    """JSON; slots in it are escaped."""
    token_file: str = ""
    """A file beside skill.toml whose content is `{token}` in the headers."""


class OwnIntent(Struct, frozen=True, forbid_unknown_fields=True):
    """What one intent of a skill understands, does and answers.

    At most one of `command`, `http` and `lines` is given; without one, it only answers.
    """

    sentences: Mapping[str, tuple[str, ...]]
    """By language: templates, as in hassil."""
    answers: Mapping[str, tuple[str, ...]]
    """By language: answers that vary; `{output}` is what the command printed."""
    command: tuple[str, ...] = ()
    """A program and its arguments, run in the skill's folder without a shell."""
    http: HttpCall | None = None
    lines: str = ""
    """A text file: `{output}` is a line of it, chosen at random."""
    seconds: float = 5.0
    """Time limit."""


class SkillFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A `skill.toml`."""

    title: str
    intents: Mapping[str, OwnIntent]
    lists: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Slots with a closed set of values: by list and value, the phrases for it."""


class OwnSkill:
    """A skill in a folder, whose name it has. Raises ConfigError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        if not NAME.fullmatch(self.name):
            raise self._wrong(
                f"{self.name!r} is no name for a skill",
                "name its folder in small letters, digits and _",
            )
        try:
            self.file = converted(from_toml(read_text(folder / FILE)), SkillFile)
        except (OSError, Malformed) as error:
            raise self._wrong(f"this skill cannot be used: {error}") from None
        self._check()
        self._matchers = {code: self._matcher(code) for code in self.languages()}

    def _wrong(
        self, what: str, remedy: str = "correct it; docs/skills.md has every field"
    ) -> ConfigError:
        return ConfigError(what, where=str(self.folder / FILE), remedy=remedy)

    def languages(self) -> Sequence[str]:
        """The languages that it understands."""
        found = {code for each in self.file.intents.values() for code in each.sentences}
        return sorted(found)

    def _check(self) -> None:
        for name, each in self.file.intents.items():
            if sum(map(bool, (each.command, each.http, each.lines))) > 1:
                raise self._wrong(f"{name} has more than one of command, http and lines")
            if unknown := sorted(set(each.sentences) - set(LANGUAGE_CODES)):
                raise self._wrong(f"{name} has sentences in {unknown[0]!r}, which is no language")
            if missing := sorted(set(each.sentences) - set(each.answers)):
                raise self._wrong(f"{name} has no answers in {missing[0]!r}")
            if each.lines and not self._has(each.lines):
                raise self._wrong(f"{name} reads {each.lines}, and there is no such file")
            if each.http and not each.http.url.startswith(("http://", "https://")):
                raise self._wrong(f"{name} calls {each.http.url!r}, which is no web address")
            self._check_fields(name, each)

    def _has(self, name: str) -> bool:
        """Whether there is such a file in its folder."""
        try:
            return Path(name).name == name and (self.folder / name).is_file()
        except (OSError, ValueError):
            return False

    def _check_fields(self, name: str, each: OwnIntent) -> None:
        """Every `{field}` must be a slot of every sentence that may not leave it out."""
        texts = [text for answers in each.answers.values() for text in answers]
        texts += each.command
        body = ""
        if each.http:
            body = each.http.body
            texts += [each.http.url, *each.http.headers.values()]
        slots = {
            slot.rpartition(":")[2]
            for sentences in each.sentences.values()
            for text in sentences
            for slot in re.findall(r"\{([\w:]+)\}", text)
        }
        try:
            used = {found for text in texts for _, found, _, _ in Formatter().parse(text) if found}
        except ValueError as error:
            raise self._wrong(f"{name} has a wrong brace: {error}") from None
        used |= set(_FIELD.findall(body))
        if unknown := sorted(used - slots - GIVEN):
            raise self._wrong(f"{name} uses {{{unknown[0]}}}, and no sentence has that slot")

    def _matcher(self, language: str) -> Matcher:
        base = sentence_file(language) if language in languages() else SentenceFile()
        file = SentenceFile(
            skip=base.skip,
            numbers=base.numbers,
            rules=base.rules,
            lists={**base.lists, **self.file.lists},
            intents={
                name: each.sentences[language]
                for name, each in self.file.intents.items()
                if language in each.sentences
            },
        )
        try:
            matcher = Matcher(language, file)
            matcher.load()
        except TemplateError as error:
            raise self._wrong(str(error)) from None
        return matcher

    def match(self, text: str, language: str) -> Match | None:
        """The intent of an utterance; None if it is none of this skill's."""
        matcher = self._matchers.get(language)
        return matcher.match(text) if matcher else None


def folder() -> Path:
    """Where the user's skills are."""
    return user_folder("config") / "skills"


def installed() -> list[OwnSkill]:
    """The user's skills, by name. Raises ConfigError if one is wrong."""
    home = folder()
    if not home.is_dir():
        return []
    return [OwnSkill(each) for each in sorted(home.iterdir()) if (each / FILE).is_file()]
