"""Options to compile llama.cpp, for set-up and release. Needs only Python."""

from __future__ import annotations

from pathlib import Path

COMPILED = "llama-cpp-python"
"""The compiled package, by its name in the package index."""

WITHOUT_IMAGES = "-DLLAVA_BUILD=OFF"
"""Leaves out llama.cpp's image and sound input, which edgevoice does not use."""
INCLUDED = Path(__file__).resolve().with_name("llama_cpp.cmake")
"""A file that CMake reads in addition to llama.cpp's own."""
OPTIONS = (WITHOUT_IMAGES, f"-DCMAKE_PROJECT_llama_cpp_INCLUDE={INCLUDED.as_posix()}")
