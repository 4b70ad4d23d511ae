"""The audit's walk along the acts that the log commits to: log, documents and trail say the same.

In both directions: each entry has its document, each document its act in the trail, each such act
its document, and each document its entry or a place behind the last one. An act that was changed,
deleted or made up shows where one of them says something else than the others.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from chain.audit.finding import AuditError
from chain.commitment import SALT_SIZE, act_digest
from chain.errors import UnavailableError
from chain.hashing import Digest
from invoice_service.domain.acts import (
    LoggedAct,
    Recorded,
    act_document,
    concerned,
    is_logged,
)
from invoice_service.services.people.trail import ActFilter

_ROWS_AT_ONCE: Final = 256
_KIND: Final = "logged act"


class StoredActs(Protocol):
    """What the audit needs of the acts that the log commits to, and of the trail."""

    def acts(self, wanted: ActFilter, after: int, limit: int) -> Sequence[Recorded]:
        """Return up to ``limit`` acts of the trail above ``after``, lowest first."""
        ...

    def logged_from(self) -> int:
        """Return the last act of the trail from before such documents were kept; 0 for none.

        UnavailableError ``record_damaged`` where that is not known any more.
        """
        ...

    def last_logged_act(self) -> int:
        """Return ``seq`` of the newest document; 0 when there is none."""
        ...

    def logged_acts(self, after: int, limit: int) -> Sequence[LoggedAct]:
        """Return up to ``limit`` documents above ``after``, lowest first."""
        ...

    def logged_merchants(self, after: int, limit: int) -> Sequence[int | None]:
        """Return whom the acts above ``after`` concern, as their rows say, in order."""
        ...


class ActsAudit(NamedTuple):
    """What held: ``documents``, ``pending`` of which are not in the log yet.

    ``before`` acts of these types are older than that, up to the trail's act ``since``: for them
    the log does not vouch by an entry of their own. It holds the first ``bound`` acts of the
    trail, of every type: none of them can be missing, whatever is done to the hashes.
    """

    documents: int
    pending: int
    before: int
    since: int
    bound: int = 0


class LoggedWalk:
    """Is given the log's entries of acts, in order, and then holds them against the rest."""

    def __init__(self, stored: StoredActs) -> None:
        self._stored = stored
        self._entries: list[tuple[int, bytes]] = []
        self._documents = 0
        self._last = stored.last_logged_act()
        self._before = self._bound = 0
        self._since = _since(stored)
        self._rows = self._checked()

    def entry(self, index: int, data: bytes) -> None:
        """The log's next entry of an act."""
        self._entries.append((index, data))

    def finish(self) -> ActsAudit:
        """Each entry is that of the next document, and what comes after waits; AuditError."""
        for index, data in self._entries:
            self._compare(index, data)
        pending = sum(1 for _ in self._rows)
        documents = len(self._entries) + pending
        return ActsAudit(documents, pending, self._before, self._since, self._bound)

    def _compare(self, index: int, data: bytes) -> None:
        row = next(self._rows, None)
        if row is None:
            raise AuditError("entry", index, "an entry of an act that is stored", data.decode())
        expected = row.entry()
        if data != expected:
            place = f"{_KIND} {row.seq}, {expected.decode()}"
            raise AuditError("entry", index, place, data.decode())
        if row.type == "trail":
            self._bound = row.trail

    def _checked(self) -> Iterator[LoggedAct]:
        """The documents, each held against the trail's next act of its kind.

        Both are written in one transaction, so whoever looks at the trail first finds the document.
        """
        last: dict[str, Digest] = {}
        rows = _rows(self._stored)
        for found in _acts(self._stored):
            if not is_logged(found.act):
                continue
            if found.seq <= self._since:
                self._before += 1
                continue
            row = next(rows, None)
            if row is None:
                raise AuditError("act", found.seq, "a document for the log", "nothing")
            seq = self._documents = self._documents + 1
            _check(row, seq, found, last.get(found.act.subject))
            last[found.act.subject] = row[0].commitment
            yield row[0]
        row = next(rows, None)
        if row is not None and row[0].seq <= self._last:  # else both have come meanwhile
            raise AuditError(_KIND, row[0].seq, "an act in the trail", "none")


def _check(
    row: tuple[LoggedAct, int | None], seq: int, found: Recorded, previous: Digest | None
) -> None:
    """One document is of its act, and goes on from the one before about the same subject."""
    logged, merchant = row
    _same(seq, "place", seq, logged.seq)
    _same(seq, "act of the trail", found.seq, logged.trail)
    expected = act_document(found.act, previous)
    if logged.document != expected:
        said = _previous(logged.document)
        before = None if previous is None else previous.hex()
        if said != before:
            _same(seq, f"previous act of {found.act.subject}", before, said)
        found_document = logged.document.decode(errors="replace")
        raise AuditError(_KIND, seq, f"document {expected.decode()}", found_document)
    _same(seq, "type", found.act.type, logged.type)
    _same(seq, "subject", found.act.subject, logged.subject)
    _same(seq, "merchant", concerned(found.act), merchant)
    if len(logged.salt) != SALT_SIZE:
        raise AuditError(_KIND, seq, f"{SALT_SIZE} bytes of salt", logged.salt.hex())
    commitment = act_digest(logged.salt, logged.document)
    _same(seq, "commitment", commitment.hex(), logged.commitment.hex())


def _previous(document: bytes) -> Any:  # noqa: ANN401 # whatever somebody wrote there
    try:
        said = msgspec.json.decode(document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "no document"
    return said.get("previous") if isinstance(said, dict) else "no document"


def _since(stored: StoredActs) -> int:
    try:
        return stored.logged_from()
    except UnavailableError as error:
        raise _named(_KIND, 0, error) from error


def _rows(stored: StoredActs) -> Iterator[tuple[LoggedAct, int | None]]:
    done = 0
    while True:
        try:
            rows = stored.logged_acts(done, _ROWS_AT_ONCE)
            merchants = stored.logged_merchants(done, _ROWS_AT_ONCE)
        except UnavailableError as error:
            raise _named(_KIND, done, error) from error
        if not rows:
            return
        # Another row may have come between the two queries.
        yield from zip(rows, merchants, strict=False)
        done = rows[-1].seq


def _acts(stored: StoredActs) -> Iterator[Recorded]:
    done = 0
    while True:
        try:
            found = stored.acts(ActFilter(), done, _ROWS_AT_ONCE)
        except UnavailableError as error:
            raise _named("act", done, error) from error
        if not found:
            return
        yield from found
        done = found[-1].seq


def _named(kind: str, done: int, error: UnavailableError) -> Exception:
    if error.code != "record_damaged":
        return error
    return AuditError(kind, f"after {done}", "rows of ours", error.detail)


def _same(seq: int, name: str, expected: int | str | None, found: int | str | None) -> None:
    if expected != found:
        raise AuditError(_KIND, seq, f"{name} {expected}", f"{name} {found}")
