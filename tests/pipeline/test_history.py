"""What the model is told of the conversation so far."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from edgevoice.history import History, Reply
from edgevoice.protocols import ChatMessage


def words(messages: Sequence[ChatMessage]) -> int:
    return sum(len(m.text.split()) for m in messages)


def test_a_prompt_extends_the_messages_remembered() -> None:
    """Everything remembered is a prefix of the next prompt, so that the KV cache can be kept."""
    history = History("Be brief.")
    history.remember("hello", Reply("Hi."))
    assert history.asking("how are you")[: len(history.messages)] == history.messages


def test_a_question_without_an_answer_is_joined_to_the_next() -> None:
    """Templates want user and assistant in turn: two questions in a row are one message."""
    history = History("")
    history.remember("what is the weather", Reply(""))
    assert history.asking("in paris") == [ChatMessage("user", "what is the weather in paris")]


def test_clearing_leaves_the_system_prompt_alone() -> None:
    """A new conversation begins with the same instructions."""
    history = History("Be brief.")
    history.remember("hello", Reply("Hi."))
    history.clear()
    assert history.messages == [ChatMessage("system", "Be brief.")]


def test_trimming_goes_to_half_the_room_and_starts_with_the_user() -> None:
    """One large cut, whole exchanges, and the first message left is the user's."""
    history = History("s")
    for n in range(20):
        history.remember(f"question {n}", Reply("two words"))
    assert history.trim("next", words, 60) > 0
    assert words(history.asking("next")) <= 30
    assert history.messages[1].role == "user"
    assert history.trim("next", words, 60) == 0


def test_a_conversation_that_fits_is_not_trimmed() -> None:
    """Nothing is forgotten while there is room."""
    history = History("s")
    history.remember("question", Reply("answer"))
    assert history.trim("next", words, 60) == 0
    assert len(history.messages) == 3


def interrupted(heard: str, unheard: str) -> Reply:
    return Reply(heard, unheard, interrupted=True, ended=False)


def test_an_interrupted_reply_is_marked_and_ends_where_it_was_heard() -> None:
    """The model reads a dash there; what is kept beside it is not part of the message."""
    history = History("")
    history.remember("why", interrupted("Because of", " the rain."))
    message = history.messages[-1]
    assert (message.text, message.interrupted) == ("Because of", True)
    assert message.whole == "Because of—"


@pytest.mark.parametrize(
    ("reply", "unfinished"),
    [
        (Reply("All of it."), False),
        (Reply("All of it.", " \n"), False),
        (Reply("Some", " of it.", interrupted=True), True),
        (Reply("", "All of it.", interrupted=True), True),
        (Reply("As long as it may", ended=False), True),
    ],
)
def test_there_is_something_to_go_on_with_if_more_was_or_would_be_written(
    reply: Reply, unfinished: bool
) -> None:
    """Interrupted or too long; not where all that is missing is space."""
    history = History("")
    assert history.unfinished is None
    history.remember("why", reply)
    assert history.unfinished == (reply if unfinished else None)
    history.remember("and where", Reply("There."))
    assert history.unfinished is None


def test_a_reply_that_is_gone_on_with_is_one_message() -> None:
    """Both parts, and the mark only as long as it is not finished."""
    history = History("")
    history.remember("why", interrupted("Because", " of the"))
    assert history.going_on()[-1] == ChatMessage("assistant", "Because of the")
    history.extend(interrupted(" of", " the rain"))
    assert history.messages[1:] == [ChatMessage("assistant", "Because of", interrupted=True)]
    history.extend(Reply(" the rain."))
    assert history.messages == [
        ChatMessage("user", "why"),
        ChatMessage("assistant", "Because of the rain."),
    ]
    assert history.unfinished is None


def test_a_reply_of_which_nothing_was_heard_is_begun_anew() -> None:
    """The question stands alone until something of the reply is heard."""
    history = History("")
    history.remember("why", interrupted("", "Because"))
    assert history.messages == [ChatMessage("user", "why")]
    assert history.going_on() == [ChatMessage("user", "why"), ChatMessage("assistant", "Because")]
    history.extend(Reply("Because of"))
    assert history.messages[-1].text == "Because of"


def test_trimming_keeps_the_reply_that_is_gone_on_with() -> None:
    """However little room there is, its own question and what was heard of it stay."""
    history = History("s")
    for n in range(20):
        history.remember(f"question {n}", Reply("two words"))
    history.remember("why", interrupted("word " * 40, "more"))
    assert history.trim(None, words, 30) == 40
    assert [m.text for m in history.messages] == ["s", "why", "word " * 40]
    assert history.unfinished is not None
    assert history.trim("next", words, 30) == 2
    assert history.unfinished is None


def test_a_conversation_that_is_taken_up_again_can_be_gone_on_with() -> None:
    """A kept conversation whose last reply was interrupted is as good as one's own."""
    history = History("")
    history.clear(
        [ChatMessage("user", "why"), ChatMessage("assistant", "Because", interrupted=True)]
    )
    assert history.unfinished is not None
    assert history.going_on()[-1] == ChatMessage("assistant", "Because")
    history.clear()
    assert history.unfinished is None
