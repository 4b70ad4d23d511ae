"""Photographs that strangers send, made anew: of what was sent, only what is seen is kept.

A process of its own reads each one and writes another, within bounds; where a photograph was
taken, by what, and whatever else stood in its file stays behind (ADR 0051).
"""

import subprocess
import sys
import threading
from typing import Final

import msgspec

from chain.errors import MalformedError, UnavailableError

MAX_BYTES: Final = 8 << 20
"""Of one photograph as it was sent."""
MAX_SENT_PIXELS: Final = 120_000_000
"""As many as telephones make; a JPEG of so many is read at an eighth of its size."""
MAX_PIXELS: Final = 20_000_000
"""That are unfolded: of a JPEG, of what it is read as."""
LONGEST: Final = 2000
"""Pixels of the longer side of what is kept: print on a slip can be read."""
MEMORY: Final = 200 << 20
"""Bytes of address space."""
SECONDS: Final = 2
"""Of processor time."""
DEADLINE: Final = 30.0
"""Seconds; a process that is stopped from outside takes no processor time."""
AT_ONCE: Final = 2
"""Of each web process, whose threads are few; whoever comes then is turned away."""


class Cleaned(msgspec.Struct, frozen=True, tag=True):
    """The photograph as it is kept: JPEG without anything beside it."""

    jpeg: bytes


class Refused(msgspec.Struct, frozen=True, tag=True):
    """Why it was not read."""

    code: str
    detail: str


_decode: Final = msgspec.msgpack.Decoder(Cleaned | Refused).decode
PLACES: Final = threading.BoundedSemaphore(AT_ONCE)
"""Of all who read what strangers send."""


def is_photo(data: bytes) -> bool:
    """Whether it begins as JPEG, PNG or WebP does."""
    riff = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    return riff or data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))


def clean_photo(data: bytes) -> bytes:
    """The same photograph as a JPEG of bounded size.

    Raises MalformedError: picture_kind, picture_too_large, picture_unreadable, picture_too_much;
    UnavailableError ``pictures_busy``.
    """
    if len(data) > MAX_BYTES:
        raise MalformedError("picture_too_large", f"it is over {MAX_BYTES >> 20} MiB")
    if not is_photo(data):
        raise MalformedError("picture_kind", "JPEG, PNG and WebP are read")
    if not PLACES.acquire(blocking=False):
        raise UnavailableError("pictures_busy", "others are at it: try again in a moment")
    try:
        return _cleaned(data)
    finally:
        PLACES.release()


def _cleaned(data: bytes) -> bytes:
    command = [sys.executable, "-P", "-m", "invoice_service.documents.photo_apart"]
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, check=False, timeout=DEADLINE
        )
        answer: Cleaned | Refused = _decode(done.stdout)
    except (subprocess.TimeoutExpired, msgspec.MsgspecError):
        detail = f"it takes over {MEMORY >> 20} MiB or {SECONDS} seconds to read, or breaks readers"
        raise MalformedError("picture_too_much", detail) from None
    if isinstance(answer, Refused):
        raise MalformedError(answer.code, answer.detail)
    return answer.jpeg
