"""Applications: rows that a compare-and-swap by version moves, each step with its act beside it."""

import sqlite3
from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec

from chain.errors import ConflictError, MalformedError, NotFoundError, RefusedError
from invoice_service.domain.acts import By, Said, act_by
from invoice_service.domain.application import (
    OPEN,
    RIVAL_ADMITTED,
    STATES,
    TO,
    ApplicationRequest,
    State,
    check_finding,
    check_step,
    notice_ends,
    papers_digest,
)
from invoice_service.domain.likeness import folded, typed_tax_id
from invoice_service.domain.merchant import MerchantRequest
from invoice_service.services.admission.ports import (
    Application,
    Comment,
    Decision,
    Paper,
    Rival,
    Room,
    Whose,
    erased_mark,
)
from invoice_service.services.ports import Account
from invoice_service.storage.sqlite.admission_tables import OPEN_SQL
from invoice_service.storage.sqlite.connection import TO_WASH, Connections
from invoice_service.storage.sqlite.first_owner import act_of_offer, take_back
from invoice_service.storage.sqlite.trail import append

_COLUMNS: Final = (
    *("id", "version", "state", "at", "changed_at", "tax_id", "name", "industry", "district"),
    *("address_phone", "contact", "message", "notice_until", "risk", "credit", "warning"),
    *("batch", "reason", "merchant_id"),
)
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM applications WHERE "  # noqa: S608 # our own column names
_ASKED: Final = ApplicationRequest.__struct_fields__
_NAMES_OF: Final = "SELECT name FROM application_papers WHERE application = ?"
_LOOKS_LIKE: Final = " AND (instr(folded(name), ?) OR substr(tax_id, 1, length(?)) = ?)"
_OF_ALL: Final = "SELECT coalesce(sum(bytes), 0) FROM application_papers"


