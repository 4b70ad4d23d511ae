"""How the instance is: what stops it from serving, and what an operator should look at."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from os import statvfs
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from chain.block import Block, Head
from chain.errors import Problem, UnavailableError
from chain.signing.checkpoint import Checkpoint
from chain.signing.note import VerifierKey, parse_note
from invoice_service.domain.clock import (
    MAX_BACKWARDS,
    MAX_FORWARDS,
    Known,
    check_ahead,
    check_behind,
    longest_wait,
)
from invoice_service.services.ports import PendingInvoice

LOW_SPACE = 256 * 1024 * 1024
"""Free bytes below which an operator is warned."""

FULL_SPACE = 1024 * 1024
"""Free bytes below which nothing can be relied on to be stored."""

CROWDED = 60
"""Seconds for which it is said that somebody was turned away for want of room."""

_ROOM = {
    "bodies_full": "requests found no room for their bodies: limits.held_bytes",
    "answers_full": "answers that nobody took found no room: limits.held_bytes",
    "connections_full": "connections found no place: limits.connections",
}

LEAP = 3600
"""Seconds gained on the machine's running that an operator is told of; a restart takes minutes."""

SILENT = 30
"""Seconds without a whole run of the worker after which it is said to be silent."""


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

    def taken(self) -> int:
        """``seq`` of the last invoice under the published checkpoint."""
        ...

    def block_of(self, index: int) -> Block:
        """The block in which that entry stands."""
        ...


class HealthStore(PendingReader, Protocol):
    """What health needs of the invoices."""

    def known_times(self) -> Known:
        """The times that are known to have come."""
        ...


class ActsWaiting(NamedTuple):
    """How many decisions wait for the log, and since when: unix seconds, 0 where none does."""

    many: int = 0
    since: int = 0


class Beat(NamedTuple):
    """What the worker said last: seconds since a run did all (None: never), what stops it.

    ``left`` are codes of totals and closings that it could not bring up to date.
    """

    age: int | None = None
    failing: str = ""
    left: tuple[str, ...] = ()


class WebProcesses(NamedTuple):
    """How many web processes live, the most there were at once, and how many there are to be."""

    alive: int
    seen: int
    wanted: int


@dataclass(frozen=True, slots=True)
class HealthParts:
    """What is looked at; times in seconds, ``issuer_alive`` asks the issuing process.

    ``witnesses`` are those of the log's policy. ``instance`` is the public name of this start.
    ``beat`` and ``web`` are None where no worker and no web processes belong to us. ``crowd`` says
    when (unix seconds) somebody was turned away last, by reason; ``acts`` as ``ActsWaiting``.
    """

    invoices: HealthStore
    log: HealthLog
    folder: Path
    max_delay: int
    issuer_alive: Callable[[], bool]
    witnesses: tuple[VerifierKey, ...] = ()
    max_backwards: int = MAX_BACKWARDS
    max_forwards: int = MAX_FORWARDS
    instance: str = ""
    beat: Callable[[], Beat] | None = None
    web: Callable[[], WebProcesses] | None = None
    crowd: Callable[[], Mapping[str, int]] = dict
    acts: Callable[[], tuple[int, int]] = ActsWaiting


class Finding(msgspec.Struct, frozen=True):
    """One thing that is not as it should be."""

    code: str
    detail: str


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """What anybody may know: the public name of this start, and whether it answers."""

    instance: str
    ready: bool


class Health(Readiness, frozen=True, kw_only=True):
    """The state now: sizes in entries and bytes, ages in seconds.

    ``cosigned`` of the policy's ``witnesses`` have cosigned the published checkpoint;
    ``oldest_unpublished`` is how long a sealed block has waited for those that it needs.
    ``pending`` and ``oldest_pending`` are of invoices, ``pending_acts`` and so on of decisions.
    ``worker_age`` is how long ago a run of the worker did all that it had to, -1 for never.
    ``problems`` stop the service from answering or issuing, ``warnings`` do not.
    """

    issued: int
    pending: int
    oldest_pending: int
    pending_acts: int
    oldest_pending_act: int
    log_size: int
    published_size: int
    oldest_unpublished: int
    witnesses: int
    cosigned: int
    issuing_process: bool
    worker_age: int
    web_processes: int
    free_bytes: int
    problems: tuple[Finding, ...]
    warnings: tuple[Finding, ...]


