"""What the model is told of the conversation so far."""

from __future__ import annotations

from collections.abc import Sequence

from edgevoice.history import History
from edgevoice.stages import Message


def words(messages: Sequence[Message]) -> int:
    return sum(len(m.text.split()) for m in messages)


def test_a_prompt_extends_the_messages_remembered() -> None:
    """Everything remembered is a prefix of the next prompt, so that the KV cache can be kept."""
    history = History("Be brief.")
    history.remember("hello", "Hi.")
    assert history.asking("how are you")[: len(history.messages)] == history.messages


def test_a_question_without_an_answer_is_joined_to_the_next() -> None:
    """Templates want user and assistant in turn: two questions in a row are one message."""
    history = History("")
    history.remember("what is the weather", "")
    assert history.asking("in paris") == [Message("user", "what is the weather in paris")]


def test_the_tokens_of_a_whole_reply_are_kept_with_it() -> None:
    """Ids the model made go back to it verbatim."""
    history = History("")
    history.remember("hello", "Hi.", [7, 8])
    assert history.messages[-1].tokens == (7, 8)


def test_clearing_leaves_the_system_prompt_alone() -> None:
    """A new conversation begins with the same instructions."""
    history = History("Be brief.")
    history.remember("hello", "Hi.")
    history.clear()
    assert history.messages == [Message("system", "Be brief.")]


def test_trimming_goes_to_half_the_room_and_starts_with_the_user() -> None:
    """One large cut, whole exchanges, and the first message left is the user's."""
    history = History("s")
    for n in range(20):
        history.remember(f"question {n}", "two words")
    assert history.trim("next", words, 60) > 0
    assert words(history.asking("next")) <= 30
    assert history.messages[1].role == "user"
    assert history.trim("next", words, 60) == 0


def test_a_conversation_that_fits_is_not_trimmed() -> None:
    """Nothing is forgotten while there is room."""
    history = History("s")
    history.remember("question", "answer")
    assert history.trim("next", words, 60) == 0
    assert len(history.messages) == 3
