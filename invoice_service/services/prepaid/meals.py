"""What an account has paid, meal by meal."""

from collections.abc import Iterable

import msgspec

from invoice_service.domain.money import Fen
from invoice_service.domain.prepaid import Event
from invoice_service.domain.qrtext import scan_url
from invoice_service.services.prepaid.ports import Whole


class Meal(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice that an account has paid; ``returned`` is how much red invoices gave back.

    ``refused`` is whether the wallet did not pay it, ``reason`` why.
    """

    hash: str
    number: str
    amount: Fen
    at: int
    returned: Fen
    refused: bool
    reason: str = ""

    @property
    def left(self) -> Fen:
        """What the merchant has of it."""
        return 0 if self.refused else self.amount - self.returned

    def link(self, public_url: str) -> str:
        """Where the invoice is checked."""
        return scan_url(public_url, self.hash, self.number, self.amount)


def meals_of(whole: Whole) -> list[Meal]:
    """In the order in which they were released."""
    found: dict[str, list[Event]] = {}
    for event in whole.events:
        if event.invoice:
            found.setdefault(event.invoice, []).append(event)
    return [_meal(first, rest) for first, *rest in found.values()]


def _meal(first: Event, rest: Iterable[Event]) -> Meal:
    back = list(rest)
    refusal = next((event for event in back if event.kind == "refuse"), None)
    return Meal(
        hash=first.invoice,
        number=first.number,
        amount=first.amount,
        at=first.at,
        returned=sum(event.amount for event in back if event.kind == "return"),
        refused=refusal is not None,
        reason="" if refusal is None else refusal.reason,
    )
