"""Run ONNX models on onnxruntime, with threads that do not spin."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Protocol

import onnxruntime

from edgevoice.errors import ModelError

_log = logging.getLogger(__name__)


class OnnxModel(Protocol):
    """A loaded model."""

    def run(
        self, outputs: list[str] | None, feed: dict[str, Any], options: Any = None
    ) -> list[Any]:
        """The named outputs (None: all) for the given inputs, as numpy arrays."""

    def get_inputs(self) -> list[Any]:
        """The inputs; each has a `name` and a `shape`."""


def shrinking_run_options() -> Any:
    """Run options after which the session frees the memory of that run.

    Without them a session keeps the memory of its largest input.
    """
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def open_session(path: Path, threads: int, remedy: str) -> OnnxModel:
    """The model at `path` on the CPU with `threads` threads; raises ModelError with `remedy`."""
    if not path.is_file():
        raise ModelError("the model file is missing", where=str(path), remedy=remedy)
    try:
        return open_model(str(path), threads)
    except Exception as error:  # onnxruntime's exceptions have no common base of their own
        _log.debug("onnxruntime refused %s: %s", path, error)
        raise ModelError(
            "the model file is damaged or not an ONNX model", where=str(path), remedy=remedy
        ) from None


def open_model(model: str | bytes, threads: int) -> OnnxModel:
    """A model from a file's path or from bytes; raises onnxruntime's exceptions."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin between two calls cost the other engines a quarter of their speed.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # A memory plan is kept for every input shape, and each sentence has a new shape.
    options.enable_mem_pattern = False
    options.log_severity_level = 2 if _log.isEnabledFor(logging.DEBUG) else 4
    session: OnnxModel = onnxruntime.InferenceSession(
        model, sess_options=options, providers=["CPUExecutionProvider"]
    )
    return session
