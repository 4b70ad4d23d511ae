"""The city's days: how many invoices, at which second, from which shop, for whom."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

from invoice_service.domain.invoice import Buyer, InvoiceRequest
from invoice_service.replay.city import City

DAY_SECONDS: Final = 86_400
COMPANY_SHARE: Final = 0.3  # of the buyers, who want the invoice in a company's name
LINES: Final = (1, 2, 3, 4, 5)
LINE_WEIGHTS: Final = (52, 26, 13, 6, 3)
MONTHS: Final = (88, 74, 92, 97, 102, 100, 99, 98, 103, 106, 112, 118)
"""Trade by month: quiet around the Spring Festival, busy before the year's end."""


class Sale(NamedTuple):
    """One order: the second of its day, the shop's index, and what is asked of the service."""

    second: int
    shop: int
    request: InvoiceRequest


def invoices_by_day(first: date, days: int, invoices: int) -> list[int]:
    """Share out the invoices over the days by season and weekday; they add up exactly."""
    weights = []
    for offset in range(days):
        day = first + timedelta(days=offset)
        weights.append(MONTHS[day.month - 1] * (130 if day.weekday() >= 4 else 100))
    bounds = [0, *accumulate(weights)]
    cuts = [invoices * bound // bounds[-1] for bound in bounds]
    return [high - low for low, high in pairwise(cuts)]


def sales(city: City, seed: int, day: date, count: int) -> Iterator[Sale]:
    """The day's orders in the order of time; the same for the same city, seed and day."""
    rng = random.Random(f"day/{seed}/{day}")  # noqa: S311 # a simulation that must repeat
    weekend = day.weekday() >= 5
    weights = [shop.weight * (shop.trade.weekend if weekend else 1.0) for shop in city.shops]
    shops = rng.choices(range(len(city.shops)), weights, k=count)
    placed = sorted((_second(rng, city.shops[shop].trade.hours), shop) for shop in shops)
    sizes = rng.choices(LINES, LINE_WEIGHTS, k=count)
    today = f"{day:%Y%m%d}"
    for number, ((second, shop), size) in enumerate(zip(placed, sizes, strict=True), start=1):
        menu = city.shops[shop].menu
        request = InvoiceRequest(
            order_id=f"{today}-{number:06}",
            lines=rng.choices(menu, k=size),
            buyer=rng.choice(city.companies) if rng.random() < COMPANY_SHARE else _ANYONE,
        )
        yield Sale(second, shop, request)


def _second(rng: random.Random, hours: tuple[int, ...]) -> int:
    """A second of the day, by the trade's hours."""
    hour = rng.choices(_HOURS, cum_weights=_summed(hours))[0]
    return hour * 3600 + rng.randrange(3600)


@lru_cache
def _summed(weights: tuple[int, ...]) -> list[int]:
    return list(accumulate(weights))


_ANYONE: Final = Buyer()
_HOURS: Final = range(24)
