"""From what is stored to what is answered."""

from collections.abc import Callable

import msgspec

from chain.commitment import parse_password_area
from chain.proof.file import Group, ShownGroup
from invoice_service.api.invoices.contract import InvoiceBody, InvoiceDetail
from invoice_service.api.parts import Parts
from invoice_service.domain.invoice import Issued, StoredInvoice
from invoice_service.domain.numbering import format_issued_at
from invoice_service.domain.orders import FIELDS
from invoice_service.domain.qrtext import scan_url
from invoice_service.domain.verdict import Verdict, judge
from invoice_service.services.records import groups_of, own_invoice


class Bodies:
    """Writes invoices as answers show them."""

    def __init__(self, parts: Parts) -> None:
        self._url = parts.config.service.public_url
        self._invoices = parts.store
        self._log = parts.log

    def issued(self, issued: Issued, *, reverses: str | None = None) -> InvoiceBody:
        """What an issue or a reversal answers; a new invoice is pending without looking."""
        body = self._body(issued, Verdict.PENDING, reverses=reverses)
        if issued.replayed:
            stored = own_invoice(self._invoices, parse_password_area(issued.hash), None)
            body = self.listed(stored, self.states()(stored))
        body.promise, body.no_promise = issued.promise, issued.no_promise
        return body

    def listed(self, invoice: StoredInvoice, state: Verdict) -> InvoiceBody:
        """A line of a list."""
        body = self._body(invoice, state, reverses=invoice.reverses_hash)
        body.reversed_by = invoice.reversed_by
        body.left = invoice.left if invoice.reversed_by else None
        return body

    def detail(self, invoice: StoredInvoice, shown: frozenset[str]) -> InvoiceDetail:
        """One invoice with the groups that are ``shown``, the others as digests."""
        body = self.listed(invoice, self.states()(invoice))
        groups = groups_of(invoice, shown)
        later = self._invoices.replacements_of(invoice.seq) if invoice.reversed_by else []
        return InvoiceDetail(
            **msgspec.structs.asdict(body),
            face=_group(groups["face"]),
            buyer=_group(groups["buyer"]),
            lines=_group(groups["lines"]),
            buyer_erased=bool(invoice.erased),
            replaced_by=tuple(one.hash for one in later),
        )

    def states(self) -> Callable[[StoredInvoice], Verdict]:
        """The state of any invoice as of now: the log is asked once, for how far it has come."""
        size = self._log.latest_checkpoint()[0].size
        published = self._log.block_of(size - 1).cursor if size else 0

        def state(invoice: StoredInvoice) -> Verdict:
            return judge(
                known=True,
                slip_agrees=True,
                reversal=invoice.reversal,
                anchored=invoice.seq <= published,
            )

        return state

    def scan_url(self, invoice: Issued | StoredInvoice) -> str:
        """What its QR code says."""
        return scan_url(self._url, invoice.hash, invoice.number, invoice.total)

    def _body(
        self,
        invoice: Issued | StoredInvoice,
        state: Verdict,
        *,
        reverses: str | None = None,
    ) -> InvoiceBody:
        place = invoice.place
        told = {} if place is None else {name: getattr(place, name) for name in FIELDS}
        return InvoiceBody(
            hash=invoice.hash,
            code=invoice.code,
            number=invoice.number,
            check_code=invoice.check_code,
            type=invoice.type,
            issued_at=format_issued_at(invoice.issued_at),
            order_id=invoice.order_id,
            amount=invoice.amount,
            tax=invoice.tax,
            total=invoice.total,
            state=state,
            qr=self.scan_url(invoice),
            reverses=reverses,
            **told,
        )


def _group(group: Group) -> msgspec.Raw:
    if isinstance(group, ShownGroup):
        return msgspec.Raw(group.document)
    return msgspec.Raw(msgspec.json.encode({"digest": group.digest.hex()}))
