"""The engines: one file for each library, and what they share."""

import os
import sys

# OpenMP threads that wait at a barrier spin for milliseconds by default. When another program has
# the core of the thread they wait for, that keeps it from moving to theirs, and decoding takes five
# times as long. Not to spin at all makes every barrier a call of the system, and decoding takes
# half as long again on a quiet machine. libgomp reads this when it is loaded, so it is set before
# any engine imports its library. The figures are in cpu-2026-11.
# "Active" only for a process in which several threads have used OpenMP, as the bench is: without it
# libgomp then takes more threads than cores for granted, and all but stops spinning.
if sys.platform == "linux" and "OMP_WAIT_POLICY" not in os.environ:
    os.environ["OMP_WAIT_POLICY"] = "active"
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")

# CTranslate2's oneDNN keeps up to 1,024 compiled kernels, about half a megabyte for every clip of a
# new length. In a conversation nearly every length is new, so that kept kernels are hardly ever
# used again: 16 of them cost no time, and memory stays level. oneDNN reads this with its first use.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16")
