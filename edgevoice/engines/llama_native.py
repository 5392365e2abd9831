"""llama.cpp's C interface as one object: a model, a vocabulary, one KV cache and a sampler."""

from __future__ import annotations

import ctypes
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llama_cpp as native
from llama_cpp._ggml import libggml, libggml_base_path

from edgevoice.errors import EngineError
from edgevoice.logs import ENGINES

_messages = logging.getLogger(ENGINES)

RANDOM_SEED = 0xFFFFFFFF
ALL_LAYERS = 99
_CONTROL = native.LLAMA_TOKEN_ATTR_CONTROL | native.LLAMA_TOKEN_ATTR_UNKNOWN
_LEVELS = {2: logging.DEBUG, 3: logging.DEBUG, 4: logging.DEBUG}


@native.llama_log_callback  # type: ignore[untyped-decorator, unused-ignore]
def _to_log(level: int, text: bytes, _: ctypes.c_void_p) -> None:
    # llama.cpp reports details as errors, and native code must not print.
    _messages.debug("%s", text.decode("utf-8", "replace").rstrip())


def _prepare() -> None:
    """Send llama.cpp's messages to our log, and load its code for this processor.

    A portable build has that code in several libraries. Without a folder llama.cpp would also load
    libraries of these names from the current folder. Raises EngineError if none fits.
    """
    native.llama_log_set(_to_log, ctypes.c_void_p(0))
    if not libggml.ggml_backend_reg_count():
        libggml.ggml_backend_load_all_from_path(str(libggml_base_path).encode())
        if not libggml.ggml_backend_reg_count():
            raise EngineError(
                "llama.cpp has no code for this processor",
                where=str(libggml_base_path),
                remedy="pip install --force-reinstall llama-cpp-python",
            )


def gpu_layers(wanted: int) -> int:
    """Layers to put on the GPU; `wanted` = -1 means all if llama.cpp supports a GPU, else none."""
    if wanted >= 0:
        return wanted
    _prepare()
    return ALL_LAYERS if native.llama_supports_gpu_offload() else 0


def version() -> str:
    """The binding's version, and so llama.cpp's; another version may not read stored states."""
    return str(native.__version__)


def build_flags() -> str:
    """The processor features that llama.cpp was built with, as llama.cpp names them."""
    _prepare()
    info: bytes = native.llama_print_system_info() or b""
    return " ".join(info.decode("utf-8", "replace").split())


def _disable_mmap(params: Any) -> None:
    """Read the file into memory instead of mapping it.

    Weights are reordered for the vector units anyway. A mapped file would hold them twice, and the
    system drops the mapped half first when memory is short.
    """
    if hasattr(params, "load_mode"):
        params.load_mode = native.LLAMA_LOAD_MODE_NONE
    else:  # before 0.3.17
        params.use_mmap = False


class NotLoaded(Exception):
    """llama.cpp refused the file or could not make the context."""


