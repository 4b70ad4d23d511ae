"""The audit's look at what officials decide on: each row stands as the acts about it say.

Applications, requests for quota and proposals: what was decided, by whom, and for what reason.
What an applicant has written is its sender's own and stands in no act.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from chain import canonical
from chain.audit.finding import AuditError
from invoice_service.domain.quota import QUOTAS
from invoice_service.services.people.trail import DecisionStanding, Desk

_ROWS_AT_ONCE: Final = 256


class StoredDecisions(Protocol):
    """What the audit needs of them."""

    def decision_standings(self, desk: Desk, after: int, limit: int) -> Sequence[DecisionStanding]:
        """Return rows above ``after``, each beside the acts about it at that moment."""
        ...


def audit_decisions(stored: StoredDecisions, desk: Desk, told: set[int]) -> None:
    """Each row as its acts say, and for each that acts have ``told`` of a row; AuditError."""
    done, missing = 0, set(told)
    while rows := stored.decision_standings(desk, done, _ROWS_AT_ONCE):
        for row in rows:
            missing.discard(row.id)
            for name, expected in _EXPECTED[desk](row).items():
                if expected != row.row[name]:
                    found = f"{name} {row.row[name]}"
                    raise AuditError(desk, row.id, f"{name} {expected}", found)
        done = rows[-1].id
    if missing:
        raise AuditError(desk, min(missing), "a row", "nothing")


def _application(row: DecisionStanding) -> dict[str, Any]:
    """Step by step; what a step does not say stays."""
    stands: dict[str, Any] = {
        "state": "received",
        "notice_until": None,
        "risk": None,
        "credit": None,
        "warning": "",
        "batch": "",
        "reason": "",
        "merchant": None,
    }
    for act in row.acts:
        said = act.after
        if said.get("state") == "examined":
            stands |= {"warning": ""}
        elif said.get("state") == "refused":
            stands |= {"reason": act.reason}
        stands |= {name: value for name, value in said.items() if name in stands}
    return stands


def _request(row: DecisionStanding) -> dict[str, Any]:
    """Open until an act answers it; acts of before do not say what was asked for."""
    if not row.acts:
        return {"state": "open", "answer": "", "answered_at": None}
    act = row.acts[-1]
    asked = {name: act.before.get(name) for name in QUOTAS}
    return {
        **(asked if act.before.keys() & asked.keys() else {}),
        "state": act.after.get("state"),
        "kind": act.before.get("kind"),
        "answer": act.reason,
        "answered_at": act.at,
        "merchant": act.after.get("merchant"),
    }


def _proposal(row: DecisionStanding) -> dict[str, Any]:
    """As it was proposed; the second act ends it."""
    if not row.acts:
        raise AuditError("proposal", row.id, "an act that proposed it", "none")
    first, *more = row.acts
    said = {name: value for name, value in first.after.items() if name not in _ROW_OF_PROPOSAL}
    stands = {
        **{name: first.after.get(name) for name in _ROW_OF_PROPOSAL},
        "said": canonical.encode(said).decode(),
        "reason": first.reason,
        "at": first.at,
        "actor": first.actor,
        "decided_by": "",
        "decided_at": None,
        "person": row.row["holder"],
    }
    for act in more:
        stands |= {"state": act.after.get("state"), "decided_by": act.actor, "decided_at": act.at}
    return stands


_ROW_OF_PROPOSAL: Final = ("state", "kind", "of", "expires_at")
_EXPECTED: Final[dict[Desk, Callable[[DecisionStanding], dict[str, Any]]]] = {
    "application": _application,
    "quota_request": _request,
    "proposal": _proposal,
}
