"""Figures are added up by the database: as the decoded invoices say, for whatever was sold."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any, Final

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from invoice_service.domain.document import Line, read_lines
from invoice_service.domain.numbering import shanghai_time
from invoice_service.domain.quantity import format_quantity, parse_quantity
from invoice_service.services.till.figures import ITEMS, add_up
from invoice_service.storage.sqlite.till.figures import added_up

TABLES: Final = """
CREATE TABLE invoices (seq INTEGER PRIMARY KEY, type TEXT, till TEXT, issued_at INTEGER,
    tax INTEGER, total INTEGER, rates TEXT, lines BLOB);
CREATE TABLE till_sales (invoice INTEGER PRIMARY KEY, person INTEGER);
CREATE TABLE till_payments (invoice INTEGER, kind TEXT, amount INTEGER,
    PRIMARY KEY (invoice, kind));
"""
NAMES: Final = {1: "Zhang", 2: "Li"}
_encode = msgspec.json.Encoder().encode


class Sold(msgspec.Struct):
    """An invoice as it is stored, with what the till keeps of it."""

    kind: str
    till: str
    issued_at: int
    rates: list[tuple[str, int, int]]
    lines: list[Line]
    person: int | None
    paid: dict[str, int]

    @property
    def total(self) -> int:
        return sum(line.total for line in self.lines)

    @property
    def tax(self) -> int:
        return sum(line.tax for line in self.lines)


@st.composite
def lines(draw: st.DrawFn, sign: int) -> Line:
    """One of what was sold, taken off, let off, or came back."""
    nature: Any = draw(st.sampled_from([msgspec.UNSET, msgspec.UNSET, "discount", "allowance"]))
    some = draw(st.integers(1, 10**15 - 1))
    quantity = ("-" if sign < 0 else "") + format_quantity(some)
    below = -1 if nature == "discount" else 1
    return Line(
        amount=sign * below * draw(st.integers(0, 10**9)),
        tax=sign * below * draw(st.integers(0, 10**8)),
        name=draw(st.sampled_from(["面", "茶", 'a"b', "\\", "ｎ", "é", "𝕏"])),
        nature=nature,
        quantity=quantity if nature is msgspec.UNSET and draw(st.booleans()) else msgspec.UNSET,
        tax_rate="0.06",
    )


@st.composite
def sales(draw: st.DrawFn) -> Sold:
    """Blue or red, by a page or by a program, paid in some ways or in none that is known."""
    kind = draw(st.sampled_from(["blue", "red"]))
    person = draw(st.sampled_from([None, 1, 2]))
    kinds = st.sampled_from(["cash", "wechat", "card"])
    amounts = st.integers(-(10**9), 10**9).filter(bool)
    rates = st.sampled_from(["0.06", "0.13", "0", "0 exempt", "0 untaxed"])
    return Sold(
        kind=kind,
        till=draw(st.sampled_from(["1", "吧台", ""])),
        issued_at=draw(st.integers(1_700_000_000, 1_700_200_000)),
        rates=draw(st.lists(st.tuples(rates, amounts, amounts), max_size=3)),
        lines=draw(st.lists(lines(1 if kind == "blue" else -1), min_size=1, max_size=4)),
        person=person,
        paid={} if person is None else draw(st.dictionaries(kinds, amounts, max_size=2)),
    )


@given(st.lists(sales(), max_size=12))
def test_the_database_adds_up_what_the_decoded_invoices_say(sold: list[Sold]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        store(connection, sold)
        found = added_up(connection, "SELECT seq FROM invoices WHERE seq <> :not", {"not": 0})
        assert add_up(found, NAMES) == decoded(sold)


def store(connection: sqlite3.Connection, sold: Iterable[Sold]) -> None:
    connection.executescript(TABLES)
    for seq, one in enumerate(sold, 1):
        connection.execute(
            "INSERT INTO invoices VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(seq, one.kind, one.till, one.issued_at, one.tax, one.total),
                *(_encode(one.rates).decode(), _encode(one.lines)),
            ),
        )
        if one.person is not None:
            connection.execute("INSERT INTO till_sales VALUES (?, ?)", (seq, one.person))
        rows = [(seq, kind, amount) for kind, amount in one.paid.items()]
        connection.executemany("INSERT INTO till_payments VALUES (?, ?, ?)", rows)


def decoded(sold: Iterable[Sold]) -> dict[str, Any]:
    """The slow way: each invoice by itself, its lines read from their bytes."""
    sums: dict[str, dict[Any, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    rates: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    items: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    paid: dict[str, int] = defaultdict(int)
    tax = off = 0
    for one in sold:
        tax += one.tax
        hour = shanghai_time(one.issued_at).hour
        for name, key in (("all", ""), ("who", one.person), ("till", one.till), ("hour", hour)):
            sum_ = sums[name][key]
            if one.kind == "red":
                sum_[2] -= one.total
            else:
                sum_[0] += 1
                sum_[1] += one.total
        for rate, amount, of_it in one.rates:
            rates[rate][0] += amount
            rates[rate][1] += of_it
        for kind, amount in (one.paid or {"unrecorded": one.total}).items():
            paid[kind] += amount
        for line in read_lines(_encode(one.lines)):
            items[line.name][1] += line.total
            if line.nature is msgspec.UNSET:
                items[line.name][0] += millionths(line)
            elif one.kind == "blue":
                off -= line.total
    return {
        **shown(sums["all"][""]),
        "discounts": off,
        "tax": tax,
        "by_rate": [rate_row(name, *rates[name]) for name in sorted(rates)],
        "by_payment": [{"kind": kind, "amount": paid[kind]} for kind in sorted(paid)],
        "by_cashier": rows(sums["who"], lambda who: {"id": who, "name": NAMES.get(who or 0, "")}),
        "by_till": rows(sums["till"], lambda till: {"till": till}),
        "by_hour": rows(dict(sorted(sums["hour"].items())), lambda hour: {"hour": hour}),
        "by_item": [
            {"name": name, "quantity": signed(items[name][0]), "total": items[name][1]}
            for name in sorted(items, key=lambda name: (-items[name][1], name))[:ITEMS]
        ],
    }


def rows(sums: Mapping[Any, list[int]], named: Any) -> list[dict[str, Any]]:  # noqa: ANN401 # a function of the key
    return [{**named(key), **shown(one)} for key, one in sums.items()]


def shown(one: list[int]) -> dict[str, int]:
    count, total, returned = one
    return {"count": count, "total": total, "returned": returned, "net": total - returned}


def rate_row(name: str, amount: int, tax: int) -> dict[str, Any]:
    rate, _, kind = name.partition(" ")
    more = {"tax_kind": kind} if kind else {}
    return {"rate": rate, **more, "amount": amount, "tax": tax, "total": amount + tax}


def millionths(line: Line) -> int:
    if isinstance(line.quantity, msgspec.UnsetType):
        return 0
    sign = -1 if line.quantity.startswith("-") else 1
    return sign * parse_quantity(line.quantity.removeprefix("-")).millionths


def signed(value: int) -> str:
    return ("-" if value < 0 else "") + format_quantity(abs(value))
