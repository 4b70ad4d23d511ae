"""``/v1/prepaid``: a wallet's calls prove themselves, a merchant's have its key."""

from typing import Final

from flask import Blueprint, Response, request

from chain.errors import UnavailableError
from invoice_service.api.access import Access
from invoice_service.api.answers import JSON, json_answer
from invoice_service.api.parts import Parts
from invoice_service.api.prepaid.bodies import prepaid_body, short_body
from invoice_service.api.prepaid.contract import PrepaidPage
from invoice_service.api.requests import body, media_type, query, whole_number
from invoice_service.domain.bounds import LARGEST
from invoice_service.domain.merchant import Merchant
from invoice_service.domain.prepaid import unknown
from invoice_service.services.people.sign_in import Principal, scoped
from invoice_service.services.prepaid.ports import Done, Whole
from invoice_service.services.prepaid.shapes import MOST_BYTES
from invoice_service.services.prepaid.wallets import Call, prove

CREATED, OK = 201, 200
MOST: Final = 100
WALLET, TIME, SIGNATURE = "Wallet", "Wallet-Time", "Wallet-Signature"


class PrepaidCalls:
    """What wallets and merchants do with accounts."""

    def __init__(self, parts: Parts) -> None:
        self._access = Access(parts.store, parts.clock)
        self._desk = parts.prepaid
        self._merchants = parts.store
        self._wallets = parts.config.prepaid.wallets
        self._url = parts.config.service.public_url

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("prepaid", __name__, url_prefix="/v1/prepaid")
        routes.post("")(self.open)
        routes.get("")(self.listing)
        routes.get("/<account>")(self.one)
        routes.post("/<account>/refund")(self.refund)
        routes.post("/<account>/refusal")(self.refuse)
        routes.post("/<account>/release")(self.release)
        return routes

    def open(self) -> Response:
        """An account; on disk when this returns."""
        wallet, sent = self._said()
        return self._answer(self._desk.open(wallet, sent), of_wallet=True)

    def listing(self) -> Response:
        """A merchant's page of them."""
        found = query("after", "limit")
        _, merchant_id = self._access.merchant("read")
        after = whole_number(found, "after", 0, LARGEST, least=0)
        limit = whole_number(found, "limit", MOST, MOST)
        wholes = self._desk.store.prepaids(merchant_id, after, limit + 1)
        now, seller = self._desk.now(), self._seller(merchant_id)
        shown = [short_body(whole, seller, now) for whole in wholes[:limit]]
        more = len(wholes) > limit
        return json_answer(PrepaidPage(shown, str(wholes[limit - 1].account.seq) if more else None))

    def one(self, account: str) -> Response:
        """One, for its wallet or its merchant."""
        query()
        principal = self._access.anyone()
        if principal is None:
            wallet = self._proven(b"")
            return self._whole(self._desk.one(account, wallet=wallet), of_wallet=True)
        return self._whole(self._of_merchant(account, principal))

    def refund(self, account: str) -> Response:
        """What the wallet has paid back."""
        wallet, sent = self._said()
        return self._answer(self._desk.refund(wallet, account, sent), of_wallet=True)

    def refuse(self, account: str) -> Response:
        """A meal that the wallet does not pay."""
        wallet, sent = self._said()
        return self._answer(self._desk.refuse(wallet, account, sent), of_wallet=True)

    def release(self, account: str) -> Response:
        """A meal that was issued before."""
        query()
        _, merchant_id = self._access.merchant("issue")
        media_type(JSON)
        return self._answer(self._desk.release(merchant_id, account, body(MOST_BYTES)))

    def _said(self) -> tuple[str, bytes]:
        """Which wallet says what, once it is proven."""
        query()
        if not self._wallets:
            self._proven(b"")
        media_type(JSON)
        sent = body(MOST_BYTES)
        return self._proven(sent), sent

    def _proven(self, sent: bytes) -> str:
        said = request.headers
        wallet = said.get(WALLET, "")
        call = Call(request.method, request.path, said.get(TIME, ""), sent)
        prove(self._wallets, wallet, said.get(SIGNATURE, ""), call, self._desk.now())
        return wallet

    def _of_merchant(self, account: str, principal: Principal) -> Whole:
        """An official has none: what is another's answers like what is not there."""
        if principal.merchant_id is None:
            raise unknown()
        scoped(principal, "read")
        return self._desk.one(account, merchant_id=principal.merchant_id)

    def _answer(self, done: Done, *, of_wallet: bool = False) -> Response:
        return self._whole(done.whole, CREATED if done.new else OK, of_wallet=of_wallet)

    def _whole(self, whole: Whole, status: int = OK, *, of_wallet: bool = False) -> Response:
        link = self._desk.links.address(whole.account.sealed) if of_wallet else ""
        seller = self._seller(whole.account.merchant_id)
        shown = prepaid_body(whole, seller, self._desk.now(), self._url, link=link)
        return json_answer(shown, status)

    def _seller(self, merchant_id: int) -> Merchant:
        account = self._merchants.account(merchant_id)
        if account is None:
            raise UnavailableError("record_damaged", f"there is no merchant {merchant_id}")
        return account.merchant
