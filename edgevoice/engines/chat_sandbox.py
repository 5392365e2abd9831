"""A sandbox for chat templates: Jinja as models expect it, with limits on work, size and time.

Jinja's own sandbox denies access to the machine. These limits bound processor time and memory:
each loop pass and each call is counted, and no value may exceed a size.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

MAX_TEMPLATE_CHARS = 256 << 10
"""Maximum characters of a template; the longest in use has about 40,000."""
MAX_CHARS = 1 << 20
"""Maximum characters of a value and of a prompt; each list element adds eight."""
MAX_STEPS = 100_000
"""Maximum loop passes and calls in one rendering."""
MAX_SECONDS = 2.0
_MAX_DEPTH, _ELEMENT_CHARS = 32, 8

_REMOVED_FILTERS = ("center", "filesizeformat", "forceescape", "format", "pprint", "random",
                    "urlize", "wordwrap", "xmlattr")  # fmt: skip
"""Filters for web pages, and filters whose result has no size limit."""
_FORBIDDEN_METHODS = {"expandtabs", "translate", "format_map", "encode"}
"""Methods of strings whose result has no size limit, or is not text."""


class LimitExceeded(Exception):
    """The template exceeds a limit on time, work or size."""


class _Budget:
    def __init__(self) -> None:
        self.steps = MAX_STEPS
        self.end = time.monotonic() + MAX_SECONDS

    def spend(self) -> None:
        self.steps -= 1
        if self.steps < 0 or time.monotonic() > self.end:
            raise LimitExceeded("it takes too long")


_budget: ContextVar[_Budget] = ContextVar("_budget")


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of a chat template; render with `rendered`."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.loopcontrols", _Generation],
            finalize=_checked_size,
            cache_size=0,
        )
        for name in _REMOVED_FILTERS:
            del self.filters[name]
        self.filters |= {
            "tojson": _to_json, "string": _text, "join": _join, "indent": _indent,
            "replace": _replace, "batch": _with_small_count(self.filters["batch"]),
            "slice": _with_small_count(self.filters["slice"]),
            "_count_passes": _count_passes, "_checked_size": _checked_size,
            "_text": lambda parts: _checked_text("".join(map(_text, parts))),
        }  # fmt: skip
        self.globals["raise_exception"] = _raise_template_error
        self.globals["strftime_now"] = lambda form: datetime.now().strftime(str(form)[:200])
        self.globals["namespace"] = _Names
        self.globals["dict"] = lambda *args, **kwargs: _checked_size(dict(*args, **kwargs))
        del self.globals["lipsum"]

    def compiled(self, source: str) -> jinja2.Template:
        """The template, with checks on loops and growing values. Raises LimitExceeded."""
        if len(source) > MAX_TEMPLATE_CHARS:
            raise LimitExceeded(f"it is longer than {MAX_TEMPLATE_CHARS:,} characters")
        tree = self.parse(source)
        for each in list(tree.find_all(nodes.For)):
            each.iter = _filtered(each.iter, "_count_passes")
        _add_checks(tree)
        tree.set_environment(self)
        return jinja2.Template.from_code(self, self.compile(tree), self.make_globals(None), None)

    def rendered(self, template: jinja2.Template, values: Mapping[str, Any]) -> str:
        """The text that the template makes of `values`.

        Raises LimitExceeded, and any exception of the template itself.
        """
        token = _budget.set(_Budget())
        try:
            pieces, size = [], 0
            for piece in template.generate(values):
                size += len(piece)
                if size > MAX_CHARS:
                    raise LimitExceeded("its text grows too long")
                pieces.append(piece)
            return "".join(pieces)
        finally:
            _budget.reset(token)

    def call(self, context: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
        _spend()
        given = [*args, *kwargs.values()]
        for each in given:
            if isinstance(each, int) and abs(each) > MAX_CHARS:
                raise LimitExceeded("it asks for too large a number")
        method = getattr(obj, "__wrapped__", obj)  # Jinja puts a function around str.format
        owner, name = getattr(method, "__self__", None), getattr(method, "__name__", "")
        if isinstance(owner, str):
            if name == "format":
                _check_format(owner, given)
            elif name == "join":
                return _join(args[0], owner)
            elif name == "replace":
                _check_replace(owner, *args[:2])
        return super().call(context, obj, *args, **kwargs)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, str) and attr in _FORBIDDEN_METHODS:
            return False
        return super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        _spend()
        if operator == "%" and isinstance(left, str):
            _check_format(left, list(right) if isinstance(right, tuple) else [right])
        elif operator == "**":
            if not _is_small(left) or not _is_small(right):
                raise LimitExceeded("it asks for too large a number")
        elif operator == "*":
            for one, other in ((left, right), (right, left)):
                if hasattr(one, "__len__") and isinstance(other, int):
                    _check_size(len(one) * other)
        result = super().call_binop(context, operator, left, right)
        if isinstance(result, int) and result.bit_length() > 4096:
            raise LimitExceeded("it asks for too large a number")
        return _checked_size(result)


class _Generation(Extension):
    """`{% generation %}` marks the assistant's text for training; the text is rendered."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Names(Namespace):
    def __repr__(self) -> str:
        return "namespace"


