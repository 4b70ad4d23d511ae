"""Prices, discounts and kinds of tax: the lines as they are stored, and their sums to the fen."""

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain import canonical
from chain.errors import MalformedError
from invoice_service.domain.document import Line, read_lines
from invoice_service.domain.invoice import parse_request
from invoice_service.domain.lifecycle import Reason
from invoice_service.domain.lines import add_up, first_wrong, spread
from invoice_service.domain.money import round_half_up, split_tax
from invoice_service.domain.red import prepare_red
from invoice_service.domain.request import ReversalRequest

from .samples import RATES, SALTS, issued, line, order, prepared

PRICES = ("unit_price", "unit_price_yuan", "total")


def written(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The stored lines of this order."""
    found: list[dict[str, Any]] = json.loads(prepared(body).lines)
    return found


def sold(**changes: object) -> dict[str, Any]:
    """A line without a price but those in ``changes``."""
    return line(**{"unit_price": None, **changes})


def refused(body: dict[str, Any]) -> tuple[str, str]:
    """(code, pointer) of the refusal."""
    with pytest.raises(MalformedError) as caught:
        prepared(body)
    assert caught.value.detail
    return caught.value.code, caught.value.pointer


def test_a_discount_stands_behind_its_line_and_makes_it_what_is_left() -> None:
    draft = prepared(order(lines=[line(discount=300, quantity="2", spec="大", unit="份")]))
    assert draft.lines.decode() == (
        '[{"amount":21321,"name":"*餐饮服务*餐费","quantity":"2","spec":"大","tax":1279,'
        '"tax_rate":"0.06","unit":"份","unit_price":11300},'
        '{"amount":-283,"name":"*餐饮服务*餐费","nature":"discount","tax":-17,"tax_rate":"0.06"}]'
    )
    assert (draft.amount, draft.tax) == split_tax(22300, Decimal("0.06"))
    assert draft.rates == [("0.06", draft.amount, draft.tax)]


def test_what_a_line_costs_stands_as_it_was_given() -> None:
    fine, total = written(
        order(
            lines=[
                sold(unit_price_yuan="0.49810", quantity="1234.5", tax_rate="0"),
                sold(total=10000, quantity="3", tax_rate="0.13"),
            ]
        )
    )
    assert (fine["unit_price_yuan"], fine["amount"], fine["quantity"]) == (
        *("0.4981", 61490),
        "1234.5",
    )
    assert (total["quantity"], total["amount"] + total["tax"]) == ("3", 10000)
    assert "unit_price" not in fine.keys() | total.keys()
    assert "unit_price_yuan" not in total


@pytest.mark.parametrize("same", [{"tax_kind": "zero"}, {"discount": 0}, {"tax_kind": None}])
def test_what_is_said_by_saying_nothing_changes_no_byte(same: dict[str, Any]) -> None:
    assert prepared(order(lines=[line(tax_rate="0", **same)])) == prepared(
        order(lines=[line(tax_rate="0")])
    )
    assert prepared(order(discount=0)) == prepared(order())


def test_a_discount_of_the_order_is_one_of_its_lines_discounts() -> None:
    whole = prepared(order(discount=300, lines=[line(discount=200), line()]))
    by_line = prepared(order(lines=[line(discount=349), line(discount=151)]))
    assert (whole.lines, whole.request_digest) == (by_line.lines, by_line.request_digest)


@pytest.mark.parametrize("free", [{"unit_price": 0}, {"total": 0}, {"unit_price_yuan": "0.0"}])
def test_what_is_free_stands_beside_what_is_not(free: dict[str, Any]) -> None:
    first, second = written(order(lines=[line(), sold(**free)]))
    assert (second["amount"], second["tax"], second["quantity"]) == (0, 0, "1")
    assert first["amount"] == 10660
    assert refused(order(lines=[sold(**free)])) == ("total_zero", "/lines")


@pytest.mark.parametrize(
    "body",
    [
        order(lines=[line(discount=11300)]),
        order(discount=22600, lines=[line(), line()]),
        order(discount=1300, lines=[line(discount=10000)]),
        order(lines=[line(unit_price=1, quantity="0.4")]),
    ],
)
def test_an_invoice_of_nothing_is_none(body: dict[str, Any]) -> None:
    assert refused(body) == ("total_zero", "/lines")


def test_a_line_that_is_taken_off_as_a_whole_has_its_discount_behind_it() -> None:
    lines = written(order(lines=[line(), line(discount=11300, tax_rate="0.13")]))
    assert [one["amount"] + one["tax"] for one in lines] == [11300, 11300, -11300]
    assert [one["tax"] for one in lines] == [640, 1300, -1300]


def test_kinds_of_rate_0_are_added_up_apart() -> None:
    kinds = ["exempt", "untaxed", "zero", None]
    lines = [line(tax_rate="0", tax_kind=kind, unit_price=10**n) for n, kind in enumerate(kinds)]
    draft = prepared(order(lines=[*lines, line(tax_rate="0", tax_kind="exempt", discount=300)]))
    assert draft.rates == [("0", 1100, 0), ("0 exempt", 11001, 0), ("0 untaxed", 10, 0)]
    stored = read_lines(draft.lines)
    assert [one.tax_kind for one in stored if one.nature == "discount"] == ["exempt"]
    assert b"zero" not in draft.lines


def test_totals_are_those_of_what_is_left() -> None:
    body = order(lines=[line(discount=300)], total=11000)
    assert prepared(body).total == 11000
    assert refused(body | {"total": 11300}) == ("totals_mismatch", "/total")


FIRST = "/lines/0"
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "no price": (sold(), "missing_field", f"{FIRST}/unit_price"),
    "two prices": (line(total=5), "price_twice", FIRST),
    "two others": (sold(total=5, unit_price_yuan="1"), "price_twice", FIRST),
    "three": (line(total=5, unit_price_yuan="1"), "price_twice", FIRST),
    "price below 0": (line(unit_price=-1), "unit_price_not_positive", f"{FIRST}/unit_price"),
    "yuan below 0": (
        sold(unit_price_yuan="-0.01"),
        "unit_price_not_positive",
        f"{FIRST}/unit_price_yuan",
    ),
    **{
        f"yuan {text!r}": (
            sold(unit_price_yuan=text),
            "unit_price_yuan_invalid",
            f"{FIRST}/unit_price_yuan",
        )
        for text in ["", "1e3", "１", "0.123456789", "01", ".5", "1.", "+1", "1,5", " 1", "1" * 12]
    },
    "yuan as a number": (
        sold(unit_price_yuan=0.4981),
        "unit_price_yuan_invalid",
        f"{FIRST}/unit_price_yuan",
    ),
    "total below 0": (sold(total=-1), "line_total_negative", f"{FIRST}/total"),
    "total in yuan": (sold(total=498.1), "amount_not_fen", f"{FIRST}/total"),
    "total as text": (sold(total="498"), "amount_not_fen", f"{FIRST}/total"),
    "total too large": (sold(total=10**13 + 1), "amount_out_of_range", f"{FIRST}/total"),
    "price too large": (
        sold(unit_price_yuan="99999999999.99999999", quantity="2"),
        "amount_out_of_range",
        FIRST,
    ),
    "discount below 0": (line(discount=-1), "discount_negative", f"{FIRST}/discount"),
    "discount in yuan": (line(discount=1.5), "amount_not_fen", f"{FIRST}/discount"),
    "discount too large": (line(discount=11301), "discount_too_large", f"{FIRST}/discount"),
    "discount on nothing": (
        line(unit_price=0, discount=1),
        "discount_too_large",
        f"{FIRST}/discount",
    ),
    "kind with a rate": (line(tax_kind="exempt"), "tax_kind_with_rate", f"{FIRST}/tax_kind"),
    "zero with a rate": (line(tax_kind="zero"), "tax_kind_with_rate", f"{FIRST}/tax_kind"),
    "unknown kind": (
        line(tax_rate="0", tax_kind="免税"),
        "value_unknown",
        f"{FIRST}/tax_kind",
    ),
}


@pytest.mark.parametrize(("bad", "code", "pointer"), BAD.values(), ids=BAD.keys())
def test_a_bad_line_is_refused_with_its_code_and_place(
    bad: dict[str, Any], code: str, pointer: str
) -> None:
    assert refused(order(lines=[bad, line()])) == (code, pointer)


def test_a_discount_of_the_order_has_its_bounds_too() -> None:
    lines = [line(discount=1300), line()]
    assert prepared(order(lines=lines, discount=21299)).total == 1
    with pytest.raises(MalformedError) as caught:
        prepared(order(lines=lines, discount=21301))
    assert (caught.value.code, caught.value.pointer) == ("discount_too_large", "/discount")
    assert caught.value.extra == {"most": 21300}
    assert refused(order(discount=-1)) == ("discount_negative", "/discount")
    assert refused(order(discount="5")) == ("amount_not_fen", "/discount")


def test_the_message_of_a_long_order_speaks_of_lines() -> None:
    with pytest.raises(MalformedError) as caught:
        parse_request(msgspec.json.encode(order(lines=[line()] * 3000)))
    assert (caught.value.code, caught.value.extra) == ("too_many_lines", {"limit": 2000})
    assert "2000 lines" in caught.value.detail
    assert "3000" in caught.value.detail


fen = st.integers(0, 10**7)
yuan = st.builds(
    lambda whole, part: f"{whole}.{part}" if part else str(whole),
    st.integers(0, 10**4),
    st.text("0123456789", max_size=8),
)
price = st.one_of(
    st.fixed_dictionaries({"unit_price": fen}),
    st.fixed_dictionaries({"total": fen}),
    st.fixed_dictionaries({"unit_price_yuan": yuan}),
)
quantities = st.sampled_from(["1", "2", "3", "0.001", "1.5", "12.125", "7.000", "0.333333"])
rate = st.one_of(
    st.sampled_from([{"tax_rate": text} for text in RATES.texts]),
    st.sampled_from([{"tax_rate": "0", "tax_kind": kind} for kind in ("exempt", "untaxed")]),
)


@st.composite
def sales(draw: st.DrawFn) -> dict[str, Any]:
    """An order with discounts on lines and on all of it, that comes to more than 0."""
    lines: list[dict[str, Any]] = []
    left = 0
    for number in range(draw(st.integers(1, 6))):
        one: dict[str, Any] = {
            "name": f"菜{number}",
            "quantity": draw(quantities),
            **draw(price),
            **draw(rate),
        }
        whole = slow_gross(one)
        if draw(st.booleans()):
            one["discount"] = draw(st.integers(0, whole))
        left += whole - one.get("discount", 0)
        lines.append(one)
    if not left:
        lines.append({"name": "茶", "unit_price": 1, "tax_rate": "0.06"})
        left = 1
    return order(lines=lines, discount=draw(st.sampled_from([0, left // 3, left - 1])))


def slow_gross(line: dict[str, Any]) -> int:
    """Fen of a line before its discount, in fractions."""
    if "total" in line:
        return int(line["total"])
    each = Fraction(line["unit_price"]) if "unit_price" in line else _fen(line["unit_price_yuan"])
    return round_half_up(each * Fraction(line.get("quantity", "1")))


def _fen(yuan: str) -> Fraction:
    return 100 * Fraction(yuan)


def slow_spread(amount: int, over: list[int]) -> list[int]:
    """One fen after the other to whoever is furthest below the exact share."""
    exact = [Fraction(amount * each, sum(over)) if amount else Fraction(0) for each in over]
    shares = [int(share) for share in exact]
    while sum(shares) < amount:
        behind = [share - got for share, got in zip(exact, shares, strict=True)]
        shares[behind.index(max(behind))] += 1
    return shares


@settings(max_examples=200, deadline=None)
@given(sales())
def test_every_sum_is_that_of_the_slow_definition(body: dict[str, Any]) -> None:
    draft = prepared(body)
    lines = read_lines(draft.lines)
    gross = [slow_gross(one) for one in body["lines"]]
    own = [one.get("discount", 0) for one in body["lines"]]
    left = [whole - off for whole, off in zip(gross, own, strict=True)]
    net = [a - b for a, b in zip(left, slow_spread(body["discount"], left), strict=True)]
    split = [
        split_tax(one, Decimal(said["tax_rate"]))
        for one, said in zip(net, body["lines"], strict=True)
    ]
    assert [sum(one.total for one in group) for group in _grouped(lines)] == net
    assert [
        (sum(one.amount for one in group), sum(one.tax for one in group))
        for group in _grouped(lines)
    ] == split
    assert draft.total == sum(gross) - sum(own) - body["discount"]
    assert (draft.amount, draft.tax) == tuple(map(sum, zip(*split, strict=True)))
    assert add_up(lines) == (draft.amount, draft.tax, draft.rates)


@settings(max_examples=200, deadline=None)
@given(sales())
def test_no_line_goes_below_0_and_all_of_it_is_computed_again(body: dict[str, Any]) -> None:
    draft = prepared(body)
    assert canonical.encode(canonical.decode_canonical(draft.lines)) == draft.lines
    lines = read_lines(draft.lines)
    assert first_wrong(lines, RATES) is None
    for group in _grouped(lines):
        assert all(one.amount <= 0 and one.tax <= 0 and one.total < 0 for one in group[1:])
        assert sum(one.amount for one in group) >= 0
        assert sum(one.tax for one in group) >= 0
        assert len(group) <= 2
        assert {(one.name, one.tax_rate, one.tax_kind) for one in group} == {
            (group[0].name, group[0].tax_rate, group[0].tax_kind)
        }


def _grouped(lines: list[Line]) -> list[list[Line]]:
    """Each line with its discount."""
    groups: list[list[Line]] = []
    for one in lines:
        if one.nature == "discount":
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=8), st.data())
def test_what_is_spread_is_all_of_it_and_never_beyond_a_line(
    over: list[int], data: st.DataObject
) -> None:
    amount = data.draw(st.integers(0, sum(over)))
    shares = spread(amount, over)
    assert sum(shares) == amount
    assert shares == slow_spread(amount, over)
    assert all(0 <= share <= most for share, most in zip(shares, over, strict=True))


def test_equals_take_turns_in_order() -> None:
    assert spread(2, [5, 5, 5]) == [1, 1, 0]
    assert spread(0, []) == []


BENT: list[dict[str, Any]] = [
    {"amount": 21320},
    {"amount": 21322, "tax": 1278},
    {"tax": 1280},
    {"unit_price": 11301},
    {"unit_price": -11300},
    {"unit_price": -1, "quantity": "0.4", "amount": 0, "tax": 0},
    {"unit_price_yuan": "113"},
    {"quantity": "3"},
    {"quantity": "2.0"},
    {"quantity": "two"},
    {"quantity": None},
    {"spec": None},
    {"unit": None},
    {"tax_rate": "0.13"},
    {"tax_rate": "0.07"},
    {"tax_kind": "exempt"},
    {"name": "另一"},
]
BENT_DISCOUNT: list[dict[str, Any]] = [
    {"amount": -300},
    {"amount": -282, "tax": -18},
    {"amount": 283, "tax": 17},
    {"amount": 0, "tax": 0},
    {"amount": -21321, "tax": -1280},
    {"amount": -21322, "tax": -1279},
    {"name": "另一"},
    {"tax_rate": "0.13"},
    {"tax_kind": "exempt"},
    {"quantity": "1"},
    {"unit_price": 1},
    {"unit_price_yuan": "1"},
    {"spec": ""},
    {"unit": ""},
    {"nature": None},
]


def bent(place: int, changes: dict[str, Any]) -> list[Line]:
    """A line with its discount, one of the two changed; None takes a field out."""
    lines = written(order(lines=[line(discount=300, quantity="2")]))
    changed = lines[place] | changes
    lines[place] = {key: value for key, value in changed.items() if value is not None}
    return read_lines(json.dumps(lines).encode())


@pytest.mark.parametrize("changes", BENT, ids=str)
def test_a_line_that_does_not_follow_from_itself_is_found(changes: dict[str, Any]) -> None:
    # A name is the line's own: only its discount, which repeats it, is then wrong.
    assert first_wrong(bent(0, changes), RATES) == (1 if "name" in changes else 0)


@pytest.mark.parametrize("changes", BENT_DISCOUNT, ids=str)
def test_a_discount_that_is_not_its_lines_is_found(changes: dict[str, Any]) -> None:
    assert first_wrong(bent(1, changes), RATES) == 1


def test_a_discount_has_a_line_of_its_own_before_it() -> None:
    first, off = bent(0, {})
    assert first_wrong([first, off], RATES) is None
    assert first_wrong([off], RATES) == 0
    assert first_wrong([off, first], RATES) == 0
    assert first_wrong([first, off, off], RATES) == 2


@pytest.mark.parametrize("field", ["unit_price_yuan", "total"])
def test_other_prices_are_computed_again_too(field: str) -> None:
    given = {"unit_price_yuan": "0.4981", "total": 10000}[field]
    (stored,) = written(order(lines=[sold(quantity="300", **{field: given})]))
    assert first_wrong(read_lines(json.dumps([stored]).encode()), RATES) is None
    found = first_wrong(
        read_lines(json.dumps([stored | {"unit_price_yuan": "0.5"}]).encode()), RATES
    )
    assert found == 0
    respelled = stored | {"unit_price_yuan": "0.49810"}
    assert first_wrong(read_lines(json.dumps([respelled]).encode()), RATES) == 0


def test_a_red_invoice_takes_back_line_by_line() -> None:
    lines = [line(discount=300), line(unit_price=0), sold(total=7)]
    blue = issued(order(discount=500, lines=lines))
    red = prepare_red(blue, ReversalRequest(reason=Reason.SALES_RETURN), salts=SALTS)
    pairs = list(zip(read_lines(blue.lines), read_lines(red.lines), strict=True))
    assert all((a.amount, a.tax) == (-b.amount, -b.tax) for a, b in pairs)
    assert all(a.nature == b.nature for a, b in pairs)
    assert [b.quantity for _, b in pairs if b.nature != "discount"] == ["-1"] * 3
    assert red.total == -blue.total
    assert add_up([b for _, b in pairs]) == (red.amount, red.tax, red.rates)


@pytest.mark.parametrize("name", ["深圳市教育局", "ACME GmbH"])
def test_an_organisation_needs_a_name_and_no_tax_id(name: str) -> None:
    buyer = json.loads(prepared(order(buyer={"kind": "organisation", "name": name})).buyer)
    assert (buyer["kind"], buyer["name"], buyer["tax_id"]) == ("organisation", name, "")
    for blank in ({}, {"name": " "}):
        nameless = order(buyer={"kind": "organisation", **blank})
        assert refused(nameless) == ("buyer_incomplete", "/buyer/name")
