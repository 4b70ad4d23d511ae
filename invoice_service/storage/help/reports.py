"""Reports: rows with a bound, texts that can be taken out for good, pictures beside them."""

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from chain.hashing import sha256
from invoice_service.services.help.ports import STATES, Erased, Report, ReportState, Sent
from invoice_service.storage.help.pictures import Name, Pictures
from invoice_service.storage.sqlite.connection import Connections

DAY: Final = 86_400
_SENT: Final = ("said", "hash", "verdict", "place", "message", "contact")
_COLUMNS: Final = f"id, at, {', '.join(_SENT)}, state, note, told_at, erased"
_SELECT: Final = f"SELECT {_COLUMNS} FROM reports WHERE "  # noqa: S608 # our own column names
_OLDEST: Final = " ORDER BY state = 'closed' DESC, id"
_EMPTY: Final[dict[Erased, str]] = {
    "contact": "contact = ''",
    "all": "said = '', hash = '', place = '', message = '', contact = '', erased = 1",
}


_MARK: Final = b"fapiao/erased-report@v1\n"


def erased_mark(receipt: bytes, what: Erased) -> bytes:
    """What stands for an erasure in the list of the erased; the receipt's digest is no secret."""
    return bytes(sha256(_MARK + what.encode() + b"\n" + receipt))


class Bounds(NamedTuple):
    """How much is kept, and for how many days."""

    reports: int
    picture_bytes: int
    days: int
    contact_days: int
    scan_days: int


