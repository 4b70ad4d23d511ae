"""Quotas as money: what a merchant may issue in a month, and on one invoice.

Only merchants with such a quota have anything here: a row for each month, which the issuing
transaction itself moves. Amounts count without tax; a red invoice gives back what it takes from an
invoice of the same month (ADR 0057).
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from sqlite_utils import Database

from invoice_service.domain.money import Fen
from invoice_service.domain.quota import check_left, check_limit, month_begins, shanghai_month

_Execute: TypeAlias = Callable[..., sqlite3.Cursor]

_SPENT: Final = "SELECT amount FROM money_spent WHERE merchant_id = ? AND month = ?"
_NEWEST: Final = (
    "SELECT month, amount FROM money_spent WHERE merchant_id = ? ORDER BY month DESC LIMIT 1"
)
_BOOK: Final = (
    "INSERT INTO money_spent VALUES (?, ?, ?)"
    " ON CONFLICT (merchant_id, month) DO UPDATE SET amount = amount + excluded.amount"
)
_COUNT: Final = (
    "SELECT coalesce(sum(i.amount), 0) FROM invoices i"
    " LEFT JOIN invoices blue ON blue.seq = i.reverses"
    " WHERE i.merchant_id = ? AND i.seq >= ? AND coalesce(blue.seq, i.seq) >= ?"
)

_ALL_SPENT: Final = "SELECT month, amount FROM money_spent WHERE merchant_id = ?"
_LAST_ISSUED: Final = (
    "SELECT issued_at FROM invoices WHERE merchant_id = ? ORDER BY seq DESC LIMIT 1"
)
_GIVEN: Final = (
    "SELECT coalesce(max(at), 0) FROM acts WHERE subject = ? AND type = 'quota'"
    " AND outcome = 'done' AND json_extract(before, '$.month_quota') IS NULL"
    " AND json_extract(after, '$.month_quota') IS NOT NULL"
)
"""When a merchant without a quota as money was given one."""


def create_money(db: Database) -> None:
    """Quotas as money beside those as invoices, and what was issued of them by month."""
    table = db.table("merchants")
    table.add_column("month_quota", int)  # fen without tax in a month; null for no limit
    table.add_column("invoice_limit", int)  # fen without tax on one invoice; null for no limit
    table.add_column("batch", str, not_null_default="")  # of the pilot; "" for none
    db.execute(
        "CREATE TABLE money_spent (merchant_id INTEGER NOT NULL REFERENCES merchants (id),"
        " month TEXT NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (merchant_id, month))"
        " STRICT, WITHOUT ROWID"
    )


@dataclass(slots=True)
class Money:
    """What a merchant may still issue as money within one transaction, all of one ``month``."""

    month: str
    quota: Fen | None
    limit: Fen | None
    spent: Fen
    added: Fen = 0

    def check(self, amount: Fen) -> None:
        """RefusedError ``invoice_over_limit``, ``quota_money_spent``."""
        check_limit(amount, self.limit)
        if self.quota is not None:
            check_left(amount, max(0, self.quota - self.spent - self.added))

    def give_back(self, amount: Fen, blue_issued_at: int) -> None:
        """A red invoice over ``amount``, which is below 0, of what was issued at that time."""
        if shanghai_month(blue_issued_at) == self.month:
            self.added += amount


def open_money(
    execute: _Execute, merchant_id: int, quota: Fen | None, limit: Fen | None, moment: int
) -> Money | None:
    """What this merchant may issue at ``moment``, unix seconds; None where money has no bound."""
    if quota is None:
        return None if limit is None else Money("", None, limit, 0)
    month = shanghai_month(moment)
    row = execute(_SPENT, (merchant_id, month)).fetchone()
    return Money(month, quota, limit, row[0] if row else 0)


def book_money(execute: _Execute, merchant_id: int, money: Money | None) -> None:
    """Keep what this transaction has added."""
    if money is not None and money.quota is not None and money.added:
        execute(_BOOK, (merchant_id, money.month, money.added))


def begin_money(execute: _Execute, merchant_id: int, now: int) -> None:
    """Count what was issued this month so far: from here on each transaction adds its own.

    Within the transaction that gives the quota, so that nobody issues in between.
    """
    last = execute("SELECT seq, issued_at FROM invoices ORDER BY seq DESC LIMIT 1").fetchone()
    month = shanghai_month(max(now, last[1] if last else 0))
    execute("DELETE FROM money_spent WHERE merchant_id = ?", (merchant_id,))
    if last is None:
        return
    first = _first_since(execute, month_begins(month), last[0])
    row: Sequence[int] = execute(_COUNT, (merchant_id, first, first)).fetchone()
    if row[0]:
        execute(_BOOK, (merchant_id, month, row[0]))


def last_spent(execute: _Execute, merchant_id: int) -> tuple[str, Fen]:
    """The newest month in which a merchant issued under a quota, and how much; "" for none."""
    row = execute(_NEWEST, (merchant_id,)).fetchone()
    return ("", 0) if row is None else (row[0], row[1])


def recounted(execute: _Execute) -> list[tuple[int, str, Fen, Fen]]:
    """(merchant, month, the sum that is kept, the sum counted anew) of all with such a quota.

    Within one reading transaction. A sum that is gone is missed in the newest month in which the
    merchant issued since it was given the quota.
    """
    newest = execute("SELECT coalesce(max(seq), 0) FROM invoices").fetchone()[0]
    found = []
    for (id_,) in execute("SELECT id FROM merchants WHERE month_quota IS NOT NULL").fetchall():
        kept = dict(execute(_ALL_SPENT, (id_,)).fetchall())
        last = execute(_LAST_ISSUED, (id_,)).fetchone()
        if last is not None and last[0] >= execute(_GIVEN, (f"merchant:{id_}",)).fetchone()[0]:
            kept.setdefault(shanghai_month(last[0]), 0)
        for month, amount in sorted(kept.items()):
            found.append((id_, month, amount, _counted(execute, id_, month, newest)))
    return found


def _counted(execute: _Execute, merchant_id: int, month: str, newest: int) -> Fen:
    try:
        bounds = month_begins(month), month_begins(_next(month))
    except ValueError:  # somebody wrote what is no month: nothing is issued in it
        return 0
    first, end = (_first_since(execute, moment, newest) for moment in bounds)
    row = execute(_COUNT + " AND i.seq < ?", (merchant_id, first, first, end)).fetchone()
    counted: Fen = row[0]
    return counted


def _next(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04}-{number % 12 + 1:02}"


def _first_since(execute: _Execute, moment: int, last: int) -> int:
    """The first ``seq`` that was issued at ``moment`` or later: times never go back."""
    low, high = 1, last + 1
    while low < high:
        middle = (low + high) // 2
        row = execute("SELECT issued_at FROM invoices WHERE seq = ?", (middle,)).fetchone()
        if row[0] >= moment:
            high = middle
        else:
            low = middle + 1
    return low
