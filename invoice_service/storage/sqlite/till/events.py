"""What has changed at a merchant's tills: one row a change, the oldest forgotten.

Whoever watches asks for what is above the last one seen. Invoices need no rows here: they are only
ever appended, and so tell by their own place.
"""

import sqlite3
from typing import Final

from invoice_service.services.till.ports import Event, EventKind
from invoice_service.storage.sqlite.connection import Connections

KEPT: Final = 20_000
"""Events of all merchants together; who has missed more loads everything anew."""


class EventRows:
    """The part of the store that says what has changed."""

    connections: Connections

    def newest(self) -> tuple[int, int]:
        """The newest invoice and the newest event, of anybody."""
        with self.connections.reading() as connection:
            row = connection.execute(
                "SELECT (SELECT coalesce(max(seq), 0) FROM invoices),"
                " (SELECT coalesce(max(seq), 0) FROM till_events)"
            ).fetchone()
        return int(row[0]), int(row[1])

    def till_events(self, merchant_id: int, after: int, limit: int) -> list[Event]:
        """A merchant's events above ``after``."""
        with self.connections.reading() as connection:
            rows = connection.execute(
                "SELECT seq, kind, subject FROM till_events WHERE merchant_id = ? AND seq > ?"
                " ORDER BY seq LIMIT ?",
                (merchant_id, after, limit),
            ).fetchall()
        return [Event(*row) for row in rows]

    def oldest_event(self) -> int:
        """The oldest that is kept; 0 when none is."""
        with self.connections.reading() as connection:
            row = connection.execute("SELECT min(seq) FROM till_events").fetchone()
        return int(row[0] or 0)

    def seqs_between(self, merchant_id: int, low: int, high: int, limit: int) -> list[int]:
        """A merchant's invoices above ``low`` up to ``high``."""
        with self.connections.reading() as connection:
            rows = connection.execute(
                "SELECT seq FROM invoices WHERE merchant_id = ? AND seq > ? AND seq <= ?"
                " ORDER BY seq LIMIT ?",
                (merchant_id, low, high, limit),
            ).fetchall()
        return [row[0] for row in rows]


def note(connection: sqlite3.Connection, merchant_id: int, kind: EventKind, subject: str) -> None:
    """Say within a transaction that something has changed."""
    done = connection.execute(
        "INSERT INTO till_events (merchant_id, kind, subject) VALUES (?, ?, ?)",
        (merchant_id, kind, subject),
    )
    # AUTOINCREMENT: a number that was forgotten is never given again.
    connection.execute("DELETE FROM till_events WHERE seq <= ?", ((done.lastrowid or 0) - KEPT,))
