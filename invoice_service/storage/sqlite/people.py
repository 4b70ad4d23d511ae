"""People and what lets them in. Each change writes its act beside it."""

import sqlite3
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec

from chain.errors import ConflictError, RefusedError
from chain.hashing import Digest
from invoice_service.domain.acts import ActType, By, Said, act_by
from invoice_service.services.people.person import NewPerson, Person, PersonRole
from invoice_service.services.people.trail import PersonStanding
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.trail import append, last_said, read_said

COLUMNS: Final = Person.__struct_fields__
SELECT: Final = f"SELECT {', '.join(f'people.{name}' for name in COLUMNS)} FROM people"  # noqa: S608 # our own columns
_CALLED: Final = (
    "WITH asked AS (SELECT value AS who, substr(value, instr(value, ':') + 1) AS id,"
    " substr(value, 1, instr(value, ':')) AS kind FROM json_each(:who))"
    " SELECT who, coalesce(nullif(name, ''), login) FROM asked JOIN people p"
    " ON p.id = CAST(asked.id AS INTEGER) AND kind = 'person:'"
    " UNION ALL SELECT who, coalesce(nullif(p.name, ''), p.login) FROM asked JOIN api_keys k"
    " ON k.id = CAST(asked.id AS INTEGER) AND kind = 'key:' JOIN people p ON p.id = k.person_id"
    " UNION ALL SELECT who, m.name FROM asked JOIN merchants m"
    " ON m.id = CAST(asked.id AS INTEGER) AND kind = 'merchant:'"
)


class People:
    """The part of the store that keeps people."""

    connections: Connections

    def add_person(self, new: NewPerson, invitation: Digest, expires_at: int, by: By) -> Person:
        """Keep somebody new, with an invitation; ConflictError ``login_taken``."""
        with self.connections.writing() as connection:
            return add(connection, new, Link(invitation, expires_at), by)

    def person(self, person_id: int) -> Person | None:
        """One person."""
        return self._one("id = ?", person_id)

    def person_by_login(self, login: str) -> Person | None:
        """The person with this sign-in name."""
        return self._one("login = ?", login)

    def person_by_subject(self, subject: str) -> Person | None:
        """The person whom the provider of sign-ins calls so."""
        return self._one("subject = ?", subject)

    def provide(self, new: NewPerson, subject: str, by: By) -> Person:
        """Keep somebody whom the provider vouches for; ConflictError ``login_taken``."""
        with self.connections.writing() as connection:
            return keep(connection, new, by, subject)

    def people(self, merchant_id: int | None) -> list[Person]:
        """All people of a merchant, or of the bureau (None), removed ones too."""
        with self.connections.reading() as connection:
            query = f"{SELECT} WHERE merchant_id IS ? ORDER BY id"
            return [read_person(row) for row in connection.execute(query, (merchant_id,))]

    def invite_again(self, person_id: int, invitation: Digest, expires_at: int, by: By) -> bool:
        """Void all that lets this person in, and give a new invitation; False for nobody."""
        with self.connections.writing() as connection:
            return invite(connection, person_id, Link(invitation, expires_at), by)

    def invitation(self, digest: Digest, now: int) -> Person | None:
        """Whose invitation this is; None for one that is unknown, used, void or too old."""
        with self.connections.reading() as connection:
            return _invited(connection, digest, now)

    def accept(self, digest: Digest, password: str, by_at: int, origin: str) -> Person | None:
        """Use an invitation up, once for all, and set the password; None as ``invitation``."""
        with self.connections.writing() as connection:
            person = _invited(connection, digest, by_at)
            if person is None:
                return None
            connection.execute("DELETE FROM invitations WHERE digest = ?", (digest,))
            by = By(f"person:{person.id}", by_at, origin)
            self._set(connection, person.id, "password", password, by)
            return msgspec.structs.replace(person, password=password)

    def set_password(self, person: Person, password: str, by: By) -> None:
        """As the port says."""
        with self.connections.writing() as connection:
            self._set(connection, hold(connection, person).id, "password", password, by)

    def set_pin(self, person: Person, pin: str | None, by: By) -> None:
        """Another PIN for the till, or none."""
        with self.connections.writing() as connection:
            self._set(connection, hold(connection, person).id, "pin", pin, by)

    def set_role(self, person_id: int, role: PersonRole, by: By, reason: str = "") -> None:
        """Another role; who is signed in has to sign in again."""
        with self.connections.writing() as connection:
            change_role(connection, person_id, role, by, reason)

    def suspend_person(self, person_id: int, since: int | None, by: By, reason: str = "") -> None:
        """Let this person in no more, nor their keys, until (None) they are let in again.

        ConflictError ``last_administrator``.
        """
        with self.connections.writing() as connection:
            before = read(connection, person_id)
            if before is None or (before.suspended_at is None) == (since is None):
                return
            if since is not None:
                _keep_an_administrator(connection, before, None)
            connection.execute(
                "UPDATE people SET suspended_at = ? WHERE id = ?", (since, person_id)
            )
            connection.execute("DELETE FROM sessions WHERE person_id = ?", (person_id,))
            after = msgspec.structs.replace(before, suspended_at=since)
            _act(connection, by, after, before, "role", reason)

    def remove_person(self, person_id: int, by: By, reason: str = "") -> None:
        """End all that lets this person in, for ever; ConflictError ``last_administrator``."""
        with self.connections.writing() as connection:
            remove(connection, person_id, by, reason)

    def called(self, who: Iterable[str]) -> dict[str, str]:
        """Names by what the trail calls somebody, of those that are known, removed ones too.

        Of ``person:3`` the person's, of ``key:7`` that of whoever holds it, of ``merchant:1`` the
        merchant's.
        """
        asked = msgspec.json.encode(sorted(set(who))).decode()
        with self.connections.reading() as connection:
            return dict(connection.execute(_CALLED, {"who": asked}).fetchall())

    def person_standings(self, after: int, limit: int) -> list[PersonStanding]:
        """People above ``after``, each beside what the trail says of it at that moment."""
        said = last_said("after", "'person:' || people.id", "person", "role")
        with self.connections.reading() as connection:
            rows = connection.execute(
                "SELECT id, role, merchant_id, removed_at, suspended_at,"  # noqa: S608 # our own texts
                f" {said} FROM people WHERE id > ? ORDER BY id LIMIT ?",
                (after, limit),
            ).fetchall()
        return [
            PersonStanding(person, role, owner, removed_at, suspended_at, read_said(act))
            for person, role, owner, removed_at, suspended_at, act in rows
        ]

    def _one(self, where: str, value: object) -> Person | None:
        with self.connections.reading() as connection:
            row = connection.execute(f"{SELECT} WHERE {where}", (value,)).fetchone()
        return None if row is None else read_person(row)

    def _set(
        self, connection: sqlite3.Connection, person_id: int, kind: str, kept: object, by: By
    ) -> None:
        connection.execute(f"UPDATE people SET {kind} = ? WHERE id = ?", (kept, person_id))  # noqa: S608 # our own columns
        act_of_credential(connection, person_id, kind, by, gone=kept is None)