class ApplicationRows:
    """The part of the store that keeps applications."""

    connections: Connections

    def add_merchant_within(
        self, connection: sqlite3.Connection, request: MerchantRequest, by: By, reason: str = ""
    ) -> Account:
        """That of the register."""
        raise NotImplementedError

    def add_application(
        self,
        receipt: bytes,
        asked: ApplicationRequest,
        papers: Sequence[Paper],
        at: int,
        room: Room,
    ) -> bool:
        """As the port says."""
        with self.connections.writing() as connection:
            execute = connection.execute
            if execute("SELECT 1 FROM applications WHERE receipt = ?", (receipt,)).fetchone():
                return False
            _require_room(connection, asked.tax_id, room)
            values = [receipt, at, at, *(getattr(asked, name) for name in _ASKED)]
            cursor = execute(
                "INSERT INTO applications (receipt, version, state, at, changed_at,"  # noqa: S608 # our own names
                f" {', '.join(_ASKED)}) VALUES (?, 1, 'received', ?, ?{', ?' * len(_ASKED)})",
                values,
            )
            _add_papers(connection, cursor.lastrowid or 0, papers, room)
            return True

    def applied(self, receipt: bytes) -> Application | None:
        """As the port says."""
        with self.connections.reading() as connection:
            return _one(connection, "receipt = ?", receipt)

    def application(self, id_: int) -> Application | None:
        """As the port says."""
        with self.connections.reading() as connection:
            return _one(connection, "id = ?", id_)

    def applications(
        self,
        states: Collection[State],
        after: int,
        limit: int,
        *,
        noticed_at: int | None = None,
        text: str = "",
    ) -> list[Application]:
        """As the port says."""
        where, values = f"state IN ({', '.join('?' * len(states))}) AND id > ?", [*states, after]
        more: list[Any] = []
        if noticed_at is not None:
            where += " AND notice_until > ?"
            more.append(noticed_at)
        if text:
            where += _LOOKS_LIKE
            tax_id = typed_tax_id(text)
            more += [folded(text), tax_id, tax_id]
        with self.connections.reading() as connection:
            rows = connection.execute(
                f"{_SELECT}{where} ORDER BY id LIMIT ?", [*values, *more, limit]
            ).fetchall()
        return [_application(row) for row in rows]

    def application_counts(self) -> dict[State, int]:
        """As the port says."""
        with self.connections.reading() as connection:
            found = dict(
                connection.execute(
                    "SELECT state, count(*) FROM applications GROUP BY state"
                ).fetchall()
            )
        return {state: found.get(state, 0) for state in STATES}

    def competing(self, tax_ids: Collection[str]) -> dict[str, int]:
        """As the port says."""
        marks = ", ".join("?" * len(tax_ids))
        with self.connections.reading() as connection:
            rows = connection.execute(
                f"SELECT tax_id, count(*) FROM applications WHERE tax_id IN ({marks})"  # noqa: S608 # marks, constant
                f" AND state IN {OPEN_SQL} GROUP BY tax_id HAVING count(*) > 1",
                [*tax_ids],
            )
            return dict(rows.fetchall())

    def add_papers(self, id_: int, papers: Sequence[Paper], at: int, room: Room) -> list[str]:
        """As the port says."""
        with self.connections.writing() as connection:
            _require_open(connection, id_)
            twice = _add_papers(connection, id_, papers, room)
            if len(twice) < len(papers):
                _touch(connection, id_, at)
            return twice

    def add_comment(self, id_: int, whose: Whose, text: str, at: int, room: Room) -> None:
        """As the port says."""
        most = room.objections if whose == "public" else room.comments
        with self.connections.writing() as connection:
            _require_open(connection, id_)
            if _said_last(connection, id_, whose) == text:
                return  # a page that is loaded again sends it again
            (there,) = connection.execute(
                "SELECT count(*) FROM application_comments WHERE application = ? AND whose = ?",
                (id_, whose),
            ).fetchone()
            if there >= most:
                raise _full(f"{most} of them are there already")
            connection.execute(
                "INSERT INTO application_comments (application, at, whose, text)"
                " VALUES (?, ?, ?, ?)",
                (id_, at, whose, text),
            )
            if whose != "public":  # else strangers could keep officials from deciding
                _touch(connection, id_, at)

    def decide(self, id_: int, decision: Decision, by: By) -> None:
        """As the port says."""
        with self.connections.writing() as connection:
            found = _one(connection, "id = ?", id_)
            if found is None:
                raise NotFoundError("application_unknown", "there is no such application")
            if found.version != decision.version:
                detail = f"it is at version {found.version} by now: look again, then decide"
                raise ConflictError("application_changed", detail, version=found.version)
            check_step(decision.step, found.state, found.notice_until, by.at)
            if decision.step == "notice" and not found.papers:
                raise ConflictError("paper_missing", "no paper of the register was sent yet")
            if decision.step != "admit":
                self._move(connection, found, decision, by)
                return
            if found.finding is not None:
                check_finding(found.finding)
            rivals = _seen(found, decision)
            merchant = self._admit(connection, found, decision, by)
            self._move(connection, found, decision, by, merchant)
            for one in rivals:
                _refuse_rival(connection, one, by)
            if decision.offer_seconds:
                until = by.at + decision.offer_seconds
                connection.execute(
                    "UPDATE applications SET invite_until = ? WHERE id = ?", (until, found.id)
                )
                act_of_offer(connection, found.id, None, until, by)

    def withdraw_application(self, id_: int, by: By) -> list[str]:
        """As the port says."""
        with self.connections.writing() as connection:
            return _withdraw(connection, id_, _require_open(connection, id_), by)

    def withdraw_named(self, marks: Collection[bytes], by: By) -> int:
        """Withdraw what a copy of before has brought back of these; how many that was."""
        if not marks:
            return 0
        with self.connections.writing() as connection:
            rows = connection.execute(
                f"SELECT id, state, receipt FROM applications WHERE state IN {OPEN_SQL}"  # noqa: S608 # constant
            ).fetchall()
            back = [(id_, state) for id_, state, receipt in rows if erased_mark(receipt) in marks]
            for id_, state in back:
                _withdraw(connection, id_, state, by)
        return len(back)

    def forget_applications(self, before: int) -> None:
        """Take contact, message, comments and papers out of what was closed ``before``."""
        with self.connections.writing() as connection:
            rows = connection.execute(
                f"SELECT id FROM applications WHERE state NOT IN {OPEN_SQL}"  # noqa: S608 # constant
                " AND changed_at < ? AND contact != ''",
                (before,),
            ).fetchall()
            _erase(connection, [id_ for (id_,) in rows])

    def paper_names(self) -> set[str]:
        """The names of all papers that are kept."""
        with self.connections.reading() as connection:
            rows = connection.execute("SELECT name FROM application_papers").fetchall()
        return {name for (name,) in rows}

    def _admit(
        self, connection: sqlite3.Connection, found: Application, decision: Decision, by: By
    ) -> int:
        """Into the register, in the same transaction."""
        request = MerchantRequest(
            tax_id=found.tax_id,
            name=found.name,
            industry=found.industry,
            district=found.district,
            address_phone=found.address_phone,
            batch=decision.batch,
            **msgspec.structs.asdict(decision.quotas),
        )
        account = self.add_merchant_within(connection, request, by, decision.reason)
        return account.merchant.id

    @staticmethod
    def _move(
        connection: sqlite3.Connection,
        found: Application,
        decision: Decision,
        by: By,
        merchant: int | None = None,
    ) -> None:
        """The row, and the act beside it: a crash leaves both or neither."""
        state = TO[decision.step]
        changed: dict[str, Any] = {"state": state, "changed_at": by.at}
        after: Said = {"state": state}
        if decision.step == "notice":
            changed["notice_until"] = after["notice_until"] = notice_ends(
                by.at, decision.notice_days
            )
        elif decision.step == "examine" and decision.finding is not None:
            changed |= msgspec.structs.asdict(decision.finding)
            after |= decision.finding.said()
        elif merchant is not None:
            changed |= {"batch": decision.batch, "merchant_id": merchant}
            after |= {"batch": decision.batch, "merchant": merchant}
        if decision.step == "refuse":
            changed["reason"] = decision.reason
        pages = [paper.digest for paper in found.papers]
        if pages and all(pages):  # what older releases have kept has none
            after |= {"pages": len(pages), "papers": papers_digest(pages).hex()}
        names = ", ".join(f"{name} = ?" for name in changed)
        connection.execute(
            f"UPDATE applications SET {names}, version = version + 1 WHERE id = ?",  # noqa: S608 # our own names
            [*changed.values(), found.id],
        )
        before: Said = {"state": found.state}
        if decision.step == "examine" and found.finding is not None:
            before |= found.finding.said()
        subject = f"application:{found.id}"
        act = act_by(by, "admission", subject, before=before, after=after, reason=decision.reason)
        append(connection, act)


