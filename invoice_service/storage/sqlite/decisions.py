"""What officials decide on, each row beside all acts about it: for the audit."""

from typing import Final

import msgspec

from invoice_service.domain.quota import QUOTAS
from invoice_service.services.people.trail import Decided, DecisionStanding, Desk
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


class DecisionRows:
    """The part of the store that tells the audit of applications, requests and proposals."""

    connections: Connections

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