def hold(connection: sqlite3.Connection, seen: Person) -> Person:
    """The person as they are now; RefusedError ``sign_in_refused`` where they may not sign in any
    more, or the password is another than that which was ``seen``.
    """
    now = read(connection, seen.id)
    if now is None or (now.state, now.password) != ("active", seen.password):
        raise RefusedError("sign_in_refused", "what lets you in was changed just now")
    return now


def read_person(row: tuple[Any, ...]) -> Person:
    """A row with the columns of ``COLUMNS``."""
    return msgspec.convert(dict(zip(COLUMNS, row, strict=True)), Person)


class Link(NamedTuple):
    """An invitation as it is kept."""

    digest: Digest
    expires_at: int


def add(connection: sqlite3.Connection, new: NewPerson, link: Link, by: By) -> Person:
    """Keep somebody new, within a transaction; ConflictError ``login_taken``."""
    person = keep(connection, new, by)
    _invite(connection, person.id, link.digest, link.expires_at, by)
    return person


def keep(
    connection: sqlite3.Connection, new: NewPerson, by: By, subject: str | None = None
) -> Person:
    """Keep somebody new without an invitation, as ``add``."""
    row = msgspec.structs.asdict(new) | {"totp_step": 0, "created_at": by.at, "subject": subject}
    if connection.execute("SELECT 1 FROM people WHERE login = ?", (new.login,)).fetchone():
        raise ConflictError("login_taken", f"the name {new.login} is taken")
    done = connection.execute(
        f"INSERT INTO people ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})",  # noqa: S608 # our own columns
        row,
    )
    person = msgspec.convert(row | {"id": done.lastrowid}, Person)
    _act(connection, by, person)
    return person


def invite(connection: sqlite3.Connection, person_id: int, link: Link, by: By) -> bool:
    """Void all that lets a person in, and keep an invitation; False for nobody."""
    if read(connection, person_id) is None:
        return False
    void(connection, person_id)
    _invite(connection, person_id, link.digest, link.expires_at, by)
    return True


