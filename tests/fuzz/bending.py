"""Ways to bend a good file as bytes, as lines, as JSON and as the spellings inside it.

All of them take their choices from a ``Random``: hypothesis, a seed or libFuzzer may be behind it.
"""

import base64
import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

Bend = Callable[[bytes, Random], bytes]
Json = Any  # whatever the json module gives

_NUMBER = re.compile(rb"(?<![0-9a-zA-Z])[0-9]{1,19}(?![0-9a-zA-Z=])")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{20,}={0,2}")
_HEX = re.compile(rb"[0-9a-f]{8,}")
_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_HUGE = (2**31, 2**53 - 1, 2**53, 2**63 - 1, 2**63, 2**64, 10**19, 10**40, 10**4400)
_ODD_TEXTS = (
    *("\r\n", "\n", "\n\n", " ", "\t", "\0", "\x1f", "\x7f", "\x85", "\xa0", "\ufeff", "\u2028"),
    *("\u2014 ", "\u200b", "\u0301", "\uff10", "\u0660", "\U0001f600", "+", "-", "=", "\\", '"'),
    *("\\ud800", "\\u0000", "null", "{", "}", "[", "]", ",", "NaN", "old ", "index ", "extra "),
    *("/", "x000/", ".p/256", "?", "&", "#", "%00", '"",', '"a"b'),
)
_ODD_BYTES = (b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xe6\xb1", b"\x00\x00")
_ODD_VALUES: tuple[Json, ...] = (
    *(None, True, 0, -1, 1, 2**53 - 1, 2**53, 2**64, 0.5, "", "0", "full", [], {}, [[]], {"": ""}),
    *("01" + "0" * 64, "0" * 64, "\u00e9", "e\u0301", "\U0001f600"),
)


def bent(data: bytes, seeds: Sequence[bytes], chance: Random) -> bytes:
    """One to three bends of ``data``; ``seeds`` are what it may be mixed with."""
    structured = data[:1] == b"{"
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        if structured and chance.random() < 0.6:  # or nearly all of it would be no JSON any more
            data = json_value(data, chance)
        elif chance.randrange(8) == 0:
            data = splice(data, chance.choice(seeds), chance)
        else:
            data = chance.choice(BENDS)(data, chance)
    return data


def splice(data: bytes, other: bytes, chance: Random) -> bytes:
    """The beginning of one and the end of another."""
    return data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]


def truncate(data: bytes, chance: Random) -> bytes:
    """Only its beginning."""
    return data[: chance.randint(0, len(data))]


def cut_out(data: bytes, chance: Random) -> bytes:
    """Without a part of it."""
    start, end = _range(data, chance)
    return data[:start] + data[end:]


def repeat(data: bytes, chance: Random) -> bytes:
    """A part of it stands again, once or so often that it is too long."""
    start, end = _range(data, chance)
    return data[:end] + data[start:end] * chance.choice((1, 1, 2, 100)) + data[end:]


def swap(data: bytes, chance: Random) -> bytes:
    """Two parts in each other's place."""
    a, b, c, d = sorted(chance.randint(0, len(data)) for _ in range(4))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def change_byte(data: bytes, chance: Random) -> bytes:
    """One bit or one byte changed."""
    if not data:
        return data
    at = chance.randrange(len(data))
    byte = data[at] ^ (1 << chance.randrange(8)) if chance.random() < 0.5 else chance.randrange(256)
    return data[:at] + bytes([byte]) + data[at + 1 :]


def insert(data: bytes, chance: Random) -> bytes:
    """Something odd put in, at the ends more often than elsewhere."""
    odd = chance.choice(_ODD_TEXTS).encode() if chance.random() < 0.8 else chance.choice(_ODD_BYTES)
    at = chance.choice((0, len(data), chance.randint(0, len(data))))
    return data[:at] + odd + data[at:]


