"""Lines of lists against the slow definition, and how little of a list is held or looked at."""

import io
import tracemalloc
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoice_service.domain import lists
from invoice_service.domain.lists import BLOCK, Line, filled_lines
from tests.domain.endless import Endless

LONGEST = 12
MEGABYTE = 1 << 20


def slow(data: bytes) -> list[Line]:
    """What a line is."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    return [
        Line(number, line.removesuffix(b"\n").removesuffix(b"\r"))
        for number, line in enumerate(io.BytesIO(data), start=1)
        if line.strip()
    ]


@given(
    data=st.lists(st.sampled_from([b"\n", b"\r\n", b"\r", b" ", b"x", b"y" * 7, b"\xef\xbb\xbf"])),
    block=st.integers(1, 9),
)
def test_lines_are_those_of_the_slow_definition(data: list[bytes], block: int) -> None:
    body = b"".join(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "BLOCK", block)
        found = list(filled_lines(io.BytesIO(body), LONGEST))
    wanted = slow(body)
    assert [line.number for line in found] == [line.number for line in wanted]
    for line, whole in zip(found, wanted, strict=True):
        if len(whole.text) <= LONGEST:
            assert line.text == whole.text
        else:
            assert len(line.text) > LONGEST


def test_a_line_too_long_is_never_given_as_a_shorter_one() -> None:
    for tail in (b"\r ", b"\r\r\r rest", b"x"):
        for block in (1, 5, BLOCK):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(lists, "BLOCK", block)
                [line] = filled_lines(io.BytesIO(b"y" * LONGEST + tail), LONGEST)
            assert len(line.text) > LONGEST


def test_what_is_not_asked_for_is_not_looked_at() -> None:
    source = Endless(b"x\n", 33 * MEGABYTE)
    assert len(list(islice(filled_lines(source, LONGEST), 10_001))) == 10_001
    assert source.given <= 20_002 + BLOCK + 3


@pytest.mark.parametrize("piece", [b"\n", b"\r\n", b"  ", b"\t\n", b"x"])
def test_however_much_comes_little_is_held(piece: bytes) -> None:
    source = Endless(piece, 33 * MEGABYTE)
    tracemalloc.start()
    try:
        found = list(filled_lines(source, 65_536))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert source.given == 33 * MEGABYTE
    assert len(found) == (piece == b"x")
    assert peak < MEGABYTE


def test_a_number_counts_blank_lines() -> None:
    source = io.BytesIO(b"\n" * 200_000 + b"x\r\n \ny")
    assert list(filled_lines(source, LONGEST)) == [(200_001, b"x"), (200_003, b"y")]
