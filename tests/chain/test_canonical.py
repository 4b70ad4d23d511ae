"""Canonical JSON agrees with the reference package, and has exactly one spelling."""

from collections import OrderedDict
from collections.abc import Callable

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from chain.canonical import MAX_DEPTH, MAX_INTEGER, JsonValue, decode, decode_canonical, encode
from chain.errors import MalformedError

keys = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]))
values: st.SearchStrategy[JsonValue] = st.recursive(
    st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(MalformedError) as caught:
        call()
    return caught.value.code


def nested(depth: int) -> list[JsonValue]:
    """Lists in lists, objects in objects, and both in turn, ``depth`` levels of them."""
    lists: JsonValue = []
    objects: JsonValue = {}
    mixed: JsonValue = []
    for level in range(depth - 1):
        lists, objects = [lists], {"a": objects}
        mixed = {"a": mixed} if level % 2 else [mixed]
    return [lists, objects, mixed]


@given(values)
def test_agrees_with_the_reference(value: JsonValue) -> None:
    assert encode(value) == rfc8785.dumps(value)


@given(values)
def test_round_trip(value: JsonValue) -> None:
    data = encode(value)
    assert decode(data) == value
    assert decode_canonical(data) == value


def test_every_character_is_spelled_as_in_the_reference() -> None:
    for start in range(0, 0x110000, 0x1000):
        text = "".join(map(chr, range(start, start + 0x1000)))
        text = text.encode("utf-8", "ignore").decode()  # surrogates have no spelling
        assert encode(text) == rfc8785.dumps(text)


def test_keys_are_sorted_as_in_the_reference() -> None:
    value = {chr(c): 1 for c in (0x20AC, 0xD, 0xFB33, 0x31, 0x80, 0xF6, 0xFFFF, 0xE000)}
    value |= {"a": 1, "a\x00": 1, "aa": 1, "": 1, "Z": 1}
    assert encode(value) == rfc8785.dumps(value)


def test_keys_that_the_two_orders_sort_differently_are_refused() -> None:
    both = {"\U0001f600": 1, "\ufb33": 1}
    assert list(both) == sorted(both, key=lambda key: key.encode("utf-16-be"))
    assert list(both) != sorted(both)
    assert code_of(lambda: encode(both)) == "not_canonical"
    assert code_of(lambda: encode({"\U0001f600": 1})) == "not_canonical"
    assert code_of(lambda: decode('{"😀":1}'.encode())) == "not_canonical"
    assert encode("\U0001f600") == '"😀"'.encode()  # only in keys


class Text(str):
    """A string that could say one thing and be another."""

    __slots__ = ()


class Number(int):
    """The same for a number."""


class Array(list[int]):
    """The same for an array."""


@pytest.mark.parametrize(
    "value",
    [
        None,
        1.0,
        float("nan"),
        b"bytes",
        (1, 2),
        {1, 2},
        {1: "a"},
        {None: "a"},
        {True: "a"},
        object(),
        "\ud800",
        {"\udfff": 1},
        Text("a"),
        {Text("a"): 1},
        Number(1),
        Array([1]),
        OrderedDict(a=1),
        MAX_INTEGER + 1,
        -MAX_INTEGER - 1,
        10**400,
    ],
)
def test_what_has_no_canonical_form(value: object) -> None:
    for inside in (value, [value], {"a": value}, [[{"b": [value]}]]):
        assert code_of(lambda inside=inside: encode(inside)) == "not_canonical"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("value", "named"),
    [(None, "null"), (1.5, "a number with a fraction or an exponent"), ({1}, "set")],
)
def test_what_has_no_place_is_named(value: object, named: str) -> None:
    with pytest.raises(MalformedError, match=rf"^not_canonical: {named} has no place here$"):
        encode(value)


def test_limits_are_allowed() -> None:
    assert encode([MAX_INTEGER, -MAX_INTEGER]) == b"[9007199254740991,-9007199254740991]"
    assert decode(b"[9007199254740991,-9007199254740991]") == [MAX_INTEGER, -MAX_INTEGER]
    for value in nested(32):
        assert decode(encode(value)) == value
        assert decode_canonical(encode(value)) == value


