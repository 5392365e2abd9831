"""Parse an HTML page, and check that every element is closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"br", "col", "hr", "meta"})
"""Elements without an end tag."""


@dataclass
class Element:
    """An element with what is in it."""

    name: str
    attributes: dict[str, str | None]
    parent: Element | None = None
    parts: list[Element | str] = field(default_factory=list)

    @property
    def inside(self) -> list[Element]:
        """The elements in it."""
        return [part for part in self.parts if isinstance(part, Element)]

    @property
    def text(self) -> str:
        """Its own text."""
        return "".join(part for part in self.parts if isinstance(part, str))

    @property
    def words(self) -> str:
        """All text in it, with one space between two words, as it is read."""
        if self.name == "style":
            return ""
        said = (part if isinstance(part, str) else part.words for part in self.parts)
        return " ".join(" ".join(said).split())


class Page(HTMLParser):
    """Reads a page; fails where an end tag is missing or there is one too many."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.all: list[Element] = []
        self._open: list[Element] = []
        self.feed(text)
        self.close()
        assert not self._open, f"not closed: {[one.name for one in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        parent = self._open[-1] if self._open else None
        one = Element(tag, dict(attrs), parent)
        if parent is not None:
            parent.parts.append(one)
        self.all.append(one)
        if tag not in VOID:
            self._open.append(one)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop().name == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open[-1].parts.append(data)

    def named(self, name: str) -> list[Element]:
        """All elements of that name."""
        return [one for one in self.all if one.name == name]

    @property
    def words(self) -> str:
        """All text that is shown, and the descriptions of pictures."""
        return self.all[0].words
