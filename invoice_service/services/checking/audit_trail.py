"""The audit's walk along the trail: its chain, and that register and counts stand as it says."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

from chain.audit.finding import AuditError
from chain.errors import UnavailableError
from chain.hashing import ZERO, Digest
from invoice_service.domain.acts import Recorded, Said, act_hash
from invoice_service.domain.quota import QUOTAS
from invoice_service.services.checking.audit_decisions import StoredDecisions, audit_decisions
from invoice_service.services.people.refusals import KEPT_SECONDS
from invoice_service.services.people.trail import (
    ABOUT,
    DESKS,
    ActFilter,
    BuyerStanding,
    Desk,
    Head,
    HourSums,
    KeyStanding,
    MerchantStanding,
    PersonStanding,
    RefusalRow,
)

_ROWS_AT_ONCE: Final = 256
_DAY: Final = 86_400


class StoredTrail(StoredDecisions, Protocol):
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

    def person_standings(self, after: int, limit: int) -> Sequence[PersonStanding]:
        """Return people above ``after``, likewise."""
        ...

    def buyer_standings(self, after: int, limit: int) -> Sequence[BuyerStanding]:
        """Return the keys of buyers above ``after``, likewise."""
        ...

    def refusals(
        self, since: int | None, until: int | None, after: int, limit: int
    ) -> Sequence[RefusalRow]:
        """Return the counts of the hours in between, above the row ``after``."""
        ...


class TrailAudit(NamedTuple):
    """What held: so many acts, the last one's hash; so many ``refusals`` are counted.

    Of ``erased`` documents the buyers were erased, by an act each sale.
    """

    acts: int
    head: Digest
    refusals: int
    erased: int


def audit_trail(trail: StoredTrail) -> TrailAudit:
    """Return what held, or raise AuditError for the first that did not.

    In an instance older than its trail, the first merchants and keys have no act that made them;
    what was done to them since must agree all the same.
    """
    seq, head, told = 0, ZERO, _Told()
    for found in _acts(trail):
        if found.seq != seq + 1:
            raise AuditError("act", seq + 1, "a row", "nothing")
        if found.act.type == "trail":
            _same("act", found.seq, "of the trail", Head(seq, head).said(), found.act.after)
        seq, head = found.seq, act_hash(head, found.seq, found.act)
        if found.hash != head:
            raise AuditError("act", seq, f"hash {head.hex()}", f"hash {found.hash.hex()}")
        told.hear(found)
    _merchants(trail, told)
    for desk, numbers in told.decided.items():
        audit_decisions(trail, desk, numbers)
    _keys(trail, told)
    _people(trail, told)
    return TrailAudit(seq, head, _refusals(trail, told), _erased(trail))


class _Told:
    """What the acts say that must stand elsewhere: merchants, keys, people, hours of refusals."""

    def __init__(self) -> None:
        self.whole = False
        self.merchants: set[int] = set()
        self.decided: dict[Desk, set[int]] = {desk: set() for desk in DESKS}
        self.keys: set[int] = set()
        self.people: set[int] = set()
        self.hours: dict[int, Said] = {}
        self.until = 0

    def hear(self, found: Recorded) -> None:
        """The next act."""
        act = found.act
        self.whole = self.whole or (found.seq == 1 and act.type == "init")
        if act.outcome != "done":
            return
        kind, _, number = act.subject.partition(":")
        desk = ABOUT.get((act.type, kind))
        if desk is not None:
            self.decided[desk].add(_number(found, kind, desk, number))
        elif act.type == "admission":
            self.merchants.add(_number(found, kind, "merchant", number))
        elif act.type == "key":
            self.keys.add(_number(found, kind, "key", number))
        elif act.type == "person" or (act.type == "role" and not act.before):
            self.people.add(_number(found, kind, "person", number))
        elif act.type == "refusals":
            hour = act.after.get("hour")
            if not isinstance(hour, int) or hour in self.hours or hour > act.at:
                raise AuditError("act", found.seq, "an hour to close", str(hour))
            self.hours[hour] = act.after
            self.until = max(self.until, act.at)


def _number(found: Recorded, kind: str, wanted: str, number: str) -> int:
    if kind != wanted or not (number.isascii() and number.isdigit()):
        raise AuditError("act", found.seq, f"a {wanted}", found.act.subject)
    return int(number)


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


def _merchants(trail: StoredTrail, told: _Told) -> None:
    """In a whole trail, and from the first admission on in any, each has its admission.

    And each admission its merchant: a row that was deleted is missed here.
    """
    done, known, missing = 0, told.whole, set(told.merchants)
    while rows := trail.merchant_standings(done, _ROWS_AT_ONCE):
        for row in rows:
            known = known or row.admission is not None
            missing.discard(row.id)
            if known and row.admission is None:
                raise AuditError("merchant", row.id, "an act of admission", "none")
            for name in ("tax_id", "particulars"):
                if row.admission is not None and name in row.admission:
                    _same("merchant", row.id, name, row.admission[name], getattr(row, name))
            last = row.admission if row.suspension is None else row.suspension
            if last is not None:
                _same("merchant", row.id, "status", last.get("status"), row.status)
            last = row.admission if row.allowance is None else row.allowance
            if row.admission is not None:
                _same("merchant", row.id, "batch", row.admission.get("batch", ""), row.batch)
            for name in QUOTAS if last is not None else ():
                _same("merchant", row.id, name, last.get(name), getattr(row.quotas, name))
        done = rows[-1].id
    _none("merchant", missing)


def _keys(trail: StoredTrail, told: _Told) -> None:
    """As ``_merchants``."""
    done, known, missing = 0, told.whole, set(told.keys)
    while rows := trail.key_standings(done, _ROWS_AT_ONCE):
        for row in rows:
            known = known or row.creation is not None
            missing.discard(row.id)
            if row.creation is not None:
                _same("key", row.id, "role", row.creation.get("role"), row.role)
                _same("key", row.id, "merchant", row.creation.get("merchant"), row.merchant_id)
                _same("key", row.id, "scopes", row.creation.get("scopes"), row.scopes)
                _same("key", row.id, "till", row.creation.get("till", ""), row.till)
                for name in ("office", "person"):
                    _same("key", row.id, name, row.creation.get(name), getattr(row, name))
                ends = (row.replacement or row.creation).get("expires_at")
                _same("key", row.id, "expires_at", ends, row.expires_at)
            elif known:
                raise AuditError("key", row.id, "an act that made it", "none")
            if row.revocation is not None or row.creation is not None:
                revoked = (row.revocation or {}).get("revoked_at")
                _same("key", row.id, "revoked_at", revoked, row.revoked_at)
        done = rows[-1].id
    _none("key", missing)


def _people(trail: StoredTrail, told: _Told) -> None:
    """Everybody has the role, and belongs to the merchant, that the newest act says."""
    done, missing = 0, set(told.people)
    while rows := trail.person_standings(done, _ROWS_AT_ONCE):
        for row in rows:
            missing.discard(row.id)
            if row.said is None:
                raise AuditError("person", row.id, "an act that invited", "none")
            _same("person", row.id, "role", row.said.get("role"), row.role)
            _same("person", row.id, "merchant", row.said.get("merchant"), row.merchant_id)
            for name in ("removed_at", "suspended_at"):
                _same("person", row.id, name, row.said.get(name), getattr(row, name))
        done = rows[-1].id
    _none("person", missing)


def _erased(trail: StoredTrail) -> int:
    """Return how many keys of buyers are gone, once each is gone by an act, and no other."""
    done = count = 0
    while rows := trail.buyer_standings(done, _ROWS_AT_ONCE):
        for row in rows:
            if not row.sealed:
                raise AuditError("buyer", row.invoice, "a person under its key", "none")
            if row.gone != row.told:
                expected = "an erased buyer, as the trail says" if row.told else "a buyer's key"
                found = "destroyed, by no act" if row.gone else "a key that is back"
                raise AuditError("buyer", row.invoice, expected, found)
            count += row.gone
        done = rows[-1].invoice
    return count


def _refusals(trail: StoredTrail, told: _Told) -> int:
    """Return how many refusals are counted, once each closed hour has the rows that its act says.

    Hours that are no longer kept may be gone, the oldest day of those that are, too: another
    process may forget it meanwhile. Hours after the last closed one are still being counted.
    """
    sums: dict[int, HourSums] = {}
    total = done = 0
    while rows := trail.refusals(None, None, done, _ROWS_AT_ONCE):
        for row in rows:
            total += row.count
            if row.hour <= max(told.hours, default=-1):
                sums.setdefault(row.hour, HourSums()).add(row)
        done = rows[-1].id
    oldest = told.until - KEPT_SECONDS + _DAY
    for hour in sorted(told.hours.keys() | sums.keys()):
        found = sums.get(hour)
        if found is None and hour < oldest:
            continue
        said = told.hours.get(hour, "no act that closes it")
        _same("refusals", hour, "of the hour", said, found.said(hour) if found else "nothing")
    return total


def _none(kind: str, missing: set[int]) -> None:
    if missing:
        raise AuditError(kind, min(missing), "a row", "nothing")


def _same(kind: str, place: int, name: str, expected: Any, found: Any) -> None:  # noqa: ANN401 # a column's value
    if expected != found:
        raise AuditError(kind, place, f"{name} {expected}", f"{name} {found}")