def _require_room(connection: sqlite3.Connection, tax_id: str, room: Room) -> None:
    """Whoever comes behind ``room.rivals`` with one tax id waits in another room, which whoever
    fills the first one does not fill: a tax id is locked by nothing less than all of that.
    """
    if connection.execute("SELECT 1 FROM merchants WHERE tax_id = ?", (tax_id,)).fetchone():
        raise ConflictError("tax_id_taken", "a merchant with this tax id is admitted")
    (before,) = connection.execute(
        f"SELECT count(*) FROM applications WHERE tax_id = ? AND state IN {OPEN_SQL}",  # noqa: S608 # constant
        (tax_id,),
    ).fetchone()
    first, behind = connection.execute(
        "SELECT coalesce(sum(min(many, ?)), 0), coalesce(sum(max(many - ?, 0)), 0) FROM"  # noqa: S608 # constant
        f" (SELECT count(*) AS many FROM applications WHERE state IN {OPEN_SQL} GROUP BY tax_id)",
        (room.rivals, room.rivals),
    ).fetchone()
    if before < room.rivals and first >= room.open:
        raise _full("more applications wait than are taken")
    if before >= room.rivals and behind >= room.open:
        detail = f"{before} applications with this tax id wait already"
        raise ConflictError("application_pending", detail)


def _seen(found: Application, decision: Decision) -> list[Rival]:
    """Whom to admit one refuses. ConflictError ``application_changed``."""
    if decision.rivals is None:
        return [*found.rivals]
    seen = [one for one in found.rivals if one.id in decision.rivals]
    unseen = len(found.rivals) - len(seen)
    if unseen and len(found.rivals) <= decision.crowd:
        detail = f"{unseen} more with its tax id came meanwhile: look again"
        raise ConflictError("application_changed", detail, version=found.version)
    return seen


def _rivals(connection: sqlite3.Connection, tax_id: str, but: int = 0) -> list[Rival]:
    rows = connection.execute(
        "SELECT id, name, state, at FROM applications WHERE tax_id = ? AND id != ?"  # noqa: S608 # constant
        f" AND state IN {OPEN_SQL} ORDER BY id",
        (tax_id, but),
    )
    return [Rival(*row) for row in rows]


def _refuse_rival(connection: sqlite3.Connection, rival: Rival, by: By) -> None:
    """In the transaction that admits another one with its tax id."""
    connection.execute(
        "UPDATE applications SET state = 'refused', reason = ?, version = version + 1,"
        " changed_at = ? WHERE id = ?",
        (RIVAL_ADMITTED, by.at, rival.id),
    )
    before: Said = {"state": rival.state}
    after: Said = {"state": "refused"}
    subject = f"application:{rival.id}"
    act = act_by(by, "admission", subject, before=before, after=after, reason=RIVAL_ADMITTED)
    append(connection, act)