def lines(data: bytes, chance: Random) -> bytes:
    """A line gone, twice, elsewhere or empty; or all of them end otherwise."""
    rows = data.split(b"\n")
    at, to = chance.randrange(len(rows)), chance.randrange(len(rows))
    match chance.randrange(6):
        case 0:
            del rows[at]
        case 1:
            rows.insert(to, rows[at])
        case 2:
            rows[at], rows[to] = rows[to], rows[at]
        case 3:
            rows.insert(at, b"")
        case 4:
            rows[at] = rows[at] + b"\r"
        case _:
            return b"\r\n".join(rows)
    return b"\n".join(rows)


def cell(data: bytes, chance: Random) -> bytes:
    """A cell of a table, or a part of a path or an address, doubled, emptied or badly quoted."""
    parts = re.split(rb"([,/&=\n])", data)
    at = chance.randrange(0, len(parts), 2)
    one = parts[at]
    parts[at] = chance.choice((b"", b'"' + one, b'"' + one + b'"x', one + b'"', one + b"," + one))
    return b"".join(parts)


def number(data: bytes, chance: Random) -> bytes:
    """A number spelled in another way, or another number."""

    def other(found: bytes) -> bytes:
        text = found.decode()
        spellings = (
            *(f"0{text}", f"+{text}", f"-{text}", f"{text}.0", f"{text}e0", f" {text}", f"{text} "),
            *(f"{text[:1]}_{text[1:]}", f"0x{int(text):x}", text.translate(_FULL_WIDTH)),
            *(str(int(text) + 1), str(int(text) - 1)),
        )
        if chance.random() < 0.3:
            return b"%d" % 10**30 if chance.random() < 0.5 else _huge(chance)
        return chance.choice(spellings).encode()

    return _replace(_NUMBER, data, other, chance)


def base64_text(data: bytes, chance: Random) -> bytes:
    """A part in base64 spelled in another way, or shorter or longer than it was."""

    def other(found: bytes) -> bytes:
        body = found.rstrip(b"=")
        last = _DIGITS.index(body[-1])
        return chance.choice(
            (
                body,
                found + b"=",
                body[:-1] + _DIGITS[(last + 1) % 64 :][:1] + found[len(body) :],
                found.replace(b"+", b"-").replace(b"/", b"_"),
                found[:7] + b"\n" + found[7:],
                found[:7] + b" " + found[7:],
                found[4:],
                b"AAAA" + found,
                base64.b64encode(bytes(32)),
                b"",
            )
        )

    return _replace(_BASE64, data, other, chance)


def hexadecimal(data: bytes, chance: Random) -> bytes:
    """A part in hexadecimal digits in capitals, shorter, longer or all zero."""

    def other(found: bytes) -> bytes:
        return chance.choice(
            (found.upper(), found[:-1], found + b"0", b"0" * len(found), found[2:], b"0x" + found)
        )

    return _replace(_HEX, data, other, chance)


def unicode_form(data: bytes, chance: Random) -> bytes:
    """The same text for a person, in other characters."""
    text = data.decode("utf-8", "surrogateescape")
    form = chance.randrange(4)
    if form == 0:
        text = unicodedata.normalize("NFD", text)
    elif form == 1:
        text = text.replace("\u2014", chance.choice(("-", "\u2013", "\u2015", "\u2014\ufe0f")))
    elif form == 2:
        text = text.translate(_FULL_WIDTH)
    else:
        text = text.upper() if chance.random() < 0.5 else text.lower()
    return text.encode("utf-8", "surrogateescape")


def json_value(data: bytes, chance: Random) -> bytes:
    """One value of a JSON file changed, gone, doubled or elsewhere; spelled canonically or not."""
    try:
        file = json.loads(data)
    except (ValueError, RecursionError):
        return insert(data, chance)
    file = bent_json(file, chance)
    spelling = chance.randrange(10)
    if spelling == 0:
        return json.dumps(file, indent=chance.choice((None, 1)), allow_nan=True).encode()
    return canonical(file)


