"""How the instance is: what stops it from serving, and what an operator should look at."""

from collections.abc import Callable
from dataclasses import dataclass
from os import statvfs
from pathlib import Path
from typing import Protocol

import msgspec

from chain.block import Head
from chain.checkpoint import Checkpoint
from chain.errors import Problem
from invoice_service.services.ports import PendingReader

LOW_SPACE = 256 * 1024 * 1024
"""Free bytes below which an operator is warned."""


class HealthLog(Protocol):
    """What health needs of the log."""

    def head(self) -> Head:
        """Where the log stands, published or not."""
        ...

    def latest_checkpoint(self) -> tuple[Checkpoint, bytes]:
        """The largest signed checkpoint and its note."""
        ...


@dataclass(frozen=True, slots=True)
class HealthParts:
    """What is looked at; ``max_delay`` in seconds, ``issuer_alive`` asks the issuing process."""

    invoices: PendingReader
    log: HealthLog
    folder: Path
    max_delay: int
    issuer_alive: Callable[[], bool]


class Finding(msgspec.Struct, frozen=True):
    """One thing that is not as it should be."""

    code: str
    detail: str


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The state now: sizes in entries and bytes, ages in seconds.

    ``problems`` stop the service from answering, ``warnings`` do not.
    """

    ready: bool
    issued: int
    pending: int
    oldest_pending: int
    log_size: int
    published_size: int
    issuing_process: bool
    free_bytes: int
    problems: tuple[Finding, ...]
    warnings: tuple[Finding, ...]


def check_health(parts: HealthParts, now: int) -> Health:
    """Look at everything; ``now`` in unix seconds. Raises nothing: what fails is a finding."""
    problems: list[Finding] = []
    issued = cursor = log_size = published = oldest = 0
    try:
        head = parts.log.head()
        cursor, log_size = head.cursor, head.size
        published = parts.log.latest_checkpoint()[0].size
        issued = max(parts.invoices.last_seq(), cursor)
        oldest = _age_of(parts.invoices, cursor + 1, now)
    except Problem as problem:
        problems.append(Finding(problem.code, problem.detail))
    free = _free_bytes(parts.folder)
    alive = parts.issuer_alive()
    return Health(
        ready=not problems,
        issued=issued,
        pending=issued - cursor,
        oldest_pending=oldest,
        log_size=log_size,
        published_size=published,
        issuing_process=alive,
        free_bytes=free,
        problems=tuple(problems),
        warnings=tuple(_warnings(parts, oldest, free, issuing=alive)),
    )


def _age_of(invoices: PendingReader, seq: int, now: int) -> int:
    issued_at = invoices.issued_at(seq)
    return 0 if issued_at is None else max(now - issued_at, 0)


def _free_bytes(folder: Path) -> int:
    disk = statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def _warnings(parts: HealthParts, oldest: int, free: int, *, issuing: bool) -> list[Finding]:
    found = []
    if oldest > parts.max_delay:
        found.append(
            Finding("anchoring_overdue", f"an invoice has waited {oldest} seconds for the log")
        )
    if free < LOW_SPACE:
        found.append(Finding("disk_low", f"{free} bytes are free"))
    if not issuing:
        found.append(Finding("issuer_missing", "no issuing process answers; issuing is slower"))
    return found
