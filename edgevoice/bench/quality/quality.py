"""Ask the language model everyday questions as text, and judge the replies by rules."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from msgspec import Struct

from edgevoice.agent.instructions import instruct
from edgevoice.bench.corpus.wall import WALL
from edgevoice.history import History
from edgevoice.protocols import Agent, AgentOutput, Drafted, ReplyRevision, Token
from edgevoice.settings import Config
from edgevoice.versioned import FileFormat

FORMAT, VERSION = "edgevoice quality", 1

QUESTION_HALVES = {"tuned": "tuned", "aside": "set aside"}
"""What a half of the questions is called in a table."""

PATTERNS = {
    "@admits": r"can't|cannot|can not|don't|do not|unable|not able|not sure|no (?:access|way|idea)"
    r"|unfortunately|sorry|didn't tell|haven't told|not told|not possible",
    "@no": r"^no|not|never|shouldn't|can't|cannot|don't|isn't|toxic|poison\w*|dangerous|harmful"
    r"|unsafe|avoid|illegal",
    "@yes": r"^(?:yes|yeah|sure|of course|certainly|absolutely|definitely)"
    r"|^[^.!?]*(?:you (?:can|may|should)(?! not|not|'t|n't| never| avoid)"
    r"|(?:is|are|it's) (?:generally |usually |perfectly )?(?:safe|okay|fine))",
    "@refuses": r"i can only talk|(?:can't|cannot) (?:do that|help|assist)",
    "@denies": r"^no|^(?!yes)[^.!?]*(?:not|never|can't|cannot|shouldn't|toxic|dangerous|unsafe)",
    "@maker": r"openai|alibaba(?: cloud)?|anthropic|google|microsoft|meta|apple|qwen|gpt-?\d?",
    "@otherday": r"monday|tuesday|thursday|friday|saturday|sunday",
    "@weather": r"(?:it(?: is|'s|'ll be| will be)|weather (?:is|will be|in [\w ]+ is)) "
    r"(?:\w+ )?(?:sunny|cloudy|clear|rainy|raining|warm|cold|hot|mild|nice|likely)|it will rain"
    r"|(?:temperature|it)(?: is|'s) [\w ]*\d+ ?(?:°|degrees)|\d+ ?°|\d+ degrees",
    "@done": r"^(?:sure|okay|ok|done|certainly|of course|yes)"
    r"(?!,? (?:but )?i (?:can't|cannot))|(?:timer|alarm|reminder|call|table|message|order)s? "
    r"(?:is|has been|was|will be) (?:now )?\w+|i(?:'ve| have) (?:set|turned|done)"
    r"|i(?:'ll| will) (?:set|turn|call|do|open|take|look)",
}
"""Parts of rules that several questions share."""


@dataclass(frozen=True, slots=True)
class QualityQuestion:
    """A question, the pattern that a right reply contains, and one that it must not contain.

    Prompts and examples were tuned on the half `tuned`, and not on the half `aside`.
    """

    half: str
    category: str
    question: str
    accepted: str
    forbidden: str

    def is_right(self, reply: str) -> bool:
        """Whether the reply passes both patterns, whatever its case and mark-up."""
        said = re.sub(r"[*_`\"]", "", reply.replace("’", "'").lower())
        said = " ".join(re.sub(r"(?<=\d),(?=\d{3})", "", said).split())
        if self.forbidden and _found(self.forbidden, said):
            return False
        return _found(self.accepted, said)


class QualityAnswer(Struct, frozen=True, kw_only=True):
    """A reply, whether it is right, and the seconds that it took to generate.

    `half`: whether set-ups were tuned on the question (`tuned`), or it was set aside (`aside`).
    """

    half: str
    category: str
    question: str
    seed: int
    reply: str
    right: bool
    seconds: float


class QualityResult(Struct, frozen=True, kw_only=True):
    """All replies of one language model, one for each question and seed, and its system prompt."""

    format: str = FORMAT
    version: int = VERSION
    slm: str
    system_prompt: str
    answers: tuple[QualityAnswer, ...]


QUALITY_FILE = FileFormat(
    QualityResult,
    FORMAT,
    VERSION,
    noun="result of `edgevoice bench quality`",
    missing="edgevoice bench quality --json FILE",
    newer="use the edgevoice that wrote it, or ask the questions again",
    damaged="ask the questions again",
)


def questions(only: str = "", half: str = "", limit: int = 0) -> list[QualityQuestion]:
    """The questions of a `half` (empty: both), and of the categories that contain `only`; at most
    `limit` of them, sampled evenly; 0: all."""
    text = (files("edgevoice.bench.quality") / "questions.tsv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    read = [QualityQuestion(**row) for row in rows]
    found = [one for one in read if only in one.category and half in ("", one.half)]
    limit = min(limit or len(found), len(found))
    return [found[number * len(found) // limit] for number in range(limit)]


def asked(
    agent: Agent, config: Config, todo: Sequence[QualityQuestion], seed: int
) -> Iterator[QualityAnswer]:
    """The reply to each question, in a conversation of its own; `seed` is that of the agent's
    language model. Raises EngineError."""
    for one in todo:
        began = time.perf_counter()
        history = History(config.slm.system_prompt)
        instruct(history, config, lambda: WALL)
        reply = _written(agent.respond(history.asking(one.question), lambda: False, lambda: True))
        yield QualityAnswer(
            half=one.half,
            seed=seed,
            category=one.category,
            question=one.question,
            reply=reply,
            right=one.is_right(reply),
            seconds=round(time.perf_counter() - began, 3),
        )


def read(path: Path) -> QualityResult:
    """A result that was written. Raises UsageError where it is none, or a newer one's."""
    return QUALITY_FILE.read(path)


def _written(reply: Iterable[AgentOutput]) -> str:
    """The text of a reply, without what was taken back."""
    text = ""
    for item in reply:
        match item:
            case Token():
                text += item.text
            case Drafted():
                item.lasts = item.seconds
            case ReplyRevision():
                item.kept, text = item.start, text[: item.start]
    return text.strip()


def _found(pattern: str, text: str) -> bool:
    """Whether whole words or whole numbers of `text` match `pattern`."""
    for name, meaning in PATTERNS.items():
        pattern = pattern.replace(name, meaning)
    return re.search(rf"(?<![\w.])(?:{pattern})(?!\w|[.:]\d)", text) is not None
