"""How llama.cpp is compiled, for a set-up and for a release alike. Needs only Python."""

from __future__ import annotations

from pathlib import Path

COMPILED = "llama-cpp-python"
"""The package that is compiled, as the index calls it."""

WITHOUT_IMAGES = "-DLLAVA_BUILD=OFF"
"""Without image and sound input of llama.cpp, which edgevoice does not use."""
INCLUDED = Path(__file__).resolve().with_name("llama_cpp.cmake")
"""What CMake reads beside llama.cpp's own files."""
OPTIONS = (WITHOUT_IMAGES, f"-DCMAKE_PROJECT_llama_cpp_INCLUDE={INCLUDED.as_posix()}")
