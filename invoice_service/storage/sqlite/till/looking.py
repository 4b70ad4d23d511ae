"""Reading what was sold: the days' lists, what figures are made of, titles of companies.

A sale counts on its business day, or, without one, on that in which it was issued; a return on the
day on which it was issued.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

import msgspec

from invoice_service.domain.likeness import folded, typed_tax_id
from invoice_service.domain.lines import spread
from invoice_service.domain.money import Fen
from invoice_service.domain.persons import open_kept, read_group
from invoice_service.services.till.ports import Figures, Listed, Place, Sale, Sought, Span
from invoice_service.storage.sqlite.buyers import KEY
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.reading import read_invoices, seqs_within
from invoice_service.storage.sqlite.till.figures import added_up

TITLES_LOOKED_AT: Final = 2_000
"""Invoices, the newest, in which a company's title is looked for."""

# A partial index is used where its own condition stands in the query.
OF_DAYS: Final = (
    "SELECT seq FROM invoices WHERE merchant_id = :merchant AND business_day <> ''"
    " AND business_day BETWEEN :first AND :last AND type = 'blue'"
    " UNION ALL SELECT seq FROM invoices WHERE merchant_id = :merchant AND seq > :low"
    " AND seq <= :high AND (type = 'red' OR business_day = '')"
)
# A person's buyer group is sealed, and opened to be looked into; all else SQLite sees itself.
_SEARCHED: Final = (
    "SELECT i.seq, instr(i.number, :text) OR instr(i.order_id, :text)"  # noqa: S608 # our own texts
    " OR instr('01' || lower(hex(i.hash)), :text) OR coalesce(abs(i.total) = :fen, 0)"
    " OR CASE WHEN json_valid(CAST(i.buyer AS TEXT))"
    "   THEN instr(folded(json_extract(CAST(i.buyer AS TEXT), '$.name')), :name) ELSE 0"
    " END AS found,"
    f" i.buyer, i.salts, {KEY} FROM invoices i WHERE i.seq IN ({OF_DAYS}) AND i.seq < :before"
    " AND (found OR substr(i.buyer, 1, 1) = x'01') ORDER BY i.seq DESC"
)
_SALES: Final = (
    "SELECT s.invoice, s.kind, s.request, s.merchant_id, s.till, s.business_day, s.shift,"
    " s.person, s.at, (SELECT json_group_object(kind, amount) FROM till_payments p"
    " WHERE p.invoice = s.invoice) FROM till_sales s"
    " WHERE s.invoice IN (SELECT value FROM json_each(?))"
)
# Money that a till took for an order before its guests claimed: an invoice has its share of it.
_CLAIMED: Final = (
    "SELECT i.seq, i.total, o.id, o.merchant_id, o.till, o.business_day, m.shift, m.person, m.at,"
    " json_group_object(m.kind, m.amount) FROM invoices i"
    " JOIN claims c ON c.hash = '01' || lower(hex(i.hash)) AND c.hash <> ''"
    " JOIN claim_orders o ON o.seq = c.order_seq"
    " JOIN claim_money m ON m.order_seq = o.seq AND NOT m.returned"
    " WHERE i.seq IN (SELECT value FROM json_each(?)) GROUP BY i.seq"
)
_TITLES: Final = (
    "SELECT DISTINCT buyer FROM (SELECT CAST(buyer AS TEXT) AS buyer, seq FROM invoices"
    " WHERE merchant_id = ? AND type = 'blue' ORDER BY seq DESC LIMIT ?)"
    # A person's buyer group may be sealed, and so no JSON.
    " WHERE CASE WHEN json_valid(buyer)"
    " THEN json_extract(buyer, '$.kind') IN ('company', 'organisation')"
    "   AND (instr(folded(json_extract(buyer, '$.name')), ?) > 0"
    "   OR instr(json_extract(buyer, '$.tax_id'), ?) > 0) ELSE 0 END LIMIT ?"
)


