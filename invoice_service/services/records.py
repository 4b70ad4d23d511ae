"""Believing a stored row only after its digest has been made again from its bytes."""

from operator import attrgetter, itemgetter
from typing import Any, Final

import msgspec

from chain.commitment import GROUPS, group_digest, password_area
from chain.errors import NotFoundError, Problem, UnavailableError
from chain.hashing import Digest, to_digest
from chain.proof.file import Group, HiddenGroup, ShownGroup
from invoice_service.domain.invoice import StoredInvoice, split_salts, stored_digest
from invoice_service.domain.numbering import format_issued_at
from invoice_service.services.ports import InvoiceReader

_REPEATED: Final = (
    "code",
    "number",
    "type",
    "order_id",
    "industry",
    "district",
    "amount",
    "tax",
    "total",
)


def checked_face(invoice: StoredInvoice) -> dict[str, Any]:
    """The face, once the groups hash to the password area and the columns repeat the face.

    UnavailableError ``record_damaged`` otherwise.
    """
    try:
        digest = stored_digest(invoice)
        face: dict[str, Any] = msgspec.json.decode(invoice.face)
        same = password_area(digest) == invoice.hash and _repeats(invoice, face)
    except (Problem, msgspec.MsgspecError, KeyError, TypeError) as error:
        raise damaged(f"invoice {invoice.seq} cannot be read: {error}") from error
    if not same:
        raise damaged(f"invoice {invoice.seq} is not what was issued")
    return face


def own_invoice(reader: InvoiceReader, digest: Digest, merchant_id: int | None) -> StoredInvoice:
    """The merchant's invoice (None: anybody's), checked.

    Raises NotFoundError ``invoice_unknown``, UnavailableError ``record_damaged``.
    """
    invoice = reader.invoice(digest)
    if invoice is None or merchant_id not in (None, invoice.merchant_id):
        raise NotFoundError("invoice_unknown", "there is no such invoice")
    checked_face(invoice)
    return invoice


def groups_of(invoice: StoredInvoice, shown: frozenset[str]) -> dict[str, Group]:
    """The three groups for a proof, those not in ``shown`` and an erased buyer as digests."""
    documents = (invoice.face, invoice.buyer, invoice.lines)
    salts = split_salts(invoice.salts)
    groups: dict[str, Group] = {
        name: ShownGroup(salt, document)
        if name in shown
        else HiddenGroup(group_digest(name, salt, document))
        for name, document, salt in zip(GROUPS, documents, salts, strict=True)
    }
    if invoice.erased:
        groups["buyer"] = HiddenGroup(to_digest(invoice.erased))
    return groups


def damaged(detail: str) -> UnavailableError:
    """The error of what cannot be believed: never "unknown", never a verdict."""
    return UnavailableError("record_damaged", detail)


def _repeats(invoice: StoredInvoice, face: dict[str, Any]) -> bool:
    return bool(
        face["issued_at"] == format_issued_at(invoice.issued_at)
        and _in_face(face) == _in_row(invoice)
        and (face.get("till", ""), face.get("business_day", ""), face.get("part", 0))
        == (invoice.till, invoice.business_day, invoice.part)
    )


_in_face: Final = itemgetter(*_REPEATED)
_in_row: Final = attrgetter(*_REPEATED)
