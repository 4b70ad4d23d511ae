"""JSON from outside into a request struct: strictly, and with a stable code for each failure."""

import codecs
import json
import re
from functools import cache
from typing import NoReturn, TypeVar

import msgspec
from msgspec import inspect

from chain.errors import MalformedError

Request = TypeVar("Request")


class Wire(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A JSON object from outside; ``omit_defaults`` serves the check for repeated keys."""


_encode = msgspec.json.Encoder().encode

# What msgspec's messages say, in the order of trying; tests hold every pattern to its version.
_CODES = (
    (re.compile(r"Object contains unknown field"), "unknown_field"),
    (re.compile(r"Object missing required field"), "missing_field"),
    (re.compile(r"Expected `array` of length >= 1"), "no_lines"),
    (re.compile(r"Expected `str` of length >= 1"), "text_empty"),
    (re.compile(r"Expected `str` of length <="), "text_too_long"),
    (re.compile(r"Expected `int` [<>]=|Integer value out of range"), "amount_out_of_range"),
    (re.compile(r"Invalid enum value"), "value_unknown"),
)
_WHERE = re.compile(r"(?P<text>.*?)(?: - at `\$(?P<path>[^`]*)`)?", re.DOTALL)
_FIELD = re.compile(r"Object (?:contains unknown|missing required) field `(.*)`", re.DOTALL)
_MONEY = re.compile(r"(?:.*\.)?(?:unit_price|total|order_total|amount|tax|discount)")
_FINE = re.compile(r"(?:.*\.)?unit_price_yuan")
_NOT_TEXT = 'a price in yuan is a text, so that no digit is lost: "0.4981"'
_NOT_FEN = "money is a whole number of fen, tax included: 498.10 yuan is 49810"
_LONGEST_DETAIL = 200


def without_mark(data: bytes) -> bytes:
    """``data`` without a byte order mark of UTF-8, as Windows writes it.

    MalformedError "not_utf8" for what is UTF-16 or UTF-32, with what to do about it.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in data[:2]:
        raise MalformedError("not_utf8", "this is UTF-16 or UTF-32: save it as UTF-8")
    return data.removeprefix(codecs.BOM_UTF8)


def read_json(body: bytes, decoder: msgspec.json.Decoder[Request], *, max_bytes: int) -> Request:
    """The request in ``body``; null in a field that may be left out is no field.

    What is wrong with the JSON itself is said before what is wrong with its fields. Raises
    MalformedError: body_too_large, not_utf8, not_json, lone_surrogate, duplicate_key,
    unknown_field, missing_field, wrong_type, amount_not_fen, unit_price_yuan_invalid, no_lines,
    text_empty, text_too_long, amount_out_of_range, value_unknown; with the JSON pointer where there
    is one.
    """
    if len(body) > max_bytes:
        raise MalformedError("body_too_large", f"at most {max_bytes} bytes are read")
    body = without_mark(body)
    try:
        request = _decode(body, decoder)
    except msgspec.ValidationError as error:
        _refuse(body, error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _refuse_bytes(body, error)
    refuse_duplicate_keys(body, request)
    return request


def _decode(body: bytes, decoder: msgspec.json.Decoder[Request]) -> Request:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        if b"null" not in body:
            raise
    found = msgspec.json.decode(body)
    _drop_nulls(found, _shape(decoder))
    return msgspec.convert(found, decoder.type)


@cache
def _shape(decoder: msgspec.json.Decoder[object]) -> inspect.Type:
    return inspect.type_info(decoder.type)


def _drop_nulls(value: object, shape: inspect.Type) -> None:
    """Take out of ``value`` every null in a field of ``shape`` that may be left out."""
    if isinstance(shape, inspect.StructType) and isinstance(value, dict):
        for field in shape.fields:
            name = field.encode_name
            if name in value and value[name] is None and not field.required:
                del value[name]
            else:
                _drop_nulls(value.get(name), field.type)
    elif isinstance(shape, inspect.ListType) and isinstance(value, list):
        for item in value:
            _drop_nulls(item, shape.item_type)


def refuse_duplicate_keys(body: bytes, request: object) -> None:
    """Raise MalformedError "duplicate_key" when ``body`` names a key twice; msgspec keeps the last.

    ``request`` is what was decoded from it, as structs that omit their defaults (``Wire``).
    """
    # Written again, every key stands once. If no string in it needs a backslash, its quotes are
    # two for each key and string; a repeated key in the body has more of them. Whatever has
    # another number (defaults that were spelled out, escapes) is read a second time, slowly.
    again = _encode(request)
    if b"\\" not in again and again.count(b'"') == body.count(b'"'):
        return
    _second_reading.decode(body.decode("utf-8"))


def _unique(pairs: list[tuple[str, object]]) -> None:
    if len(pairs) == len(dict(pairs)):
        return
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            named = repr(key)[:_LONGEST_DETAIL]
            raise MalformedError("duplicate_key", f"an object names {named} twice")
        seen.add(key)


def _no_number(name: str) -> NoReturn:
    raise MalformedError("not_json", f"{name} is no JSON")


_second_reading = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_number)


def _check_shape(body: bytes) -> None:
    """What is wrong with JSON of whatever fields; msgspec stops at the first wrong field."""
    try:
        _second_reading.decode(body.decode("utf-8"))
    except json.JSONDecodeError as error:
        raise MalformedError("not_json", str(error)[:_LONGEST_DETAIL]) from None
    except (ValueError, RecursionError):  # a number of thousands of digits; too many brackets
        return


def _refuse(body: bytes, error: msgspec.ValidationError) -> NoReturn:
    """The error of JSON that has another shape than the request."""
    _check_utf8(body)
    _check_shape(body)
    message = str(error)
    found = _WHERE.fullmatch(message)
    text, path = (found["text"], found["path"] or "") if found else (message, "")
    code = next((code for pattern, code in _CODES if pattern.match(text)), "wrong_type")
    if text.startswith("Expected `int`, got") and _MONEY.fullmatch(path):
        code, text = "amount_not_fen", _NOT_FEN
    elif text.startswith("Expected `str`, got") and _FINE.fullmatch(path):
        code, text = "unit_price_yuan_invalid", _NOT_TEXT
    field = _FIELD.fullmatch(text)
    raise MalformedError(
        code, text[:_LONGEST_DETAIL], pointer=_pointer(path, field[1] if field else None)
    )


def _refuse_bytes(body: bytes, error: Exception) -> NoReturn:
    """The error of bytes that are not JSON."""
    _check_utf8(body)
    if "surrogate" in str(error):
        raise MalformedError("lone_surrogate", "a \\u escape is half a surrogate pair")
    raise MalformedError("not_json", str(error)[:_LONGEST_DETAIL])


def _check_utf8(body: bytes) -> None:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("not_utf8", f"byte {error.start} is not UTF-8") from None


def _pointer(path: str, field: str | None) -> str:
    """``.lines[0].name`` as an RFC 6901 pointer."""
    pointer = path.replace("[", ".").replace("]", "").replace(".", "/")
    if field is None:
        return pointer
    return f"{pointer}/{field[:_LONGEST_DETAIL].replace('~', '~0').replace('/', '~1')}"
