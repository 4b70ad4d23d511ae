"""Status lists, for whoever was shown an invoice from a wallet; an offer of one's own invoice."""

from typing import Final

from flask import Blueprint, Response

from chain.commitment import parse_password_area
from chain.errors import NotFoundError
from invoice_service.api.access import Access
from invoice_service.api.answers import json_answer, raw_answer
from invoice_service.api.invoices.reading import HASH
from invoice_service.api.parts import Parts
from invoice_service.api.requests import query
from invoice_service.api.wallet.contract import Offer
from invoice_service.api.wallet.known import wallet_door
from invoice_service.documents.wallet.lists import find_list
from invoice_service.documents.wallet.statuslist import MEDIA, TTL
from invoice_service.domain.qrtext import read_hash
from invoice_service.services.claims.offers import CODE_SECONDS
from invoice_service.services.people.sign_in import require_official, scoped
from invoice_service.services.records import own_invoice

_LONGEST: Final = 9  # digits of a list's number


def blueprint(parts: Parts) -> Blueprint:
    """``/v1/wallet/status/{number}``, ``/v1/invoices/{hash}/wallet``."""
    access, folder = Access(parts.store, parts.clock), parts.config.status_dir
    is_on, offer_of = wallet_door(parts)
    routes = Blueprint("wallet_lists", __name__, url_prefix="/v1")

    @routes.get("/wallet/status/<number>")
    def status(number: str) -> Response:
        query()
        if not (number.isascii() and number.isdecimal() and len(number) <= _LONGEST):
            raise NotFoundError("status_list_unknown", "there is no such status list")
        text = find_list(folder, int(number))
        answer = raw_answer(text.encode(), MEDIA, cache=f"max-age={TTL}")
        answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer

    @routes.get(f"/invoices/{HASH}/wallet")
    def offer(hash_: str) -> Response:
        query()
        principal = access.known()
        if principal.role == "official":
            require_official(principal, "look")
        scoped(principal, "read")
        invoice = own_invoice(
            parts.store, parse_password_area(read_hash(hash_)), principal.merchant_id
        )
        if not is_on():
            raise NotFoundError("wallet_off", "nothing is issued to wallets here")
        return json_answer(Offer(offer_of(invoice.hash), CODE_SECONDS))

    return routes
