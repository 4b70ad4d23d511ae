"""What is left of an invoice, as the issuing transaction sees it (ADR 0028).

Whatever a caller believes, what a red invoice takes follows from the rows that are there.
"""

from typing import Final

from chain.commitment import password_area
from chain.errors import ConflictError, UnavailableError
from chain.hashing import to_digest
from invoice_service.domain.invoice import Prepared, StoredInvoice
from invoice_service.domain.numbering import format_issued_at
from invoice_service.domain.red import take_part
from invoice_service.storage.sqlite.reading import Execute, invoice_at, returns_of

_SAME_SALTS: Final = "SELECT seq FROM invoices WHERE reverses = ? AND salts = ?"
_SAME_REQUEST: Final = (
    "SELECT hash, number, issued_at FROM invoices WHERE reverses = ? AND request_digest = ?"
    " ORDER BY seq"
)


def same_return(execute: Execute, seq: int, prepared: Prepared) -> int | None:
    """The red invoice that the very same call made before, because its first answer was lost."""
    row = execute(_SAME_SALTS, (seq, prepared.salts)).fetchone()
    return None if row is None else int(row[0])


def within_left(execute: Execute, seq: int, prepared: Prepared) -> Prepared:
    """``prepared`` as what it asks for comes to, over what is left of the invoice at ``seq``.

    Raises ConflictError: already_reversed, return_repeated, and as ``take_part`` does.
    """
    blue = invoice_at(execute, seq)
    if blue is None:
        raise UnavailableError("record_damaged", f"invoice {seq} cannot be read again")
    if (
        not prepared.idempotency_key
        and prepared.takes_back is not None
        and not prepared.takes_back.whole
    ):
        _refuse_same(execute, seq, prepared)
    if not blue.left:
        raise ConflictError(
            "already_reversed",
            "this invoice is reversed already",
            reversed_by=blue.reversed_by[-1],
        )
    if _is_whole(blue, prepared):
        return prepared
    return take_part(prepared, blue, returns_of(execute, seq))


def _is_whole(blue: StoredInvoice, prepared: Prepared) -> bool:
    """Whether it is right as it came: all of an invoice of which nothing was taken back."""
    return not blue.reversed_by and (prepared.takes_back is None or prepared.takes_back.whole)


def _refuse_same(execute: Execute, seq: int, prepared: Prepared) -> None:
    """The same part again, without a key: nobody can tell a second return from a repeated call."""
    row = execute(_SAME_REQUEST, (seq, prepared.request_digest)).fetchone()
    if row is not None:
        raise ConflictError(
            "return_repeated",
            "just this was taken back before; if it is meant again, send an Idempotency-Key",
            first_hash=password_area(to_digest(row[0])),
            first_number=row[1],
            first_issued_at=format_issued_at(row[2]),
        )
