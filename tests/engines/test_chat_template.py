"""Chat templates of the kinds that models bring along."""

from __future__ import annotations

import pytest

from edgevoice.engines.chat_template import ChatTemplate, TemplateRefused
from edgevoice.protocols import ChatMessage

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
SYSTEM = ChatMessage("system", "Be brief.")
ASKED = ChatMessage("user", "Why?")


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
        [SYSTEM, ASKED, ChatMessage("assistant", "Because."), ChatMessage("user", "Of what?")]
    )
    assert rendered.startswith("<bos><start_of_turn>user\nBe brief.\n\nWhy?<end_of_turn>")
    assert rendered.endswith("user\nOf what?<end_of_turn>\n<start_of_turn>model\n")
    assert rendered.count("Be brief.") == 1


def test_a_system_prompt_alone_is_rendered_too() -> None:
    """Before the first question there is nobody to carry the system text: it stands alone."""
    assert "Be brief." in ChatTemplate(GEMMA, "<bos>").render([SYSTEM])


def test_questions_in_a_row_become_one_where_roles_must_alternate() -> None:
    """A question that was never answered does not make a strict template refuse the next."""
    rendered = ChatTemplate(GEMMA).render(
        [ChatMessage("user", "One."), ChatMessage("user", "Two.")]
    )
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


@pytest.mark.parametrize(
    "source",
    [
        "{{ range(10**9) }}",
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}{{ m(60) }}",
        "{% for m in messages recursive %}{{ loop([m, m]) }}{% endfor %}",
        "{% block x %}{{ self.x() }}{% endblock %}",
        "{{ 'a' * 10**9 }}",
        "{{ 9**9**9 }}",
        "{{ 'a'.center(10**9) }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ '{:{}}'.format(1, 10**9) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%*d' % (1000000000, 1) }}",
        "{{ '\\ta'.expandtabs(1000000000) }}",
        "{{ 'a' | indent(1000000000, true) }}",
        "{{ messages | tojson(indent=1000000000) }}",
        "{{ [1] | slice(1000000000) | list }}",
        "{{ range(99999) | join('a' * 1000) }}",
        "{% for i in range(99999) %}{{ 'a' * 1000 }}{% endfor %}",
    ],
    ids=str,
)
def test_a_template_that_wants_too_much_is_refused(source: str) -> None:
    """Endless work, endless nesting and endless text end at a limit."""
    with pytest.raises(TemplateRefused, match="wants too much"):
        ChatTemplate(source + CHATML)


@pytest.mark.parametrize(
    "more",
    [
        "ns.x ~ ns.x",
        "ns.x + ns.x",
        "[ns.x, ns.x]",
        "[ns.x, ns.x] | join",
        "ns.x | replace('a', 'aa')",
        "ns.x.replace('a', 'aa')",
        "{'a': ns.x, 'b': ns.x}",
        "dict(a=ns.x, b=ns.x)",
    ],
)
def test_a_value_that_doubles_is_refused(more: str) -> None:
    """However a template puts values together, none grows without end."""
    source = (
        "{% set ns = namespace(x='a') %}{% for i in range(60) %}{% set ns.x = "
        + more
        + " %}{% endfor %}{{ ns.x }}"
    )
    with pytest.raises(TemplateRefused, match="wants too much"):
        ChatTemplate(source + CHATML)


BROKEN = [
    5,
    None,
    b"bytes",
    "a" * (1 << 20),
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{% if 1 %}" * 5000 + "{% endif %}" * 5000,
    "{% for x in [1] %}" * 50 + "{% endfor %}" * 50,
    "{{ " + "+".join("1" * 5000) + " }}",
    "{{ 1 / 0 }}",
    "{{ x | nosuch }}",
    "{{ nosuch() }}",
    "{{ messages is nosuch }}",
    "{% include 'x' %}",
    "{% extends 'x' %}",
    "{{ messages + 'a' }}",
    "{{ messages[5].content.x }}",
    "{% for x in 5 %}{% endfor %}",
    "{{ raise_exception() }}",
    "{% break %}",
    "{{ messages.append(1) }}",
    "{{ lipsum(n=100000) }}",
    "{{ messages | sort }}",
    "{{ namespace(**messages) }}",
    "{{ 'x' | round }}",
    "{{ strftime_now() }}",
]


@pytest.mark.parametrize("source", BROKEN, ids=[repr(each)[:40] for each in BROKEN])
def test_every_other_failure_of_a_template_is_a_refusal(source: object) -> None:
    """What is no text, no template, too deep or of a wrong type gives the one error."""
    with pytest.raises(TemplateRefused):
        ChatTemplate(source + CHATML if isinstance(source, str) else source)


def test_a_template_that_renders_no_second_question_is_refused() -> None:
    """One question is no conversation: a failure at the first reply is found beforehand."""
    with pytest.raises(TemplateRefused):
        ChatTemplate("{{ raise_exception('no') if messages | length > 2 }}" + CHATML)
    with pytest.raises(TemplateRefused, match="conversation"):
        ChatTemplate("{{ messages[:2] }}")


def test_reasoning_that_the_template_opens_is_known() -> None:
    """The model then writes only its end, and what stands before that is not for the user."""
    assert ChatTemplate(CHATML).opened == ""
    assert ChatTemplate(CHATML + "<think>\n").opened == "<think>"


def test_the_marks_of_training_are_rendered_through() -> None:
    """`generation` marks what the assistant wrote; a prompt holds its text and no more."""
    marked = CHATML.replace(
        "{{ message['content'] }}", "{% generation %}{{ message['content'] }}{% endgeneration %}"
    )
    assert ChatTemplate(marked).render([SYSTEM, ASKED]) == ChatTemplate(CHATML).render(
        [SYSTEM, ASKED]
    )


def test_what_templates_use_works_as_in_jinja() -> None:
    """Loops know their place and length, and filters, methods and macros give what they do."""
    source = (
        "{% macro row(m, last) %}{{ m.role | upper }}={{ m['content'].strip() ~ ';' }}"
        "{{ '' if last else ' ' }}{% endmacro %}{% set ns = namespace(n=0) %}"
        "{% for m in messages %}{% set ns.n = ns.n + 1 %}{{ row(m, loop.last) }}"
        "{{ loop.index ~ '/' ~ loop.length }}{% endfor %}"
        "{{ ['a', 'b'] | join('-') }}{{ 'x %s' % 'y' }}{{ '{}{:>3}'.format('p', 7) }}"
        "{{ 'l\nm' | indent(2) }}{{ {'k': [1, 'é']} | tojson }}{{ 'aXb'.split('X')[-1] }}"
        "{{ 'a-b' | replace('-', '+') }}{{ messages[::-1][0].role }}{{ ns.n }}"
    )
    assert ChatTemplate(source).render([SYSTEM, ASKED]) == (
        'SYSTEM=Be brief.; 1/2USER=Why?;2/2a-bx yp  7l\n  m{"k": [1, "é"]}ba+buser2'
    )
