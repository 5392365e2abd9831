"""The models that can be made as synthetic models: all dimensions that decide a token's cost.

Dimensions are those of the publisher's config.json; llama.cpp turned them into the tensors that
shape_layout.py lists. Chat templates are the publisher's, and so are the sizes to compare with.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PHI3, LLAMA, GEMMA, GEMMA2, MINICPM = "phi3", "llama", "gemma", "gemma2", "minicpm"
"""llama.cpp's names of the families."""


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """The tokenizer of a published model, truncated or padded to another model's vocabulary size.

    `renamed` are control tokens that the chat template needs, by id. A short vocabulary is padded
    with unused tokens. Without `template` the vocabulary's own is used; `eos` -1 keeps its own
    end-of-text token.
    """

    file: str
    origin: str
    licence: str
    template: str = ""
    eos: int = -1
    renamed: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Architecture:
    """A model's dimensions in elements, and its published file.

    `head` is the width of one attention head, `extra` are further header values of its family.
    `published` is the size in bytes of the Q4_K_M file called `published_as`, 0 if unknown.
    `parameters` counts all weights, the embedding once.
    """

    name: str
    title: str
    family: str
    blocks: int
    width: int
    feed_forward: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    context: int
    epsilon: float
    rope_base: float
    tokenizer: Tokenizer
    source: str
    published: int = 0
    published_as: str = ""
    parameters: int = 0
    tied: bool = False
    """Whether the embedding is also the output matrix."""
    extra: dict[str, float | int] = field(default_factory=dict)
    whole: int = 0
    """The blocks of the real model, if this one has fewer of them: then times are extrapolated."""

    @property
    def experts(self) -> int:
        """Feed-forward networks in each block, of which a router chooses some; 0: a single one."""
        return int(self.extra.get("expert_count", 0))

    @property
    def model(self) -> str:
        """The synthetic model's name in the catalog."""
        return f"shape-{self.name}"


_MISTRAL = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}"
    "{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}"
    "{% endif %}{% endfor %}"
)
_LLAMA2 = (
    "{% set first = namespace(text='') %}{% for message in messages %}"
    "{% if message['role'] == 'system' %}"
    "{% set first.text = '<<SYS>>\n' + message['content'] + '\n<</SYS>>\n\n' %}"
    "{% elif message['role'] == 'user' %}"
    "{{ bos_token + '[INST] ' + first.text + message['content'] + ' [/INST]' }}"
    "{% set first.text = '' %}"
    "{% else %}{{ ' ' + message['content'] + ' ' + eos_token }}{% endif %}{% endfor %}"
)
_OPENCHAT = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] + '<|end_of_turn|>' }}{% else %}"
    "{{ 'GPT4 Correct ' + message['role'] | capitalize + ': ' + message['content'] }}"
    "{{ '<|end_of_turn|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'GPT4 Correct Assistant:' }}{% endif %}"
)
_LLAMA3 = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}"
    "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
    " + message['content'] | trim + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}"
    "{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
_GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}"
    "{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}"
    "{% else %}{% set role = message['role'] %}{% endif %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
)
_MINICPM = (
    "{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{'<用户>' + message['content'].strip() + '<AI>'}}"
    "{% else %}{{message['content'].strip()}}{% endif %}{% endfor %}"
)

