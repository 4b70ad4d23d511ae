"""Papers of the register (营业执照) as strangers send them: made anew, page by page, as pictures.

A photograph goes the way of those of slips; a PDF is drawn by a process of its own, within bounds.
What is kept is JPEG either way: scripts, forms, links and files inside stay behind (ADR 0056).
"""

import subprocess
import sys
from typing import Final

import msgspec

from chain.errors import MalformedError, UnavailableError
from invoice_service.documents.paper.reading import is_pdf
from invoice_service.documents.photo import PLACES, Refused, clean_photo

MAX_BYTES: Final = 8 << 20
"""Of one paper as it was sent."""
MAX_PAGES: Final = 4
"""Of a PDF: the register's paper has one, with its copy and an annex four."""
MEMORY: Final = 300 << 20
"""Bytes of address space."""
SECONDS: Final = 5
"""Of processor time."""
DEADLINE: Final = 60.0
"""Seconds; a process that is stopped from outside takes no processor time."""


class Drawn(msgspec.Struct, frozen=True, tag=True):
    """Its pages as they are kept: JPEG."""

    pages: list[bytes]


_decode: Final = msgspec.msgpack.Decoder(Drawn | Refused).decode


def clean_paper(data: bytes) -> list[bytes]:
    """The pages of a picture or a PDF as JPEG of bounded size.

    Raises MalformedError: as ``clean_photo``; pdf_unreadable, pdf_too_much, pdf_too_long,
    pdf_active; UnavailableError ``pictures_busy``.
    """
    if not is_pdf(data):
        return [clean_photo(data)]
    if len(data) > MAX_BYTES:
        raise MalformedError("pdf_too_much", f"it is over {MAX_BYTES >> 20} MiB")
    if not PLACES.acquire(blocking=False):
        raise UnavailableError("pictures_busy", "others are at it: try again in a moment")
    try:
        return _drawn(data)
    finally:
        PLACES.release()


def _drawn(data: bytes) -> list[bytes]:
    command = [sys.executable, "-P", "-m", "invoice_service.documents.certificate_apart"]
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, check=False, timeout=DEADLINE
        )
        answer: Drawn | Refused = _decode(done.stdout)
    except (subprocess.TimeoutExpired, msgspec.MsgspecError):
        detail = f"it takes over {MEMORY >> 20} MiB or {SECONDS} seconds to draw, or breaks readers"
        raise MalformedError("pdf_too_much", detail) from None
    if isinstance(answer, Refused):
        raise MalformedError(answer.code, answer.detail)
    return answer.pages
