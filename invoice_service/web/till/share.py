"""``/till/invoices/{hash}/share``: handing an invoice on, with what its holder does not show."""

from flask import Blueprint, Response, request

from invoice_service.documents.sharing import Sharing, wanted_in
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.qrtext import read_hash
from invoice_service.services.till.desk import TillDesk
from invoice_service.web.ground.page import as_file
from invoice_service.web.people.gate import Gate


def share_blueprint(gate: Gate, desk: TillDesk, sharing: Sharing) -> Blueprint:
    """The routes; what goes wrong, the gate says."""
    routes = Blueprint("till_share", __name__, url_prefix="/till")
    pages = SharePages(gate, desk, sharing)
    routes.get("/invoices/<hash_>/share")(pages.share)
    routes.get("/invoices/<hash_>/file")(pages.file)
    return routes


class SharePages:
    """For a merchant's people, of its own invoices; another's are not there."""

    def __init__(self, gate: Gate, desk: TillDesk, sharing: Sharing) -> None:
        self._gate, self._desk, self._sharing = gate, desk, sharing

    def share(self, hash_: str) -> Response:
        """In which form, and without what."""
        return self._gate.page("till/share.html", invoice=self._own(hash_))

    def file(self, hash_: str) -> Response:
        """The file."""
        asked = wanted_in(request.args.getlist("form"), request.args.getlist("hide"))
        return as_file(self._sharing.file(self._own(hash_), asked))

    def _own(self, hash_: str) -> StoredInvoice:
        merchant_id = self._gate.person("owner", "cashier").person.merchant_id or 0
        return self._desk.books.own(merchant_id, read_hash(hash_))