def check_health(parts: HealthParts, now: int) -> Health:
    """Look at everything; ``now`` in unix seconds. Raises nothing: what fails is a finding."""
    problems: list[Finding] = []
    known = Known()
    issued = cursor = log_size = published = oldest = unpublished = cosigned = waited = 0
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
        waited = _age_of(parts.invoices, parts.log.taken() + 1, now)
        cosigned = _cosigned(note, parts.witnesses)
        known = parts.invoices.known_times()
        problems += _clock(parts, known, now)
    except Problem as problem:
        problems.append(Finding(problem.code, problem.detail))
    warnings: list[Finding] = []
    acts = ActsWaiting()
    try:
        acts = ActsWaiting(*parts.acts())
    except Problem as problem:  # what the log knows of decisions stops nobody from issuing
        warnings.append(Finding(problem.code, problem.detail))
    beat = parts.beat() if parts.beat else None
    web = parts.web() if parts.web else None
    found = Health(
        instance=parts.instance,
        ready=True,
        issued=issued,
        pending=issued - cursor,
        oldest_pending=oldest,
        pending_acts=acts.many,
        oldest_pending_act=max(now - acts.since, 0) if acts.many else 0,
        log_size=log_size,
        published_size=published,
        oldest_unpublished=unpublished,
        witnesses=len(parts.witnesses),
        cosigned=cosigned,
        issuing_process=parts.issuer_alive(),
        worker_age=-1 if beat is None or beat.age is None else beat.age,
        web_processes=web.alive if web else 0,
        free_bytes=_free_bytes(parts.folder),
        problems=(),
        warnings=(),
    )
    problems += _problems(found, waited, parts.max_delay, web)
    warnings += [*_warnings(found, parts.max_delay), *_leapt(known, now), *_processes(beat, web)]
    warnings += _crowded(parts.crowd(), now)
    return msgspec.structs.replace(
        found, ready=not problems, problems=tuple(problems), warnings=tuple(warnings)
    )


def _clock(parts: HealthParts, known: Known, now: int) -> Iterator[Finding]:
    """What issuing and sealing think of the clock."""
    try:
        check_ahead(now, known, parts.max_forwards)
        check_behind(now, known, parts.max_backwards)
    except UnavailableError as problem:
        yield Finding(problem.code, problem.detail)


def _leapt(known: Known, now: int) -> Iterator[Finding]:
    """A leap that is let pass without a word is told of until the machine has run for a while."""
    gained = known.gained(now)
    if gained > LEAP:
        yield Finding("clock_leapt", f"the clock has gained {gained} s on the machine's running")


def _cosigned(note: bytes, witnesses: tuple[VerifierKey, ...]) -> int:
    """How many of the witnesses stand below the note; whoever needs to be sure checks them."""
    lines = {(line.name, line.key_id) for line in parse_note(note).signatures}
    return sum((key.name, key.key_id) in lines for key in witnesses)


def _age_of(invoices: PendingReader, seq: int, now: int) -> int:
    issued_at = invoices.issued_at(seq)
    return 0 if issued_at is None else max(now - issued_at, 0)


def _free_bytes(folder: Path) -> int:
    """Free space; 0 when the folder cannot be asked, since nothing can be stored in it."""
    try:
        disk = statvfs(folder)
    except OSError:
        return 0
    return disk.f_bavail * disk.f_frsize


def _problems(
    found: Health, waited: int, max_delay: int, web: WebProcesses | None
) -> Iterator[Finding]:
    """What stops issuing, besides what cannot be read.

    ``waited`` is for how many seconds the oldest invoice that is not in the published log has.
    """
    if waited > longest_wait(max_delay):
        detail = f"an invoice has waited {waited} s for the published log; nothing new is promised"
        yield Finding("log_behind", detail)
    if found.free_bytes < FULL_SPACE:
        yield Finding("disk_full", f"{found.free_bytes} bytes are free")
    if web is not None and web.seen < web.wanted:
        yield Finding("web_starting", f"{web.seen} of {web.wanted} web processes have opened")


def _warnings(found: Health, max_delay: int) -> Iterator[Finding]:
    oldest, waiting = found.oldest_pending, found.oldest_unpublished
    if oldest > max_delay:
        yield Finding("anchoring_overdue", f"an invoice has waited {oldest} seconds for the log")
    if found.oldest_pending_act > max_delay:
        detail = f"a decision has waited {found.oldest_pending_act} seconds for the log"
        yield Finding("acts_overdue", detail)
    if waiting > max_delay:
        yield Finding("publishing_overdue", f"a block has waited {waiting} seconds for witnesses")
    if found.cosigned < found.witnesses and found.published_size:
        who = f"{found.cosigned} of {found.witnesses} witnesses"
        yield Finding("witness_missing", f"{who} have cosigned the published checkpoint")
    if FULL_SPACE <= found.free_bytes < LOW_SPACE:
        yield Finding("disk_low", f"{found.free_bytes} bytes are free")
    if not found.issuing_process:
        yield Finding("issuer_missing", "no issuing process answers; issuing is slower")


def _crowded(last: Mapping[str, int], now: int) -> Iterator[Finding]:
    """For want of what somebody was turned away lately."""
    for code, text in _ROOM.items():
        if (at := last.get(code, 0)) and now - at <= CROWDED:
            yield Finding(code, f"in the last minute {text}")


def _processes(beat: Beat | None, web: WebProcesses | None) -> Iterator[Finding]:
    """What the worker and the web processes have to say."""
    if beat is not None:
        if beat.failing:
            yield Finding("worker_failing", f"the worker's last run stopped: {beat.failing}")
        if beat.left:
            yield Finding("totals_left", f"totals or closings fail: {', '.join(beat.left)}")
        if beat.age is None or beat.age > SILENT:
            since = "yet" if beat.age is None else f"for {beat.age} seconds"
            yield Finding("worker_silent", f"the worker has not finished a run {since}")
    if web is not None and web.alive < web.wanted <= web.seen:
        yield Finding("web_missing", f"{web.alive} of {web.wanted} web processes live")
