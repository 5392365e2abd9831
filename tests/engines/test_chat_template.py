"""Chat templates of the kinds that models bring along."""

from __future__ import annotations

import pytest

from edgevoice.engines.chat_template import ChatTemplate, TemplateRefused
from edgevoice.stages import Message

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PHI3 = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') %}"
    "{{'<|user|>' + '\\n' + message['content'] + '<|end|>' + '\\n' + '<|assistant|>' + '\\n'}}"
    "{% elif (message['role'] == 'assistant') %}{{message['content'] + '<|end|>' + '\\n'}}"
    "{% endif %}{% endfor %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate') }}{% endif %}"
    "<start_of_turn>{{ 'model' if message['role'] == 'assistant' else message['role'] }}\n"
    "{{ message['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
SYSTEM = Message("system", "Be brief.")
ASKED = Message("user", "Why?")


def test_a_template_that_knows_the_system_role_gets_it() -> None:
    """Messages go in as they are and the text ends where the reply begins."""
    assert ChatTemplate(CHATML).render([SYSTEM, ASKED]) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_a_template_that_ignores_the_system_role_gets_it_in_front_of_the_question() -> None:
    """Phi-3's first template drops system messages silently; the text is kept all the same."""
    assert ChatTemplate(PHI3, "<s>").render([SYSTEM, ASKED]) == (
        "<s><|user|>\nBe brief.\n\nWhy?<|end|>\n<|assistant|>\n"
    )


def test_a_template_that_refuses_the_system_role_gets_it_in_front_of_the_question() -> None:
    """Gemma raises on a system message; only the first question carries the text."""
    rendered = ChatTemplate(GEMMA, "<bos>").render(
        [SYSTEM, ASKED, Message("assistant", "Because."), Message("user", "Of what?")]
    )
    assert rendered.startswith("<bos><start_of_turn>user\nBe brief.\n\nWhy?<end_of_turn>")
    assert rendered.endswith("user\nOf what?<end_of_turn>\n<start_of_turn>model\n")
    assert rendered.count("Be brief.") == 1


def test_a_system_prompt_alone_is_rendered_too() -> None:
    """Before the first question there is nobody to carry the system text: it stands alone."""
    assert "Be brief." in ChatTemplate(GEMMA, "<bos>").render([SYSTEM])


def test_questions_in_a_row_become_one_where_roles_must_alternate() -> None:
    """A question that was never answered does not make a strict template refuse the next."""
    rendered = ChatTemplate(GEMMA).render([Message("user", "One."), Message("user", "Two.")])
    assert "One.\n\nTwo." in rendered
    assert ChatTemplate(CHATML).render([ASKED, ASKED]).count("<|im_start|>user") == 2


def test_a_template_cannot_reach_the_machine() -> None:
    """Templates come with downloaded files: they run in a sandbox."""
    reaching = "{{ messages.__class__.__mro__[1].__subclasses__() }}" + CHATML
    with pytest.raises(TemplateRefused):
        ChatTemplate(reaching)


@pytest.mark.parametrize("source", ["{% for %}", "{{ raise_exception('no') }}", "nothing"])
def test_a_template_that_renders_no_question_is_refused(source: str) -> None:
    """Broken, refusing and empty templates are found out when the model is loaded."""
    with pytest.raises(TemplateRefused):
        ChatTemplate(source)
