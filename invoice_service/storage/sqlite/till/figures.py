"""The figures of some days, added up where the rows are: no invoice is decoded here for them.

A test holds these sums to those of the decoded invoices.
"""

import sqlite3
from collections.abc import Mapping
from typing import Final

from invoice_service.services.till.ports import Bought, Figures, Worked

_SECONDS_AHEAD: Final = 8 * 3600
"""Shenzhen's clock, all year."""

# A quantity has at most six decimals: whole millionths, without floating point.
_MILLIONTHS: Final = (
    "CASE WHEN instr(q, '.') THEN CAST(substr(q, 1, instr(q, '.') - 1) AS INTEGER) * 1000000"
    " + CAST(substr(substr(q, instr(q, '.') + 1) || '000000', 1, 6) AS INTEGER)"
    " ELSE CAST(q AS INTEGER) * 1000000 END"
)
_WORKED: Final = (
    "SELECT s.person, i.till, (i.issued_at + {ahead}) % 86400 / 3600 AS hour,"
    " i.type = 'red' AS red, count(*), sum(i.total), sum(i.tax) FROM invoices i"
    " LEFT JOIN till_sales s ON s.invoice = i.seq WHERE i.seq IN ({days})"
    " GROUP BY s.person, i.till, hour, red ORDER BY min(i.seq)"
)
_RATES: Final = (
    "SELECT json_extract(r.value, '$[0]') AS rate, sum(json_extract(r.value, '$[1]')),"
    " sum(json_extract(r.value, '$[2]')) FROM invoices i, json_each(i.rates) r"
    " WHERE i.seq IN ({days}) GROUP BY rate"
)
_PAID: Final = (
    "SELECT p.kind, sum(p.amount) FROM till_payments p WHERE p.invoice IN ({days}) GROUP BY p.kind"
)
_UNRECORDED: Final = (
    "SELECT sum(i.total) FROM invoices i WHERE i.seq IN ({days})"
    " AND NOT EXISTS (SELECT 1 FROM till_payments p WHERE p.invoice = i.seq)"
)
_BOUGHT: Final = (
    "SELECT name, sum(CASE WHEN nature IS NOT NULL OR q IS NULL THEN 0"
    " WHEN below THEN -({millionths}) ELSE {millionths} END), sum(total),"
    " sum(CASE WHEN nature IS NOT NULL AND blue THEN -total ELSE 0 END)"
    " FROM (SELECT json_extract(l.value, '$.name') AS name,"
    "  json_extract(l.value, '$.nature') AS nature,"
    "  json_extract(l.value, '$.amount') + json_extract(l.value, '$.tax') AS total,"
    "  ltrim(json_extract(l.value, '$.quantity'), '-') AS q,"
    "  substr(json_extract(l.value, '$.quantity'), 1, 1) = '-' AS below, i.type = 'blue' AS blue"
    "  FROM invoices i, json_each(CAST(i.lines AS TEXT)) l WHERE i.seq IN ({days}))"
    " GROUP BY name"
)


def added_up(connection: sqlite3.Connection, days: str, values: Mapping[str, object]) -> Figures:
    """The sums over the invoices whose ``seq`` the query ``days`` selects for ``values``.

    ``connection`` is reading, so that all of them are of one moment.
    """

    def rows(query: str) -> sqlite3.Cursor:
        text = query.format(days=days, millionths=_MILLIONTHS, ahead=_SECONDS_AHEAD)
        return connection.execute(text, values)

    (unrecorded,) = rows(_UNRECORDED).fetchone()
    return Figures(
        worked=[Worked(*row) for row in rows(_WORKED)],
        rates=[(name, amount, tax) for name, amount, tax in rows(_RATES)],
        paid=dict(rows(_PAID).fetchall()),
        unrecorded=unrecorded,
        bought=[Bought(*row) for row in rows(_BOUGHT)],
    )
