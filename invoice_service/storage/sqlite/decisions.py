"""What officials decide on, each row beside all acts about it: for the audit."""

from typing import Final, TypeAlias

import msgspec

from invoice_service.domain.quota import QUOTAS
from invoice_service.services.checking.audit_papers import Page, PaperStanding, Seen
from invoice_service.services.people.trail import Decided, DecisionStanding, Desk
from invoice_service.storage.sqlite.admission_tables import OPEN_SQL
from invoice_service.storage.sqlite.connection import Connections

_ROWS: Final[dict[Desk, tuple[str, str, tuple[str, ...]]]] = {
    "application": (
        "applications",
        "'admission'",
        (
            *("state", "notice_until", "risk", "credit", "warning", "batch", "reason"),
            *("merchant_id AS merchant",),
        ),
    ),
    "quota_request": (
        "quota_requests",
        "'quota'",
        (*("state", "kind", "answer", "answered_at", "merchant_id AS merchant"), *QUOTAS),
    ),
    "proposal": (
        "proposals",
        "'proposal'",
        (
            *("kind", "subject AS of", "said", "reason", "actor", "at", "expires_at", "state"),
            *("decided_by", "decided_at"),
            # Whoever a session is of says the act itself; of a key, the register, which is audited.
            "person_id AS person",
            "CASE WHEN actor LIKE 'key:%' THEN"
            " (SELECT k.person_id FROM api_keys k WHERE k.id = substr(actor, 5))"
            " ELSE CAST(substr(actor, 8) AS INTEGER) END AS holder",
        ),
    ),
}


_PAGES: Final = (
    "(SELECT json_group_array(json_array(number, hex(coalesce(digest, x'')), name)) FROM"
    " (SELECT number, digest, name FROM application_papers WHERE application = a.id"
    " ORDER BY number))"
)
_SEEN: Final = (
    "(SELECT json_group_array(json_array(pages, papers)) FROM (SELECT"
    " json_extract(after, '$.pages') AS pages, json_extract(after, '$.papers') AS papers FROM acts"
    " WHERE subject = 'application:' || a.id AND type = 'admission' AND outcome = 'done'"
    " AND papers IS NOT NULL ORDER BY seq))"
)
_PAPERS: Final = (
    f"SELECT id, contact = '' AND state NOT IN {OPEN_SQL}, {_PAGES}, {_SEEN}"  # noqa: S608 # our own texts
    " FROM applications a WHERE id > ? ORDER BY id LIMIT ?"
)
_Pages: TypeAlias = list[tuple[int, str, str]]


class DecisionRows:
    """The part of the store that tells the audit of applications, requests and proposals."""

    connections: Connections

    def paper_standings(self, after: int, limit: int) -> list[PaperStanding]:
        """Applications above ``after``, in order, with their pages and what acts say of these."""
        with self.connections.reading() as connection:
            rows = connection.execute(_PAPERS, (after, limit)).fetchall()
        return [
            PaperStanding(
                id_,
                bool(erased),
                [
                    Page(number, bytes.fromhex(digest), name)
                    for number, digest, name in msgspec.json.decode(pages, type=_Pages)
                ],
                [Seen(*one) for one in msgspec.json.decode(acts, type=list[tuple[int, str]])],
            )
            for id_, erased, pages, acts in rows
        ]

    def decision_standings(self, desk: Desk, after: int, limit: int) -> list[DecisionStanding]:
        """Rows above ``after``, each beside the acts about it at that moment, oldest first."""
        table, type_, columns = _ROWS[desk]
        query = (
            f"SELECT id, (SELECT json_group_array(json_object('at', at, 'actor', actor,"  # noqa: S608 # our own names
            " 'before', json(before), 'after', json(after), 'reason', reason)) FROM"
            " (SELECT at, actor, before, after, reason FROM acts WHERE outcome = 'done'"
            f" AND subject = '{desk}:' || {table}.id AND type = {type_} ORDER BY seq)),"
            f" {', '.join(columns)} FROM {table} WHERE id > ? ORDER BY id LIMIT ?"
        )
        with self.connections.reading() as connection:
            cursor = connection.execute(query, (after, limit))
            names = [column[0] for column in cursor.description][2:]
            return [
                DecisionStanding(
                    id_,
                    dict(zip(names, row, strict=True)),
                    msgspec.json.decode(acts, type=list[Decided]),
                )
                for id_, acts, *row in cursor
            ]