def _add_checks(node: nodes.Node) -> None:
    """Add size checks to every value that is built below `node`."""
    for field, value in node.iter_fields():
        if isinstance(value, list):
            for at, each in enumerate(value):
                if isinstance(each, nodes.Node):
                    value[at] = _with_checks(each)
        elif isinstance(value, nodes.Node):
            setattr(node, field, _with_checks(value))


def _with_checks(node: nodes.Node) -> nodes.Node:
    _add_checks(node)
    if isinstance(node, nodes.Concat):
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), "_text")
    if isinstance(node, (nodes.List, nodes.Dict)) or (
        isinstance(node, nodes.Tuple) and node.ctx == "load"
    ):
        return _filtered(node, "_checked_size")
    return node


def _filtered(node: nodes.Node, name: str) -> nodes.Expr:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _spend() -> None:
    budget = _budget.get(None)
    if budget:  # there is none while constants are folded at compile time
        budget.spend()


def _count_passes(values: Iterable[Any]) -> Iterator[Any] | list[Any]:
    if isinstance(values, jinja2.Undefined):
        return list(values)
    return _counted(values)


def _counted(values: Iterable[Any]) -> Iterator[Any]:
    for each in values:
        _spend()
        yield each


def _check_size(size: int) -> None:
    if size > MAX_CHARS:
        raise LimitExceeded("its text grows too long")


def _checked_text(text: str) -> str:
    _check_size(len(text))
    return text


def _checked_size(value: Any) -> Any:
    """`value`, if it is small enough; a list that occurs twice counts twice."""
    _measure(value, 0, 0)
    return value


def _measure(value: Any, size: int, depth: int) -> int:
    if depth > _MAX_DEPTH:
        raise LimitExceeded("its values are nested too deeply")
    if isinstance(value, str):
        size += len(value)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            size = _measure(each, _measure(key, size + _ELEMENT_CHARS, depth + 1), depth + 1)
    elif isinstance(value, list | tuple):
        for each in value:
            size = _measure(each, size + _ELEMENT_CHARS, depth + 1)
    else:
        size += 1
    _check_size(size)
    return size


def _text(value: Any) -> str:
    return str(_checked_size(value))


def _join(values: Iterable[Any], between: str = "", attribute: str | None = None) -> str:
    values = list(values)
    if attribute is not None:
        values = [each[attribute] for each in values]
    texts = [_text(each) for each in values]
    _check_size(sum(map(len, texts)) + len(texts) * len(str(between)))
    return str(between).join(texts)


def _replace(text: Any, old: Any, new: Any, count: int | None = None) -> str:
    whole, wanted, instead = _text(text), _text(old), _text(new)
    _check_replace(whole, wanted, instead)
    return whole.replace(wanted, instead, -1 if count is None else count)


def _check_replace(text: str, old: str, new: str) -> None:
    _check_size(len(text) + text.count(old) * len(new))


def _indent(text: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    before = width if isinstance(width, str) else " " * _small(width)
    text = _text(text)
    _check_size(len(text) + (text.count("\n") + 1) * len(before))
    lines = text.splitlines()
    if not lines:
        return before if first else ""
    rest = [before + line if line or blank else line for line in lines[1:]]
    return "\n".join([before * first + lines[0], *rest])


def _with_small_count(kept: Callable[..., Any]) -> Callable[..., Any]:
    def filtered(values: Any, count: int, fill: Any = None) -> Any:
        return kept(values, _small(count), fill)

    return filtered


def _small(number: int) -> int:
    if not _is_small(number):
        raise LimitExceeded("it asks for too large a number")
    return number


def _is_small(number: Any) -> bool:
    return not isinstance(number, int | float) or abs(number) <= 1000


def _check_format(form: str, given: list[Any]) -> None:
    """A width may be written into the form or be given with the values."""
    widths = [
        (len(found) > 7 and MAX_CHARS + 1) or int(found) for found in re.findall(r"\d+", form)
    ]
    widths += [abs(each) for each in given if isinstance(each, int)]
    sizes = [_measure(each, 0, 0) for each in given]
    fields = form.count("{") + form.count("%")
    _check_size(len(form) + fields * max([0, *widths, *sizes]))


def _raise_template_error(message: str = "") -> NoReturn:
    raise jinja2.TemplateError(str(message))


def _to_json(value: Any, indent: int | None = None, **_: Any) -> str:
    # Jinja's own filter escapes for HTML, which no model was trained on.
    return json.dumps(_checked_size(value), ensure_ascii=False, indent=_small(indent or 0) or None)
