"""The figures of a day or a month: sums over its invoices, to the fen.

A sale counts on its business day, a return when it was issued; so a day that was closed stays as it
was. Every breakdown adds up to ``net``, but for the items, of which there are the first few.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from invoice_service.domain.document import Line, read_lines
from invoice_service.domain.money import Fen
from invoice_service.domain.numbering import shanghai_time
from invoice_service.domain.quantity import format_quantity, parse_quantity
from invoice_service.domain.tax import split_rate_name
from invoice_service.services.till.ports import Figure

ITEMS: Final = 20
UNRECORDED: Final = "unrecorded"
"""How an invoice was paid that no page has sold."""

_read_rates: Final = msgspec.json.Decoder(list[tuple[str, Fen, Fen]]).decode
_read_paid: Final = msgspec.json.Decoder(dict[str, Fen]).decode


@dataclass(slots=True)
class _Sum:
    """Of one key: how many sales, what they came to, and what came back."""

    count: int = 0
    total: Fen = 0
    returned: Fen = 0

    def add(self, one: Figure) -> None:
        if one.kind == "red":
            self.returned -= one.total
        else:
            self.count += 1
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
    """Everything that is added up."""

    whole: _Sum = field(default_factory=_Sum)
    tax: Fen = 0
    discounts: Fen = 0
    rates: dict[str, list[Fen]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    paid: dict[str, Fen] = field(default_factory=lambda: defaultdict(int))
    people: dict[int | None, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    tills: dict[str, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    hours: dict[int, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    items: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))

    def add(self, one: Figure) -> None:
        for sums in (
            self.whole,
            self.people[one.person],
            self.tills[one.till],
            self.hours[shanghai_time(one.issued_at).hour],
        ):
            sums.add(one)
        self.tax += one.tax
        for name, amount, tax in _read_rates(one.rates):
            self.rates[name][0] += amount
            self.rates[name][1] += tax
        paid = _read_paid(one.paid) if one.person is not None else {}
        for kind, amount in (paid or {UNRECORDED: one.total}).items():
            self.paid[kind] += amount
        self._add_lines(read_lines(one.lines), sold=one.kind == "blue")

    def _add_lines(self, lines: Iterable[Line], *, sold: bool) -> None:
        for line in lines:
            self.items[line.name][1] += line.total
            if line.nature is msgspec.UNSET:
                self.items[line.name][0] += _millionths(line)
            elif sold:
                self.discounts -= line.total


def add_up(figures: Iterable[Figure], names: Mapping[int, str]) -> dict[str, Any]:
    """The sums as the page shows them; ``names`` are those of people by their ids."""
    sums = _Sums()
    for one in figures:
        sums.add(one)
    return {
        **sums.whole.shown(),
        "discounts": sums.discounts,
        "tax": sums.tax,
        "by_rate": [_rate(name, *sums.rates[name]) for name in sorted(sums.rates)],
        "by_payment": [{"kind": kind, "amount": sums.paid[kind]} for kind in sorted(sums.paid)],
        "by_cashier": _rows(sums.people, lambda who: _person(who, names)),
        "by_till": _rows(sums.tills, lambda till: {"till": till}),
        "by_hour": _rows(dict(sorted(sums.hours.items())), lambda hour: {"hour": hour}),
        "by_item": _items(sums.items),
    }


def _rows(sums: Mapping[Any, _Sum], named: Callable[[Any], dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**named(key), **one.shown()} for key, one in sums.items()]


def _person(who: int | None, names: Mapping[int, str]) -> dict[str, Any]:
    return {"id": who, "name": "" if who is None else names.get(who, "")}


def _rate(name: str, amount: Fen, tax: Fen) -> dict[str, Any]:
    rate, kind = split_rate_name(name)
    said: dict[str, Any] = {"rate": rate} | ({"tax_kind": kind} if kind else {})
    return said | {"amount": amount, "tax": tax, "total": amount + tax}


def _items(items: Mapping[str, list[int]]) -> list[dict[str, Any]]:
    first = sorted(items.items(), key=lambda item: (-item[1][1], item[0]))[:ITEMS]
    return [
        {"name": name, "quantity": _signed(quantity), "total": total}
        for name, (quantity, total) in first
    ]


def _signed(millionths: int) -> str:
    text = format_quantity(abs(millionths))
    return f"-{text}" if millionths < 0 else text


def _millionths(line: Line) -> int:
    """What was sold, or, below zero, came back."""
    if isinstance(line.quantity, msgspec.UnsetType):
        return 0
    text = line.quantity
    if text.startswith("-"):
        return -parse_quantity(text[1:]).millionths
    return parse_quantity(text).millionths
