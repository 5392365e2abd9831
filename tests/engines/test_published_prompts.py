"""Chat templates give the prompts that the publishers' model cards show, to the character."""

from __future__ import annotations

import pytest

from edgevoice.engines.chat_template import ChatTemplate
from edgevoice.models.shape_table import ARCHITECTURES
from edgevoice.protocols import ChatMessage

KNIGHT = "How to explain Internet for a medieval knight?"
HELPFUL = "You are a helpful assistant."
PHI35 = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + message['content'] }}"
    "{{ '<|end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
PHI4 = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] }}"
    "{{ '<|end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def template(name: str) -> str:
    """The template of a synthetic model, which is its publisher's."""
    return ARCHITECTURES[name].tokenizer.template


@pytest.mark.parametrize(
    ("source", "marks", "said", "prompt"),
    [
        pytest.param(
            PHI35,
            ("", ""),
            [HELPFUL, KNIGHT],
            f"<|system|>\n{HELPFUL}<|end|>\n<|user|>\n{KNIGHT}<|end|>\n<|assistant|>\n",
            id="Phi-3 and Phi-3.5",
        ),
        pytest.param(
            PHI4,
            ("", ""),
            [HELPFUL, KNIGHT],
            f"<|system|>{HELPFUL}<|end|><|user|>{KNIGHT}<|end|><|assistant|>",
            id="Phi-4-mini",
        ),
        # The card has a blank after </s>; the template beside it, which is used, has none.
        *(
            pytest.param(
                template(name),
                ("<s>", "</s>"),
                ["", "What is your favourite condiment?", "Lemon juice.", "And mayonnaise?"],
                "<s>[INST] What is your favourite condiment? [/INST]Lemon juice.</s>"
                "[INST] And mayonnaise? [/INST]",
                id=name,
            )
            for name in ("mistral-7b", "mixtral-8x7b")
        ),
        pytest.param(
            template("llama-2-7b"),
            ("<s>", "</s>"),
            ["Be honest.", "There's a llama in my garden.", "Oh.", "What should I do?"],
            "<s>[INST] <<SYS>>\nBe honest.\n<</SYS>>\n\nThere's a llama in my garden. [/INST] Oh. "
            "</s><s>[INST] What should I do? [/INST]",
            id="llama-2-7b",
        ),
        pytest.param(
            template("llama-3-8b"),
            ("<|begin_of_text|>", "<|eot_id|>"),
            [HELPFUL, "What is 2+2?"],
            f"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n{HELPFUL}<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nWhat is 2+2?<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
            id="llama-3-8b",
        ),
        pytest.param(
            template("starling-7b"),
            ("<s>", "</s>"),
            ["", "Hello", "Hi", "How are you today?"],
            "<s>GPT4 Correct User: Hello<|end_of_turn|>GPT4 Correct Assistant: Hi<|end_of_turn|>"
            "GPT4 Correct User: How are you today?<|end_of_turn|>GPT4 Correct Assistant:",
            id="starling-7b",
        ),
        *(
            pytest.param(
                template(name),
                ("<bos>", "<eos>"),
                ["", "Write a hello world program"],
                "<bos><start_of_turn>user\nWrite a hello world program<end_of_turn>\n"
                "<start_of_turn>model\n",
                id=name,
            )
            for name in ("gemma-7b", "gemma-2-2b")
        ),
        pytest.param(
            template("minicpm-2b"),
            ("<s>", "</s>"),
            ["", "what is AI?"],
            "<用户>what is AI?<AI>",
            id="minicpm-2b",
        ),
    ],
)
def test_a_conversation_is_rendered_as_the_model_card_shows_it(
    source: str, marks: tuple[str, str], said: list[str], prompt: str
) -> None:
    """`said` are the system prompt, which may be empty, and then questions and replies in turn."""
    system, *rest = said
    messages = [ChatMessage("system", system)] if system else []
    for number, text in enumerate(rest):
        messages.append(ChatMessage("assistant" if number % 2 else "user", text))
    assert ChatTemplate(source, *marks).render(messages) == prompt
