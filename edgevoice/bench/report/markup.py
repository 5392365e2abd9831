"""HTML and SVG from values. Whatever is not markup already is escaped, so no text becomes any."""

from __future__ import annotations

from html import escape
from typing import Union

VOID = frozenset({"br", "col", "hr", "meta"})
"""Elements that have no end tag."""


class Markup(str):
    """Text that is HTML already, and is not escaped again."""

    __slots__ = ()


Child = Union[str, int, None]
Attribute = Union[str, float, bool, None]


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """An element. Children are text or markup; None is left out.

    `class_` is `class` and `aria_label` is `aria-label`; an attribute that is None or False is left
    out, one that is True has no value, and a number is written as short as it can be.
    """
    words = [name, *(said for key, value in attributes.items() if (said := _attribute(key, value)))]
    inside = joined(*children)
    return Markup(f"<{' '.join(words)}>" + ("" if name in VOID else f"{inside}</{name}>"))


def joined(*children: Child) -> Markup:
    """Several pieces, one after the other, without an element of their own."""
    return Markup("".join(_child(child) for child in children))


def number(value: float) -> str:
    """A coordinate: two digits behind the point, and no zero that says nothing."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def percent(share: float) -> str:
    """A coordinate as a share of the width or height, 1 being all of it."""
    return f"{number(min(1.0, max(0.0, share)) * 100)}%"


def _child(child: Child) -> str:
    if child is None:
        return ""
    return child if isinstance(child, Markup) else escape(str(child))


def _attribute(key: str, value: Attribute) -> str:
    key = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    if value is True:
        return key
    text = number(value) if isinstance(value, int | float) else value
    return f'{key}="{escape(text)}"'
