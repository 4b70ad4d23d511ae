"""CBOR: what another library reads the same, and one spelling only."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError
from chain.signing.cbor import Tagged, Value, decode, encode

NUMBERS = st.integers(-(2**64), 2**64 - 1)
VALUES: st.SearchStrategy[Value] = st.recursive(
    st.none() | NUMBERS | st.binary(max_size=300) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NUMBERS, inner, max_size=4),
    max_leaves=8,
)


@given(VALUES)
def test_another_library_reads_and_writes_the_same(value: Value) -> None:
    data = encode(value)
    assert cbor2.loads(data) == value
    assert decode(data) == value
    assert decode(encode(Tagged((18, value)))) == (18, value)


@given(st.dictionaries(NUMBERS, st.none(), max_size=6))
def test_keys_stand_in_the_order_of_their_bytes(value: dict[int, Value]) -> None:
    assert list(cbor2.loads(encode(value))) == sorted(value, key=cbor2.dumps)


@given(st.binary(max_size=40))
def test_whatever_is_read_is_written_the_same(data: bytes) -> None:
    try:
        value = decode(data)
    except MalformedError as error:
        assert error.code == "cbor"  # noqa: PT017  # nothing else may come out
    else:
        assert encode(value) == data


@pytest.mark.parametrize(
    "text",
    [
        "",  # nothing
        "1800",  # a number in two bytes that takes one
        "1b0000000000000001",  # the same in nine
        "1c",  # a length that nobody has defined
        "5f4100ff",  # a string in parts
        "43aabb",  # a string that is cut off
        "62fffe",  # a text that is not UTF-8
        "f4",  # false
        "f90000",  # a number with a point
        "a201000100",  # a key twice
        "a202000100",  # keys in another order
        "a14100f6",  # a key that is no number
        "9a7fffffff",  # an array without end
        "8181818181818181818100",  # too deep
        "f600",  # something behind the end
    ],
)
def test_other_spellings_and_kinds_are_refused(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        decode(bytes.fromhex(text))
    assert caught.value.code == "cbor"


@pytest.mark.parametrize(
    "number", [0, 1, 23, 24, 25, 100, 255, 256, 2**16 - 1, 2**16, 2**32 - 1, 2**32, 2**64 - 1]
)
def test_numbers_take_as_many_bytes_as_they_need(number: int) -> None:
    for value in (number, -1 - number):
        assert encode(value) == cbor2.dumps(value)
        assert decode(encode(value)) == value
    assert decode(encode([number, number])) == [number, number]
    for refused in (b"\x18\x18\x18", b"\x1b" + b"\xff" * 7, b"\x1c" + b"\xff" * 16):
        with pytest.raises(MalformedError):
            decode(refused)


def test_no_number_has_more_than_eight_bytes() -> None:
    for number in (2**64, -1 - 2**64):
        with pytest.raises(MalformedError) as caught:
            encode(number)
        assert caught.value.code == "cbor"


@pytest.mark.parametrize("level", [b"\x81", b"\xa1\x00", b"\xc1"])
def test_values_stand_in_each_other_to_a_depth(level: bytes) -> None:
    assert encode(decode(level * 7 + b"\x00")) == level * 7 + b"\x00"
    with pytest.raises(MalformedError):
        decode(level * 8 + b"\x00")
