"""The trail: acts, which are only appended, and the hourly counts of refusals, which only grow."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from chain import canonical
from chain.errors import MalformedError, UnavailableError
from chain.hashing import ZERO, Digest, to_digest
from invoice_service.domain.acts import (
    SERVICE,
    UNKNOWN,
    Act,
    ActType,
    By,
    Recorded,
    act_by,
    act_hash,
    is_logged,
)
from invoice_service.domain.merchant import Merchant, particulars
from invoice_service.services.people.refusals import (
    HOUR,
    KEPT_SECONDS,
    OTHERS,
    Refusals,
    earns_a_row,
)
from invoice_service.services.people.trail import (
    BOUND_WITHIN,
    REFUSALS,
    TRAIL,
    ActFilter,
    Head,
    HourSums,
    KeyStanding,
    MerchantStanding,
    RefusalRow,
)
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.logged import log_act

_COLUMNS: Final = (
    "at",
    "actor",
    "origin",
    "type",
    "subject",
    "outcome",
    "code",
    "before",
    "after",
    "reason",
)
_SELECT: Final = f"SELECT seq, hash, {', '.join(_COLUMNS)} FROM acts WHERE "  # noqa: S608 # our own column names
_INSERT: Final = (
    f"INSERT INTO acts (seq, hash, {', '.join(_COLUMNS)})"  # noqa: S608 # our own column names
    f" VALUES (?, ?{', ?' * len(_COLUMNS)})"
)
_CONDITIONS: Final = {
    "subject": "subject = :subject",
    "actor": "actor = :actor",
    "type": "type = :type",
    "since": "at >= :since",
    "until": "at < :until",
}
_REFUSAL: Final = "id, hour, code, who, origin, count, first_at, last_at"
_MERCHANT: Final = (
    *("id", "tax_id", "name", "industry", "district", "address_phone", "bank_account"),
    *("drawer", "payee", "reviewer", "status", "quota", "month_quota", "invoice_limit"),
    "batch",
)
_NAMED: Final = "hour = ? AND code = ? AND who = ? AND origin = ?"
_LAST: Final = (
    "(SELECT {} FROM acts WHERE subject = {} AND type IN ({}) AND outcome = 'done'"
    " ORDER BY seq DESC LIMIT 1)"
)


def last_said(column: str, subject: str, *types: ActType) -> str:
    """The SQL for a column of the newest act of those types about a subject, both in SQL."""
    return _LAST.format(column, subject, ", ".join(f"'{one}'" for one in types))


class Trail:
    """The part of the store that remembers who did what."""

    connections: Connections

    def record(self, act: Act) -> int:
        """Append an act by itself; returns its place. What changes a row, appends beside that."""
        with self.connections.writing() as connection:
            return append(connection, act)

    def bind_trail(self, at: int) -> bool:
        """Append an act that says what the trail came to, where one has waited for it long enough.

        The log commits to it as to decisions, and so to every act before: none of them can be
        changed or taken out, nor the end cut off. Whether it did; ``at`` is unix seconds.
        Reads only, and waits for no writer, while there is nothing to bind.
        """
        with self.connections.reading() as connection:
            if not _waits(connection, at):
                return False
        with self.connections.writing() as connection:
            if not _waits(connection, at):  # another worker has done it
                return False
            said = _head(connection).said()
            append(connection, act_by(By(SERVICE, at), "trail", TRAIL, after=said))
            return True

    def acts(self, wanted: ActFilter, after: int, limit: int) -> list[Recorded]:
        """Matching acts with ``seq`` above ``after``, in order, ``limit`` at most.

        UnavailableError ``record_damaged`` for a row that is none of ours.
        """
        return self._acts(wanted, "seq > :place", "ASC", after, limit)

    def newest_acts(self, wanted: ActFilter, before: int, limit: int) -> list[Recorded]:
        """Matching acts with ``seq`` below ``before``, the newest first; as ``acts``."""
        return self._acts(wanted, "seq < :place", "DESC", before, limit)

    def _acts(
        self, wanted: ActFilter, place: str, order: str, seq: int, limit: int
    ) -> list[Recorded]:
        values = msgspec.structs.asdict(wanted)
        conditions = [_CONDITIONS[name] for name, value in values.items() if value is not None]
        query = " AND ".join([place, *conditions]) + f" ORDER BY seq {order} LIMIT :limit"
        with self.connections.reading() as connection:
            rows = connection.execute(_SELECT + query, values | {"place": seq, "limit": limit})
            return [_recorded(row) for row in rows.fetchall()]

    def last_act(self) -> Head:
        """Place and hash of the newest act; 0 and ZERO when there is none."""
        with self.connections.reading() as connection:
            return _head(connection)

    def count_refusals(self, counts: Sequence[Refusals]) -> None:
        """Add to the rows of those that have one, or earn one; the rest to ``OTHERS``.

        What belongs to an hour that is closed counts in the one after. Hours before the newest of
        ``counts`` are closed: an act says what stands there.
        """
        if not counts:
            return
        at = max(max(one.hour, one.last_at) for one in counts)
        with self.connections.writing() as connection:
            closed = _closed(connection)
            for one in counts:
                hour = one.hour if closed is None else max(one.hour, closed + HOUR)
                _count(connection, msgspec.structs.replace(one, hour=hour))
            if _close(connection, closed, at):
                _forget(connection, at)

    def refusals(
        self, since: int | None, until: int | None, after: int, limit: int
    ) -> list[RefusalRow]:
        """Counts of the hours from ``since`` to before ``until``, above the row ``after``."""
        with self.connections.reading() as connection:
            rows = connection.execute(
                f"SELECT {_REFUSAL} FROM refusals"  # noqa: S608 # our own columns
                " WHERE id > ? AND hour > ? AND hour < ? ORDER BY id LIMIT ?",
                (after, (since or 0) - HOUR, 2**62 if until is None else until, limit),
            ).fetchall()
        return [RefusalRow(*row) for row in rows]

    def refusals_counted(self) -> int:
        """How many refusals stand in the counts that are kept."""
        with self.connections.reading() as connection:
            return int(connection.execute("SELECT total(count) FROM refusals").fetchone()[0])

    def merchant_standings(self, after: int, limit: int) -> list[MerchantStanding]:
        """Merchants above ``after``, each beside what the trail says of it at that moment."""
        subject = "'merchant:' || merchants.id"
        with self.connections.reading() as connection:
            rows = connection.execute(
                f"SELECT {', '.join(_MERCHANT)},"  # noqa: S608 # our own texts
                f" {last_said('after', subject, 'suspension')},"
                f" {last_said('after', subject, 'quota')},"
                f" {last_said('after', subject, 'admission')}"
                " FROM merchants WHERE id > ? ORDER BY id LIMIT ?",
                (after, limit),
            ).fetchall()
        return [_merchant_standing(*row) for row in rows]

    def key_standings(self, after: int, limit: int) -> list[KeyStanding]:
        """API keys above ``after``, each beside what the trail says of it at that moment."""
        subject = "'key:' || api_keys.id"
        with self.connections.reading() as connection:
            rows = connection.execute(
                "SELECT id, role, merchant_id, revoked_at, scopes, expires_at, till,"  # noqa: S608 # our own texts
                " office, person_id,"
                f" {last_said('after', subject, 'key')},"
                f" {last_said('after', subject, 'key_revocation')},"
                f" {last_said('after', subject, 'key_replacement')}"
                " FROM api_keys WHERE id > ? ORDER BY id LIMIT ?",
                (after, limit),
            ).fetchall()
        return [KeyStanding(*row[:-3], *map(read_said, row[-3:])) for row in rows]


def _merchant_standing(*row: Any) -> MerchantStanding:  # noqa: ANN401 # columns, then acts
    merchant = Merchant(**dict(zip(_MERCHANT, row, strict=False)))
    return MerchantStanding(
        merchant.id,
        merchant.tax_id,
        particulars(merchant),
        merchant.status,
        merchant.quotas(),
        merchant.batch,
        *map(read_said, row[len(_MERCHANT) :]),
    )


def append(connection: sqlite3.Connection, act: Act) -> int:
    """Append an act within a transaction that has begun; returns its place.

    A crash before the commit leaves neither the act nor what it was written beside. What the log
    is to commit to is kept for it here, and nowhere else: whoever appends an act passes.
    """
    head = _head(connection)
    seq = head.seq + 1
    digest = act_hash(head.hash, seq, act)
    connection.execute(_INSERT, (seq, digest, *map(_column, msgspec.structs.astuple(act))))
    if is_logged(act):
        log_act(connection, seq, act)
    return seq


def _waits(connection: sqlite3.Connection, at: int) -> bool:
    """Whether the first act after the last that binds is old; a clock that went back counts so."""
    row = connection.execute(
        "SELECT at FROM acts WHERE seq >"
        " (SELECT coalesce(max(seq), 0) FROM acts WHERE subject = ? AND type = 'trail')"
        " ORDER BY seq LIMIT 1",
        (TRAIL,),
    ).fetchone()
    return row is not None and abs(at - row[0]) >= BOUND_WITHIN


def _head(connection: sqlite3.Connection) -> Head:
    row = connection.execute("SELECT seq, hash FROM acts ORDER BY seq DESC LIMIT 1").fetchone()
    return Head(0, ZERO) if row is None else Head(row[0], _digest(row[0], row[1]))


def _column(value: object) -> object:
    return canonical.encode(value).decode() if isinstance(value, dict) else value


def _recorded(row: tuple[Any, ...]) -> Recorded:
    seq, digest, *rest = row
    fields = dict(zip(_COLUMNS, rest, strict=True))
    try:
        fields |= {name: read_said(fields[name]) for name in ("before", "after")}
        return Recorded(seq, msgspec.convert(fields, Act), _digest(seq, digest))
    except (MalformedError, TypeError, msgspec.MsgspecError) as error:
        raise _damaged(seq, error) from error


def read_said(text: str | None) -> Any:  # noqa: ANN401 # JSON, which msgspec or the audit judges
    return None if text is None else canonical.decode_canonical(text.encode())


def _digest(seq: int, raw: bytes) -> Digest:
    try:
        return to_digest(raw)
    except (MalformedError, TypeError) as error:
        raise _damaged(seq, error) from error


def _damaged(seq: int, error: Exception) -> UnavailableError:
    return UnavailableError("record_damaged", f"the row of act {seq} is damaged: {error}")


def _count(connection: sqlite3.Connection, one: Refusals) -> None:
    """Add to the row of that name; without one that it has or earns, to the one of all others."""
    if _added(connection, one):
        return
    rows = connection.execute("SELECT count(*) FROM refusals WHERE hour = ?", (one.hour,))
    if earns_a_row(rows.fetchone()[0], one.seen):
        _insert(connection, one)
        return
    other = msgspec.structs.replace(one, who=UNKNOWN, origin=OTHERS)
    if not _added(connection, other):
        _insert(connection, other)


def _added(connection: sqlite3.Connection, one: Refusals) -> bool:
    done = connection.execute(
        "UPDATE refusals SET count = count + ?, first_at = min(first_at, ?),"  # noqa: S608 # constant
        f" last_at = max(last_at, ?) WHERE {_NAMED}",
        (one.count, one.first_at, one.last_at, one.hour, one.code, one.who, one.origin),
    )
    return done.rowcount == 1


def _insert(connection: sqlite3.Connection, one: Refusals) -> None:
    connection.execute(
        "INSERT INTO refusals (hour, code, who, origin, count, first_at, last_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (one.hour, one.code, one.who, one.origin, one.count, one.first_at, one.last_at),
    )


def _closed(connection: sqlite3.Connection) -> int | None:
    """The last hour that an act has closed."""
    row = connection.execute(
        "SELECT after FROM acts WHERE subject = ? ORDER BY seq DESC LIMIT 1", (REFUSALS,)
    ).fetchone()
    return None if row is None else int(read_said(row[0])["hour"])


def _close(connection: sqlite3.Connection, closed: int | None, at: int) -> int:
    """Append an act for each hour before the one of ``at`` that has none; how many there were."""
    hours = connection.execute(
        "SELECT DISTINCT hour FROM refusals WHERE hour > ? AND hour < ? ORDER BY hour",
        (-1 if closed is None else closed, at - at % HOUR),
    ).fetchall()
    for (hour,) in hours:
        rows = connection.execute(
            f"SELECT {_REFUSAL} FROM refusals WHERE hour = ? ORDER BY id",  # noqa: S608 # our own columns
            (hour,),
        )
        sums = HourSums()
        for row in rows:
            sums.add(RefusalRow(*row))
        append(connection, act_by(By(SERVICE, at), "refusals", REFUSALS, after=sums.said(hour)))
    return len(hours)


def _forget(connection: sqlite3.Connection, at: int) -> None:
    """Delete counts that are older than is kept; an act of ``at`` stands beside that."""
    connection.execute(
        "DELETE FROM refusals WHERE hour < min(?, (SELECT max(hour) FROM refusals)) - ?",
        (at, KEPT_SECONDS),
    )
