"""An invoice by e-mail, asked for at a till."""

from typing import Final

import msgspec
from flask import Blueprint, Response

from invoice_service.domain.qrtext import read_hash
from invoice_service.services.mailing.desk import MailDesk
from invoice_service.web.till.session import TillGate, answer, asked


class MailAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Where it is to go, and in which language the letter is."""

    to: str
    language: str = "zh"


_read: Final = msgspec.json.Decoder(MailAsked)


class MailCalls:
    """Letters of a merchant's invoices."""

    def __init__(self, session: TillGate, mail: MailDesk) -> None:
        self._session, self._mail = session, mail

    def add_to(self, routes: Blueprint) -> None:
        """The routes."""
        routes.post("/invoices/<hash_>/mail")(self.mail)
        routes.get("/invoices/<hash_>/mails")(self.mails)

    def mail(self, hash_: str) -> Response:
        """Have it sent; the same again is the same letter."""
        asked()
        wanted = self._session.read(_read)
        invoice = self._session.desk.books.own(self._session.merchant_id(), read_hash(hash_))
        new = self._mail.ask(invoice, wanted.to, wanted.language)
        return answer({"mails": self._mail.told(invoice)}, 202 if new else 200)

    def mails(self, hash_: str) -> Response:
        """What became of those that were asked for; nothing of where they went."""
        asked()
        invoice = self._session.desk.books.own(self._session.merchant_id(), read_hash(hash_))
        return answer({"mails": self._mail.told(invoice)})
