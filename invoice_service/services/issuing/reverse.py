"""Taking back an invoice, whole or in part: a red one is issued that names it."""

from collections.abc import Callable
from dataclasses import dataclass

from chain.errors import ConflictError
from chain.hashing import Digest
from invoice_service.domain.invoice import SALTS_SIZE, Issued, parse_reversal
from invoice_service.domain.red import prepare_red
from invoice_service.domain.request import MAX_BYTES
from invoice_service.services.issuing.issue import Issuer, single
from invoice_service.services.ports import InvoiceReader
from invoice_service.services.records import own_invoice


@dataclass(frozen=True, slots=True)
class ReversingDesk:
    """What reversing works with; ``randbytes`` must be fit for secrets."""

    invoices: InvoiceReader
    issuer: Issuer
    randbytes: Callable[[int], bytes]
    max_bytes: int = MAX_BYTES


def reverse(
    desk: ReversingDesk,
    merchant_id: int,
    digest: Digest,
    body: bytes,
    *,
    key_id: int = 0,
    idempotency_key: str = "",
) -> Issued:
    """Issue the red invoice; it is on disk when this returns, and the verdict says so.

    What is left, and what is a repetition, is for the issuing transaction to say.
    Raises MalformedError for the body and for lines or rates that are none of the invoice's,
    NotFoundError ``invoice_unknown``, RefusedError ``not_reversible``, ConflictError
    ``already_reversed``, ``return_too_large``, ``return_repeated``, and as ``issue_one`` does.
    """
    request = parse_reversal(body, max_bytes=desk.max_bytes)

    def issue() -> Issued:
        blue = own_invoice(desk.invoices, digest, merchant_id)
        prepared = prepare_red(
            blue,
            request,
            salts=desk.randbytes(SALTS_SIZE),
            key_id=key_id,
            idempotency_key=idempotency_key,
            new_key=desk.randbytes,
        )
        return single(desk.issuer, prepared)

    try:
        return issue()
    except ConflictError as conflict:
        if conflict.code != "buyer_erased":
            raise
    return issue()  # with nobody's name, since the buyer was erased between reading and issuing