def change_role(
    connection: sqlite3.Connection, person_id: int, role: PersonRole, by: By, reason: str = ""
) -> None:
    """Another role, within a transaction; ConflictError ``last_administrator``."""
    before = read(connection, person_id)
    if before is None:
        return
    _keep_an_administrator(connection, before, role)
    connection.execute("UPDATE people SET role = ? WHERE id = ?", (role, person_id))
    connection.execute("DELETE FROM sessions WHERE person_id = ?", (person_id,))
    _act(connection, by, msgspec.structs.replace(before, role=role), before, "role", reason)


def remove(connection: sqlite3.Connection, person_id: int, by: By, reason: str = "") -> None:
    """Never again, within a transaction; ConflictError ``last_administrator``."""
    before = read(connection, person_id)
    if before is None or before.removed_at is not None:
        return
    _keep_an_administrator(connection, before, None)
    void(connection, person_id)
    connection.execute(
        "UPDATE people SET removed_at = ?, subject = NULL WHERE id = ?", (by.at, person_id)
    )
    after = msgspec.structs.replace(before, removed_at=by.at)
    _act(connection, by, after, before, reason=reason)


def void(connection: sqlite3.Connection, person_id: int) -> None:
    """Delete all that lets a person in, within a transaction."""
    connection.execute(
        "UPDATE people SET password = NULL, pin = NULL, totp = NULL WHERE id = ?", (person_id,)
    )
    # A till that they had taken over is signed out: nobody there has shown to be who signed it in.
    connection.execute("DELETE FROM sessions WHERE cashier_id = ?", (person_id,))
    # Whoever applied has had their chance: from here on somebody else decides about this person.
    connection.execute(
        "UPDATE applications SET invite_until = NULL WHERE invited = ?", (person_id,)
    )
    for table in ("invitations", "recovery_codes", "passkeys", "sessions"):
        connection.execute(f"DELETE FROM {table} WHERE person_id = ?", (person_id,))  # noqa: S608 # our own tables


def act_of_credential(
    connection: sqlite3.Connection, person_id: int, kind: str, by: By, *, gone: bool = False
) -> None:
    """Say that something lets a person in since, or does no more."""
    after: Said = {"kind": kind, "state": "removed" if gone else "set"}
    append(connection, act_by(by, "credential", f"person:{person_id}", after=after))


def read(connection: sqlite3.Connection, person_id: int) -> Person | None:
    """One person, within a transaction."""
    row = connection.execute(f"{SELECT} WHERE id = ?", (person_id,)).fetchone()
    return None if row is None else read_person(row)


def _invite(
    connection: sqlite3.Connection, person_id: int, digest: Digest, expires_at: int, by: By
) -> None:
    connection.execute("INSERT INTO invitations VALUES (?, ?, ?)", (digest, person_id, expires_at))
    after: Said = {"expires_at": expires_at}
    append(connection, act_by(by, "invitation", f"person:{person_id}", after=after))


def _invited(connection: sqlite3.Connection, digest: Digest, now: int) -> Person | None:
    row = connection.execute(
        f"{SELECT} JOIN invitations ON people.id = invitations.person_id"
        " WHERE digest = ? AND expires_at > ? AND removed_at IS NULL AND suspended_at IS NULL",
        (digest, now),
    ).fetchone()
    return None if row is None else read_person(row)


def _keep_an_administrator(
    connection: sqlite3.Connection, person: Person, role: PersonRole | None
) -> None:
    """Refuse to do without the last one who can sign in; ConflictError ``last_administrator``."""
    if person.role != "administrator" or role == "administrator" or person.state != "active":
        return
    others = connection.execute(
        "SELECT count(*) FROM people WHERE role = 'administrator' AND id <> ?"
        " AND removed_at IS NULL AND suspended_at IS NULL"
        " AND coalesce(password, subject) IS NOT NULL",
        (person.id,),
    ).fetchone()[0]
    if not others:
        raise ConflictError("last_administrator", "without this one nobody could admit anybody")


def _standing(person: Person) -> Said:
    said: Said = {"role": person.role}
    if person.merchant_id is not None:
        said["merchant"] = person.merchant_id
    if person.removed_at is not None:
        said["removed_at"] = person.removed_at
    if person.suspended_at is not None:
        said["suspended_at"] = person.suspended_at
    return said


def _act(
    connection: sqlite3.Connection,
    by: By,
    person: Person,
    before: Person | None = None,
    type_: ActType = "person",
    reason: str = "",
) -> None:
    if person.merchant_id is None:
        type_ = "role"  # who is let in at the bureau, and as what, is for the log to vouch for
    was = None if before is None else _standing(before)
    subject = f"person:{person.id}"
    after = _standing(person)
    append(connection, act_by(by, type_, subject, before=was, after=after, reason=reason))
