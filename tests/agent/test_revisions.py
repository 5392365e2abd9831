"""A reply that is revised while it is spoken: what is heard, and what is remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from edgevoice import events as ev
from edgevoice.protocols import AgentOutput, Cancelled, Committed, ReplyRevision, Token, ToolCall
from edgevoice.scene import Scene
from edgevoice.settings import Config, TtsSettings
from edgevoice.timings import fold
from tests.agent.seam import AgentRehearsal, WordVoice

DRAFT = "The fastest animal on land is the whale, and it swims in the sea. It is grey."
WRONG = DRAFT.index("whale")
RIGHT = "The fastest animal on land is the cheetah, of course."


class Reviser:
    """Writes DRAFT, waits, takes it back from `start` on, and goes on.

    It corrects in words what is out already.
    """

    def __init__(self, show: Callable[[], AgentRehearsal], wait: float, start: int = WRONG) -> None:
        self._show = show
        self._wait = wait
        self._start = start
        self.revision = ReplyRevision(start)

    def script(self, cancelled: Cancelled, committed: Committed) -> Iterator[AgentOutput]:
        """The reply, which waits from the commit on."""
        clock = self._show().clock
        self.revision = ReplyRevision(self._start)
        yield Token(DRAFT)
        if self._wait:
            yield ToolCall("pause", str(self._wait), lambda: "over")
            clock.sleep(self._wait)
        yield self.revision
        if self.revision.kept > self._start:
            yield Token("— no, the ")
        yield Token("cheetah, of course.")


def revised(
    wait: float, start: int = WRONG, *, voice: Callable[[AgentRehearsal], WordVoice] | None = None
) -> tuple[AgentRehearsal, ReplyRevision]:
    """A conversation of one question, whose reply is revised `wait` seconds after its commit."""
    shows: list[AgentRehearsal] = []
    reviser = Reviser(lambda: shows[0], wait, start)
    show = AgentRehearsal(reviser.script)
    shows.append(show)
    if voice is not None:
        show.voice = voice(show)
    show.hear((0.5, "which animal is the fastest", 1.5))
    show.rehearse()
    return show, reviser.revision


def plain(text: str) -> str:
    return " ".join(word.strip(".,;—") for word in text.split() if word.strip(".,;—"))


@pytest.mark.parametrize("wait", [0.0, 0.2, 0.7, 1.2, 1.6])
def test_words_that_are_not_out_are_replaced(wait: float) -> None:
    """Exactly the revised reply is heard and remembered, without any part of the wrong words."""
    show, revision = revised(wait)
    assert revision.kept == WRONG
    assert show.played == plain(RIGHT)
    assert show.heard == [RIGHT]
    assert show.assistant.history.messages[-1].text == RIGHT
    assert [event.start for event in show.all(ev.ReplyRevised)] == [WRONG]


@pytest.mark.parametrize("wait", [2.2, 2.5, 3.0, 4.0])
def test_words_that_are_out_stay_and_are_corrected_in_words(wait: float) -> None:
    """The history keeps the wrong words as heard; the ones after them are not played."""
    show, revision = revised(wait)
    assert WRONG < revision.kept < len(DRAFT)
    whole = DRAFT[: revision.kept] + "— no, the cheetah, of course."
    assert show.played == plain(whole)
    assert show.heard == [whole]
    assert show.assistant.history.messages[-1].text == whole


def test_a_reply_that_is_over_can_only_be_added_to() -> None:
    """A revision after the last word was played finds all of it kept."""
    show, revision = revised(8.0)
    assert revision.kept == len(DRAFT)
    assert show.played == plain(DRAFT + " no the cheetah of course")


@pytest.mark.parametrize("wait", [0.05 * step for step in range(2, 110, 4)])
def test_at_any_time_what_is_remembered_is_what_was_heard(wait: float) -> None:
    """No word is lost, cut short, or played twice, whenever the revision comes."""
    show, revision = revised(wait)
    assert show.played == plain(show.heard[0])
    assert show.heard[0].startswith(DRAFT[: revision.kept].rstrip())
    assert show.heard[0].endswith("cheetah, of course.")


@pytest.mark.parametrize("start", [0, 1, 4, 9, WRONG - 1, WRONG + 2, len(DRAFT) - 3])
@pytest.mark.parametrize("wait", [0.0, 0.7, 2.5])
def test_a_revision_may_begin_at_any_character(start: int, wait: float) -> None:
    """A word that is revised in its middle is spoken anew as a whole, or stays as it was."""
    show, revision = revised(wait, start)
    assert revision.kept >= min(start, len(DRAFT))
    assert show.played == plain(show.heard[0])
    assert show.heard[0].startswith(DRAFT[: revision.kept].rstrip())


@pytest.mark.parametrize("wait", [0.0, 0.1, 0.3, 0.5, 0.9, 1.5, 2.5])
@pytest.mark.parametrize(("rtf", "piece"), [(0.1, 0.25), (0.9, 0.25), (0.9, 60.0)])
def test_a_revision_may_come_while_a_clause_is_synthesized(
    wait: float, rtf: float, piece: float
) -> None:
    """With a voice that makes pieces, slowly: the same holds."""
    show, revision = revised(wait, voice=lambda show: WordVoice(show.clock, rtf=rtf, piece=piece))
    assert show.played == plain(show.heard[0])
    assert show.heard[0].startswith(DRAFT[: revision.kept].rstrip())
    assert show.heard[0].endswith("cheetah, of course.")


@pytest.mark.parametrize("wait", [0.0, 0.1, 0.3, 0.5, 0.9, 1.5, 2.5])
@pytest.mark.parametrize("piece", [0.25, 60.0])
def test_without_word_times_a_clause_that_has_begun_is_finished(wait: float, piece: float) -> None:
    """What is not begun is dropped; what is heard is remembered."""
    show, revision = revised(
        wait, voice=lambda show: WordVoice(show.clock, marks=False, piece=piece)
    )
    assert show.played == plain(show.heard[0])
    assert show.heard[0].startswith(DRAFT[: revision.kept].rstrip())


def test_an_interrupted_revised_reply_is_remembered_as_it_was_heard() -> None:
    """Neither the withdrawn words nor the ones that were not played are kept."""
    shows: list[AgentRehearsal] = []
    reviser = Reviser(lambda: shows[0], 0.7)
    show = AgentRehearsal(reviser.script)
    shows.append(show)
    show.hear((0.5, "which animal is the fastest", 1.5), (6.0, "stop it now please", 1.2))
    show.at(5.8, lambda assistant: assistant.interrupt())
    show.rehearse()
    assert RIGHT.startswith(show.heard[0])
    assert WRONG // 2 < len(show.heard[0]) < len(RIGHT)


def test_the_screen_shows_the_revised_reply() -> None:
    """Its text is that of the history."""
    show, _ = revised(0.7)
    scene = Scene()
    for event in show.events:
        scene.apply(event)
    exchange = scene.exchange(0)
    assert exchange is not None
    assert (exchange.reply, exchange.heard) == (RIGHT, RIGHT)


def test_a_revision_before_the_commit_is_never_heard() -> None:
    """The agent corrects itself while it thinks ahead: the first words are spoken as revised."""

    def script(cancelled: Cancelled, committed: Committed) -> Iterator[AgentOutput]:
        yield Token("It is five. ")
        yield ReplyRevision(0)
        yield Token("It is noon.")

    show = AgentRehearsal(script, Config(tts=TtsSettings(shorten_silence=False)))
    show.hear((0.5, "what time is it", 1.0))
    show.rehearse()
    assert show.played == "It is noon"
    assert show.heard == ["It is noon."]
    (timings,) = fold(show.events)
    assert sum(span.seconds for span in timings.spans) == pytest.approx(timings.response_time)