def test_too_deep() -> None:
    assert MAX_DEPTH == 32
    for value in nested(33):
        assert code_of(lambda value=value: encode(value)) == "too_deep"  # type: ignore[misc]
    assert code_of(lambda: decode(b"[" * 33 + b"]" * 33)) == "too_deep"
    assert code_of(lambda: decode(b'{"a":' * 33 + b"1" + b"}" * 33)) == "too_deep"
    assert code_of(lambda: decode(b"[" * 1_000_000)) == "too_deep"
    assert code_of(lambda: decode_canonical(b"[" * 1_000_000)) == "too_deep"
    circle: list[object] = []
    circle.append(circle)
    assert code_of(lambda: encode(circle)) == "too_deep"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_json"),
        (b" ", "not_json"),
        (b"{", "not_json"),
        (b"[1,]", "not_json"),
        (b"\\a" * (MAX_DEPTH + 1), "not_json"),
        (b"{'a':1}", "not_json"),
        (b"[1] x", "not_json"),
        (b"[1][2]", "not_json"),
        (b"01", "not_json"),
        (b"+5", "not_json"),
        (b"1_0", "not_json"),
        (b'"a\nb"', "not_json"),
        ("１２".encode(), "not_json"),  # full-width digits
        (b"\xef\xbb\xbf{}", "not_json"),
        ("[1]".encode("utf-16"), "not_utf8"),
        (b'"\xff"', "not_utf8"),
        (b'"\xed\xa0\x80"', "not_utf8"),  # a surrogate, encoded
        (b'"\xc0\x80"', "not_utf8"),  # NUL, too long
        (b'{"a":1,"a":1}', "duplicate_key"),
        (b'{"a":1,"\\u0061":2}', "duplicate_key"),
        (b"1.0", "number_not_integer"),
        (b"1e3", "number_not_integer"),
        (b"-0.0", "number_not_integer"),
        (b"NaN", "number_not_integer"),
        (b"-Infinity", "number_not_integer"),
        (b"9007199254740992", "number_out_of_range"),
        (b"-9007199254740992", "number_out_of_range"),
        (b"9" * 100_000, "number_out_of_range"),
        (b"null", "not_canonical"),
        (b'{"a":null}', "not_canonical"),
        (b'"\\ud800"', "not_canonical"),
        (b'{"\\udc00":1}', "not_canonical"),
    ],
)
def test_each_bad_input_has_its_code(data: bytes, code: str) -> None:
    assert code_of(lambda: decode(data)) == code
    assert code_of(lambda: decode_canonical(data)) == code


def test_what_stands_side_by_side_is_not_deep() -> None:
    wide = b"[" + b'[],{},"]{",' * 2_000 + b"[]"
    assert len(decode(wide + b"]")) == 6_001  # type: ignore[arg-type]  # it is an array
    for deep in (b"[" * 1_500, b'{"a":' * 1_500):
        assert code_of(lambda deep=deep: decode(wide + b"," + deep)) == "too_deep"  # type: ignore[misc]
        assert code_of(lambda deep=deep: decode(deep)) == "too_deep"  # type: ignore[misc]


def test_what_is_too_deep_is_said_before_what_is_broken() -> None:
    """However deep the stack is already, and whatever else is wrong."""
    for depth in (33, 900, 1100, 100_000):
        assert code_of(lambda depth=depth: decode(b"[" * depth)) == "too_deep"  # type: ignore[misc]
    assert code_of(lambda: decode(b"[" * 32)) == "not_json"
    assert code_of(lambda: decode(b'["' + b"[" * 40)) == "not_json"
    assert decode(b'["' + b"[" * 40 + b'\\"["]') == ["[" * 40 + '"[']


@pytest.mark.parametrize(
    "data",
    [
        b' {"a":1}',
        b'{"a":1}\n',
        b'{"a": 1}',
        b'{"b":1,"a":1}',
        b'{"a":-0}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\/"}',
        b'{"a":"\\u000a"}',
        b'{"a":"\\u001F"}',
    ],
)
def test_other_spellings_are_not_canonical(data: bytes) -> None:
    assert code_of(lambda: decode_canonical(data)) == "not_canonical"


@given(st.binary(max_size=40) | st.text(alphabet='[]{}",:0123.eE-+ua\\nult\ud7ff', max_size=30))
def test_nothing_else_escapes(data: bytes | str) -> None:
    raw = data if isinstance(data, bytes) else data.encode()
    for read in (decode, decode_canonical):
        try:
            value = read(raw)
        except MalformedError:
            continue
        assert decode(encode(value)) == value


@given(values, st.data())
def test_no_changed_byte_keeps_the_meaning(value: JsonValue, data: st.DataObject) -> None:
    raw = bytearray(encode(value))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    try:
        changed = decode_canonical(bytes(raw))
    except MalformedError:
        return
    assert encode(changed) != encode(value)
