"""Scans that did not fit: a row an invoice and day, as many a day as there is room for."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from invoice_service.domain.numbering import shanghai_day
from invoice_service.services.help.ports import OTHERS, UNKNOWN, Counted, Scans
from invoice_service.storage.help.reports import DAY, Bounds
from invoice_service.storage.sqlite.connection import Connections

ROWS_A_DAY: Final = 5_000
"""Invoices that have a row of their own on a day: some 500 kB."""


class ScanRows:
    """The part of the store that counts scans."""

    bounds: Bounds

    @property
    def connections(self) -> Connections:
        """The database."""
        raise NotImplementedError

    def count_scans(self, counted: Sequence[Counted]) -> None:
        """As the port says; all of it in one transaction."""
        with self.connections.writing() as connection:
            rooms = {day: _room(connection, day) for day in {one.day for one in counted}}
            for one in counted:
                if _grow(connection, one):
                    continue
                rows = one.hash not in (UNKNOWN, OTHERS)
                if rows and rooms[one.day] <= 0:
                    other = Counted(one.day, OTHERS, 0, one.count)
                    _ = _grow(connection, other) or _begin(connection, other)
                    continue
                _begin(connection, one)
                rooms[one.day] -= rows

    def scans(self, first: str, last: str, limit: int, merchant: int | None = None) -> list[Scans]:
        """As the port says."""
        whose = "" if merchant is None else " AND merchant = :merchant"
        with self.connections.reading() as connection:
            rows = connection.execute(
                "SELECT hash, merchant, sum(count), min(day), max(day) FROM scans"  # noqa: S608 # constant
                f" WHERE day BETWEEN :first AND :last AND merchant != 0{whose}"
                " GROUP BY hash ORDER BY sum(count) DESC, hash LIMIT :limit",
                {"first": first, "last": last, "limit": limit, "merchant": merchant},
            ).fetchall()
        return [Scans(*row) for row in rows]

    def scans_of(self, hash_: str, first: str, last: str) -> int:
        """As the port says."""
        with self.connections.reading() as connection:
            (found,) = connection.execute(
                "SELECT coalesce(sum(count), 0) FROM scans WHERE hash = ? AND day BETWEEN ? AND ?",
                (hash_, first, last),
            ).fetchone()
        return int(found)

    def tidy_scans(self, now: int) -> None:
        """Let go days that were kept for long enough."""
        oldest = shanghai_day(now - self.bounds.scan_days * DAY)
        with self.connections.writing() as connection:
            connection.execute("DELETE FROM scans WHERE day < ?", (oldest,))


def _room(connection: sqlite3.Connection, day: str) -> int:
    (rows,) = connection.execute("SELECT count(*) FROM scans WHERE day = ?", (day,)).fetchone()
    return ROWS_A_DAY - int(rows)


def _grow(connection: sqlite3.Connection, one: Counted) -> bool:
    grown = connection.execute(
        "UPDATE scans SET count = count + ? WHERE day = ? AND hash = ?",
        (one.count, one.day, one.hash),
    )
    return grown.rowcount > 0


def _begin(connection: sqlite3.Connection, one: Counted) -> bool:
    connection.execute(
        "INSERT INTO scans VALUES (?, ?, ?, ?)", (one.day, one.hash, one.merchant, one.count)
    )
    return True