def _require_open(connection: sqlite3.Connection, id_: int) -> State:
    row = connection.execute("SELECT state FROM applications WHERE id = ?", (id_,)).fetchone()
    if row is None:
        raise NotFoundError("application_unknown", "there is no such application")
    state: State = row[0]
    if state not in OPEN:
        raise ConflictError("application_closed", f"it is {state}", state=state)
    return state


def _withdraw(connection: sqlite3.Connection, id_: int, state: State, by: By) -> list[str]:
    """Within a transaction; the names of its papers."""
    names = connection.execute(_NAMES_OF, (id_,)).fetchall()
    connection.execute(
        "UPDATE applications SET state = 'withdrawn', version = version + 1,"
        " changed_at = ? WHERE id = ?",
        (by.at, id_),
    )
    _erase(connection, [id_])
    before: Said = {"state": state}
    after: Said = {"state": "withdrawn"}
    append(connection, act_by(by, "admission", f"application:{id_}", before=before, after=after))
    return [name for (name,) in names]


def _said_last(connection: sqlite3.Connection, id_: int, whose: Whose) -> str | None:
    row = connection.execute(
        "SELECT whose, text FROM application_comments WHERE application = ?"
        " ORDER BY id DESC LIMIT 1",
        (id_,),
    ).fetchone()
    return row[1] if row is not None and row[0] == whose else None


def _add_papers(
    connection: sqlite3.Connection, id_: int, papers: Sequence[Paper], room: Room
) -> list[str]:
    """Within a transaction; the names of those that are there already, or twice among these."""
    kept = connection.execute(
        "SELECT number, digest FROM application_papers WHERE application = ?", (id_,)
    ).fetchall()
    there, known = max((number for number, _ in kept), default=0), {one for _, one in kept}
    new: list[Paper] = []
    for paper in papers:
        if paper.digest not in known:
            known.add(paper.digest)
            new.append(paper)
    if there + len(new) > room.papers:
        raise MalformedError("too_many_pictures", f"{room.papers} pages are taken in all")
    (size,) = connection.execute(_OF_ALL).fetchone()
    if new and size + sum(paper.bytes for paper in new) > room.paper_bytes:
        raise _full("there is no room for more papers at present")
    connection.executemany(
        "INSERT INTO application_papers (application, number, at, bytes, name, digest)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [
            (id_, number, one.at, one.bytes, one.name, one.digest)
            for number, one in enumerate(new, there + 1)
        ],
    )
    return [paper.name for paper in papers if paper not in new]


def _touch(connection: sqlite3.Connection, id_: int, at: int) -> None:
    connection.execute(
        "UPDATE applications SET version = version + 1, changed_at = ? WHERE id = ?", (at, id_)
    )


def _erase(connection: sqlite3.Connection, ids: Sequence[int]) -> None:
    """What leads to people; the write-ahead log forgets it with the next tidying, too."""
    if ids:
        connection.execute(TO_WASH)
    for id_ in ids:
        connection.execute(
            "UPDATE applications SET contact = '', message = '', address_phone = '' WHERE id = ?",
            (id_,),
        )
        take_back(connection, id_)
        connection.execute("DELETE FROM application_comments WHERE application = ?", (id_,))
        connection.execute("DELETE FROM application_papers WHERE application = ?", (id_,))


def _full(detail: str) -> RefusedError:
    return RefusedError("applications_full", detail)


def _application(row: Sequence[Any]) -> Application:
    return msgspec.convert(dict(zip(_COLUMNS, row, strict=True)), Application)


def _one(connection: sqlite3.Connection, where: str, value: object) -> Application | None:
    row = connection.execute(_SELECT + where, (value,)).fetchone()
    if row is None:
        return None
    papers = connection.execute(
        "SELECT number, at, bytes, name, coalesce(digest, x'') FROM application_papers"
        " WHERE application = ?"
        " ORDER BY number",
        (row[0],),
    )
    comments = connection.execute(
        "SELECT id, at, whose, text FROM application_comments WHERE application = ? ORDER BY id",
        (row[0],),
    )
    found = _application(row)
    merchant = connection.execute(
        "SELECT id FROM merchants WHERE tax_id = ?", (found.tax_id,)
    ).fetchone()
    taken_by = None if merchant is None or merchant[0] == found.merchant_id else merchant[0]
    return msgspec.structs.replace(
        found,
        rivals=tuple(_rivals(connection, found.tax_id, found.id)),
        taken_by=taken_by,
        papers=tuple(Paper(*one) for one in papers),
        comments=tuple(Comment(*one) for one in comments),
    )
