"""What the database knows of the time; who said that the clock is right stands in the trail."""

import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec

from invoice_service.domain.acts import By, act_by
from invoice_service.domain.clock import NOTED_EVERY, Known, Noted, Running
from invoice_service.domain.numbering import SHANGHAI
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.trail import append

SUBJECT: Final = "clock"


def nothing_sealed() -> int:
    """No log is there that could have sealed anything."""
    return 0


def not_counted() -> Running | None:
    """Nobody counts how long the machine has run: the clock is not the machine's."""
    return None


class Times:
    """The times that are known: the database's, the log's last seal, the machine's running.

    ``sealed`` gives the last seal's time in unix seconds. Without ``running`` the clock is held
    against the others alone.
    """

    def __init__(self, sealed: Callable[[], int], running: Callable[[], Running | None]) -> None:
        self.sealed = sealed
        self._running = running

    def known(self, connection: sqlite3.Connection) -> Known:
        """All of them, within a transaction, each by one index seek."""
        issued = _one(connection, "SELECT issued_at FROM invoices ORDER BY seq DESC LIMIT 1")
        day = _one(connection, "SELECT day FROM blocks_totalled ORDER BY height DESC LIMIT 1")
        confirmed, after = connection.execute(
            "SELECT at, after FROM acts WHERE subject = ? AND type = 'clock' AND outcome = 'done'"
            " ORDER BY seq DESC LIMIT 1",
            (SUBJECT,),
        ).fetchone() or (0, "{}")
        noted, running = _noted(connection), self._running()
        reckoned, leapt = noted.then(running) if noted and running else (0, 0)
        return Known(
            issued=issued or 0,
            sealed=max(0 if day is None else _midnight(day), self.sealed()),
            made=_one(connection, "SELECT at FROM acts WHERE seq = 1 AND type = 'init'") or 0,
            confirmed=confirmed,
            stands=msgspec.json.decode(after).get("stands", 0),
            reckoned=reckoned,
            leapt=leapt,
        )

    def is_due(self, connection: sqlite3.Connection, at: int) -> bool:
        """Whether a clock that says ``at`` is to be noted: not too often, never back in time."""
        noted, running = _noted(connection), self._running()
        if running is None or noted is None:
            return running is not None
        since = at - noted.at
        return since >= NOTED_EVERY or (since >= 0 and running.boot != noted.running.boot)

    def note(self, connection: sqlite3.Connection, at: int, leapt: int) -> None:
        """Keep what the clock says beside how long the machine has run."""
        running = self._running()
        if running is not None:
            connection.execute(
                "INSERT OR REPLACE INTO clock_noted VALUES (1, ?, ?, ?, ?)",
                (running.boot, running.seconds, at, leapt),
            )


class Clocks:
    """The part of the store that knows times."""

    connections: Connections
    _times: Times

    def known_times(self) -> Known:
        """The times that are known to have come."""
        with self.connections.reading() as connection:
            return self._times.known(connection)

    def note_clock(self, at: int) -> None:
        """Keep what a clock says that is believed; a leap that it has made is remembered."""
        with self.connections.reading() as connection:
            if not self._times.is_due(connection, at):
                return
        with self.connections.writing() as connection:
            known = self._times.known(connection)
            if at >= known.latest:  # else it is behind, and only let go on
                self._times.note(connection, at, known.gained(at))

    def confirm_clock(self, by: By) -> Known:
        """Keep that somebody has confirmed the clock when it said ``by.at``; what is known then."""
        with self.connections.writing() as connection:
            stands = self._times.known(connection).stood
            append(connection, act_by(by, "clock", SUBJECT, after={"stands": stands}))
            self._times.note(connection, by.at, 0)
            return self._times.known(connection)


def _noted(connection: sqlite3.Connection) -> Noted | None:
    row = connection.execute("SELECT boot, ran, at, leapt FROM clock_noted").fetchone()
    return None if row is None else Noted(Running(row[0], row[1]), row[2], row[3])


def _midnight(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=SHANGHAI).timestamp())


def _one(connection: sqlite3.Connection, query: str) -> Any:  # noqa: ANN401 # a column's value
    row = connection.execute(query).fetchone()
    return row[0] if row else None
