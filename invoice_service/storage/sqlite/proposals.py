"""Proposals of grave acts, and who confirmed them. Each step writes its act beside it."""

import sqlite3
from typing import Any, Final

import msgspec
from sqlite_utils import Database

from chain import canonical
from chain.errors import ConflictError, NotFoundError, RefusedError
from invoice_service.domain.acts import By, Said, act_by
from invoice_service.services.people.proposals import (
    NewLink,
    Proposal,
    check_role,
    new_person,
)
from invoice_service.storage.sqlite import people
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.register import revoke_merchant
from invoice_service.storage.sqlite.trail import append, read_said

_COLUMNS: Final = Proposal.__struct_fields__
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM proposals"  # noqa: S608 # our own columns


class ProposalRows:
    """The part of the store that keeps proposals."""

    connections: Connections

    def propose(self, proposal: Proposal, by: By) -> Proposal:
        """Keep a new one (its id does not count); ConflictError ``proposal_open``."""
        row = msgspec.structs.asdict(proposal) | {"id": None}
        row["said"] = canonical.encode(proposal.said).decode()
        with self.connections.writing() as connection:
            same = (proposal.kind, proposal.subject, row["said"], by.at)
            if connection.execute(
                "SELECT 1 FROM proposals WHERE kind = ? AND subject = ? AND said = ?"
                " AND state = 'open' AND expires_at > ?",
                same,
            ).fetchone():
                raise ConflictError("proposal_open", "the same is proposed already")
            done = connection.execute(
                f"INSERT INTO proposals ({', '.join(row)})"  # noqa: S608 # our own columns
                f" VALUES ({', '.join(f':{name}' for name in row)})",
                row,
            )
            kept = msgspec.structs.replace(proposal, id=done.lastrowid or 0)
            _act(connection, by, kept, None, "open")
            return kept

    def proposal(self, number: int) -> Proposal | None:
        """One of them."""
        with self.connections.reading() as connection:
            return _read(connection, number)

    def proposals(self, after: int, limit: int) -> list[Proposal]:
        """The newest first, below ``after`` where that is not 0, ``limit`` at most."""
        with self.connections.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE ?1 = 0 OR id < ?1 ORDER BY id DESC LIMIT ?2", (after, limit)
            )
            return [_proposal(row) for row in rows]

    def open_proposals(self, now: int, subject: str | None = None) -> list[Proposal]:
        """All that wait for somebody, about anything or one subject, the newest first."""
        with self.connections.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE state = 'open' AND expires_at > ?1"
                " AND (?2 IS NULL OR subject = ?2) ORDER BY id DESC",
                (now, subject),
            )
            return [_proposal(row) for row in rows]

    def withdraw(self, number: int, by: By) -> bool:
        """End one that is open; False when it is not."""
        with self.connections.writing() as connection:
            return _ended(connection, number, "withdrawn", by) is not None

    def confirm(self, number: int, link: NewLink, by: By, person_id: int) -> bool:
        """As the port says. Whoever was let go while this waited for the database has no say."""
        with self.connections.writing() as connection:
            if not _decides(connection, person_id):
                raise RefusedError("role_required", "this is for administrators")
            proposed = _read(connection, number)
            if proposed is None or not _decides(connection, proposed.person_id):
                return False
            proposal = _ended(connection, number, "confirmed", by)
            if proposal is not None:
                _carry_out(connection, proposal, link, by)
            return proposal is not None

    def administrators(self) -> int:
        """How many there are who have ever come in, suspended ones too."""
        with self.connections.reading() as connection:
            row = connection.execute(
                "SELECT count(*) FROM people WHERE role = 'administrator' AND removed_at IS NULL"
                " AND coalesce(password, subject) IS NOT NULL"
            ).fetchone()
        return int(row[0])


