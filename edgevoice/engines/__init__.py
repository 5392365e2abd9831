"""Engines: one module for each library, and their shared helpers."""

import os
import sys

# libgomp spins for milliseconds at a barrier by default, which slows decoding greatly on a busy
# machine; without spinning it is slow on an idle one (cpu-2026-11). libgomp reads this when it is
# loaded, so it is set before any engine imports its library. "active" is for processes in which
# several threads use OpenMP: without it libgomp assumes too many threads and hardly spins.
if sys.platform == "linux" and "OMP_WAIT_POLICY" not in os.environ:
    os.environ["OMP_WAIT_POLICY"] = "active"
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")

# CTranslate2's oneDNN caches up to 1,024 compiled kernels, about 0.5 MB for each new clip length.
# Lengths hardly repeat in a conversation, so 16 cost no time and memory stays constant. oneDNN
# reads this at its first use.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16")
