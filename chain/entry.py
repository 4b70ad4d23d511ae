"""Log entries: canonical JSON objects with a ``kind``, checked field by field at one door.

Only commitments stand in an entry. The kinds and their fields are fixed (version 1).
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Final, Literal, TypeAlias, get_args

import msgspec

from chain.errors import MalformedError
from chain.hashing import DIGEST_SIZE, ZERO, Digest, digest_from_hex

MAX_INTEGER: Final = 2**53 - 1  # the largest integer that every JSON reader keeps exact
MAX_ENTRY_BYTES: Final = 1024  # the longest kind takes under 400; a bundle allows 65,535

Hex = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
Reversal = Literal["part", "full"]
LockState = Literal["locked", "released", "closed"]
ActType: TypeAlias = Literal[
    "admission", "quota", "suspension", "role", "finding", "consent", "log_key", "trail"
]

ACT_TYPES: Final[tuple[str, ...]] = get_args(ActType)
"""Of what an act is, which the log says; of whom, and what, only its document does."""

_ACT_KEY: Final = b"act/"


class AnchorEntry(
    msgspec.Struct, tag_field="kind", tag="invoice", forbid_unknown_fields=True, frozen=True
):
    """One anchored document; a reversing one names whom it reverses and what is then true."""

    anchor: Hex
    reverses: Hex | msgspec.UnsetType = msgspec.UNSET
    reversal: Reversal | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        """Refuse half a reversal and a document that reverses itself."""
        if (self.reverses is msgspec.UNSET) != (self.reversal is msgspec.UNSET):
            raise ValueError("`reverses` and `reversal` stand together or not at all")
        if self.reverses == self.anchor:
            raise ValueError("an entry cannot reverse itself")

    @property
    def reversed(self) -> tuple[Digest, Reversal] | None:
        """The anchor of the document that this one reverses, and how far; None for neither."""
        if self.reverses is msgspec.UNSET or self.reversal is msgspec.UNSET:
            return None
        return digest_from_hex(self.reverses), self.reversal


class LockEntry(
    msgspec.Struct, tag_field="kind", tag="reimbursement", forbid_unknown_fields=True, frozen=True
):
    """A change of a document's reimbursement lock; ``holder`` commits to who holds it."""

    anchor: Hex
    state: LockState
    holder: Hex


class ClosingEntry(
    msgspec.Struct, tag_field="kind", tag="closing", forbid_unknown_fields=True, frozen=True
):
    """The commitment to one (Shanghai) day's totals; ``through`` is the last index it covers."""

    day: str
    through: Count
    totals: Hex

    def __post_init__(self) -> None:
        """Refuse a day that is not in the calendar."""
        parse_day(self.day)


class ActEntry(
    msgspec.Struct, tag_field="kind", tag="act", forbid_unknown_fields=True, frozen=True
):
    """The commitment to one act of an official, or of the service; ``commitment.act_digest``."""

    type: ActType
    act: Hex


class SealEntry(
    msgspec.Struct, tag_field="kind", tag="seal", forbid_unknown_fields=True, frozen=True
):
    """Closes block ``height``: entries ``first`` to ``first + count - 1``, itself right after."""

    height: Annotated[int, msgspec.Meta(ge=1, le=MAX_INTEGER)]
    previous: Hex
    first: Count
    count: Count
    states: Hex
    sealed_at: str

    def __post_init__(self) -> None:
        """Refuse a time that is not one."""
        parse_time(self.sealed_at)

    @property
    def index(self) -> int:
        """Where the seal itself stands in the log."""
        return self.first + self.count


Entry = AnchorEntry | LockEntry | ClosingEntry | ActEntry | SealEntry

_decoder: Final = msgspec.json.Decoder(Entry)
_encoder: Final = msgspec.json.Encoder(order="sorted")


def parse_entry(data: bytes) -> Entry:
    """Read one entry; only its canonical bytes are accepted. Raises MalformedError."""
    if len(data) > MAX_ENTRY_BYTES:
        raise MalformedError("entry_too_long", f"an entry has at most {MAX_ENTRY_BYTES} bytes")
    try:
        entry: Entry = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError("entry_malformed", f"not a log entry: {error}") from error
    # Encoded again and compared: spaces, escapes, key order, `-0` and duplicate keys fall out.
    if _encoder.encode(entry) != data:
        raise MalformedError("not_canonical", "the entry is not in its canonical form")
    return entry


def plain_entry(anchor: Digest) -> bytes:
    """Canonical entry that anchors a document and reverses none."""
    return b'{"anchor":"%s","kind":"invoice"}' % anchor.hex().encode()


