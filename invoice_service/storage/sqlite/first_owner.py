"""The offer of a merchant's first account, beside the application that it came of."""

import sqlite3
from typing import Final

from sqlite_utils import Database

from chain.hashing import Digest
from invoice_service.domain.acts import By, Said, act_by
from invoice_service.services.admission.owner import Opening, OwnerState
from invoice_service.services.people.person import NewPerson
from invoice_service.storage.sqlite import people
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.trail import append

_STANDS: Final = (
    "SELECT a.invite_until, p.id, p.login, p.password IS NOT NULL, p.removed_at IS NOT NULL,"
    " EXISTS (SELECT 1 FROM invitations i WHERE i.digest = a.invitation),"
    # The first account: with another owner, or without a merchant that may ever issue, there is
    # nothing to offer.
    " m.id IS NULL OR m.status = 'revoked' OR EXISTS (SELECT 1 FROM people o WHERE"
    " o.merchant_id = m.id AND o.role = 'owner' AND o.removed_at IS NULL AND o.id IS NOT p.id)"
    " FROM applications a LEFT JOIN people p ON p.id = a.invited"
    " LEFT JOIN merchants m ON m.id = a.merchant_id WHERE a.id = ?"
)


class _Stands:
    """What the row and those it names say."""

    def __init__(self, connection: sqlite3.Connection, id_: int) -> None:
        row = connection.execute(_STANDS, (id_,)).fetchone()
        self.until, self.person, login, self.used, removed, self.waits, self.barred = row
        self.login = "" if removed or login is None else str(login)
        if removed:
            self.person = None

    def state(self, now: int) -> OwnerState:
        """As ``OwnerState``."""
        if self.used and self.person is not None:
            return "open"
        if self.barred or self.until is None:
            return "closed"
        if now >= self.until:
            return "over"
        return "invited" if self.waits else "offered"


class FirstOwnerRows:
    """The part of the store that keeps what is offered."""

    connections: Connections

    def opening(self, id_: int, now: int) -> Opening:
        """As the port says."""
        with self.connections.reading() as connection:
            stands = _Stands(connection, id_)
        return Opening(stands.state(now), stands.until, stands.login)

    def open_account(
        self, id_: int, until: int, new: NewPerson | None, invitation: Digest, by: By
    ) -> bool:
        """As the port says."""
        link = people.Link(invitation, until)
        with self.connections.writing() as connection:
            stands = _Stands(connection, id_)
            if (stands.state(by.at), stands.until) != ("offered", until):
                return False
            if (new is None) != bool(stands.login):
                return False  # somebody was named, or removed, meanwhile
            if new is not None:
                person_id = people.add(connection, new, link, by).id
            else:
                person_id = stands.person
                people.invite(connection, person_id, link, by)
            connection.execute(
                "UPDATE applications SET invited = ?, invitation = ?, invite_until = ?"
                " WHERE id = ?",
                (person_id, invitation, until, id_),
            )
            return True

    def offer_account(self, id_: int, until: int | None, by: By) -> bool:
        """As the port says."""
        with self.connections.writing() as connection:
            stands = _Stands(connection, id_)
            if stands.barred or stands.state(by.at) == "open":
                return False
            if until is stands.until is None:
                return True  # nothing is offered as it is
            take_back(connection, id_)
            connection.execute(
                "UPDATE applications SET invite_until = ?, invited = ?, version = version + 1,"
                " changed_at = ? WHERE id = ?",
                (until, stands.person, by.at, id_),
            )
            act_of_offer(connection, id_, stands.until, until, by)
            return True


def first_owners(db: Database) -> None:
    """Until when an application's account is offered, who was named, by which invitation."""
    db.execute("ALTER TABLE applications ADD COLUMN invite_until INTEGER")
    db.execute("ALTER TABLE applications ADD COLUMN invited INTEGER REFERENCES people (id)")
    db.execute("ALTER TABLE applications ADD COLUMN invitation BLOB")  # its digest
    db.execute(
        "CREATE INDEX idx_applications_invited ON applications (invited) WHERE invited IS NOT NULL"
    )


def take_back(connection: sqlite3.Connection, id_: int) -> None:
    """Nothing is offered any more, within a transaction; an invitation of it is void."""
    connection.execute(
        "DELETE FROM invitations WHERE digest = (SELECT invitation FROM applications WHERE id = ?)",
        (id_,),
    )
    connection.execute("UPDATE applications SET invite_until = NULL WHERE id = ?", (id_,))


def act_of_offer(
    connection: sqlite3.Connection, id_: int, was: int | None, until: int | None, by: By
) -> None:
    """Say until when it is offered, or that it is no more."""
    before: Said = {} if was is None else {"expires_at": was}
    after: Said = {"state": "withdrawn"} if until is None else {"expires_at": until}
    append(connection, act_by(by, "invitation", f"application:{id_}", before=before, after=after))
