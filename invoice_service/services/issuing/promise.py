"""The promise in every answer to an issue: by when the invoice will be in the log.

``chain.proof.promise`` says what stands in it and reads it. The same invoice always gets the same
promise, so a repeated request does not move the deadline.
"""

from chain.signing.note import SignerKey, sign_note
from invoice_service.domain.numbering import format_utc


def make_promise(signer: SignerKey, hash_: str, issued_at: int, max_delay: int) -> bytes:
    """Promise that the invoice issued at ``issued_at`` is in the log ``max_delay`` seconds on."""
    times = f"{format_utc(issued_at)}\n{format_utc(issued_at + max_delay)}"
    return sign_note(f"{signer.name}\n{hash_}\n{times}\n", signer)
