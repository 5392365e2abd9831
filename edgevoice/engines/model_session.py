"""One conversation with a language model: its KV cache, and the ids the model generated in it.

The ids in the KV cache are tracked. A new prompt reuses the longest prefix shared with them. The
model's own replies enter the prompt as the ids it generated: tokenizing their text again may split
it differently and lose the rest of the cache.
"""

from __future__ import annotations

import codecs
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import numpy as np

from edgevoice.engines.cpu_budget import Priority, cores
from edgevoice.engines.llama_native import NativeContext, Sampler
from edgevoice.engines.verbatim import GeneratedReplies, GeneratedReply
from edgevoice.errors import EngineError
from edgevoice.protocols import Cancelled, ChatMessage, Prefilled, Stopped, Token

if TYPE_CHECKING:
    from edgevoice.engines.llama import Llama

INTERVALS = {Priority.URGENT: 0.3, Priority.AHEAD: 0.15, Priority.IDLE: 0.5}
"""Seconds between two checks of `cancelled`: while the user waits, while the user speaks,
otherwise."""
URGENT_TOKENS = 24
"""Tokens of a reply that are urgent: about its first clause."""
CONTINUATIONS = ("? Why", " 1 of them")
"""Two continuations of a question that share no token; they show where its tokens are certain."""


