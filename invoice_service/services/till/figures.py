"""The figures of a day or a month: sums over its invoices, to the fen.

A sale counts on its business day, a return when it was issued; so a day that was closed stays as it
was. Every breakdown adds up to ``net``, but for the items, of which there are the first few.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from invoice_service.domain.money import Fen
from invoice_service.domain.quantity import format_quantity
from invoice_service.domain.tax import split_rate_name
from invoice_service.services.till.ports import Bought, Figures, Worked

ITEMS: Final = 20
UNRECORDED: Final = "unrecorded"
"""How an invoice was paid that no page has sold."""


@dataclass(slots=True)
class _Sum:
    """Of one key: how many sales, what they came to, and what came back."""

    count: int = 0
    total: Fen = 0
    returned: Fen = 0

    def add(self, one: Worked) -> None:
        if one.red:
            self.returned -= one.total
        else:
            self.count += one.sales
            self.total += one.total

    def shown(self) -> dict[str, int]:
        return {
            "count": self.count,
            "total": self.total,
            "returned": self.returned,
            "net": self.total - self.returned,
        }


@dataclass(slots=True)
class _Sums:
    """What is added up by who sold, where and when."""

    whole: _Sum = field(default_factory=_Sum)
    people: dict[int | None, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    tills: dict[str, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    hours: dict[int, _Sum] = field(default_factory=lambda: defaultdict(_Sum))

    def add(self, one: Worked) -> None:
        for sums in (
            self.whole,
            self.people[one.person],
            self.tills[one.till],
            self.hours[one.hour],
        ):
            sums.add(one)


def add_up(figures: Figures, names: Mapping[int, str]) -> dict[str, Any]:
    """The sums as the page shows them; ``names`` are those of people by their ids."""
    sums = _Sums()
    for one in figures.worked:
        sums.add(one)
    return {
        **sums.whole.shown(),
        "discounts": sum(one.off for one in figures.bought),
        "tax": sum(one.tax for one in figures.worked),
        "by_rate": [_rate(*row) for row in sorted(figures.rates)],
        "by_payment": _payments(figures),
        "by_cashier": _rows(sums.people, lambda who: _person(who, names)),
        "by_till": _rows(sums.tills, lambda till: {"till": till}),
        "by_hour": _rows(dict(sorted(sums.hours.items())), lambda hour: {"hour": hour}),
        "by_item": _items(figures.bought),
    }


def _rows(sums: Mapping[Any, _Sum], named: Callable[[Any], dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**named(key), **one.shown()} for key, one in sums.items()]


def _person(who: int | None, names: Mapping[int, str]) -> dict[str, Any]:
    return {"id": who, "name": "" if who is None else names.get(who, "")}


def _rate(name: str, amount: Fen, tax: Fen) -> dict[str, Any]:
    rate, kind = split_rate_name(name)
    said: dict[str, Any] = {"rate": rate} | ({"tax_kind": kind} if kind else {})
    return said | {"amount": amount, "tax": tax, "total": amount + tax}


def _payments(figures: Figures) -> list[dict[str, Any]]:
    paid = dict(figures.paid)
    if figures.unrecorded is not None:
        paid[UNRECORDED] = figures.unrecorded
    return [{"kind": kind, "amount": paid[kind]} for kind in sorted(paid)]


def _items(bought: Sequence[Bought]) -> list[dict[str, Any]]:
    first = sorted(bought, key=lambda one: (-one.total, one.name))[:ITEMS]
    return [
        {"name": one.name, "quantity": _signed(one.millionths), "total": one.total} for one in first
    ]


def _signed(millionths: int) -> str:
    text = format_quantity(abs(millionths))
    return f"-{text}" if millionths < 0 else text
