"""Erasing a person among the buyers: of their invoice everything stays but who they were."""

from typing import NamedTuple, Protocol

from chain.commitment import parse_password_area
from chain.errors import RefusedError
from chain.hashing import Digest
from invoice_service.domain.acts import By
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.persons import is_person, read_group
from invoice_service.services.people.trail import ActStore, refusals_recorded
from invoice_service.services.ports import InvoiceReader
from invoice_service.services.records import own_invoice


class BuyerStore(InvoiceReader, ActStore, Protocol):
    """What erasing needs of a store."""

    def erase_buyer(self, seq: int, subject: str, by: By) -> int:
        """Erase the buyer of a blue invoice and of all that takes it back: when, unix seconds.

        Its act of the trail, about ``subject``, is written with it, once.
        """
        ...


class Erased(NamedTuple):
    """The blue invoice whose buyer is erased, and when (unix seconds) that was first done."""

    invoice: StoredInvoice
    at: int


def erase_buyer(store: BuyerStore, digest: Digest, merchant_id: int | None, by: By) -> Erased:
    """Erase the person to whom an invoice of this merchant (None: anybody's) was issued.

    All documents of the sale are meant: the blue invoice and what takes it back, whichever is
    named. Again changes nothing. Raises NotFoundError ``invoice_unknown``; RefusedError
    ``buyer_not_erasable`` where the buyer is no person, or told nothing; UnavailableError.
    """
    invoice = own_invoice(store, digest, merchant_id)
    if invoice.reverses_hash is not None:
        digest = parse_password_area(invoice.reverses_hash)
        invoice = own_invoice(store, digest, merchant_id)
    subject = f"invoice:{invoice.code}-{invoice.number}"
    with refusals_recorded(store, by, "erasure", subject):
        if not invoice.erased and not is_person(read_group(invoice.buyer)):
            raise RefusedError(
                "buyer_not_erasable", "the buyer is no person, or nothing is stored of them"
            )
    return Erased(invoice, store.erase_buyer(invoice.seq, subject, by))
