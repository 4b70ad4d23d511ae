"""Erasing a person among the buyers."""

from typing import Final

import msgspec
from flask import Blueprint, Response

from chain.commitment import parse_password_area
from invoice_service.api.access import Access
from invoice_service.api.answers import json_answer
from invoice_service.api.parts import Parts
from invoice_service.api.requests import query
from invoice_service.domain.numbering import format_utc
from invoice_service.domain.qrtext import read_hash
from invoice_service.openapi.operation import HASH, JSON, STORE, Operation, Words, says
from invoice_service.services.people.sign_in import require_official, scoped


class BuyerErasure(msgspec.Struct):
    """Of whose invoice nothing is stored any more."""

    hash: str
    erased_at: str


WORDS: Final[Words] = {
    "InvoiceDetail.buyer_erased": says(
        "`true`: the buyer was a person, and was erased; `buyer` is a digest for everybody"
    ),
    "BuyerErasure.hash": says("The blue invoice of the sale"),
    "BuyerErasure.erased_at": says("When that was first done", format="date-time"),
}

OPERATIONS: Final = (
    Operation(
        "post",
        "/v1/invoices/{hash}/buyer/erasure",
        "eraseBuyer",
        "issuing",
        "Erase the person to whom an invoice was issued, in all documents of the sale, for ever",
        "When that was first done; again changes nothing",
        ((JSON, BuyerErasure),),
        "any",
        (HASH,),
        codes=(
            *("password_area", "role_required", "invoice_unknown", "buyer_not_erasable"),
            *("erased_list_unusable",),
            *STORE,
        ),
        scope="manage",
        power="erase",
    ),
)


def blueprint(parts: Parts) -> Blueprint:
    """``POST …/buyer/erasure``: merchants for their own invoices, officials for all."""
    access = Access(parts.store, parts.clock)
    routes = Blueprint("erasure", __name__, url_prefix="/v1/invoices")

    @routes.post("/<hash_>/buyer/erasure")
    def erase(hash_: str) -> Response:
        query()
        principal = access.known()
        if principal.role == "official":
            require_official(principal, "erase")
        scoped(principal, "manage")
        digest = parse_password_area(read_hash(hash_))
        by = access.by(principal, int(parts.clock().timestamp()))
        erased = parts.keeping.erase_buyer(digest, principal.merchant_id, by)
        return json_answer(BuyerErasure(erased.invoice.hash, format_utc(erased.at)))

    return routes
