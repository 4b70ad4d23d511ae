"""What the database knows of the time; who said that the clock is right stands in the trail."""

import sqlite3
from datetime import datetime
from typing import Any, Final

import msgspec

from invoice_service.domain.acts import By, act_by
from invoice_service.domain.clock import Known
from invoice_service.domain.numbering import SHANGHAI
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.trail import append

SUBJECT: Final = "clock"


class Clocks:
    """The part of the store that knows times."""

    connections: Connections

    def known_times(self) -> Known:
        """The times that are known to have come."""
        with self.connections.reading() as connection:
            return known_times(connection)

    def confirm_clock(self, by: By) -> Known:
        """Keep that somebody has confirmed the clock when it said ``by.at``; what is known then."""
        with self.connections.writing() as connection:
            stands = known_times(connection).issued
            append(connection, act_by(by, "clock", SUBJECT, after={"stands": stands}))
            return known_times(connection)


def known_times(connection: sqlite3.Connection) -> Known:
    """The times that are known within a transaction, each by one index seek."""
    issued = _one(connection, "SELECT issued_at FROM invoices ORDER BY seq DESC LIMIT 1")
    day = _one(connection, "SELECT day FROM blocks_totalled ORDER BY height DESC LIMIT 1")
    confirmed = connection.execute(
        "SELECT at, after FROM acts WHERE subject = ? AND type = 'clock' AND outcome = 'done'"
        " ORDER BY seq DESC LIMIT 1",
        (SUBJECT,),
    ).fetchone()
    at, after = confirmed or (0, "{}")
    return Known(
        issued=issued or 0,
        sealed=0 if day is None else _midnight(day),
        confirmed=at,
        stands=msgspec.json.decode(after).get("stands", 0),
    )


def _midnight(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=SHANGHAI).timestamp())


def _one(connection: sqlite3.Connection, query: str) -> Any:  # noqa: ANN401 # a column's value
    row = connection.execute(query).fetchone()
    return row[0] if row else None