class LookRows:
    """The part of the store that reads for tills."""

    connections: Connections

    def listed(self, merchant_id: int, span: Span | None, before: int, limit: int) -> list[Listed]:
        """Invoices of these days (None: of all) with ``seq`` below ``before``, newest first."""
        with self.connections.reading() as connection:
            values: dict[str, object] = {"merchant": merchant_id, "before": before, "limit": limit}
            where = "i.merchant_id = :merchant"
            if span is not None:
                where = f"i.seq IN ({OF_DAYS})"
                values |= _within(connection, span)
            where += " AND i.seq < :before ORDER BY i.seq DESC LIMIT :limit"
            return _listed(connection, where, values)

    def listed_at(self, merchant_id: int, seqs: Sequence[int]) -> list[Listed]:
        """A merchant's invoices at these places, those that there are."""
        with self.connections.reading() as connection:
            where = "i.merchant_id = :merchant AND i.seq IN (SELECT value FROM json_each(:seqs))"
            values = {"merchant": merchant_id, "seqs": _json(seqs)}
            return _listed(connection, f"{where} ORDER BY i.seq", values)

    def named(
        self, merchant_id: int, text: str, limit: int, span: Span | None = None
    ) -> list[Listed]:
        """Those of these days with just this number, or of this order, the newest first."""
        where = (
            "i.merchant_id = :merchant AND i.seq IN (SELECT seq FROM invoices WHERE number = :text"
            " UNION SELECT seq FROM invoices WHERE order_id = :text AND merchant_id = :merchant"
            " AND type = 'blue')"
        )
        with self.connections.reading() as connection:
            values: dict[str, object] = {"merchant": merchant_id, "text": text, "limit": limit}
            if span is not None:
                where += f" AND i.seq IN ({OF_DAYS})"
                values |= _within(connection, span)
            return _listed(connection, f"{where} ORDER BY i.seq DESC LIMIT :limit", values)

    def searched(
        self, merchant_id: int, span: Span, sought: Sought, before: int, limit: int
    ) -> list[Listed]:
        """Those of these days that hold ``sought``, with ``seq`` below ``before``, newest first."""
        with self.connections.reading() as connection:
            name = folded(sought.text)
            values = {"merchant": merchant_id, "before": before, "name": name, **sought._asdict()}
            rows = connection.execute(_SEARCHED, values | _within(connection, span))
            seqs = list(islice(_found(rows, name), limit))
            where = "i.seq IN (SELECT value FROM json_each(:seqs)) ORDER BY i.seq DESC"
            return _listed(connection, where, {"seqs": _json(seqs)})

    def figures(self, merchant_id: int, span: Span) -> Figures:
        """The sums of these days."""
        with self.connections.reading() as connection:
            values = {"merchant": merchant_id, **_within(connection, span)}
            return added_up(connection, OF_DAYS, values)

    def titles(self, merchant_id: int, text: str, limit: int) -> list[dict[str, str]]:
        """Companies and organisations that bought here and whose name or tax id has ``text``."""
        with self.connections.reading() as connection:
            values = (merchant_id, TITLES_LOOKED_AT, folded(text), typed_tax_id(text), limit)
            rows = connection.execute(_TITLES, values).fetchall()
        return [msgspec.json.decode(row[0]) for row in rows]


def _found(rows: Iterable[tuple[int, int, bytes, bytes, bytes]], name: str) -> Iterator[int]:
    for seq, found, buyer, salts, key in rows:
        if found or _is_named(buyer, salts, key, name):
            yield seq


def _is_named(buyer: bytes, salts: bytes, key: bytes, name: str) -> bool:
    """Whether a person is called so; what cannot be opened is: who reads the row whole says why."""
    try:
        return name in folded(read_group(open_kept(buyer, salts, key).buyer).name)
    except (ValueError, msgspec.MsgspecError):
        return True


def _within(connection: sqlite3.Connection, span: Span) -> dict[str, object]:
    low, high = seqs_within(connection, span.since, span.until)
    return {"first": span.first, "last": span.last, "low": low, "high": high}


def _listed(connection: sqlite3.Connection, where: str, values: dict[str, object]) -> list[Listed]:
    invoices = read_invoices(connection.execute, where, values)
    sales = _sales(connection, [invoice.seq for invoice in invoices])
    return [Listed(invoice, sales.get(invoice.seq)) for invoice in invoices]


def _sales(connection: sqlite3.Connection, seqs: Sequence[int]) -> dict[int, Sale]:
    rows = connection.execute(_SALES, (_json(seqs),))
    found = {}
    for invoice, kind, request, merchant_id, till, day, shift, person, at, paid in rows:
        place = Place(merchant_id, till, day)
        amounts = msgspec.json.decode(paid)
        found[invoice] = Sale(invoice, kind, request, place, shift, person, at, amounts)
    return found | _claimed(connection, [seq for seq in seqs if seq not in found])


def _claimed(connection: sqlite3.Connection, seqs: Sequence[int]) -> dict[int, Sale]:
    """The same of what a guest claimed, and somebody at a till was paid for."""
    rows = connection.execute(_CLAIMED, (_json(seqs),)).fetchall() if seqs else []
    found = {}
    for seq, total, order, merchant_id, till, day, shift, person, at, money in rows:
        amounts: dict[str, Fen] = msgspec.json.decode(money)
        paid = dict(zip(amounts, spread(total, list(amounts.values())), strict=True))
        place = Place(merchant_id, till, day)
        found[seq] = Sale(seq, "sale", order, place, shift, person, at, paid)
    return found


def _json(seqs: Iterable[int]) -> str:
    return msgspec.json.encode(list(seqs)).decode()
