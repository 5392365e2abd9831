"""All words of a language, in one data file a language: `de.toml`, in the form of `schema.py`.

A new file is a new language; no code changes. Files are read when first asked for, and kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from edgevoice.errors import ConfigError
from edgevoice.languages.schema import Language
from edgevoice.outside import Malformed, converted, from_toml

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_SUFFIX = ".toml"
UNKNOWN = Language(name="")
"""The data of a language that has no file: everything is empty."""


@lru_cache(maxsize=1)
def codes() -> tuple[str, ...]:
    """The codes of all languages that have a file, in alphabetical order."""
    names = (file.name for file in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def language_data(code: str) -> Language:
    """The data of the language `code`; a region after it, as in `de-AT`, makes no difference.

    Returns `UNKNOWN` if the language has no file. Raises ConfigError if its file is wrong.
    """
    return _kept(re.split("[-_]", code)[0])


@lru_cache(maxsize=256)
def _kept(code: str) -> Language:
    # Only a code that is listed becomes a file name.
    return read(files(__name__) / f"{code}{_SUFFIX}") if code in codes() else UNKNOWN


def every() -> tuple[Language, ...]:
    """The data of all languages."""
    return tuple(map(language_data, codes()))


def all_words(of: Callable[[Language], Iterable[str]]) -> frozenset[str]:
    """The words that `of` takes from a language, of all languages together."""
    return frozenset(word for each in every() for word in of(each))


def read(file: Traversable) -> Language:
    """The data in one file. Raises ConfigError if it is not in the form of `schema.py`."""
    try:
        return converted(from_toml(file.read_bytes()), Language)
    except Malformed as error:
        raise ConfigError(
            f"this language file cannot be used: {error}",
            where=str(file),
            remedy="correct it; edgevoice/languages/schema.py explains each field",
        ) from None