_ALL = (
    Architecture(
        name="phi-3-mini",
        title="Phi-3 mini 4k instruct, 3.8 B",
        family=PHI3,
        blocks=32,
        width=3072,
        feed_forward=8192,
        heads=32,
        kv_heads=32,
        head=96,
        vocabulary=32_064,
        context=4096,
        epsilon=1e-5,
        rope_base=10_000.0,
        tokenizer=Tokenizer("ggml-vocab-phi-3.gguf", "its own", "MIT"),
        source="microsoft/Phi-3-mini-4k-instruct",
        published=2_393_231_072,
        published_as="microsoft/Phi-3-mini-4k-instruct-gguf, Phi-3-mini-4k-instruct-q4.gguf",
        parameters=3_821_079_552,
        extra={"rope.scaling.original_context_length": 4096},
    ),
    Architecture(
        name="mistral-7b",
        title="Mistral 7B instruct v0.2",
        family=LLAMA,
        blocks=32,
        width=4096,
        feed_forward=14_336,
        heads=32,
        kv_heads=8,
        head=128,
        vocabulary=32_000,
        context=32_768,
        epsilon=1e-5,
        rope_base=1_000_000.0,
        tokenizer=Tokenizer(
            "ggml-vocab-llama-spm.gguf", "Llama 2's, of the same size", "Llama 2", _MISTRAL
        ),
        source="mistralai/Mistral-7B-Instruct-v0.2",
        published=4_368_439_584,
        published_as="TheBloke/Mistral-7B-Instruct-v0.2-GGUF, mistral-7b-instruct-v0.2.Q4_K_M.gguf",
        parameters=7_241_732_096,
    ),
    Architecture(
        name="mixtral-8x7b",
        title="Mixtral 8x7B instruct, 8 of 32 blocks",
        family=LLAMA,
        blocks=8,
        width=4096,
        feed_forward=14_336,
        heads=32,
        kv_heads=8,
        head=128,
        vocabulary=32_000,
        context=32_768,
        epsilon=1e-5,
        rope_base=1_000_000.0,
        tokenizer=Tokenizer(
            "ggml-vocab-llama-spm.gguf", "Llama 2's, of the same size", "Llama 2", _MISTRAL
        ),
        source="mistralai/Mixtral-8x7B-Instruct-v0.1",
        parameters=11_872_309_248,
        extra={"expert_count": 8, "expert_used_count": 2},
        whole=32,
    ),
    Architecture(
        name="starling-7b",
        title="Starling LM 7B alpha",
        family=LLAMA,
        blocks=32,
        width=4096,
        feed_forward=14_336,
        heads=32,
        kv_heads=8,
        head=128,
        vocabulary=32_002,
        context=8192,
        epsilon=1e-5,
        rope_base=10_000.0,
        tokenizer=Tokenizer(
            "ggml-vocab-llama-spm.gguf",
            "Llama 2's 32,000 tokens, filled with the two control tokens of its own",
            "Llama 2",
            _OPENCHAT,
            eos=32_000,
            renamed={32_000: "<|end_of_turn|>"},
        ),
        source="berkeley-nest/Starling-LM-7B-alpha",
        parameters=7_241_748_480,
    ),
    Architecture(
        name="llama-2-7b",
        title="Llama 2 7B chat",
        family=LLAMA,
        blocks=32,
        width=4096,
        feed_forward=11_008,
        heads=32,
        kv_heads=32,
        head=128,
        vocabulary=32_000,
        context=4096,
        epsilon=1e-5,
        rope_base=10_000.0,
        tokenizer=Tokenizer("ggml-vocab-llama-spm.gguf", "its own", "Llama 2", _LLAMA2),
        source="meta-llama/Llama-2-7b-chat-hf",
        published=4_081_004_224,
        published_as="TheBloke/Llama-2-7B-Chat-GGUF, llama-2-7b-chat.Q4_K_M.gguf",
        parameters=6_738_415_616,
    ),
    Architecture(
        name="llama-3-8b",
        title="Llama 3 8B instruct",
        family=LLAMA,
        blocks=32,
        width=4096,
        feed_forward=14_336,
        heads=32,
        kv_heads=8,
        head=128,
        vocabulary=128_256,
        context=8192,
        epsilon=1e-5,
        rope_base=500_000.0,
        tokenizer=Tokenizer(
            "ggml-vocab-llama-bpe.gguf", "its own", "Llama 3", _LLAMA3, eos=128_009
        ),
        source="meta-llama/Meta-Llama-3-8B-Instruct",
        published=4_920_734_272,
        published_as="bartowski/Meta-Llama-3-8B-Instruct-GGUF, "
        "Meta-Llama-3-8B-Instruct-Q4_K_M.gguf",
        parameters=8_030_261_248,
    ),
    Architecture(
        name="gemma-7b",
        title="Gemma 7B it",
        family=GEMMA,
        blocks=28,
        width=3072,
        feed_forward=24_576,
        heads=16,
        kv_heads=16,
        head=256,
        vocabulary=256_000,
        context=8192,
        epsilon=1e-6,
        rope_base=10_000.0,
        tokenizer=Tokenizer(
            "ggml-vocab-gemma-4.gguf",
            "Gemma 4's without its last 6,144 tokens, which are unused or stand for media",
            "Apache-2.0",
            _GEMMA,
            renamed={105: "<start_of_turn>", 106: "<end_of_turn>"},
        ),
        source="google/gemma-7b-it",
        parameters=8_537_680_896,
        tied=True,
    ),
    Architecture(
        name="gemma-2-2b",
        title="Gemma 2 2B it",
        family=GEMMA2,
        blocks=26,
        width=2304,
        feed_forward=9216,
        heads=8,
        kv_heads=4,
        head=256,
        vocabulary=256_000,
        context=8192,
        epsilon=1e-6,
        rope_base=10_000.0,
        tokenizer=Tokenizer(
            "ggml-vocab-gemma-4.gguf",
            "Gemma 4's without its last 6,144 tokens, which are unused or stand for media",
            "Apache-2.0",
            _GEMMA,
            renamed={105: "<start_of_turn>", 106: "<end_of_turn>"},
        ),
        source="google/gemma-2-2b-it",
        published=1_708_582_752,
        published_as="bartowski/gemma-2-2b-it-GGUF, gemma-2-2b-it-Q4_K_M.gguf",
        parameters=2_614_341_888,
        tied=True,
        extra={
            "attn_logit_softcapping": 50.0,
            "final_logit_softcapping": 30.0,
            "attention.sliding_window": 4096,
        },
    ),
    Architecture(
        name="minicpm-2b",
        title="MiniCPM 2B dpo",
        family=MINICPM,
        blocks=40,
        width=2304,
        feed_forward=5760,
        heads=36,
        kv_heads=36,
        head=64,
        vocabulary=122_753,
        context=4096,
        epsilon=1e-5,
        rope_base=10_000.0,
        tokenizer=Tokenizer(
            "ggml-vocab-llama-spm.gguf",
            "Llama 2's 32,000 tokens, filled with unused ones to its own number",
            "Llama 2",
            _MINICPM,
            renamed={32_000: "<用户>", 32_001: "<AI>"},
        ),
        source="openbmb/MiniCPM-2B-dpo-bf16",
        # 2,442,057,984 without the embedding, by the authors' report (arXiv 2404.06395).
        parameters=2_442_057_984 + 122_753 * 2304,
        tied=True,
        extra={"embedding_scale": 12.0, "residual_scale": 1.4 / 40**0.5, "logit_scale": 256 / 2304},
    ),
)

ARCHITECTURES = {architecture.name: architecture for architecture in _ALL}
"""All models that can be made as synthetic models, by name."""
