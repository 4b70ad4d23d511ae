"""The promise in every answer to an issue: by when the invoice will be in the log.

A signed note of four lines: the promise key's name (origin and ``/promise``), the password
area, when it was issued, by when it will be in the log. The same invoice always gets the
same promise, so a repeated request does not move the deadline.
"""

from datetime import timedelta

import msgspec

from chain.commitment import parse_password_area
from chain.entry import parse_time
from chain.errors import MalformedError, VerificationError
from chain.note import SignerKey, VerifierKey, open_note, sign_note
from invoice_service.domain.numbering import format_utc

_LINES = 5  # four, and what is after the last line feed


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What was promised: ``hash`` will be in the log of ``origin`` by ``deadline`` (RFC 3339)."""

    origin: str
    hash: str
    issued_at: str
    deadline: str


def make_promise(signer: SignerKey, hash_: str, issued_at: int, max_delay: int) -> bytes:
    """Promise that the invoice issued at ``issued_at`` is in the log ``max_delay`` seconds on."""
    times = f"{format_utc(issued_at)}\n{format_utc(issued_at + max_delay)}"
    return sign_note(f"{signer.name}\n{hash_}\n{times}\n", signer)


def read_promise(note: bytes, key: VerifierKey) -> Promise:
    """What the promise says, once the signature holds.

    Raises MalformedError: ``note``, ``promise_malformed``, ``password_area``,
    ``time_malformed``; VerificationError: ``signature``, ``signature_missing``,
    ``promise_of_another``.
    """
    lines = open_note(note, [key]).text.split("\n")
    if len(lines) != _LINES:
        raise MalformedError("promise_malformed", "a promise has four lines")
    name, hash_, issued_at, deadline, _ = lines
    if name != key.name:
        raise VerificationError("promise_of_another", "the promise is of another log than the key")
    parse_password_area(hash_)
    if parse_time(deadline) - parse_time(issued_at) < timedelta():
        raise MalformedError("promise_malformed", "the deadline is before the time of issue")
    origin = name.removesuffix("/promise")
    return Promise(origin=origin, hash=hash_, issued_at=issued_at, deadline=deadline)
