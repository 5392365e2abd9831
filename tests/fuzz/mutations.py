"""Inputs that are nearly right: valid ones with bytes, values or pieces changed.

All of them follow from the random numbers that are passed in.
"""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

NUMBERS = ["0", "-1", "1e308", "-1e308", "1e999", "1e-320", "NaN", "inf", "-0.0", "9" * 400,
           str(2**31), str(2**63), str(2**64 - 1), "0.1", "1e20", "00", "\u0665"]  # fmt: skip
NOT_UTF8 = [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"]
SIGNS = [
    *"\0\a\b\t\n\r\x1b\x7f\x85\x9b\x9d\u00ad\u061c\u200b\u200d\u200f\u2028\u202e\u2066",
    *"\ufdd0\ufeff\uffff\udc80\ud800 .,;:!?()[]{}<>#*_~`|\\/\"'@%&$€+-=^0123456789aAäßÀ",
    *"漢。、！한ا\u0301\U0001f600",
    "```", "~~~", "<!--", "-->", "](", "![", "://", "\x1b[2J", "\x1b]52;c;", "\x9d0;", "&amp;",
    "&#", "&#x110000;", "{{", "}}", "{%", "%}", "{#", "%s", "{0}", "<|im_end|>", "...", "e.g.",
    "Dr.", "and", "https://a.b/c", "a@b.c", "www.", "$5.50", "1-2", "- ", "1. ", "> ", "# ",
    "| a | b |", "--", "\r\n",
]  # fmt: skip
VALUES: list[Any] = [None, True, False, 0, -1, 10**30, 2**63, 1e308, -1e308, 5e-324, 0.5, 1e19, "",
                     "a", "nan", "1e999", "\0", "\x1b]52;c;eA==\x07", "../../x", "{n}" * 3, [], {},
                     [[]], [{}], [1, "a", None], {"": 0}, {"type": "x"}]  # fmt: skip
DEEP = 2_000


def changed_bytes(random: Random, data: bytes, others: list[bytes]) -> bytes:
    """`data` with some of its bytes changed, moved, repeated, cut off or taken from another."""
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        at = random.randrange(len(data) + 1)
        end = min(len(data), at + random.choice((1, 2, 4, 8, 64, 1024)))
        match random.randrange(11):
            case 0 if at < len(data):
                bit = 1 << random.randrange(8)
                data = data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
            case 1:
                data = data[:at]
            case 2:
                data = data[:at] + data[end:]
            case 3:
                data = data[:end] + data[at:end] * random.choice((1, 2, 50)) + data[end:]
            case 4:
                other = random.choice(others)
                begin = random.randrange(len(other) + 1)
                data = data[:at] + other[begin : begin + random.choice((8, 64, 4096))] + data[end:]
            case 5:
                data = data[:at] + random.randbytes(end - at) + data[end:]
            case 6:
                data = data[:at] + random.choice(NOT_UTF8) + data[at:]
            case 7:
                width = random.choice((1, 2, 4, 8))
                edge = random.choice((0, 1, (1 << 8 * width - 1) - 1, (1 << 8 * width) - 1))
                data = data[:at] + edge.to_bytes(width, "little") + data[at + width :]
            case 8:
                numbers = list(re.finditer(rb"\d+(?:\.\d+)?", data[at : at + 2000]))
                if numbers:
                    found = random.choice(numbers)
                    number = random.choice(NUMBERS).encode()
                    data = data[: at + found.start()] + number + data[at + found.end() :]
            case 9:
                data = data[:at] + random.choice((b"\0", b"\n", b'"', b"[", b"{")) + data[at:]
            case _:
                data = random.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\n" * 50)) + data
    return data


def changed_json(random: Random, data: bytes, others: list[bytes]) -> bytes:
    """JSON (or bytes nearly so) in which values have another type, size, name or place."""
    if random.random() < 0.3:
        return changed_bytes(random, data, others)
    value = json.loads(data)
    for _ in range(random.choice((1, 1, 2, 5))):
        value = _changed_value(random, value, value)
    text = json.dumps(value, ensure_ascii=random.random() < 0.5)
    if random.random() < 0.1:
        # What no value of Python becomes: the deepest nesting and the longest numbers.
        deep = random.choice(("[", '{"a":')) * random.choice((DEEP, 50 * DEEP))
        text = re.sub(r"\d+", lambda _: random.choice((*NUMBERS, deep)), text, count=1)
    return text.encode("utf-8", "surrogatepass")


def changed_lines(random: Random, data: bytes, others: list[bytes]) -> bytes:
    """Lines of JSON, of which some are changed, gone, doubled or in another order."""
    lines = data.splitlines(keepends=True)
    for _ in range(random.choice((1, 1, 2, 5))):
        at = random.randrange(len(lines))
        match random.randrange(6):
            case 0 if len(lines) > 1:
                del lines[at]
            case 1:
                lines.insert(random.randrange(len(lines)), lines[at])
            case 2:
                random.shuffle(lines)
            case 3:
                lines[at] = changed_bytes(random, lines[at], others)
            case _:
                try:
                    lines[at] = changed_json(random, lines[at], others) + b"\n"
                except ValueError:
                    lines[at] = b"\n"
    return b"".join(lines)


def changed_toml(random: Random, data: bytes, others: list[bytes]) -> bytes:
    """TOML in which keys and tables are doubled, gone, nested or of another value."""
    if random.random() < 0.3:
        return changed_bytes(random, data, others)
    lines = data.decode().splitlines()
    for _ in range(random.choice((1, 1, 2, 5))):
        at = random.randrange(len(lines))
        key = lines[at].split("=")[0]
        match random.randrange(8):
            case 0:
                lines.insert(random.randrange(len(lines)), lines[at])
            case 1 if len(lines) > 1:
                del lines[at]
            case 2:
                lines[at] = f"{key} = {random.choice(NUMBERS)}"
            case 3:
                lines[at] = f"{key} = {json.dumps(random.choice(VALUES))}"
            case 4:
                lines[at] = f"{key} = " + "[" * DEEP + "]" * random.choice((0, DEEP))
            case 5:
                lines[at] = lines[at].replace("=", random.choice((".a =", "", "==", "= '''")), 1)
            case 6:
                lines[at : at + 1] = [f"{key.strip() or 'a'}{n} = {n}" for n in range(2000)]
            case _:
                lines[at] = f"{key} = {json.dumps(text(random))}"
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def changed_text(random: Random, data: bytes, others: list[bytes]) -> bytes:
    """Text with signs put in that mean something to somebody, or nothing but such signs."""
    if random.random() < 0.2:
        return changed_bytes(random, data, others)
    words = data.decode("utf-8", "replace")
    if random.random() < 0.5:
        words = text(random)
    else:
        for _ in range(random.choice((1, 3, 10))):
            at = random.randrange(len(words) + 1)
            words = words[:at] + random.choice(SIGNS) * random.choice((1, 1, 3, 200)) + words[at:]
    return words.encode("utf-8", "surrogatepass")


def text(random: Random) -> str:
    """Signs in any order, of which some come very often."""
    pieces = random.choices(SIGNS, k=random.choice((1, 5, 30, 200)))
    if random.random() < 0.1:
        run = random.choice(SIGNS) + random.choice(("", "", random.choice(SIGNS)))
        pieces.insert(random.randrange(len(pieces)), run * random.choice((1_000, 20_000)))
    return "".join(pieces)


def _changed_value(random: Random, value: Any, whole: Any) -> Any:
    """`value` with one thing in it changed, at any depth."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(list(value))
        match random.randrange(12):
            case 0:
                return {k: v for k, v in value.items() if k != key}
            case 1:
                return value | {
                    random.choice((*value, "", "\x1b[2J", "type")): random.choice(VALUES)
                }
            case 2:
                return {k + "x" if k == key else k: v for k, v in value.items()}
        return value | {key: _changed_value(random, value[key], whole)}
    if isinstance(value, list) and value and random.random() < 0.9:
        at = random.randrange(len(value))
        match random.randrange(12):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return value[:at] + value[at:] * random.choice((2, 20))
            case 2:
                return value[::-1]
        return [*value[:at], _changed_value(random, value[at], whole), *value[at + 1 :]]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and random.random() < 0.6:
        way = random.choice((-1, 0, 2, 1_000_000, 0.5, 1e18, 1e-18, 1e300))
        changed = value * way
        return round(changed) if isinstance(value, int) and abs(changed) < 1e300 else changed
    if isinstance(value, str) and random.random() < 0.6:
        return text(random)
    match random.randrange(8):
        case 2:
            return whole if random.random() < 0.2 else [value]
        case 3:
            return {"a": value}
    return random.choice(VALUES)
