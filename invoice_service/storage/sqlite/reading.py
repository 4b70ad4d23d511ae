"""Reading what was issued. A row that cannot be a row of ours is named, never passed over."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

import msgspec

from chain.commitment import check_code, password_area
from chain.errors import MalformedError, UnavailableError
from chain.hashing import Digest, digest_from_hex, to_digest
from invoice_service.domain.document import fill
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.lifecycle import reversal_of
from invoice_service.domain.persons import is_sealed, open_kept
from invoice_service.services.ports import InvoiceFilter, PendingInvoice
from invoice_service.storage.sqlite.buyers import KEY
from invoice_service.storage.sqlite.connection import Connections

_COLUMNS = (
    "seq",
    "merchant_id",
    "code",
    "number",
    "type",
    "issued_at",
    "order_id",
    "amount",
    "tax",
    "total",
    "face",
    "buyer",
    "lines",
    "salts",
    "industry",
    "district",
    "till",
    "business_day",
    "part",
    "reverses",
)
_IN_FACE = (
    *("amount", "code", "issued_at", "number", "order_id", "tax", "total"),
    "business_day",
)
_REDS = "FROM invoices red WHERE red.reverses = i.seq"
_SELECT = (
    "SELECT i.hash, i.rates, blue.hash, i.form, forms.text,"  # noqa: S608 # our own names
    # Most have none, and an array of nothing is dear.
    f" CASE WHEN EXISTS (SELECT 1 {_REDS})"
    f" THEN (SELECT json_group_array(json_array(red.seq, hex(red.hash), -red.total)) {_REDS})"
    f" ELSE '[]' END, {KEY},"
    f" {', '.join(f'i.{c}' for c in _COLUMNS)}"
    " FROM invoices i LEFT JOIN forms ON forms.id = i.form"
    " LEFT JOIN invoices blue ON blue.seq = i.reverses WHERE "
)
_BY_HASH = _SELECT + "i.hash = ?"
# An order's blue invoices, and the red ones that reverse them.
_OF_ORDER = (
    "i.seq IN (SELECT seq FROM invoices WHERE type = 'blue' AND order_id = :order_id"
    " UNION ALL SELECT r.seq FROM invoices b JOIN invoices r ON r.reverses = b.seq"
    " WHERE b.type = 'blue' AND b.order_id = :order_id)"
)


# Later attempts at an order come after a return; the newest of them, that many at most.
_LATER = (
    "i.seq IN (SELECT next.seq FROM invoices own JOIN invoices next"
    "  ON next.type = 'blue' AND next.order_id = own.order_id"
    "  AND next.merchant_id = own.merchant_id AND next.till = own.till"
    "  AND next.business_day = own.business_day AND next.part = own.part"
    "  AND next.attempt > own.attempt"
    "  WHERE own.seq = :seq AND own.type = 'blue' ORDER BY next.attempt DESC LIMIT 20)"
    " ORDER BY i.seq"
)

_read_reds: Final = msgspec.json.Decoder(list[tuple[int, str, int]]).decode

Execute: TypeAlias = Callable[..., sqlite3.Cursor]
"""A connection's ``execute``."""


class Reading:
    """The part of the store that reads invoices."""

    connections: Connections

    def invoice(self, digest: Digest) -> StoredInvoice | None:
        """The invoice with this digest; UnavailableError ``record_damaged`` if its row is bad."""
        with self.connections.reading() as connection:
            row = connection.execute(_BY_HASH, (digest,)).fetchone()
        return _stored(row) if row else None

    def invoice_at(self, seq: int) -> StoredInvoice | None:
        """The invoice at ``seq``."""
        with self.connections.reading() as connection:
            return invoice_at(connection.execute, seq)

    def invoices(self, wanted: InvoiceFilter, after: int, limit: int) -> list[StoredInvoice]:
        """Matching invoices with ``seq`` above ``after``, in order, ``limit`` at most."""
        with self.connections.reading() as connection:
            low, high = _bounds(connection, wanted)
            values = {
                "after": max(after, low),
                "high": high,
                "limit": limit,
                **msgspec.structs.asdict(wanted),
            }
            query = " AND ".join(_conditions(wanted)) + " ORDER BY i.seq LIMIT :limit"
            rows = connection.execute(_SELECT + query, values).fetchall()
        return [_stored(row) for row in rows]

    def invoices_after(self, seq: int, limit: int) -> list[PendingInvoice]:
        """All invoices above ``seq``, in order, ``limit`` at most: what the log takes next."""
        with self.connections.reading() as connection:
            rows = connection.execute(
                "SELECT i.seq, i.hash, blue.hash, blue.total, (SELECT -sum(red.total)"
                "   FROM invoices red WHERE red.reverses = i.reverses AND red.seq <= i.seq)"
                " FROM invoices i LEFT JOIN invoices blue ON blue.seq = i.reverses"
                " WHERE i.seq > ? ORDER BY i.seq LIMIT ?",
                (seq, limit),
            ).fetchall()
        return [_pending(*row) for row in rows]

    def returns_of(self, seq: int) -> list[StoredInvoice]:
        """The red invoices over the blue one at ``seq``, in order of issue."""
        with self.connections.reading() as connection:
            return returns_of(connection.execute, seq)

    def replacements_of(self, seq: int) -> list[StoredInvoice]:
        """What was issued for the order (or part) of the blue one at ``seq`` later, and stands."""
        with self.connections.reading() as connection:
            later = read_invoices(connection.execute, _LATER, {"seq": seq})
        return [one for one in later if one.left]

    def issued_at(self, seq: int) -> int | None:
        """When (unix seconds) the invoice at ``seq`` was issued; None when there is none."""
        with self.connections.reading() as connection:
            return _issued_at(connection, seq)

    def last_seq(self) -> int:
        """``seq`` of the newest invoice; 0 when there is none."""
        with self.connections.reading() as connection:
            return _last_seq(connection)


