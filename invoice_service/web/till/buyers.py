"""``/till/buyers``: an owner finds a person's sale, and erases who they were, for ever."""

from typing import Any, Final, Literal, NamedTuple

from flask import Blueprint, Response
from werkzeug import Response as AnyResponse

from chain.commitment import parse_password_area
from chain.errors import MalformedError, NotFoundError, Problem, RefusedError, UnavailableError
from chain.hashing import Digest
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.persons import is_person, read_group
from invoice_service.domain.qrtext import parse_qr_text, read_hash
from invoice_service.retention.keeping import Keeping
from invoice_service.services.people.sessions import Visitor
from invoice_service.services.records import own_invoice
from invoice_service.services.till.books import LONGEST_SEARCH
from invoice_service.services.till.desk import TillDesk
from invoice_service.services.till.rows import buyer_of
from invoice_service.web.people.gate import Gate

PATH: Final = "/till/buyers"
MOST: Final = 50
_PAGE: Final = "till/buyers.html"

Kind = Literal["person", "erased", "firm", "nobody"]


class Sale(NamedTuple):
    """A sale that was found: its blue invoice, and what is stored of its buyer."""

    invoice: StoredInvoice
    kind: Kind
    name: str


class BuyerPages:
    """For owners; another merchant's sale is like one that is not there."""

    def __init__(self, gate: Gate, desk: TillDesk, keeping: Keeping) -> None:
        self._gate, self._keeping = gate, keeping
        self._store = desk.store

    def add_to(self, routes: Blueprint) -> None:
        """The routes."""
        routes.get("/buyers")(self.buyers)
        routes.post("/buyers/<hash_>/erasure")(self.erase)

    def buyers(self) -> Response:
        """What is found by an order's number, an invoice's, its hash, or the code on its slip."""
        _, merchant_id = self._owner()
        return self._show(merchant_id, self._gate.asked("q").strip())

    def erase(self, hash_: str) -> AnyResponse:
        """Erase the person, once the password was shown again; then the sale is shown so."""
        visitor, merchant_id = self._owner()
        fields = self._gate.fields()
        digest = parse_password_area(read_hash(hash_))
        own_invoice(self._store, digest, merchant_id)
        entrance, site = self._gate.door.desk.entrance, self._gate.site()
        try:
            entrance.confirm(visitor.person, fields.get("password", ""), site)
            erased = self._keeping.erase_buyer(digest, merchant_id, self._gate.by(visitor))
        except (RefusedError, UnavailableError) as problem:
            return self._show(merchant_id, hash_, problem)
        return self._gate.go(f"{PATH}?q={erased.invoice.hash}")

    def _owner(self) -> tuple[Visitor, int]:
        """An owner; RefusedError ``role_required``, also while a cashier works here."""
        visitor = self._gate.person("owner")
        return visitor, visitor.person.merchant_id or 0

    def _show(self, merchant_id: int, text: str, problem: Problem | None = None) -> Response:
        try:
            sales = self._found(merchant_id, text) if text else []
        except MalformedError as error:
            sales, problem = [], error
        values: dict[str, Any] = {"text": text[:LONGEST_SEARCH], "sales": sales}
        if problem is None:
            return self._gate.page(_PAGE, **values)
        return self._gate.again(_PAGE, problem, **values)

    def _found(self, merchant_id: int, text: str) -> list[Sale]:
        """The sales; each once, though its returns are found with it."""
        digest = digest_in(text)
        if digest is not None:
            named = self._one(merchant_id, digest)
        elif len(text) > LONGEST_SEARCH:
            raise MalformedError(
                "text_too_long", f"a search has at most {LONGEST_SEARCH} characters", pointer="q"
            )
        else:
            named = [one.invoice for one in self._store.named(merchant_id, text, MOST)]
        blues: dict[int, StoredInvoice] = {}
        for invoice in named:
            for blue in self._blue(merchant_id, invoice):
                blues[blue.seq] = blue
        return [sale_of(blue) for blue in blues.values()]

    def _blue(self, merchant_id: int, invoice: StoredInvoice) -> list[StoredInvoice]:
        if invoice.reverses_hash is None:
            return [invoice]
        return self._one(merchant_id, parse_password_area(invoice.reverses_hash))

    def _one(self, merchant_id: int, digest: Digest) -> list[StoredInvoice]:
        try:
            return [own_invoice(self._store, digest, merchant_id)]
        except NotFoundError:
            return []


def digest_in(text: str) -> Digest | None:
    """That of the invoice which a text names by its hash, alone or in a code; None for others."""
    try:
        return parse_password_area(read_hash(text))
    except MalformedError:
        pass
    try:
        return parse_password_area(parse_qr_text(text).hash)
    except MalformedError:
        return None


def sale_of(invoice: StoredInvoice) -> Sale:
    """What is stored of a blue invoice's buyer."""
    if invoice.erased:
        return Sale(invoice, "erased", "")
    group = read_group(invoice.buyer)
    if is_person(group):
        return Sale(invoice, "person", buyer_of(invoice).get("name", ""))
    return Sale(invoice, "nobody" if group.kind == "individual" else "firm", group.name)
