"""``/account/quota``: an owner sees what is left, asks for more, or to leave."""

from typing import Any, Final, Protocol

from flask import Blueprint, Response
from werkzeug import Response as AnyResponse

from chain.errors import ConflictError, MalformedError, NotFoundError, Problem, RefusedError
from invoice_service.domain.bounds import LARGEST
from invoice_service.domain.quota import Quotas
from invoice_service.services.admission.bench import QuotaDesk
from invoice_service.services.people.sessions import Visitor
from invoice_service.services.ports import Account
from invoice_service.web.ground.limits import limits_typed, typed_limits
from invoice_service.web.people.account import number_in
from invoice_service.web.people.gate import Gate

_FAULTS: Final = (MalformedError, RefusedError, ConflictError)
_MOST: Final = 500


class Accounts(Protocol):
    """Who may issue how much."""

    def account(self, merchant_id: int) -> Account | None:
        """One merchant."""
        ...


class OwnerPages:
    """What a merchant may issue, and what it asks for."""

    def __init__(self, gate: Gate, quotas: QuotaDesk, accounts: Accounts) -> None:
        self._gate, self._quotas, self._accounts = gate, quotas, accounts

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("own_quota", __name__, url_prefix="/account/quota")
        routes.get("")(self.show)
        routes.post("")(self.ask)
        routes.post("/<request>/withdrawal")(self.withdraw)
        return routes

    def show(self) -> Response:
        """What is left, and what became of what was asked for."""
        return self._page(self._gate.themselves("owner"))

    def ask(self) -> AnyResponse:
        """For more, or to leave."""
        visitor, fields = self._gate.themselves("owner"), self._gate.fields()
        account, by = self._account(visitor), self._gate.by(visitor)
        reason, merchant_id = fields.get("reason", "").strip(), account.merchant.id
        try:
            if fields.get("kind") == "leave":
                if fields.get("sure") != "yes":
                    raise MalformedError("form_incomplete", "say that you are sure")
                self._quotas.ask(merchant_id, "leave", Quotas(), reason, by)
            else:
                self._quotas.ask(merchant_id, "quota", limits_typed(fields), reason, by)
        except _FAULTS as problem:
            return self._page(visitor, fields, problem)
        return self._gate.go("/account/quota")

    def withdraw(self, request: str) -> AnyResponse:
        """Take back what waits."""
        visitor, _ = self._gate.themselves("owner"), self._gate.fields()
        account, by = self._account(visitor), self._gate.by(visitor)
        id_ = min(number_in(request, "request_unknown"), LARGEST)
        try:
            self._quotas.withdraw(id_, account.merchant.id, by)
        except ConflictError as problem:
            return self._page(visitor, None, problem)
        return self._gate.go("/account/quota")

    def _account(self, visitor: Visitor) -> Account:
        found = self._accounts.account(visitor.person.merchant_id or 0)
        if found is None:
            raise NotFoundError("merchant_unknown", "there is no such merchant")
        return found

    def _page(
        self,
        visitor: Visitor,
        typed: dict[str, str] | None = None,
        problem: Problem | None = None,
    ) -> Response:
        account = self._account(visitor)
        left = account.money_left(self._gate.door.desk.clock())
        asked = self._quotas.store.quota_requests(account.merchant.id, None, 0, _MOST)
        values: dict[str, Any] = {
            "account": account,
            "limits": typed_limits,
            "left": "" if left is None else typed_limits(Quotas(month_quota=left))["month_quota"],
            "asked": asked[::-1],
            "typed": typed or {},
        }
        if problem is None:
            return self._gate.page("apply/own_quota.html", **values)
        return self._gate.again("apply/own_quota.html", problem, **values)
