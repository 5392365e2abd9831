"""What a GGUF file's header tells, and that no broken one gets past it."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice.models.gguf import Header, NotGguf, read_header
from tests.models.conftest import gguf


def header(data: bytes, *, tensors: bool = True) -> Header:
    return read_header(io.BytesIO(data).read, tensors=tensors)


def test_a_header_tells_what_the_model_is() -> None:
    """Architecture, quantization, context length, chat template and the memory of its cache."""
    read = header(gguf())
    assert (read.architecture, read.title, read.quantization) == ("toy", "Toy", "Q4_K_M")
    assert read.context == 2048
    assert read.chat_template
    # 2 blocks, 4 heads of 16, keys and values, 2 bytes each.
    assert read.cache(100) == 100 * 2 * 4 * 16 * 2 * 2


def test_a_whole_file_is_as_long_as_its_header_says() -> None:
    """The length reckoned from the tensors is the file's own, so a shorter file is truncated."""
    data = gguf(tensors=3, weights=160 * 2 + 144)
    assert header(data).length == len(data)


def test_a_base_model_is_known_by_its_missing_chat_template() -> None:
    """Neither no template nor an empty one will do."""
    assert not header(gguf(template=None)).chat_template
    assert not header(gguf(template="")).chat_template


def test_the_chat_template_can_be_read_before_the_tensors_are_there() -> None:
    """The start of a file on a hub is enough to tell whether it can converse."""
    data = gguf(tensors=0)
    assert header(data, tensors=False).chat_template


@pytest.mark.parametrize("version", [0, 1, 4])
def test_an_unknown_version_is_named(version: int) -> None:
    """A file of another version of the format is refused by its number."""
    data = bytearray(gguf())
    data[4] = version
    with pytest.raises(NotGguf, match=f"version is {version}"):
        header(bytes(data))


@given(st.integers(0, len(gguf()) - 145))
def test_no_part_of_a_header_passes_for_a_whole_one(cut: int) -> None:
    """A file cut anywhere within its header is not a GGUF file."""
    with pytest.raises(NotGguf):
        header(gguf()[:cut][:-32])


@given(st.binary(max_size=200), st.integers(0, 150))
def test_rubbish_is_refused_and_nothing_worse(rubbish: bytes, at: int) -> None:
    """Whatever bytes stand in a header, reading it ends in a header or in NotGguf."""
    data = gguf()
    try:
        header(data[:at] + rubbish + data[at + len(rubbish) :])
    except NotGguf:
        pass


def hostile_headers() -> Iterator[tuple[str, bytes]]:
    """Headers that promise more than any model has."""
    begin = b"GGUF" + struct.pack("<I", 3)
    key = struct.pack("<Q", 1) + b"a"
    one = begin + struct.pack("<QQ", 1, 1)
    yield "pairs", begin + struct.pack("<QQ", 1, 1 << 27)
    yield "tensors", begin + struct.pack("<QQ", 1 << 27, 0)
    yield "key", one + struct.pack("<Q", 1 << 40)
    yield "text", one + key + struct.pack("<IQ", 8, 1 << 27)
    yield "array", one + key + struct.pack("<IIQ", 9, 12, 1 << 27)
    yield "text in an array", one + key + struct.pack("<IIQQ", 9, 8, 1, (1 << 64) - 1)
    yield "nesting", one + key + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 5000
    yield "dimensions", begin + struct.pack("<QQ", 1, 0) + key + struct.pack("<I", 1 << 30)
    yield "one that never ends", one + key + struct.pack("<IIQ", 9, 8, 1 << 24)


@pytest.mark.parametrize(("what", "data"), hostile_headers())
def test_a_header_that_promises_too_much_is_refused_without_reading_on(
    what: str, data: bytes
) -> None:
    """Lengths, counts and nesting are bounded, whatever the file would give."""
    asked: list[int] = []
    file = io.BytesIO(data)

    def read(count: int) -> bytes:
        asked.append(count)
        assert count <= 1 << 20
        return file.read(count).ljust(count, b"\x01")  # a file without end

    with pytest.raises(NotGguf):
        read_header(read)
    assert sum(asked) <= 256 << 20