def invoice_at(execute: Execute, seq: int) -> StoredInvoice | None:
    """The invoice at ``seq``, as a transaction sees it."""
    row = execute(_SELECT + "i.seq = ?", (seq,)).fetchone()
    return _stored(row) if row else None


def returns_of(execute: Execute, seq: int) -> list[StoredInvoice]:
    """The red invoices over the blue one at ``seq``, in order of issue."""
    rows = execute(_SELECT + "i.reverses = ? ORDER BY i.seq", (seq,)).fetchall()
    return [_stored(row) for row in rows]


def read_invoices(execute: Execute, where: str, values: dict[str, Any]) -> list[StoredInvoice]:
    """The invoices ``i`` of which ``where`` holds, in its order."""
    return [_stored(row) for row in execute(_SELECT + where, values)]


def seqs_within(connection: sqlite3.Connection, since: int, until: int) -> tuple[int, int]:
    """What was issued from ``since`` to before ``until`` (unix seconds): ``low < seq <= high``."""
    return _bounds(connection, InvoiceFilter(since=since, until=until))


def _conditions(wanted: InvoiceFilter) -> Iterator[str]:
    yield "i.seq > :after AND i.seq <= :high"
    if wanted.merchant_id is not None:
        yield "i.merchant_id = :merchant_id"
    if wanted.order_id is not None:
        yield _OF_ORDER
    if wanted.till is not None:
        yield "i.till = :till"
    if wanted.business_day is not None:
        yield "i.business_day = :business_day"
    if wanted.number is not None:
        yield "i.number = :number"


def _bounds(connection: sqlite3.Connection, wanted: InvoiceFilter) -> tuple[int, int]:
    """The times of ``wanted`` as ``low < seq <= high``: time never goes back along ``seq``."""
    last = _last_seq(connection)
    low = 0 if wanted.since is None else _issued_before(connection, wanted.since, last)
    high = last if wanted.until is None else _issued_before(connection, wanted.until, last)
    return low, high


def _issued_before(connection: sqlite3.Connection, moment: int, last: int) -> int:
    """The last ``seq`` that was issued before ``moment``; 0 for none. Halves, needs no index."""
    low, high = 0, last
    while low < high:
        middle = (low + high + 1) // 2
        issued_at = _issued_at(connection, middle)
        if issued_at is None:
            raise _damaged(f"there is no invoice at {middle}")
        if issued_at < moment:
            low = middle
        else:
            high = middle - 1
    return low


def _issued_at(connection: sqlite3.Connection, seq: int) -> int | None:
    row = connection.execute("SELECT issued_at FROM invoices WHERE seq = ?", (seq,)).fetchone()
    return int(row[0]) if row else None


def _last_seq(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT max(seq) FROM invoices").fetchone()
    return int(row[0] or 0)


def _stored(row: tuple[Any, ...]) -> StoredInvoice:
    digest, rates, blue, form, text, reds, key, *rest = row
    fields = dict(zip(_COLUMNS, rest, strict=True))
    try:
        fields |= {
            "hash": password_area(to_digest(digest)),
            "check_code": check_code(to_digest(digest)),
            "rates": msgspec.json.decode(rates),
            "reverses_hash": None if blue is None else password_area(to_digest(blue)),
        }
        if form is not None:
            fields["face"] = _face(text, fields)
        if is_sealed(fields["buyer"]):
            fields |= open_kept(fields["buyer"], fields["salts"], key)._asdict() | {"sealed": True}
        if reds != "[]":
            by = sorted(_read_reds(reds))
            fields["reversed_by"] = [
                password_area(digest_from_hex(red.lower())) for _, red, _ in by
            ]
            fields["returned"] = sum(total for _, _, total in by)
        return msgspec.convert(fields, StoredInvoice)
    except (MalformedError, msgspec.MsgspecError, ValueError) as error:
        raise _damaged(f"the row of invoice {rest[0]} is damaged: {error}") from error


def _face(form: bytes | None, row: dict[str, Any]) -> bytes:
    """The face that a form and the columns make; ValueError unless there is just one face."""
    if form is None:
        raise ValueError("its form is missing")
    if row["face"]:
        raise ValueError("it has a face beside that of its form")
    try:
        return fill(form, **{name: row[name] for name in _IN_FACE})
    except (OverflowError, OSError):
        raise ValueError(f"{row['issued_at']} is no time of ours") from None


def _pending(
    seq: int, digest: bytes, blue: bytes | None, total: int | None, returned: int | None
) -> PendingInvoice:
    try:
        if blue is None or total is None or returned is None:
            return PendingInvoice(seq, to_digest(digest))
        reversal = reversal_of(total, returned)
        return PendingInvoice(seq, to_digest(digest), to_digest(blue), reversal)
    except MalformedError as error:
        raise _damaged(f"the row of invoice {seq} is damaged: {error}") from error


def _damaged(detail: str) -> UnavailableError:
    return UnavailableError("record_damaged", detail)
