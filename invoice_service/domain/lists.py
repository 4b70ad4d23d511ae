"""Lists from outside, a record a line: what a line is, the same for bodies, files and pages."""

import codecs
import re
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

from .reading import without_mark

BLOCK: Final = 1 << 16  # bytes that are looked at together

_FILLED: Final = re.compile(rb"\S")


class Source(Protocol):
    """What is read: an open file, or one in memory."""

    def read(self, size: int, /) -> bytes: ...


class Line(NamedTuple):
    """A line that holds something, without its end; its number counts blank ones, from 1."""

    number: int
    text: bytes


def filled_lines(source: Source, longest: int) -> Iterator[Line]:
    """The lines that hold something; a byte order mark before the first is no part of it.

    Of one that is longer than ``longest`` bytes, more than ``longest`` are given and the rest is
    skipped, so that whoever reads it refuses it for its length. Holds ``longest`` bytes and a
    block at most; blank lines are passed over many at a time. MalformedError "not_utf8" for a list
    in UTF-16.
    """
    number = 1
    kept = without_mark(source.read(len(codecs.BOM_UTF8)))
    while block := source.read(BLOCK):
        whole, end, kept = (kept + block).rpartition(b"\n")
        yield from _filled(whole, number)
        number += whole.count(b"\n") + len(end)
        kept = kept[: longest + 2]  # one more for the "\r" that may be cut off
    yield from _filled(kept, number)


def _filled(block: bytes, number: int) -> Iterator[Line]:
    at = 0
    while found := _FILLED.search(block, at):
        start = max(at, block.rfind(b"\n", at, found.start()) + 1)
        end = block.find(b"\n", start)
        number += block.count(b"\n", at, start)
        text = block[start:] if end < 0 else block[start:end]
        yield Line(number, text.removesuffix(b"\r"))
        if end < 0:
            return
        number, at = number + 1, end + 1
