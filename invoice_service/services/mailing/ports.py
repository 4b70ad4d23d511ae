"""What mailing needs: letters as a store keeps them, and who makes and who carries them."""

from collections.abc import Sequence
from email.message import EmailMessage
from typing import Final, Literal, NamedTuple, Protocol

import msgspec

from invoice_service.domain.invoice import StoredInvoice

State = Literal["waiting", "sent", "failed"]

LANGUAGES: Final = ("zh", "en")
GIVEN_UP: Final = "given_up"
"""Why a letter failed that nobody took in time."""


class Wanted(NamedTuple):
    """A letter that somebody asks for: to an address, of which ``marks`` are keyed digests."""

    invoice: int
    merchant_id: int
    address: str
    marks: tuple[bytes, ...]
    language: str
    at: int
    until: int


class Letter(msgspec.Struct, frozen=True):
    """One that is to be sent now; the address is "" once its key is gone."""

    id: int
    invoice: int
    address: str
    language: str
    at: int
    until: int
    tries: int


class Told(msgspec.Struct, frozen=True):
    """What may be said of a letter; nothing of where it went."""

    state: State
    at: int


class Limits(NamedTuple):
    """Letters of one invoice, and of one merchant since ``since``."""

    of_invoice: int
    of_merchant: int
    since: int


class MailStore(Protocol):
    """Letters. What is destroyed here is in no file once ``tidy`` has washed it."""

    def add_letter(self, wanted: Wanted, limits: Limits) -> bool:
        """Keep it until it is sent; whether it is new. The same again is the one there is.

        RefusedError ``mail_too_many``.
        """
        ...

    def letters_due(self, now: int) -> bool:
        """Whether anything is to be done."""
        ...

    def take_letter(self, now: int, pauses: Sequence[int]) -> Letter | None:
        """The next one, put off to its next try: whoever dies with it in hand loses nothing."""
        ...

    def put_off(self, id_: int, until: int) -> None:
        """Not now, and that was no try."""
        ...

    def end_letter(self, id_: int, state: State, code: str) -> None:
        """It was sent, or never will be: the key of its address is destroyed."""
        ...

    def letters_of(self, invoice: int) -> list[Told]:
        """What became of those of an invoice, in order."""
        ...

    def forget_marks(self, before: int) -> None:
        """Drop the digests of addresses that were asked for before then."""
        ...


class Marker(Protocol):
    """Who makes keyed digests."""

    def marks(self, what: bytes, of: str) -> tuple[bytes, ...]:
        """For this purpose only, the newest key's first."""
        ...


class Writer(Protocol):
    """Who writes letters."""

    def __call__(self, letter: Letter, *, late: bool) -> EmailMessage | None:
        """The letter; None while its invoice waits for the log, unless it is ``late``.

        Raises UnavailableError.
        """
        ...


class Carried(NamedTuple):
    """What the mail server made of a letter: None for "later"; ``code`` says why, if not sent."""

    state: Literal["sent", "failed"] | None
    code: str = ""


class Carrier(Protocol):
    """Who hands letters on."""

    def send(self, message: EmailMessage, address: str) -> Carried:
        """To this address alone."""
        ...


class Invoices(Protocol):
    """Where invoices are read by their place."""

    def invoice_at(self, seq: int) -> StoredInvoice | None:
        """One of them."""
        ...
