"""Text on a command line or from a pipe, for `ask` and `say`."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from typing import Any

import click

from edgevoice.encoding import decoded, well_formed
from edgevoice.errors import UsageError

TEXT_PREFIX = "\0"
"""Marks arguments that are text, while click parses options; no argument can contain it."""


class TextCommand(click.Command):
    """A command whose arguments are text, which may begin with a minus."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            rest = super().parse_args(ctx, self._marked(ctx, args))
        except click.NoSuchOption as error:
            raise UsageError(
                f"no such option: {error.option_name}",
                remedy=f"text that begins with - goes after --: {ctx.command_path} -- TEXT",
            ) from None
        ctx.params = {name: _unmarked(value) for name, value in ctx.params.items()}
        return rest

    def _marked(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = [each for each in self.params if isinstance(each, click.Option)]
        names = {name for option in options for name in option.opts}
        with_value = {name for each in options if not each.is_flag for name in each.opts}
        marked: list[str] = []
        before = ""
        for number, arg in enumerate(args):
            if before == "--":
                return marked + args[number:]
            option = arg.split("=")[0] in names or (arg[:2] in names and _is_file(arg[2:]))
            text = not option and before not in with_value and _looks_like_text(arg)
            if arg[:2] in names and not (option or text or before in with_value):
                # click would parse "-once" as -o with the value "nce".
                raise click.NoSuchOption(arg, ctx=ctx)
            marked.append(TEXT_PREFIX + arg if text else arg)
            before = arg
        return marked


def _is_file(value: str) -> bool:
    """Whether the rest of an argument such as "-ospeech.wav" is an option's value."""
    return value in ("", "-") or value.lower().endswith(".wav") or "/" in value or os.sep in value


def _looks_like_text(arg: str) -> bool:
    """Whether an argument is text although it begins with -: "-5", "- five", "-five of them"."""
    if len(arg) < 2 or arg[0] != "-":
        return False
    return any(map(str.isspace, arg)) or not (arg[1].isalpha() or arg[1] == "-")


def _unmarked(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_unmarked, value))
    return value.removeprefix(TEXT_PREFIX) if isinstance(value, str) else value


def given_text(words: tuple[str, ...], example: str) -> Iterator[str]:
    """The arguments as text, or standard input in pieces as they arrive.

    Raises UsageError without text; `example` is a correct command.
    """
    if not words and sys.stdin.isatty():
        raise UsageError("no text was given", remedy=example)
    given = bool(words) and words != ("-",)
    pieces = iter([well_formed(" ".join(words))]) if given else decoded(_stdin())
    # An empty text is an error before a model is loaded.
    for piece in pieces:
        if piece.strip():
            return itertools.chain([piece], pieces)
    raise UsageError("the text is empty", remedy=example)


def _stdin() -> Iterator[bytes]:
    reader = sys.stdin.buffer
    while data := reader.read1(4096) if hasattr(reader, "read1") else reader.read(4096):
        yield data
