"""From an invoice to its credential: who asks names it by its digest, and nothing else of it."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from chain.commitment import parse_password_area
from chain.errors import RefusedError
from chain.hashing import Digest
from chain.signing.es256 import WalletKey, WalletSigner
from invoice_service.documents.wallet.credential import Terms, make_credential
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.services.checking.prove import ProofLog, receipt_and_state
from invoice_service.services.ports import InvoiceReader
from invoice_service.services.records import own_invoice


class Wallets(NamedTuple):
    """What issuing to wallets works with; ``clock`` gives unix seconds."""

    invoices: InvoiceReader
    log: ProofLog
    signer: WalletSigner
    public_url: str
    clock: Callable[[], int]
    randbytes: Callable[[int], bytes]

    def credential(self, digest: Digest, shown: frozenset[str], holder: WalletKey) -> str:
        """The credential of an invoice for the holder of that key.

        Raises NotFoundError ``invoice_unknown``; ConflictError ``not_in_log``,
        ``not_published``, ``receipt_missing``; RefusedError ``wallet_needs_https``;
        UnavailableError ``record_damaged``.
        """
        require_https(self.public_url)
        invoice = own_invoice(self.invoices, digest, None)
        receipt, state = receipt_and_state(self.invoices, self.log, digest)
        terms = Terms(
            issuer=self.public_url,
            holder=holder,
            issued_at=self.clock(),
            receipt=receipt.to_bytes(),
            index=receipt.index,
            state=state,
            original=self._original(invoice),
        )
        return make_credential(invoice, shown, terms, self.signer, self.randbytes)

    def _original(self, invoice: StoredInvoice) -> str:
        """Code and number of the invoice that a red one takes back."""
        reversed_ = msgspec.json.decode(invoice.face).get("reverses")
        if reversed_ is None:
            return ""
        blue = own_invoice(self.invoices, parse_password_area(reversed_), None)
        return blue.code + blue.number


def require_https(public_url: str) -> None:
    """RefusedError ``wallet_needs_https`` where wallets would not find us again."""
    if not public_url.startswith("https://"):
        raise RefusedError(
            "wallet_needs_https",
            f"wallets take nothing from {public_url}: service.public_url begins with https:// for"
            " that",
        )
