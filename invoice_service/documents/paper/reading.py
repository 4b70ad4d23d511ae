"""Reading a PDF that anybody may have made, in a process of its own."""

import subprocess
import sys
from typing import Final

import msgspec

from chain.errors import MalformedError
from invoice_service.documents.paper.opened import MAX_BYTES, MEMORY, SECONDS, Opened, Refusal
from invoice_service.documents.paper.signature import UNKNOWN, WHOLE

DEADLINE: Final = 30.0
"""Seconds; a process that is stopped from outside takes no processor time."""
BEGINNING: Final = 1024
"""Bytes within which a PDF says that it is one."""

_decode: Final = msgspec.msgpack.Decoder(Opened | Refusal).decode


def is_pdf(beginning: bytes) -> bool:
    """Whether it says that it is one."""
    return b"%PDF-" in beginning[:BEGINNING]


def read_paper(data: bytes) -> Opened:
    """What the PDF holds.

    Raises MalformedError: pdf_unreadable, pdf_too_much, pdf_too_long, pdf_active.
    """
    if not is_pdf(data):
        raise MalformedError("pdf_unreadable", "this is no PDF")
    if len(data) > MAX_BYTES:
        raise MalformedError("pdf_too_much", f"it is over {MAX_BYTES >> 20} MiB")
    command = [sys.executable, "-P", "-m", "invoice_service.documents.paper.opening"]
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, check=False, timeout=DEADLINE
        )
        answer: Opened | Refusal = _decode(done.stdout)
    except (subprocess.TimeoutExpired, msgspec.MsgspecError):
        detail = f"it takes over {MEMORY >> 20} MiB or {SECONDS} seconds to read, or breaks readers"
        raise MalformedError("pdf_too_much", detail) from None
    if isinstance(answer, Refusal):
        raise MalformedError(answer.code, answer.detail)
    if answer.signed:
        return msgspec.structs.replace(answer, changed=_is_changed(data))
    return answer


def _is_changed(data: bytes) -> bool:
    """Whether it is not as it was signed; one that cannot be found out in time is."""
    command = [sys.executable, "-P", "-m", "invoice_service.documents.paper.signature"]
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, check=False, timeout=DEADLINE
        )
    except subprocess.TimeoutExpired:
        return True
    return done.stdout not in (WHOLE, UNKNOWN)
