"""What the browser that has claimed may do with its invoice: hand it on, and be forgotten."""

from typing import Final, Literal, Protocol

from flask import Blueprint, Response, redirect, request
from werkzeug import Response as AnyResponse

from chain.commitment import parse_password_area
from chain.errors import MalformedError, RefusedError
from chain.hashing import Digest
from invoice_service.documents.sharing import Sharing, wanted_in
from invoice_service.domain.acts import CLAIMER, By
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.persons import is_person, read_group
from invoice_service.services.claims.desk import Claims
from invoice_service.services.people.erase import Erased
from invoice_service.services.ports import InvoiceReader
from invoice_service.services.records import own_invoice
from invoice_service.web.claim.form import fields
from invoice_service.web.ground.page import as_file

COOKIE: Final = "fapiao-claim"
"""What the browser that has claimed keeps, for the one address."""

SURE: Final = "yes"
_SEE_OTHER: Final = 303

Kind = Literal["person", "erased", "firm", "nobody"]


class Keeping(Protocol):
    """Who erases."""

    def erase_buyer(self, digest: Digest, merchant_id: int | None, by: By) -> Erased:
        """A person, for ever."""
        ...


class OwnInvoice:
    """For the browser whose cookie says that it has claimed; nobody else."""

    def __init__(
        self,
        claims: Claims,
        store: InvoiceReader,
        sharing: Sharing,
        keeping: Keeping,
    ) -> None:
        self._claims, self._store = claims, store
        self._sharing, self._keeping = sharing, keeping

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("claimed", __name__, url_prefix="/claim")
        routes.get("/<token>/share")(self.share)
        routes.post("/<token>/erasure")(self.erase)
        return routes

    def share(self, token: str) -> Response:
        """A file to be handed on."""
        asked = wanted_in(request.args.getlist("form"), request.args.getlist("hide"))
        return as_file(self._sharing.file(self._own(token), asked))

    def erase(self, token: str) -> AnyResponse:
        """Erase the person, once they are sure; then the page says so."""
        if fields().get("sure") != SURE:
            raise MalformedError("not_confirmed", "tick that you want it", pointer="sure")
        invoice = self._own(token)
        if kind_of(invoice) in ("firm", "nobody"):
            raise RefusedError("buyer_not_erasable", "the buyer is no person, or told nothing")
        by = By(CLAIMER, self._claims.now())  # without the address: it would tell of them, too
        self._keeping.erase_buyer(parse_password_area(invoice.hash), invoice.merchant_id, by)
        answer = redirect(f"{request.root_path}/claim/{token}", _SEE_OTHER)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _own(self, token: str) -> StoredInvoice:
        whole = self._claims.linked(token)
        claim = self._claims.own(whole, request.cookies.get(COOKIE, ""))
        if claim is None or not claim.hash:
            raise RefusedError("claim_not_yours", "this is for the browser that claimed it")
        digest = parse_password_area(claim.hash)
        return own_invoice(self._store, digest, whole.order.merchant_id)


def kind_of(invoice: StoredInvoice) -> Kind:
    """What is stored of the buyer."""
    if invoice.erased:
        return "erased"
    group = read_group(invoice.buyer)
    if is_person(group):
        return "person"
    return "nobody" if group.kind == "individual" else "firm"
