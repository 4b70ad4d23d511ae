"""The audit's walk along the trail: its chain, and that the register stands as its acts left it."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

from chain.audit.finding import AuditError
from chain.errors import UnavailableError
from chain.hashing import ZERO, Digest
from invoice_service.domain.acts import Recorded, act_hash
from invoice_service.services.people.trail import ActFilter, KeyStanding, MerchantStanding

_ROWS_AT_ONCE: Final = 256


class StoredTrail(Protocol):
    """What the audit needs of the trail."""

    def acts(self, wanted: ActFilter, after: int, limit: int) -> Sequence[Recorded]:
        """Return up to ``limit`` acts above ``after``, lowest first."""
        ...

    def merchant_standings(self, after: int, limit: int) -> Sequence[MerchantStanding]:
        """Return merchants above ``after``, each beside what the trail says at that moment."""
        ...

    def key_standings(self, after: int, limit: int) -> Sequence[KeyStanding]:
        """Return API keys above ``after``, likewise."""
        ...

    def refusals_counted(self) -> int:
        """Return how many refusals stand in the counts that are kept."""
        ...


class TrailAudit(NamedTuple):
    """What held: so many acts, the last one's hash; ``refusals`` are counted, not checked."""

    acts: int
    head: Digest
    refusals: int


def audit_trail(trail: StoredTrail) -> TrailAudit:
    """Return what held, or raise AuditError for the first that did not.

    In an instance older than its trail, the first merchants and keys have no act that made them;
    what was done to them since must agree all the same.
    """
    seq, head, whole = 0, ZERO, False
    for found in _acts(trail):
        if found.seq != seq + 1:
            raise AuditError("act", seq + 1, "a row", "nothing")
        seq, head = found.seq, act_hash(head, found.seq, found.act)
        if found.hash != head:
            raise AuditError("act", seq, f"hash {head.hex()}", f"hash {found.hash.hex()}")
        whole = whole or (seq == 1 and found.act.type == "init")
    _merchants(trail, known=whole)
    _keys(trail, known=whole)
    return TrailAudit(seq, head, trail.refusals_counted())


def _acts(trail: StoredTrail) -> Iterator[Recorded]:
    done = 0
    while True:
        try:
            rows = trail.acts(ActFilter(), done, _ROWS_AT_ONCE)
        except UnavailableError as error:
            if error.code != "record_damaged":
                raise
            raise AuditError("act", f"after {done}", "rows of ours", error.detail) from error
        if not rows:
            return
        yield from rows
        done = rows[-1].seq


def _merchants(trail: StoredTrail, *, known: bool) -> None:
    """``known``: from the first merchant on, each has its admission."""
    done = 0
    while rows := trail.merchant_standings(done, _ROWS_AT_ONCE):
        for row in rows:
            known = known or row.admission is not None
            if known and row.admission is None:
                raise AuditError("merchant", row.id, "an act of admission", "none")
            for name, said in (("status", row.suspension), ("quota", row.allowance)):
                last = row.admission if said is None else said
                if last is not None:
                    _same("merchant", row.id, name, last.get(name), getattr(row, name))
        done = rows[-1].id


def _keys(trail: StoredTrail, *, known: bool) -> None:
    """As ``_merchants``."""
    done = 0
    while rows := trail.key_standings(done, _ROWS_AT_ONCE):
        for row in rows:
            known = known or row.creation is not None
            if row.creation is not None:
                _same("key", row.id, "role", row.creation.get("role"), row.role)
                _same("key", row.id, "merchant", row.creation.get("merchant"), row.merchant_id)
            elif known:
                raise AuditError("key", row.id, "an act that made it", "none")
            if row.revocation is not None or row.creation is not None:
                revoked = (row.revocation or {}).get("revoked_at")
                _same("key", row.id, "revoked_at", revoked, row.revoked_at)
        done = rows[-1].id


def _same(kind: str, place: int, name: str, expected: Any, found: Any) -> None:  # noqa: ANN401 # a column's value
    if expected != found:
        raise AuditError(kind, place, f"{name} {expected}", f"{name} {found}")
