"""What a reader of a PDF would run or open: found by its name, also where that is packed.

A catalogue may lie in a packed stream of objects, and a name may be spelled with ``#`` and the
code of a letter. So where there are such streams every part is unfolded, within bounds, and looked
through as it is spelled plainly. What may be packed in a way that is not unfolded here is refused,
too.
"""

import re
import zlib
from collections.abc import Iterator
from typing import Final

from chain.errors import MalformedError

MOST: Final = 64 << 20
"""Bytes that all parts together may unfold to; our longest papers have a sixth."""

_CHUNK: Final = 1 << 20
_OVERLAP: Final = 200
_STREAM: Final = re.compile(rb"stream\r?\n")
_SPELLED: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
# Names that are long enough, with what stands behind them, not to come about in what is packed.
_ACTIVE: Final = re.compile(
    rb"/(JavaScript|Launch|OpenAction|RichMedia|SubmitForm|ImportData|GoToE|GoToR|Rendition)\b"
    rb"|/(AA)\s*(?:<<|\d+\s+\d+\s+R\b)"
    rb"|/S\s*/(URI|Movie|Sound|JavaScript)\b"
)
_PACKED_OBJECTS: Final = b"/ObjStm"
_OTHERWISE: Final = re.compile(
    rb"/(LZWDecode|ASCII85Decode|ASCIIHexDecode|RunLengthDecode|Crypt)\b"
)


def active_in(data: bytes) -> str | None:
    """The name of the first such thing; None where there is none.

    Raises MalformedError: ``pdf_too_much`` where parts unfold to more than ``MOST``,
    ``pdf_unreadable`` where objects may be packed in a way that nobody uses for them.
    """
    plain = _plain(data)
    if (found := _named(plain)) or _PACKED_OBJECTS not in plain:
        return found
    if other := _OTHERWISE.search(plain):
        raise MalformedError(
            "pdf_unreadable", f"its objects may be packed by {other[1].decode()}: save it anew"
        )
    return next(filter(None, map(_named, map(_plain, _unfolded(data)))), None)


def _named(part: bytes) -> str | None:
    found = _ACTIVE.search(part)
    return None if found is None else next(name for name in found.groups() if name).decode()


def _plain(data: bytes) -> bytes:
    """With each letter of a name as it is."""
    return _SPELLED.sub(lambda found: bytes([int(found[1], 16)]), data)


def _unfolded(data: bytes) -> Iterator[bytes]:
    """What unfolds behind each "stream", in pieces that overlap; what does not is passed over."""
    left = MOST
    for found in _STREAM.finditer(data):
        reader, before = zlib.decompressobj(), b""
        rest = memoryview(data)[found.end() :]
        while not reader.eof:
            try:
                piece = reader.decompress(rest, _CHUNK)
            except zlib.error:
                break
            left -= len(piece)
            if left < 0:
                raise MalformedError("pdf_too_much", f"it unfolds to over {MOST >> 20} MiB")
            if not piece:
                break
            yield before + piece
            before, rest = piece[-_OVERLAP:], memoryview(reader.unconsumed_tail)
