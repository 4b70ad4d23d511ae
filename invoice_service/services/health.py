"""How the instance is: what stops it from serving, and what an operator should look at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os import statvfs
from pathlib import Path
from typing import Protocol

import msgspec

from chain.block import Block, Head
from chain.errors import Problem
from chain.signing.checkpoint import Checkpoint
from chain.signing.note import VerifierKey, parse_note
from invoice_service.services.ports import PendingInvoice

LOW_SPACE = 256 * 1024 * 1024
"""Free bytes below which an operator is warned."""


class PendingReader(Protocol):
    """Reading what waits for the log."""

    def invoices_after(self, seq: int, limit: int) -> list[PendingInvoice]:
        """All invoices above ``seq``, in order, ``limit`` at most."""
        ...

    def issued_at(self, seq: int) -> int | None:
        """When (unix seconds) the invoice at ``seq`` was issued; None when there is none."""
        ...

    def last_seq(self) -> int:
        """``seq`` of the newest invoice; 0 when there is none."""
        ...


class HealthLog(Protocol):
    """What health needs of the log."""

    def head(self) -> Head:
        """Where the log stands, published or not."""
        ...

    def latest_checkpoint(self) -> tuple[Checkpoint, bytes]:
        """The published checkpoint and its note."""
        ...

    def block_of(self, index: int) -> Block:
        """The block in which that entry stands."""
        ...


@dataclass(frozen=True, slots=True)
class HealthParts:
    """What is looked at; ``max_delay`` in seconds, ``issuer_alive`` asks the issuing process.

    ``witnesses`` are those of the log's policy.
    """

    invoices: PendingReader
    log: HealthLog
    folder: Path
    max_delay: int
    issuer_alive: Callable[[], bool]
    witnesses: tuple[VerifierKey, ...] = ()


class Finding(msgspec.Struct, frozen=True):
    """One thing that is not as it should be."""

    code: str
    detail: str


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The state now: sizes in entries and bytes, ages in seconds.

    ``cosigned`` of the policy's ``witnesses`` have cosigned the published checkpoint;
    ``oldest_unpublished`` is how long a sealed block has waited for those that it needs.
    ``problems`` stop the service from answering, ``warnings`` do not.
    """

    ready: bool
    issued: int
    pending: int
    oldest_pending: int
    log_size: int
    published_size: int
    oldest_unpublished: int
    witnesses: int
    cosigned: int
    issuing_process: bool
    free_bytes: int
    problems: tuple[Finding, ...]
    warnings: tuple[Finding, ...]


def check_health(parts: HealthParts, now: int) -> Health:
    """Look at everything; ``now`` in unix seconds. Raises nothing: what fails is a finding."""
    problems: list[Finding] = []
    issued = cursor = log_size = published = oldest = unpublished = cosigned = 0
    try:
        checkpoint, note = (
            parts.log.latest_checkpoint()
        )  # before the head, which is the same or later
        head = parts.log.head()
        cursor, log_size, published = head.cursor, head.size, checkpoint.size
        issued = max(parts.invoices.last_seq(), cursor)
        oldest = _age_of(parts.invoices, cursor + 1, now)
        if published < log_size:
            unpublished = max(now - int(parts.log.block_of(published).sealed_at.timestamp()), 0)
        cosigned = _cosigned(note, parts.witnesses)
    except Problem as problem:
        problems.append(Finding(problem.code, problem.detail))
    free = _free_bytes(parts.folder)
    alive = parts.issuer_alive()
    found = Health(
        ready=not problems,
        issued=issued,
        pending=issued - cursor,
        oldest_pending=oldest,
        log_size=log_size,
        published_size=published,
        oldest_unpublished=unpublished,
        witnesses=len(parts.witnesses),
        cosigned=cosigned,
        issuing_process=alive,
        free_bytes=free,
        problems=tuple(problems),
        warnings=(),
    )
    return msgspec.structs.replace(found, warnings=tuple(_warnings(found, parts.max_delay)))


def _cosigned(note: bytes, witnesses: tuple[VerifierKey, ...]) -> int:
    """How many of the witnesses stand below the note; whoever needs to be sure checks them."""
    lines = {(line.name, line.key_id) for line in parse_note(note).signatures}
    return sum((key.name, key.key_id) in lines for key in witnesses)


def _age_of(invoices: PendingReader, seq: int, now: int) -> int:
    issued_at = invoices.issued_at(seq)
    return 0 if issued_at is None else max(now - issued_at, 0)


def _free_bytes(folder: Path) -> int:
    disk = statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def _warnings(found: Health, max_delay: int) -> Iterator[Finding]:
    oldest, waiting = found.oldest_pending, found.oldest_unpublished
    if oldest > max_delay:
        yield Finding("anchoring_overdue", f"an invoice has waited {oldest} seconds for the log")
    if waiting > max_delay:
        yield Finding("publishing_overdue", f"a block has waited {waiting} seconds for witnesses")
    if found.cosigned < found.witnesses and found.published_size:
        who = f"{found.cosigned} of {found.witnesses} witnesses"
        yield Finding("witness_missing", f"{who} have cosigned the published checkpoint")
    if found.free_bytes < LOW_SPACE:
        yield Finding("disk_low", f"{found.free_bytes} bytes are free")
    if not found.issuing_process:
        yield Finding("issuer_missing", "no issuing process answers; issuing is slower")
