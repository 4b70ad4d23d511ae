"""The demo's day goes on while somebody looks at it: a sale now and then, some taken back."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final, Protocol

import msgspec

from chain.errors import Problem
from invoice_service.commands.demo_day import DAY
from invoice_service.files.samples import read_sample_year

EACH: Final = 3.0  # seconds between two sales
WHOLE: Final = 7  # of so many sales one is taken back
PART: Final = 5  # of so many, one of its lines or a part of its sum


class Till(Protocol):
    """What takes orders: a service elsewhere, under a merchant's key."""

    def post(self, path: str, body: bytes) -> bytes:
        """The answer's body; Problem for what is refused."""


class Living:
    """Sells the sample's next orders, as its till would, on the business day of ``today()``."""

    def __init__(
        self, till: Till, today: Callable[[], str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._till = till
        self._clock = clock
        self._due = clock()
        self._orders = _orders(today)
        self._sold = 0

    def step(self) -> None:
        """Sell one if it is time. What the service refuses just now is not sold."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + EACH
        body = next(self._orders, None)
        with suppress(Problem):  # the pages show what is wrong
            if body is not None:
                self._sell(body)

    def _sell(self, body: bytes) -> None:
        invoice: dict[str, Any] = msgspec.json.decode(self._till.post("/v1/invoices", body))
        self._sold += 1
        path = f"/v1/invoices/{invoice['hash']}/reversals"
        if self._sold % WHOLE == 0:
            self._till.post(path, b'{"reason":"SALES_RETURN"}')
        elif self._sold % PART == 0:
            self._till.post(path, _half(invoice))


def _half(invoice: dict[str, Any]) -> bytes:
    asked = {"reason": "SALES_RETURN", "amount": max(1, invoice["total"] // 2)}
    return msgspec.json.encode(asked)


def _orders(today: Callable[[], str]) -> Iterator[bytes]:
    """The sample's orders of all other days, as of today: enough for eighteen hours."""
    records = (record for record in read_sample_year() if DAY.encode() not in record.body)
    return (_sold_on(today(), record.body) for record in records)


def _sold_on(day: str, body: bytes) -> bytes:
    order: dict[str, Any] = msgspec.json.decode(body)
    return msgspec.json.encode(order | {"business_day": day, "remark": ""})
