# Read by CMake inside llama.cpp's project(), before its options: a normal variable wins over them.
# `common` is 57 of llama.cpp's 140 object files, and the Python binding loads none of it.
set(LLAMA_BUILD_COMMON OFF)