def json_key(data: bytes, chance: Random) -> bytes:
    """A key of some object stands twice, or escaped."""
    keys = list(re.finditer(rb'"([a-z_]+)":', data))
    if not keys:
        return insert(data, chance)
    found = chance.choice(keys)
    escaped = b'"\\u%04x%s":' % (found[1][0], found[1][1:])
    doubled = found[0] + chance.choice((b"1,", b'"",', b"{},", b"[],")) + found[0]
    other = chance.choice((escaped, doubled, b'"__proto__":{},' + found[0], found[0] + b" "))
    return data[: found.start()] + other + data[found.end() :]


def deep(data: bytes, chance: Random) -> bytes:
    """So many brackets that whoever calls itself for each has no stack left."""
    levels = chance.choice((31, 32, 33, 2000))
    opening, closing = chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
    match chance.randrange(3):
        case 0:
            return opening * levels + data + closing * levels
        case 1:
            return opening * levels
        case _:
            start, end = _range(data, chance)
            return data[:start] + opening * levels + b"1" + closing * levels + data[end:]


BENDS: tuple[Bend, ...] = (
    *(truncate, cut_out, repeat, swap, change_byte, insert, lines, cell, number),
    *(base64_text, hexadecimal, unicode_form, json_value, json_key, deep),
)


def bent_json(file: Json, chance: Random) -> Json:
    """A copy with one change at one place of it."""
    file = json.loads(json.dumps(file))
    places = list(_places(file))
    if not places:
        return chance.choice(_ODD_VALUES)
    holder, key = chance.choice(places)
    value = holder[key]
    match chance.randrange(6):
        case 0:
            del holder[key]
        case 1:
            other, there = chance.choice(places)
            holder[key], other[there] = other[there], value
        case 2:
            holder[key] = chance.choice(_ODD_VALUES)
        case 3 if isinstance(holder, list):
            holder.insert(chance.randint(0, len(holder)), value)
        case 3:
            holder[chance.choice(("more", "__proto__", "digest", "leaf", "reverses", ""))] = value
        case _:
            holder[key] = _near(value, chance)
    return file


def canonical(file: Json) -> bytes:
    """The canonical spelling, or what comes nearest to it where there is none."""
    text = json.dumps(file, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def _near(value: Json, chance: Random) -> Json:
    """Something of the same type, not far from it."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int):
        return value + chance.choice((1, -1, -value, 2**32, -2 * value))
    if isinstance(value, str):
        data = chance.choice(_TEXT_BENDS)(value.encode("utf-8", "surrogatepass"), chance)
        return data.decode("utf-8", "replace")
    if isinstance(value, list):
        return chance.choice((value[::-1], value[1:], value[:-1], value + value, value * 40))
    return [value] if chance.random() < 0.5 else {}


_TEXT_BENDS: tuple[Bend, ...] = (
    *(truncate, cut_out, repeat, change_byte, insert, lines, number, base64_text, hexadecimal),
    unicode_form,
)
_FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}


def _places(file: Json) -> list[tuple[Json, str | int]]:
    """Where each value inside stands: the object or list that holds it, and its key there."""
    found: list[tuple[Json, str | int]] = []
    waiting = [file]
    while waiting:
        holder = waiting.pop()
        keys: list[str | int] = []
        if isinstance(holder, dict):
            keys = list(holder)
        elif isinstance(holder, list):
            keys = list(range(len(holder)))
        found += [(holder, key) for key in keys]
        waiting += [holder[key] for key in keys]
    return found


def _range(data: bytes, chance: Random) -> tuple[int, int]:
    """Some part of it, short ones more often."""
    start = chance.randint(0, len(data))
    length = chance.choice((1, 2, 16, len(data)))
    return start, min(len(data), start + chance.randint(0, length))


def _huge(chance: Random) -> bytes:
    return b"%d" % chance.choice(_HUGE[:-1]) if chance.random() < 0.8 else b"9" * 4400


def _replace(
    pattern: re.Pattern[bytes], data: bytes, other: Callable[[bytes], bytes], chance: Random
) -> bytes:
    """One match of the pattern replaced; without any, a byte is changed."""
    found = list(pattern.finditer(data))
    if not found:
        return change_byte(data, chance)
    one = chance.choice(found)
    return data[: one.start()] + other(one[0]) + data[one.end() :]
