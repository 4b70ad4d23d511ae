"""A guest's prepaid account, looked at before it pays."""

from flask import Blueprint, Response

from invoice_service.domain.numbering import format_issued_at
from invoice_service.domain.prepaid import unknown
from invoice_service.web.till.session import TillGate, answer, asked


class AccountCalls:
    """Accounts at the merchant; another's are not there."""

    def __init__(self, session: TillGate) -> None:
        self._session = session
        self._store = session.desk.store

    def add_to(self, routes: Blueprint) -> None:
        """The route."""
        routes.get("/prepaid/<account>")(self.account)

    def account(self, account: str) -> Response:
        """Who holds the money, and how much; NotFoundError ``prepaid_unknown``."""
        asked()
        merchant_id = self._session.merchant_id()
        whole = self._store.prepaid(account, merchant_id=merchant_id)
        if whole is None:
            raise unknown()
        now = self._session.gate.door.desk.clock()
        return answer(
            {
                "id": whole.account.id,
                "wallet": whole.account.wallet,
                "terms": whole.account.terms,
                "state": whole.state(now),
                "ending": whole.ending(now),
                "held": whole.sums.held,
                "expires_at": format_issued_at(whole.account.expires_at),
            }
        )
