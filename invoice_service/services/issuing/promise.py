"""The promise in every answer to an issue: by when the invoice will be in the log.

``chain.proof.promise`` says what stands in it and reads it. The same invoice always gets the same
promise, so a repeated request does not move the deadline.
"""

from collections.abc import Sequence

import msgspec

from chain.errors import Problem
from chain.signing.note import SignerKey, sign_note
from invoice_service.domain.clock import longest_wait
from invoice_service.domain.invoice import Issued, Prepared
from invoice_service.domain.numbering import format_utc
from invoice_service.services.issuing.issue import Issuer


def make_promise(signer: SignerKey, hash_: str, issued_at: int, max_delay: int) -> bytes:
    """Promise that the invoice issued at ``issued_at`` is in the log ``max_delay`` seconds on."""
    times = f"{format_utc(issued_at)}\n{format_utc(issued_at + max_delay)}"
    return sign_note(f"{signer.name}\n{hash_}\n{times}\n", signer)


class Promised:
    """An issuer of what a promise will be made of: new invoices only while it can be kept.

    What was issued before is answered all the same. The others get UnavailableError ``log_behind``.
    """

    def __init__(self, issuer: Issuer, max_delay: int) -> None:
        self._issuer = issuer
        self._max_wait = longest_wait(max_delay)

    def issue(self, batch: Sequence[Prepared]) -> list[Issued | Problem]:
        """Answer each record in order."""
        wait = self._max_wait
        return self._issuer.issue([msgspec.structs.replace(one, max_wait=wait) for one in batch])