class NativeModel:
    """A loaded model with a context of `context` tokens, evaluated at most `batch` at a time."""

    def __init__(self, path: Path, context: int, batch: int, threads: int, layers: int) -> None:
        self._model = self._context = self._sampler = None
        _prepare()
        native.llama_backend_init()
        model_params = native.llama_model_default_params()
        model_params.n_gpu_layers = layers
        if layers == 0:
            _disable_mmap(model_params)
        self._model = native.llama_model_load_from_file(os.fsencode(path), model_params)
        if not self._model:
            raise NotLoaded("llama.cpp cannot read the file")
        params = native.llama_context_default_params()
        params.n_ctx = context
        params.n_batch = params.n_ubatch = batch
        params.n_threads = params.n_threads_batch = threads
        params.no_perf = True
        self._context = native.llama_init_from_model(self._model, params)
        if not self._context:
            self.close()
            raise NotLoaded("there is not enough memory for its context")
        self._vocab = native.llama_model_get_vocab(self._model)
        self.vocabulary = int(native.llama_vocab_n_tokens(self._vocab))
        self._memory = native.llama_get_memory(self._context)
        self._piece = ctypes.create_string_buffer(256)
        self._tokens = (native.llama_token * batch)()
        self._threads = threads
        self.batch = batch
        self.adds_bos = bool(native.llama_vocab_get_add_bos(self._vocab))
        self.bos: int = native.llama_vocab_bos(self._vocab)
        self.eos: int = native.llama_vocab_eos(self._vocab)

    def tokenize(self, text: str, control: bool = True) -> list[int]:
        """Token ids of `text`, nothing added.

        The names of control tokens in it become these tokens, or with `control` off, stay text.
        """
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        while True:
            ids = (native.llama_token * room)()
            count = native.llama_tokenize(self._vocab, data, len(data), ids, room, False, control)
            if count >= 0:
                return list(ids[:count])
            room = -count

    def piece(self, token: int) -> bytes:
        """The bytes of one token; none for a special one. May be part of a UTF-8 character.

        An id that this model does not have gives a byte that no text has.
        """
        if not 0 <= token < self.vocabulary:
            return b"\xff"
        count = native.llama_token_to_piece(
            self._vocab, token, self._piece, len(self._piece), 0, False
        )
        if count < 0:
            self._piece = ctypes.create_string_buffer(-count)
            return self.piece(token)
        return self._piece.raw[:count]

    def control_names(self, text: str) -> set[str]:
        """The names of control tokens that `tokenize` finds in `text`."""
        found = set(self.tokenize(text)) if text else set()
        return {self.name(token) for token in found if self._is_control(token)} - {""}

    def _is_control(self, token: int) -> bool:
        attributes = native.llama_vocab_get_attr(self._vocab, token)
        return bool(attributes & _CONTROL) and not self.piece(token)

    def name(self, token: int) -> str:
        """How a (special) token is written; empty if there is none."""
        if token < 0:
            return ""
        return str((native.llama_vocab_get_text(self._vocab, token) or b"").decode("utf-8"))

    def ends(self, token: int) -> bool:
        """Whether the token ends the model's turn."""
        return bool(native.llama_vocab_is_eog(self._vocab, token))

    def evaluate(self, tokens: Sequence[int]) -> None:
        """Append at most `batch` tokens to the KV cache. After an EngineError call `clear`."""
        count = len(tokens)
        self._tokens[:count] = list(tokens)
        code = native.llama_decode(self._context, native.llama_batch_get_one(self._tokens, count))
        if code:
            raise EngineError(
                f"the language model could not evaluate {count} tokens (llama.cpp says {code})"
            )

    def synchronize(self) -> None:
        """Wait until everything is evaluated; a GPU works on after `evaluate`."""
        native.llama_synchronize(self._context)

    def use_threads(self, threads: int) -> None:
        """Evaluate on so many threads from now on."""
        if threads != self._threads:
            native.llama_set_n_threads(self._context, threads, threads)
            self._threads = threads

    def touch(self) -> None:
        """Use every weight once, so that the first real token finds all of them in memory."""
        native.llama_set_warmup(self._context, True)
        self.evaluate([max(self.bos, 0)])
        native.llama_set_warmup(self._context, False)
        self.clear()

    def state(self) -> bytes:
        """The KV cache as it is."""
        size = native.llama_state_seq_get_size(self._context, 0)
        data = (ctypes.c_uint8 * size)()
        written = native.llama_state_seq_get_data(self._context, data, size, 0)
        return bytes(memoryview(data)[:written])

    def restore(self, state: bytes) -> bool:
        """Put what `state` gave into an empty cache; False, and empty, if it is refused."""
        data = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        if native.llama_state_seq_set_data(self._context, data, len(state), 0):
            return True
        self.clear()
        return False

    def truncate(self, length: int) -> bool:
        """Keep the first `length` tokens of the KV cache; False if this model's cache cannot."""
        return bool(native.llama_memory_seq_rm(self._memory, 0, length, -1))

    def clear(self) -> None:
        """Empty the KV cache."""
        native.llama_memory_clear(self._memory, False)

    def begin_sampling(self, temperature: float, seed: int) -> None:
        """Start a reply: 0 is greedy; otherwise `seed` makes it repeatable, -1 does not."""
        self._free_sampler()
        chain = native.llama_sampler_chain_init(native.llama_sampler_chain_default_params())
        if temperature <= 0:
            native.llama_sampler_chain_add(chain, native.llama_sampler_init_greedy())
        else:
            for sampler in (
                native.llama_sampler_init_top_k(40),
                native.llama_sampler_init_top_p(0.95, 1),
                native.llama_sampler_init_min_p(0.05, 1),
                native.llama_sampler_init_temp(temperature),
                native.llama_sampler_init_dist(seed if seed >= 0 else RANDOM_SEED),
            ):
                native.llama_sampler_chain_add(chain, sampler)
        self._sampler = chain

    def sample(self) -> int:
        """The next token after those evaluated last."""
        return int(native.llama_sampler_sample(self._sampler, self._context, -1))

    def close(self) -> None:
        """Free everything; a second call does nothing."""
        self._free_sampler()
        if self._context:
            native.llama_free(self._context)
        if self._model:
            native.llama_model_free(self._model)
        self._context = self._model = None

    def _free_sampler(self) -> None:
        if self._sampler:
            native.llama_sampler_free(self._sampler)
        self._sampler = None
