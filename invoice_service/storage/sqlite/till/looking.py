"""Reading what was sold: the days' lists, what figures are made of, titles of companies.

A sale counts on its business day, or, without one, on that in which it was issued; a return on the
day on which it was issued.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from invoice_service.services.till.ports import Figure, Listed, Place, Sale, Span
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.reading import read_invoices, seqs_within

TITLES_LOOKED_AT: Final = 2_000
"""Invoices, the newest, in which a company's title is looked for."""

# A partial index is used where its own condition stands in the query.
_OF_DAYS: Final = (
    "SELECT seq FROM invoices WHERE merchant_id = :merchant AND business_day <> ''"
    " AND business_day BETWEEN :first AND :last AND type = 'blue'"
    " UNION ALL SELECT seq FROM invoices WHERE merchant_id = :merchant AND seq > :low"
    " AND seq <= :high AND (type = 'red' OR business_day = '')"
)
_FIGURES: Final = (
    "SELECT i.type, i.till, i.issued_at, i.amount, i.tax, i.total, i.rates, i.lines, s.person,"  # noqa: S608 # our own texts
    " (SELECT json_group_object(kind, amount) FROM till_payments p WHERE p.invoice = i.seq)"
    " FROM invoices i LEFT JOIN till_sales s ON s.invoice = i.seq"
    f" WHERE i.seq IN ({_OF_DAYS}) ORDER BY i.seq"
)
_SALES: Final = (
    "SELECT s.invoice, s.kind, s.request, s.merchant_id, s.till, s.business_day, s.shift,"
    " s.person, s.at, (SELECT json_group_object(kind, amount) FROM till_payments p"
    " WHERE p.invoice = s.invoice) FROM till_sales s"
    " WHERE s.invoice IN (SELECT value FROM json_each(?))"
)
_TITLES: Final = (
    "SELECT DISTINCT buyer FROM (SELECT CAST(buyer AS TEXT) AS buyer, seq FROM invoices"
    " WHERE merchant_id = ? AND type = 'blue' ORDER BY seq DESC LIMIT ?)"
    # A person's buyer group may be sealed, and so no JSON.
    " WHERE CASE WHEN json_valid(buyer)"
    " THEN json_extract(buyer, '$.kind') IN ('company', 'organisation')"
    "   AND (instr(json_extract(buyer, '$.name'), ?) > 0"
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
                where = f"i.seq IN ({_OF_DAYS})"
                values |= _within(connection, span)
            where += " AND i.seq < :before ORDER BY i.seq DESC LIMIT :limit"
            return _listed(connection, where, values)

    def listed_at(self, merchant_id: int, seqs: Sequence[int]) -> list[Listed]:
        """A merchant's invoices at these places, those that there are."""
        with self.connections.reading() as connection:
            where = "i.merchant_id = :merchant AND i.seq IN (SELECT value FROM json_each(:seqs))"
            values = {"merchant": merchant_id, "seqs": _json(seqs)}
            return _listed(connection, f"{where} ORDER BY i.seq", values)

    def named(self, merchant_id: int, text: str, limit: int) -> list[Listed]:
        """Those with this number, or of this order, the newest first."""
        where = (
            "i.merchant_id = :merchant AND i.seq IN (SELECT seq FROM invoices WHERE number = :text"
            " UNION SELECT seq FROM invoices WHERE order_id = :text AND merchant_id = :merchant"
            " AND type = 'blue') ORDER BY i.seq DESC LIMIT :limit"
        )
        with self.connections.reading() as connection:
            values = {"merchant": merchant_id, "text": text, "limit": limit}
            return _listed(connection, where, values)

    def figures(self, merchant_id: int, span: Span) -> list[Figure]:
        """Every invoice of these days."""
        with self.connections.reading() as connection:
            values = {"merchant": merchant_id, **_within(connection, span)}
            return [Figure(*row) for row in connection.execute(_FIGURES, values)]

    def titles(self, merchant_id: int, text: str, limit: int) -> list[dict[str, str]]:
        """Companies and organisations that bought here and whose name or tax id has ``text``."""
        with self.connections.reading() as connection:
            rows = connection.execute(
                _TITLES, (merchant_id, TITLES_LOOKED_AT, text, text, limit)
            ).fetchall()
        return [msgspec.json.decode(row[0]) for row in rows]


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
    return found


def _json(seqs: Iterable[int]) -> str:
    return msgspec.json.encode(list(seqs)).decode()
