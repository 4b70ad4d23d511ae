"""Asking for an invoice by e-mail.

Who asks has the invoice already: its claimer, or a cashier. What is sent has no text of theirs, one
letter goes to one address, and an invoice and a merchant have a number that they may send: nobody
can have us send what they want, to whom they want.
"""

import re
from collections.abc import Callable
from typing import Final

from chain.errors import MalformedError, NotFoundError
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.sections import Mail
from invoice_service.services.mailing.ports import (
    LANGUAGES,
    Limits,
    MailStore,
    Marker,
    Told,
    Wanted,
)

OF_INVOICE: Final = 3
DAY: Final = 86_400
_LONGEST: Final = 254  # RFC 5321, section 4.5.3.1.3, without the angle brackets
_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(
    rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]+)*@{_LABEL}(?:\.{_LABEL})+"
)
_LONGEST_LOCAL: Final = 64


class MailDesk:
    """Takes what is asked for; with no mail server set, nothing."""

    def __init__(
        self, store: MailStore, settings: Mail, marker: Marker, now: Callable[[], int]
    ) -> None:
        self._store, self._settings, self._marker, self._now = store, settings, marker, now

    @property
    def is_open(self) -> bool:
        """Whether letters are sent here at all."""
        return bool(self._settings.host)

    def ask(self, invoice: StoredInvoice, address: str, language: str) -> bool:
        """Have an invoice sent to an address; on disk when it returns. Whether that is news.

        Raises NotFoundError ``mail_off``; MalformedError ``mail_address_invalid``; RefusedError
        ``mail_too_many``; UnavailableError ``key_unreadable``.
        """
        if not self.is_open:
            raise NotFoundError("mail_off", "no mail server is set")
        found, now = check_address(address), self._now()
        settings = self._settings
        return self._store.add_letter(
            Wanted(
                invoice=invoice.seq,
                merchant_id=invoice.merchant_id,
                address=found,
                marks=self._marker.marks(found.lower().encode(), f"mail:{invoice.seq}"),
                language=language if language in LANGUAGES else LANGUAGES[0],
                at=now,
                until=now + settings.hours * 3600,
            ),
            Limits(OF_INVOICE, settings.merchant_daily, now - DAY),
        )

    def told(self, invoice: StoredInvoice) -> list[Told]:
        """What became of an invoice's letters."""
        return self._store.letters_of(invoice.seq) if self.is_open else []


def check_address(text: str) -> str:
    """One plain address (RFC 5321, no quotes, no comments); ``mail_address_invalid``."""
    address = text.strip()
    local = address.partition("@")[0]
    if len(address) > _LONGEST or len(local) > _LONGEST_LOCAL or not _ADDRESS.fullmatch(address):
        raise MalformedError(
            "mail_address_invalid", "one address like name@example.com", pointer="/to"
        )
    return address
