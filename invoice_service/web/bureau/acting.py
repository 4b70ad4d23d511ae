"""Acting on a merchant from its file: suspending, readmitting, letting it leave, its limits,
revoking it for good.

A form says how the merchant stood when it was shown; the store compares, in the transaction that
changes it. Whoever presses twice finds their own act done, and nothing is done twice.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol, get_args

from flask import Blueprint, Response
from werkzeug import Response as AnyResponse

from chain.errors import ConflictError, MalformedError, Problem
from invoice_service.domain.acts import ActType, By, Said
from invoice_service.domain.merchant import Status
from invoice_service.domain.quota import QUOTAS, Quotas
from invoice_service.services.people import admit
from invoice_service.services.people.proposals import Actor, Proposal
from invoice_service.services.people.roles import OfficialRole, Power, with_power
from invoice_service.services.people.sessions import Visitor
from invoice_service.services.people.trail import NEWEST, ActFilter, TrailReader, given_reason
from invoice_service.services.ports import Account
from invoice_service.web.ground.limits import limits_typed
from invoice_service.web.people.gate import Gate

_STATES: Final[dict[str, Status]] = {status: status for status in get_args(Status)}
_LAST: Final = 50  # acts that are looked through for one that was done, the newest
MAY: Final[dict[str, tuple[OfficialRole, ...]]] = {
    power: with_power(power) for power in ("suspend", "admit")
}
"""Who may, for those who may not."""


class Store(admit.Merchants, TrailReader, Protocol):
    """What acting needs of a store."""


Change = Callable[[admit.Merchants, int, By, str, Status | None], Account]
Show = Callable[[Visitor, str, Problem, Mapping[str, str]], Response]


class Acting:
    """The forms of a merchant's file."""

    def __init__(
        self, gate: Gate, store: Store, find: Callable[[str], Account], show: Show
    ) -> None:
        """``find`` is told what the address names; ``show`` is the file with what was wrong."""
        self._gate, self._store, self._find, self._show = gate, store, find, show
        self._proposals = gate.door.desk.proposals

    def add_to(self, routes: Blueprint) -> None:
        """The routes."""
        routes.post("/merchants/<merchant>/suspension")(self.suspend)
        routes.post("/merchants/<merchant>/readmission")(self.readmit)
        routes.post("/merchants/<merchant>/leaving")(self.let_leave)
        routes.post("/merchants/<merchant>/quota")(self.limit)
        routes.post("/merchants/<merchant>/revocation")(self.revoke)

    def waiting(self, account: Account) -> Proposal | None:
        """The proposal to revoke it that waits for another administrator."""
        now, subject = self._gate.door.desk.clock(), _subject(account)
        found = self._proposals.store.open_proposals(now, subject)
        return next((one for one in found if one.kind == "revocation"), None)

    def two(self) -> bool:
        """Whether revoking takes two."""
        return self._proposals.in_force()

    def suspend(self, merchant: str) -> AnyResponse:
        """It issues no more for now."""
        return self._status("suspend", merchant, "suspension", "suspended", admit.suspend)

    def readmit(self, merchant: str) -> AnyResponse:
        """It issues again."""
        return self._status("admit", merchant, "readmission", "active", admit.readmit)

    def let_leave(self, merchant: str) -> AnyResponse:
        """It issues no more, as it wanted; what it has issued stands."""
        return self._status("admit", merchant, "leaving", "left", admit.leave)

    def revoke(self, merchant: str) -> AnyResponse:
        """It never issues again, where one is enough; else this is proposed."""
        if not self.two():
            return self._status("admit", merchant, "revocation", "revoked", admit.revoke)
        visitor, fields, account = self._head("admit", merchant)
        by, subject = self._gate.by(visitor), _subject(account)
        try:
            reason = _reason(fields)
            if account.merchant.status != _seen(fields):
                raise _changed()
            actor = Actor(by, visitor.person.id)
            self._proposals.propose("revocation", subject, {}, reason, actor)
        except Gate.FAULTS as problem:
            found = self.waiting(account) if problem.code == "proposal_open" else None
            said = (visitor.person.id, fields.get("reason"))
            if found is None or (found.person_id, found.reason) != said:
                return self._refused(visitor, merchant, problem, fields, "revocation")
        return self._back(account, "proposal")

    def limit(self, merchant: str) -> AnyResponse:
        """What it may issue: invoices in all, money in a month and on one. Empty: no limit."""
        visitor, fields, account = self._head("admit", merchant)
        by, id_ = self._gate.by(visitor), account.merchant.id
        wanted = Quotas()
        try:
            wanted, seen = limits_typed(fields), _seen_limits(fields)
            if wanted == seen:
                return self._back(account, "same")
            reason = _reason(fields)
            admit.set_quota(
                self._store,
                id_,
                wanted.quota,
                by,
                month_quota=wanted.month_quota,
                invoice_limit=wanted.invoice_limit,
                reason=reason,
                seen=seen,
            )
        except Gate.FAULTS as problem:
            if not self._is_done(problem, by, account, "quota", wanted.said(), fields):
                return self._refused(visitor, merchant, problem, fields, "quota")
        return self._back(account, "quota")

    def _status(
        self, power: Power, merchant: str, at: str, wanted: Status, change: Change
    ) -> AnyResponse:
        visitor, fields, account = self._head(power, merchant)
        by = self._gate.by(visitor)
        try:
            reason, seen = _reason(fields), _seen(fields)
            if seen in (None, wanted):
                raise _changed()
            change(self._store, account.merchant.id, by, reason, seen)
        except Gate.FAULTS as problem:
            if not self._is_done(problem, by, account, "suspension", {"status": wanted}, fields):
                return self._refused(visitor, merchant, problem, fields, at)
        return self._back(account, at)

    def _head(self, power: Power, merchant: str) -> tuple[Visitor, dict[str, str], Account]:
        visitor, fields = self._gate.official(power), self._gate.fields()
        return visitor, fields, self._find(merchant)

    def _is_done(
        self,
        problem: Problem,
        by: By,
        account: Account,
        type_: ActType,
        after: Said,
        fields: Mapping[str, str],
    ) -> bool:
        """Whether what is refused as changed was just done, by the same official: pressed twice."""
        if problem.code not in ("merchant_changed", "merchant_revoked"):
            return False
        wanted = ActFilter(subject=_subject(account), type=type_)
        for one in self._store.newest_acts(wanted, NEWEST, _LAST):
            if one.act.outcome == "done":
                found = one.act
                said = (by.actor, after, fields.get("reason"))
                return (found.actor, found.after, found.reason) == said
        return False

    def _refused(
        self, visitor: Visitor, merchant: str, problem: Problem, fields: dict[str, str], at: str
    ) -> Response:
        return self._show(visitor, merchant, problem, {**fields, "at": at})

    def _back(self, account: Account, done: str) -> AnyResponse:
        return self._gate.go(f"/bureau/merchants/{account.merchant.id}?done={done}")


def _subject(account: Account) -> str:
    return f"merchant:{account.merchant.id}"


def _reason(fields: Mapping[str, str]) -> str:
    """Why, which is asked for here. MalformedError ``text_empty``, and as ``given_reason``."""
    reason = given_reason(fields.get("reason", ""))
    if not reason:
        raise MalformedError("text_empty", "say why: the merchant reads it", pointer="/reason")
    return reason


def _seen(fields: Mapping[str, str]) -> Status | None:
    return _STATES.get(fields.get("seen", ""))


def _seen_limits(fields: Mapping[str, str]) -> Quotas:
    """The limits that the form showed, in fen; "" for none."""
    texts = [fields.get(f"seen_{name}", "") for name in QUOTAS]
    known = [text.isascii() and text.isdecimal() and len(text) < 16 for text in texts]
    if any(text and not good for text, good in zip(texts, known, strict=True)):
        raise _changed()
    quota, month, one = (int(text) if text else None for text in texts)
    return Quotas(quota=quota, month_quota=month, invoice_limit=one)


def _changed() -> ConflictError:
    return ConflictError("merchant_changed", "this merchant does not stand as the form says")