class ReportRows:
    """The part of the store that keeps reports."""

    pictures: Pictures
    bounds: Bounds
    listed: Callable[[bytes], object]

    @property
    def connections(self) -> Connections:
        """The database."""
        raise NotImplementedError

    def add_report(self, receipt: bytes, sent: Sent, pictures: Sequence[bytes], at: int) -> bool:
        """As the port says; what finds no room any more goes with it."""
        with self.connections.writing() as connection:
            if _number(connection, receipt) is not None:
                return False
            values = [receipt, at, *(getattr(sent, name) for name in _SENT)]
            connection.execute(
                f"INSERT INTO reports (receipt, at, {', '.join(_SENT)}, state, note)"  # noqa: S608 # the same
                f" VALUES (?, ?{', ?' * len(_SENT)}, 'new', '')",
                values,
            )
            id_ = _number(connection, receipt) or 0
            for number, data in enumerate(pictures, 1):
                self.pictures.write((id_, number), data)
                connection.execute(
                    "INSERT INTO pictures VALUES (?, ?, ?)", (id_, number, len(data))
                )
            self._make_room(connection, id_)
            self.pictures.keep_only(_names(connection))
        return True

    def receipted(self, receipt: bytes) -> Report | None:
        """As the port says."""
        return self._one("receipt = ?", receipt)

    def report(self, id_: int) -> Report | None:
        """As the port says."""
        return self._one("id = ?", id_)

    def reports(self, state: ReportState | None, after: int, limit: int) -> list[Report]:
        """As the port says."""
        where, values = ("id > ?", [after]) if state is None else ("id > ? AND state = ?", [after])
        more: list[Any] = [] if state is None else [state]
        with self.connections.reading() as connection:
            rows = connection.execute(
                f"{_SELECT}{where} ORDER BY id LIMIT ?", [*values, *more, limit]
            ).fetchall()
            return [_report(connection, row) for row in rows]

    def judge(self, id_: int, state: ReportState, note: str, at: int) -> None:
        """As the port says."""
        with self.connections.writing() as connection:
            connection.execute(
                "UPDATE reports SET state = ?, note = ?, told_at = ? WHERE id = ?",
                (state, note, at, id_),
            )

    def erase(self, id_: int, what: Erased) -> None:
        """As the port says: pages are overwritten, and the write-ahead log is emptied.

        Listed first: a crash before the rest, and whoever opens the instance next does it.
        """
        with self.connections.reading() as connection:
            row = connection.execute("SELECT receipt FROM reports WHERE id = ?", (id_,)).fetchone()
        if row is not None:
            self.listed(erased_mark(row[0], what))
        self._erase(id_, what)

    def erase_named(self, marks: Collection[bytes]) -> int:
        """Erase what a copy of before has brought back of these; how much that was."""
        with self.connections.reading() as connection:
            rows = connection.execute(
                "SELECT id, receipt, contact <> '' FROM reports WHERE NOT erased"
            ).fetchall()
        back: list[tuple[int, Erased]] = []
        for id_, receipt, told in rows:
            if erased_mark(receipt, "all") in marks:
                back.append((id_, "all"))
            elif told and erased_mark(receipt, "contact") in marks:
                back.append((id_, "contact"))
        for one in back:
            self._erase(*one)
        return len(back)

    def _erase(self, id_: int, what: Erased) -> None:
        with self.connections.writing() as connection:
            connection.execute(f"UPDATE reports SET {_EMPTY[what]} WHERE id = ?", (id_,))  # noqa: S608 # the same
            if what == "all":
                connection.execute("DELETE FROM pictures WHERE report = ?", (id_,))
                self.pictures.keep_only(_names(connection))
        self.connections.empty_log()

    def picture(self, id_: int, number: int) -> bytes | None:
        """As the port says."""
        with self.connections.reading() as connection:
            known = connection.execute(
                "SELECT 1 FROM pictures WHERE report = ? AND number = ?", (id_, number)
            ).fetchone()
        return self.pictures.read((id_, number)) if known else None

    def counts(self) -> Mapping[ReportState, int]:
        """As the port says."""
        with self.connections.reading() as connection:
            found = dict(
                connection.execute("SELECT state, count(*) FROM reports GROUP BY state").fetchall()
            )
        return {state: found.get(state, 0) for state in STATES}

    def tidy_reports(self, now: int) -> None:
        """Let go reports and contacts that were kept for long enough."""
        with self.connections.writing() as connection:
            old = connection.execute(
                "SELECT id FROM reports WHERE at < ?", (now - self.bounds.days * DAY,)
            ).fetchall()
            _delete(connection, [id_ for (id_,) in old])
            silent = connection.execute(
                "UPDATE reports SET contact = '' WHERE contact != '' AND at < ?",
                (now - self.bounds.contact_days * DAY,),
            ).rowcount
            if old:
                self.pictures.keep_only(_names(connection))
        if old or silent:
            self.connections.empty_log()

    def _make_room(self, connection: sqlite3.Connection, newest: int) -> None:
        """The oldest go, closed ones first, but for the one that has just come."""
        (count,) = connection.execute("SELECT count(*) FROM reports").fetchone()
        old = connection.execute(
            f"SELECT id FROM reports WHERE id != ?{_OLDEST} LIMIT ?",  # noqa: S608 # the same
            (newest, max(0, count - self.bounds.reports)),
        )
        _delete(connection, [id_ for (id_,) in old.fetchall()])
        (size,) = connection.execute("SELECT coalesce(sum(bytes), 0) FROM pictures").fetchone()
        shown = connection.execute(
            "SELECT report, sum(bytes) FROM pictures JOIN reports ON id = report"  # noqa: S608 # the same
            f" WHERE report != ? GROUP BY report{_OLDEST}",
            (newest,),
        )
        for id_, bytes_ in shown.fetchall():
            if size <= self.bounds.picture_bytes:
                return
            connection.execute("DELETE FROM pictures WHERE report = ?", (id_,))
            size -= bytes_

    def _one(self, where: str, value: Any) -> Report | None:  # noqa: ANN401 # a column's value
        with self.connections.reading() as connection:
            row = connection.execute(_SELECT + where, (value,)).fetchone()
            return None if row is None else _report(connection, row)


def _report(connection: sqlite3.Connection, row: Sequence[Any]) -> Report:
    id_, at, *sent, state, note, told_at, erased = row
    numbers = connection.execute(
        "SELECT number FROM pictures WHERE report = ? ORDER BY number", (id_,)
    )
    return Report(
        id=id_,
        at=at,
        sent=Sent(**dict(zip(_SENT, sent, strict=True))),
        pictures=tuple(number for (number,) in numbers),
        state=state,
        note=note,
        told_at=told_at,
        erased=bool(erased),
    )


def _number(connection: sqlite3.Connection, receipt: bytes) -> int | None:
    row = connection.execute("SELECT id FROM reports WHERE receipt = ?", (receipt,)).fetchone()
    return None if row is None else int(row[0])


def _names(connection: sqlite3.Connection) -> set[Name]:
    return set(connection.execute("SELECT report, number FROM pictures").fetchall())


def _delete(connection: sqlite3.Connection, ids: Sequence[int]) -> None:
    for id_ in ids:
        connection.execute("DELETE FROM pictures WHERE report = ?", (id_,))
        connection.execute("DELETE FROM reports WHERE id = ?", (id_,))
