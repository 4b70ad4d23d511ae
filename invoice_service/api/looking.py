"""What officials look at is written down, with the purpose that ``X-Purpose`` says."""

from typing import Final
from urllib.parse import unquote

from flask import request

from invoice_service.api.access import Access
from invoice_service.api.parts import Parts
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.services.checking.prove import ALL_GROUPS, FACE_ONLY
from invoice_service.services.people.lookups import What
from invoice_service.services.people.sign_in import Principal

HEADER: Final = "X-Purpose"


class Looking:
    """Notes the look-ups of the request under way."""

    def __init__(self, parts: Parts) -> None:
        self._access = Access(parts.store, parts.clock)
        self._lookups = parts.lookups
        self._clock = parts.clock

    def at(self, principal: Principal, subject: str, what: What) -> None:
        """An official looks at something; a merchant's own is no look-up.

        MalformedError ``purpose_missing``, ``text_too_long``, ``control_character``.
        """
        if principal.role == "official":
            by = self._access.by(principal, int(self._clock().timestamp()))
            self._lookups.note(by, subject, what, _purpose())

    def visible(self, invoice: StoredInvoice) -> frozenset[str]:
        """What of an invoice whoever asks may see: all three groups, or the face.

        By the hash alone the face; the issuing merchant sees all three groups, and so do officials
        who may look at single invoices, which is noted. MalformedError as ``at``.
        """
        principal = self._access.anyone()
        if principal is None:
            return FACE_ONLY
        if principal.merchant_id == invoice.merchant_id and principal.may("read"):
            return ALL_GROUPS
        if not principal.has("look"):
            return FACE_ONLY
        self.at(principal, f"invoice:{invoice.code}-{invoice.number}", "invoice")
        return ALL_GROUPS


def _purpose() -> str:
    """As it was sent: a header's bytes are UTF-8 here, or ASCII with ``%``."""
    raw = request.headers.get(HEADER, "").encode("latin-1", "replace")
    return unquote(raw.decode("utf-8", "replace"))