def plain_anchor(data: bytes) -> Digest | None:
    """Read an entry that anchors a document and reverses none; None for any other bytes.

    Most entries are such, and ``parse_entry`` would say the same of them.
    """
    found = _PLAIN(data)
    return None if found is None else Digest(bytes.fromhex(found[1].decode()))


_PLAIN: Final = re.compile(rb'\{"anchor":"([0-9a-f]{64})","kind":"invoice"\}').fullmatch


def format_entry(entry: Entry) -> bytes:
    """Canonical bytes of an entry, checked as an outside one would be."""
    data = _encoder.encode(entry)
    parse_entry(data)  # constructing a Struct checks nothing; this does
    return data


def entry_key(entry: Entry) -> bytes | None:
    """What may stand in the log only once: an anchor (32 bytes), a day (10), an act (36)."""
    if isinstance(entry, AnchorEntry):
        return bytes.fromhex(entry.anchor)
    if isinstance(entry, ClosingEntry):
        return closing_key(entry.day)
    if isinstance(entry, ActEntry):
        return act_key(digest_from_hex(entry.act))
    return None


def closing_key(day: str) -> bytes:
    """Key of the closing entry of ``day`` (``YYYY-MM-DD``)."""
    return day.encode()


def act_key(commitment: Digest) -> bytes:
    """Key of the entry of an act; no anchor is one."""
    return _ACT_KEY + commitment


def anchor_entry(
    kind: Literal["invoice"],
    anchor: Digest,
    *,
    reverses: Digest | None = None,
    reversal: Reversal | None = None,
) -> bytes:
    """Canonical entry that anchors a document.

    Raises MalformedError; ValueError for half a reversal, or one of itself.
    """
    _require_kind(kind, AnchorEntry)
    if reverses is None and reversal is None and len(anchor) == DIGEST_SIZE:
        return plain_entry(anchor)
    return format_entry(
        AnchorEntry(
            anchor=anchor.hex(),
            reverses=msgspec.UNSET if reverses is None else reverses.hex(),
            reversal=msgspec.UNSET if reversal is None else reversal,
        )
    )


def lock_entry(
    kind: Literal["reimbursement"], anchor: Digest, state: LockState, holder: Digest
) -> bytes:
    """Canonical entry that changes a document's lock. Raises MalformedError."""
    _require_kind(kind, LockEntry)
    return format_entry(LockEntry(anchor=anchor.hex(), state=state, holder=holder.hex()))


def closing_entry(day: str, through: int, totals: Digest) -> bytes:
    """Canonical entry that commits to a day's totals. Raises MalformedError."""
    return format_entry(ClosingEntry(day=day, through=through, totals=totals.hex()))


def act_entry(type_: ActType, commitment: Digest) -> bytes:
    """Canonical entry that commits to an act. Raises MalformedError."""
    return format_entry(ActEntry(type=type_, act=commitment.hex()))


def seal_entry(
    height: int,
    previous: Digest,
    first: int,
    count: int,
    sealed_at: datetime,
    states: Digest = ZERO,
) -> bytes:
    """Canonical entry that closes block ``height``. Raises MalformedError."""
    return format_entry(
        SealEntry(
            height=height,
            previous=previous.hex(),
            first=first,
            count=count,
            states=states.hex(),
            sealed_at=format_time(sealed_at),
        )
    )


def format_time(moment: datetime) -> str:
    """``YYYY-MM-DDTHH:MM:SSZ`` in UTC, parts of a second cut off (RFC 3339, one spelling)."""
    if moment.tzinfo is None:
        raise MalformedError("time_malformed", "a time without a zone cannot be written as UTC")
    # Not strftime: its %Y writes years before 1000 with fewer than four digits.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def parse_time(text: str) -> datetime:
    """Read back what ``format_time`` writes, nothing else. Raises MalformedError."""
    try:
        moment = datetime.fromisoformat(text)
        spelled = format_time(moment)
    except (ValueError, OverflowError) as error:  # year 1, east of Greenwich: no time in UTC
        raise MalformedError("time_malformed", f"not a time: {error}") from error
    if spelled != text:  # ISO 8601 has many spellings, we have one
        raise MalformedError("time_malformed", "a time is written YYYY-MM-DDTHH:MM:SSZ")
    return moment


def parse_day(text: str) -> str:
    """A calendar day ``YYYY-MM-DD`` as it was given. Raises MalformedError."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise MalformedError("day_malformed", f"not a day: {error}") from error
    if day.isoformat() != text:
        raise MalformedError("day_malformed", "a day is written YYYY-MM-DD")
    return text


def _require_kind(kind: str, shape: type[msgspec.Struct]) -> None:
    if kind != shape.__struct_config__.tag:
        raise MalformedError("entry_malformed", f"{kind!r} is not a kind of this form")
