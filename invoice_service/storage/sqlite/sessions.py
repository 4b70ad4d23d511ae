"""Who is signed in where. Rows come and go; the acts of signing in and out remain."""

import sqlite3
from typing import Any, Final

import msgspec

from chain.errors import RefusedError
from chain.hashing import Digest
from invoice_service.domain.acts import By, Said, act_by
from invoice_service.services.people.person import Person
from invoice_service.services.people.sessions import MOST, Level, Session, Visitor
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.people import COLUMNS as OF_A_PERSON
from invoice_service.storage.sqlite.people import hold, read_person
from invoice_service.storage.sqlite.trail import append

_COLUMNS: Final = Session.__struct_fields__
_NAMES: Final = ", ".join(f"sessions.{name}" for name in _COLUMNS)
_PERSON: Final = ", ".join(f"people.{name}" for name in OF_A_PERSON)
_THEIRS: Final = "(person_id = ?1 OR cashier_id = ?1)"
"""Signed in by a person, or taken over by PIN. Ended is the whole: handed back unasked, a till
would have the rights of who signed it in, in the hands of whoever stands there."""

_CASHIER: Final = ", ".join(f"cashiers.{name}" for name in OF_A_PERSON)


class SessionRows:
    """The part of the store that keeps sessions."""

    connections: Connections

    def open_session(
        self,
        digest: Digest,
        session: Session,
        before: Digest | None,
        by: By,
        how: str,
        person: Person,
    ) -> None:
        """As the port says."""
        row = msgspec.structs.asdict(session) | {"id": None, "digest": digest}
        with self.connections.writing() as connection:
            _hold(connection, person, session.level)
            was = connection.execute(
                "SELECT till FROM sessions WHERE digest = ? AND person_id = ?",
                (before, session.person_id),
            ).fetchone()
            row["till"] = session.till if was is None else was[0]
            connection.execute("DELETE FROM sessions WHERE digest = ?", (before,))
            table = self.connections.database.table("sessions")
            session_id: int = msgspec.convert(table.insert(row).last_pk, int)
            connection.execute(
                "DELETE FROM sessions WHERE person_id = ? AND id NOT IN (SELECT id FROM sessions"
                " WHERE person_id = ? ORDER BY id DESC LIMIT ?)",
                (session.person_id, session.person_id, MOST),
            )
            after: Said = {"session": session_id, "how": how, "level": session.level}
            append(connection, act_by(by, "sign_in", f"person:{session.person_id}", after=after))

    def renew_session(self, session_id: int, digest: Digest, level: Level) -> None:
        """Give a session another text, and end all others of its person."""
        with self.connections.writing() as connection:
            connection.execute(
                "UPDATE sessions SET digest = ?, level = ? WHERE id = ?",
                (digest, level, session_id),
            )
            connection.execute(
                "DELETE FROM sessions WHERE id <> ?1 AND person_id ="
                " (SELECT person_id FROM sessions WHERE id = ?1)",
                (session_id,),
            )

    def visitor(self, digest: Digest) -> Visitor | None:
        """Whose session this is; None also where the person was removed."""
        with self.connections.reading() as connection:
            row = connection.execute(
                f"SELECT {_NAMES}, {_PERSON}, {_CASHIER} FROM sessions"  # noqa: S608 # our own columns
                " JOIN people ON people.id = sessions.person_id"
                " LEFT JOIN people AS cashiers ON cashiers.id = sessions.cashier_id"
                " WHERE digest = ? AND people.removed_at IS NULL AND people.suspended_at IS NULL",
                (digest,),
            ).fetchone()
        if row is None:
            return None
        session, rest = row[: len(_COLUMNS)], row[len(_COLUMNS) :]
        person, cashier = rest[: len(OF_A_PERSON)], rest[len(OF_A_PERSON) :]
        works = None if cashier[0] is None else read_person(cashier)
        return Visitor(_session(session), read_person(person), works)

    def note_seen(self, session_id: int, at: int) -> None:
        """It is in use."""
        with self.connections.writing() as connection:
            connection.execute(
                "UPDATE sessions SET seen_at = ? WHERE id = ? AND seen_at < ?",
                (at, session_id, at),
            )

    def sessions(self, person_id: int) -> list[Session]:
        """All of a person's, and the tills at which the person works now; the newest first."""
        query = f"SELECT {_NAMES} FROM sessions WHERE {_THEIRS} ORDER BY id DESC"  # noqa: S608 # our own texts
        with self.connections.reading() as connection:
            return [_session(row) for row in connection.execute(query, (person_id,))]

    def end_session(self, session_id: int, person_id: int, by: By) -> bool:
        """End one of those of ``sessions``; False when there is no such."""
        with self.connections.writing() as connection:
            done = connection.execute(
                f"DELETE FROM sessions WHERE {_THEIRS} AND id = ?2",  # noqa: S608 # our own text
                (person_id, session_id),
            )
            if done.rowcount != 1:
                return False
            after: Said = {"session": session_id}
            append(connection, act_by(by, "sign_out", f"person:{person_id}", after=after))
            return True

    def end_sessions(self, person_id: int, by: By) -> int:
        """End all of those of ``sessions``; how many there were."""
        with self.connections.writing() as connection:
            done = connection.execute(f"DELETE FROM sessions WHERE {_THEIRS}", (person_id,))  # noqa: S608 # our own text
            after: Said = {"sessions": done.rowcount}
            append(connection, act_by(by, "sign_out", f"person:{person_id}", after=after))
            return done.rowcount

    def forget_sessions(self, before: int) -> None:
        """Drop those that nobody has used since."""
        with self.connections.writing() as connection:
            connection.execute("DELETE FROM sessions WHERE seen_at < ?", (before,))

    def set_cashier(self, session_id: int, person_id: int | None, by: By) -> None:
        """Somebody else works at this till now."""
        with self.connections.writing() as connection:
            connection.execute(
                "UPDATE sessions SET cashier_id = ? WHERE id = ?", (person_id, session_id)
            )
            after: Said = {} if person_id is None else {"cashier": person_id}
            append(connection, act_by(by, "till", f"session:{session_id}", after=after))


def _hold(connection: sqlite3.Connection, seen: Person, level: Level) -> None:
    """As ``hold``; a first factor alone lets nobody in who has a second one by now."""
    now = hold(connection, seen)
    second = connection.execute("SELECT 1 FROM passkeys WHERE person_id = ?", (now.id,))
    if level == "full" and (now.totp is not None or second.fetchone() is not None):
        raise RefusedError("sign_in_refused", "a second factor was set up just now")
    if (now.totp is None) != (seen.totp is None):
        raise RefusedError("sign_in_refused", "the second factor was changed just now")


def _session(row: tuple[Any, ...]) -> Session:
    return msgspec.convert(dict(zip(_COLUMNS, row, strict=True)), Session)