class ModelSession:
    """A LanguageModel on shared weights."""

    def __init__(self, model: Llama) -> None:
        self.context = model.context
        self.seed = model.settings.seed
        self.model = model
        self._adapters: tuple[tuple[Any, float], ...] = ()
        self._variant = ""
        """What a stored state depends on besides the model."""
        self._kv: list[int] = []
        self._replies = GeneratedReplies(model.native.piece)
        self._logits_valid = False
        """Whether the newest logits are those after the last id in the cache."""
        self._evicted = False
        """Whether the cache was taken away since it was filled."""

    def use_adapters(self, specs: Sequence[str]) -> None:
        """Answer with these LoRA adapters from now on, on the same weights.

        `specs` is slm.adapters. Raises ModelError.
        """
        with cores.turn(self, Priority.URGENT):
            self._adapters, self._variant = self.model.adapters(specs)
        with self._turn(Priority.URGENT) as native:
            native.clear()
            self._kv.clear()
            self._logits_valid = False

    def prime(self, messages: Sequence[ChatMessage], cancelled: Cancelled) -> int:
        """Evaluate the tokens that every continuation of `messages` starts with.

        A last message of the user counts as the beginning of a question: its words are evaluated,
        but not the end of the message. Otherwise the prompt is evaluated up to the next question.
        Further tokens in the cache stay. Returns how many of these tokens the cache holds; fewer
        than all if cancelled.
        """
        user_speaks = bool(messages) and messages[-1].role == "user"
        shared = self._shared_prefix(messages)
        self._restore_state(messages)
        if len(shared) < self.context and _common(self._kv, shared) < len(shared):
            ahead = user_speaks or self._evicted
            self._evaluate(shared, cancelled, Priority.AHEAD if ahead else Priority.IDLE)
        if not user_speaks:
            self._save_state(messages)
        return _common(self._kv, shared)

    def reply(
        self, messages: Sequence[ChatMessage], cancelled: Cancelled
    ) -> Iterator[Prefilled | Token | Stopped]:
        """Evaluate the new part of the prompt, then generate tokens until the model ends its turn.

        A last message of the assistant is continued. The iterator may be abandoned at any token.
        Raises EngineError if the prompt does not fit the context.
        """
        native, settings = self.model.native, self.model.settings
        ids = self.prompt(messages)
        if len(ids) >= self.context:
            raise EngineError(
                f"the conversation takes {len(ids)} tokens, the context window {self.context}",
                remedy="begin a new conversation, shorten slm.system_prompt, or raise slm.context",
            )
        self._restore_state(messages)
        reused = self._evaluate(ids, cancelled, Priority.URGENT)
        if reused is None:
            yield Stopped("cancelled")
            return
        yield Prefilled(len(ids), reused)
        sampler = Sampler(settings.temperature, self.seed)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        generated = self._replies.begin(self._opening(messages))
        goes_on = bool(messages) and messages[-1].role == "assistant"
        opened = "" if goes_on else self.model.opened
        for count in range(settings.max_tokens):
            urgent = count < URGENT_TOKENS
            token = self._next(
                ids, sampler, cancelled, Priority.URGENT if urgent else Priority.AHEAD
            )
            if token is None:
                yield Stopped("cancelled")
                return
            if native.ends(token):
                yield Stopped("stop")
                return
            text = decoder.decode(native.piece(token))
            generated.add(token, text)
            yield Token(opened + text)
            opened = ""
            ids.append(token)
            if len(ids) > self.context:
                break
        yield Stopped("length")

    def probabilities(
        self, messages: Sequence[ChatMessage], cancelled: Cancelled
    ) -> list[tuple[str, float]]:
        """The tokens of the last message, the assistant's, and the probability in [0, 1] that the
        model would have given each of them; fewer if cancelled."""
        ids = self.prompt(messages)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        first = _common(self.prompt(messages[:-1]), ids)
        found: list[tuple[str, float]] = []
        while (number := first + len(found)) < len(ids) and not cancelled():
            with self._turn(Priority.URGENT) as native:
                # The logits after an id are known only in the batch that evaluates it.
                start = self._keep(native, ids[: number - 1])
                self._append(native, ids[start : start + native.batch], logits_of_each=True)
                for token in ids[number : len(self._kv) + 1]:
                    logits = native.logits(first + len(found) - 1 - start)
                    weights = np.exp(logits - logits.max())
                    text = decoder.decode(self.model.native.piece(token))
                    found.append((text, float(weights[token] / weights.sum())))
        return found

    def seconds(self, prompt: int, reply: int) -> float:
        """Expected seconds to evaluate `prompt` tokens at once and then generate `reply` tokens, as
        measured so far; 0 if nothing was measured."""
        return self.model.seconds(prompt) + reply * self.model.seconds(1)

    def prompt(self, messages: Sequence[ChatMessage]) -> list[int]:
        """The token ids of the prompt for `messages`, the opening of the reply included.

        Replies keep the ids they were generated with, as far as these spell the text that was
        heard. Raises EngineError for messages that the template refuses.
        """
        return self.model.prompt(messages, self._replies)

    def count(self, messages: Sequence[ChatMessage]) -> int:
        """Tokens of the prompt for `messages`, the opening of the reply included."""
        return len(self.prompt(messages))

    def evicted(self) -> None:
        """The cache now belongs to another session."""
        self._kv.clear()
        self._logits_valid, self._evicted = False, True

    def close(self) -> None:
        """Free the KV cache."""
        with cores.turn(self, Priority.URGENT):
            self.model.caches.give_back(self)

    @contextmanager
    def _turn(self, priority: Priority) -> Iterator[NativeContext]:
        """The session's turn to compute, with its KV cache."""
        with cores.turn(self, priority):
            native = self.model.caches.of(self)
            native.use_adapters(self._adapters)
            yield native

    def _choose(self, native: NativeContext, sampler: Sampler) -> int:
        """The next id; called once for each token of a reply."""
        return native.sample(sampler)

    def _next(
        self, ids: Sequence[int], sampler: Sampler, cancelled: Cancelled, priority: Priority
    ) -> int | None:
        """The token after `ids`, of which at most the last is not in the cache; None if cancelled.

        If the cache was taken away, all of them are evaluated again.
        """
        while not cancelled():
            with self._turn(priority) as native:
                if self._logits_valid and len(self._kv) == len(ids) - 1:
                    self._append(native, ids[-1:])
                if self._logits_valid and len(self._kv) == len(ids):
                    return self._choose(native, sampler)
            self._evaluate(ids, cancelled, priority)
        return None

    def _opening(self, messages: Sequence[ChatMessage]) -> GeneratedReply:
        """What the reply continues: nothing, or a last message of the assistant."""
        if messages[-1].role != "assistant":
            return GeneratedReply()
        text = messages[-1].text
        own, chars = self._replies.spelled(text)
        return GeneratedReply(text, [*own, *self.model.tokenize(text[chars:], first=False)])

    def _shared_prefix(self, messages: Sequence[ChatMessage]) -> list[int]:
        """The ids that every continuation of `messages` starts with."""
        before, begun = messages, ChatMessage("user", "")
        if messages and messages[-1].role == "user":
            before, begun = messages[:-1], messages[-1]
        one, other = (
            self.prompt([*before, replace(begun, text=(begun.text.rstrip() + more).strip())])
            for more in CONTINUATIONS
        )
        return one[: _common(one, other)]

    def _restore_state(self, messages: Sequence[ChatMessage]) -> None:
        """If the cache is empty, load the stored state of what every conversation begins with."""
        stored = self.model.prompt_cache
        if stored and not self._kv and (opening := _opening(messages)):
            start = self._shared_prefix(opening)
            state = stored.state(start, self._variant)
            if state is not None:
                with self._turn(Priority.URGENT) as native:
                    if native.restore(state):
                        self._kv = start

    def _save_state(self, messages: Sequence[ChatMessage]) -> None:
        """Store the cache on disk if it holds nothing of a conversation."""
        stored = self.model.prompt_cache
        if stored and messages and _opening(messages) == list(messages):
            start = self._shared_prefix(messages)
            if self._kv == start and not stored.has(start, self._variant):
                with self._turn(Priority.IDLE) as native:
                    state = native.state() if self._kv == start else None
                if state is not None:
                    stored.keep(start, state, self._variant)

    def _evaluate(self, ids: Sequence[int], cancelled: Cancelled, priority: Priority) -> int | None:
        """Make the KV cache hold just `ids`, with the logits after the last of them.

        Checks `cancelled` about every `INTERVALS[priority]` seconds. Returns how many ids were
        reused, or None if cancelled.
        """
        reused: int | None = None
        sizes: list[int] = []
        threads = 0
        have = -1
        while have < len(ids):
            if priority is Priority.AHEAD and self.model.settings.adapt_threads:
                # Another thread would delay the transcriber more than it speeds up the prefill.
                cores.wait_for_one(cancelled)
            with self._turn(priority) as native:
                have = self._keep(native, ids)
                reused = have if reused is None else reused
                if have == len(ids):
                    break
                if cancelled():
                    return None
                before, threads = threads, self.model.threads()
                if sum(sizes) != len(ids) - have or threads != before:
                    idle = priority is Priority.IDLE
                    sizes = self.model.batches(len(ids) - have, INTERVALS[priority], idle)
                self._append(native, ids[have : have + sizes.pop(0)])
                have = len(self._kv)
        self._evicted = False
        return reused

    def _keep(self, native: NativeContext, ids: Sequence[int]) -> int:
        """Remove from the cache what is not the beginning of `ids`, and return what is left.

        One id less than all if its logits are unknown: only evaluating it gives them.
        """
        reused = _common(self._kv, ids)
        if reused == len(ids) and not (self._logits_valid and len(self._kv) == reused):
            reused -= 1
        if reused < len(self._kv):
            self._logits_valid = False
            if not native.truncate(reused):  # a recurrent model cannot
                native.clear()
                reused = 0
            del self._kv[reused:]
        return reused

    def _append(
        self, native: NativeContext, ids: Sequence[int], logits_of_each: bool = False
    ) -> None:
        threads = self.model.threads()
        native.use_threads(threads)
        size = self.model.padded(len(ids), threads, self.context - len(self._kv))
        began = time.perf_counter()
        try:
            native.evaluate(ids, logits_of_each, size)
        except EngineError:
            # After a failure the content of the cache is unknown.
            native.clear()
            self._kv.clear()
            self._logits_valid = False
            raise
        self._kv += ids
        self._logits_valid = True
        if not logits_of_each:
            self.model.note(threads, size, time.perf_counter() - began)


def _opening(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """What every conversation begins with: the system prompt and the examples."""
    return list(takewhile(lambda message: message.role == "system" or message.example, messages))


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many ids two sequences share at their beginning."""
    length = min(len(one), len(other))
    return next((i for i in range(length) if one[i] != other[i]), length)
