"""The promise that a document will be in the log by a certain time: a note by its own key.

Four lines: the promise key's name (origin and ``/promise``), the password area, when it was
given, by when the anchor will be in the log.
"""

from dataclasses import dataclass
from datetime import datetime

from chain.commitment import anchor, parse_password_area
from chain.entry import parse_time
from chain.errors import MalformedError, VerificationError
from chain.hashing import Digest
from chain.signing.note import VerifierKey, open_note

_LINES = 5  # four, and what is after the last line feed
_NAME = "/promise"


@dataclass(frozen=True, slots=True)
class Promise:
    """``anchor`` will be in the log of ``origin`` by ``deadline``; so it was said at ``given``."""

    origin: str
    hash: str
    anchor: Digest
    given: datetime
    deadline: datetime


def open_promise(note: bytes, key: VerifierKey) -> Promise:
    """Return what was promised, once the signature holds.

    Raises MalformedError: ``note``, ``promise_malformed``, ``password_area``,
    ``time_malformed``; VerificationError: ``signature``, ``signature_missing``,
    ``promise_of_another``.
    """
    lines = open_note(note, [key]).text.split("\n")
    if len(lines) != _LINES:
        raise MalformedError("promise_malformed", "a promise has four lines")
    name, hash_, given, deadline, _ = lines
    if name != key.name or not name.endswith(_NAME):
        raise VerificationError("promise_of_another", "the promise is of another log than the key")
    document = parse_password_area(hash_)
    promise = Promise(
        name.removesuffix(_NAME), hash_, anchor(document), parse_time(given), parse_time(deadline)
    )
    if promise.deadline < promise.given:
        raise MalformedError("promise_malformed", "the deadline is before the time of issue")
    return promise