def create_proposals(db: Database) -> None:
    """The table: what was proposed stays, and is ended once."""
    columns = {
        "id": int,
        "kind": str,
        "subject": str,
        "said": str,  # canonical JSON
        "reason": str,
        "actor": str,  # who proposed it, as the trail has it
        "person_id": int,  # and which person that is
        "at": int,
        "expires_at": int,
        "state": str,
        "decided_by": str,
        "decided_at": int,  # null while it is open
    }
    db.table("proposals").create(
        columns,
        pk="id",
        not_null=columns.keys() - {"id", "decided_at"},
        foreign_keys=[("person_id", "people", "id")],
        strict=True,
    ).create_index(["state", "expires_at"])
    fixed = ", ".join(name for name in columns if name not in ("state", "decided_by", "decided_at"))
    old, new = (
        f"({', '.join(f'{row}.{name}' for name in fixed.split(', '))})" for row in ("OLD", "NEW")
    )
    db.execute(
        "CREATE TRIGGER proposals_end_once BEFORE UPDATE ON proposals"
        f" WHEN OLD.state IS NOT 'open' OR {new} IS NOT {old}"
        " BEGIN SELECT RAISE(ABORT, 'proposals end once, rows are frozen'); END"
    )
    db.execute(
        "CREATE TRIGGER proposals_no_delete BEFORE DELETE ON proposals"
        " BEGIN SELECT RAISE(ABORT, 'proposals: no DELETE, rows are frozen'); END"
    )


def _decides(connection: sqlite3.Connection, person_id: int) -> bool:
    """Whether that person is an administrator, and may sign in."""
    found = people.read(connection, person_id)
    return found is not None and (found.role, found.state) == ("administrator", "active")


def _ended(connection: sqlite3.Connection, number: int, state: str, by: By) -> Proposal | None:
    """End one that is open and in its time; as it was."""
    found = _read(connection, number)
    if found is None or found.seen(by.at) != "open":
        return None
    connection.execute(
        "UPDATE proposals SET state = ?, decided_by = ?, decided_at = ? WHERE id = ?",
        (state, by.actor, by.at, number),
    )
    _act(connection, by, found, "open", state)
    return found


def _carry_out(connection: sqlite3.Connection, proposal: Proposal, link: NewLink, by: By) -> None:
    """What was true when it was proposed may not be any more: this transaction looks again."""
    number = int(proposal.subject.partition(":")[2] or 0)
    invitation = people.Link(link.digest, link.expires_at)
    if proposal.kind == "invitation":
        people.add(connection, new_person(proposal, link.handle), invitation, by)
    elif proposal.kind == "revocation":
        revoke_merchant(connection, number, by, proposal.reason)
    else:
        found = people.read(connection, number)
        if found is None or found.state == "removed":
            raise NotFoundError("person_unknown", "this person was removed meanwhile")
        if proposal.kind == "reinvitation":
            people.invite(connection, number, invitation, by)
        elif proposal.kind == "removal":
            people.remove(connection, number, by, proposal.reason)
        else:
            role = check_role(str(proposal.said["role"]))
            if found.role == role:
                raise ConflictError("role_same", "this person has that role already")
            people.change_role(connection, number, role, by, proposal.reason)


def _act(
    connection: sqlite3.Connection, by: By, proposal: Proposal, before: str | None, state: str
) -> None:
    after: Said = {"state": state, "kind": proposal.kind, "of": proposal.subject}
    if before is None:
        after |= {**proposal.said, "expires_at": proposal.expires_at}
    was: Said = {} if before is None else {"state": before}
    subject, reason = f"proposal:{proposal.id}", proposal.reason if before is None else ""
    append(connection, act_by(by, "proposal", subject, before=was, after=after, reason=reason))


def _read(connection: sqlite3.Connection, number: int) -> Proposal | None:
    row = connection.execute(f"{_SELECT} WHERE id = ?", (number,)).fetchone()
    return None if row is None else _proposal(row)


def _proposal(row: tuple[Any, ...]) -> Proposal:
    fields = dict(zip(_COLUMNS, row, strict=True))
    return msgspec.convert(fields | {"said": read_said(fields["said"])}, Proposal)
