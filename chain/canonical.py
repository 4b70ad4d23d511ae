"""Canonical JSON: RFC 8785 (JCS) for objects, arrays, strings, booleans and integers.

Floats and null have no place here, so a fast encoder with sorted keys gives the same bytes.
JCS sorts keys by UTF-16 code units and the encoder by code points; the two differ only
when a key has a character beyond U+FFFF, and such keys are refused.
"""

import json
import re
from collections.abc import Sequence
from typing import NoReturn, TypeAlias

import msgspec

from chain.errors import MalformedError

JsonValue: TypeAlias = dict[str, "JsonValue"] | list["JsonValue"] | str | bool | int

MAX_INTEGER = 2**53 - 1
"""Largest magnitude that every JSON reader keeps exactly."""

MAX_DEPTH = 32
"""Arrays and objects inside one another; ours need six."""

_encoder = msgspec.json.Encoder(order="deterministic")
_LONGEST_INTEGER = len(str(-MAX_INTEGER))


def encode(value: object) -> bytes:
    """Return the canonical bytes of ``value``; MalformedError ``not_canonical`` if it has none."""
    _check(value, 0)
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        raise MalformedError("not_canonical", "a string has half a surrogate pair") from None


def decode(data: bytes) -> JsonValue:
    """Read JSON strictly, canonical or not.

    Raises MalformedError: ``not_utf8``, ``not_json``, ``duplicate_key``, ``number_not_integer``,
    ``number_out_of_range``, ``too_deep``, or ``not_canonical`` for null and half surrogates.
    """
    try:
        text = data.decode("utf-8")
        _check_depth(text)
        value: JsonValue = _decoder.decode(text)
    except UnicodeDecodeError as error:
        raise MalformedError("not_utf8", f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise MalformedError("not_json", f"{error.msg} at character {error.pos}") from None
    encode(value)
    return value


def decode_canonical(data: bytes) -> JsonValue:
    """Read canonical JSON.

    Raises what ``decode`` does, and MalformedError ``not_canonical`` for any other spelling.
    """
    try:
        value: JsonValue = msgspec.json.decode(data)
        # Encoding again and comparing catches every other spelling: white space, key order,
        # repeated keys, escapes that were not needed, "-0".
        if encode(value) == data:
            return value
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, MalformedError):
        pass
    decode(data)  # names the reason, the same for a given file in every verifier
    raise MalformedError("not_canonical", "this is JSON, but not in its canonical spelling")


def _check(value: object, depth: int) -> None:
    # Exact types: a subclass could be encoded as something else than it says it is.
    if type(value) is str or type(value) is bool:
        return
    if type(value) is int:
        _check_integer(value)
    elif depth == MAX_DEPTH:
        raise _too_deep()
    elif type(value) is dict:
        _check_object(value, depth + 1)
    elif type(value) is list:
        for item in value:
            _check(item, depth + 1)
    else:
        named = _NAMES.get(type(value), type(value).__name__)
        raise MalformedError("not_canonical", f"{named} has no place here")


_NAMES = {type(None): "null", float: "a number with a fraction or an exponent"}


def _check_depth(text: str) -> None:
    """Refuse deep text before anything calls itself that often: no stack decides what is deep."""
    depth, in_string = 0, False
    for mark in _MARKS.findall(text):
        if mark == '"':
            in_string = not in_string
        elif not in_string:
            depth += _DEEPER.get(mark, 0)
            if depth > MAX_DEPTH:
                raise _too_deep()


_MARKS = re.compile(r'\\.|["\[\]{}]', re.DOTALL)
_DEEPER = {"[": 1, "{": 1, "]": -1, "}": -1}


def _check_object(value: dict[object, object], depth: int) -> None:
    # Nearly all keys are ASCII and most values text: those cost no call each.
    for key in value:
        if type(key) is not str or not key.isascii():
            _check_key(key)
    for item in value.values():
        if type(item) is not str:
            _check(item, depth)


def _check_integer(value: int) -> None:
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise MalformedError("not_canonical", "an integer is beyond 2^53 - 1")


def _check_key(key: object) -> None:
    if type(key) is not str:
        raise MalformedError("not_canonical", "an object's key is not a string")
    if max(key) > "\uffff":
        raise MalformedError("not_canonical", "an object's key has a character beyond U+FFFF")


def _too_deep() -> MalformedError:
    return MalformedError("too_deep", f"more than {MAX_DEPTH} levels of arrays and objects")


def _unique(pairs: Sequence[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedError("duplicate_key", "an object names the same key twice")
    return found


def _integer(text: str) -> int:
    if len(text) > _LONGEST_INTEGER or abs(int(text)) > MAX_INTEGER:
        raise MalformedError("number_out_of_range", "an integer is beyond 2^53 - 1")
    return int(text)


def _not_integer(_text: str) -> NoReturn:
    raise MalformedError("number_not_integer", "numbers are integers, without point or exponent")


_decoder = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=_integer,
    parse_float=_not_integer,
    parse_constant=_not_integer,
)
