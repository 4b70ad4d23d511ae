"""What is left of an invoice after returns: never below nothing, and in the end just nothing."""

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chain.errors import ConflictError, MalformedError, UnavailableError
from invoice_service.domain.document import Line, read_lines, write
from invoice_service.domain.invoice import StoredInvoice, finish
from invoice_service.domain.lifecycle import Reason
from invoice_service.domain.lines import add_up, rates_within
from invoice_service.domain.numbering import Allotment
from invoice_service.domain.quantity import format_quantity, parse_quantity
from invoice_service.domain.red import prepare_red, take_part
from invoice_service.domain.request import ReturnedLine, ReversalRequest
from invoice_service.domain.returns import Standing, is_return, left_of, return_lines

from .samples import FIRST, RATES, SALTS, issued, line, order, stored

WHY = Reason.SALES_RETURN


def by_lines(*lines: tuple[int, str] | int) -> ReversalRequest:
    """A return of lines, each with its quantity or as a whole."""
    named = [
        ReturnedLine(line=one)
        if isinstance(one, int)
        else ReturnedLine(line=one[0], quantity=one[1])
        for one in lines
    ]
    return ReversalRequest(reason=WHY, lines=named)


def of_amount(amount: int, **more: Any) -> ReversalRequest:  # noqa: ANN401 # fields of the request
    return ReversalRequest(reason=WHY, amount=amount, **more)


ALL = ReversalRequest(reason=WHY)


class Sale:
    """An invoice and the returns over it."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.blue = issued(body)
        self.reds: list[StoredInvoice] = []

    def take(self, asked: ReversalRequest) -> StoredInvoice:
        """Take back what is asked, as the issuing transaction does."""
        whole = prepare_red(self.blue, asked, SALTS)
        draft = take_part(whole, self.blue, self.reds) if self.reds or not asked.whole else whole
        number = f"{len(self.reds) + 2:08}"
        frozen = finish(draft, Allotment(FIRST.code, number, FIRST.issued_at))
        red = stored(draft, frozen, seq=len(self.reds) + 2, reverses=1)
        self.reds.append(red)
        return red

    def lines(self) -> list[list[Line]]:
        return [read_lines(red.lines) for red in self.reds]

    def left(self) -> list[Standing]:
        return left_of(read_lines(self.blue.lines), self.lines())


def money(red: StoredInvoice) -> list[tuple[int, int]]:
    """(amount, tax) of each of its lines."""
    return [(one["amount"], one["tax"]) for one in json.loads(red.lines)]


def coffee(**changes: object) -> dict[str, Any]:
    return line(**({"unit_price": 2800, "quantity": "3"} | changes))


def test_a_quantity_of_a_line() -> None:
    sale = Sale(order(lines=[coffee(unit="杯"), line(unit_price=100)]))
    red = sale.take(by_lines((1, "1")))
    (back,) = json.loads(red.lines)
    assert back == {
        "amount": -2642,
        "line": 1,
        "name": coffee()["name"],
        "quantity": "-1",
        "spec": "",
        "tax": -158,
        "tax_rate": "0.06",
        "unit": "杯",
        "unit_price": 2800,
    }
    assert (red.total, sale.left()[0].quantity, sale.left()[0].net) == (-2800, 2_000_000, 5600)
    assert "对应正数发票代码" in json.loads(red.face)["remark"]


def test_a_discount_goes_with_its_line_pro_rata() -> None:
    sale = Sale(order(lines=[coffee(discount=1000)]))
    red = sale.take(by_lines((1, "1")))
    returned, discount = json.loads(red.lines)
    assert discount == {
        "amount": 314,
        "name": coffee()["name"],
        "nature": "discount",
        "tax": 19,
        "tax_rate": "0.06",
    }
    assert returned["amount"] + returned["tax"] == -2800
    assert red.total == -2467
    assert sale.take(by_lines((1, "1"))).total == -2467  # half of 4933 that were left
    assert sale.take(ALL).total == -2466


def test_three_for_a_hundred_yuan_the_last_takes_the_rest() -> None:
    sale = Sale(order(lines=[{**coffee(total=10000), "quantity": "3", "unit_price": None}]))
    assert [sale.take(by_lines((1, "1"))).total for _ in range(3)] == [-3333, -3334, -3333]
    with pytest.raises(ConflictError):
        sale.take(by_lines(1))


def test_an_amount_is_spread_over_what_is_left() -> None:
    sale = Sale(order(lines=[line(unit_price=100), line(unit_price=100), line(unit_price=100)]))
    red = sale.take(of_amount(100))
    assert [one.total for one in sale.lines()[0]] == [-34, -33, -33]
    assert {one.nature for one in sale.lines()[0]} == {"allowance"}
    assert [one.line for one in sale.lines()[0]] == [1, 2, 3]
    assert red.total == -100
    sale.take(by_lines(1))
    assert [standing.net for standing in sale.left()] == [0, 67, 67]
    assert [one.total for one in sale.lines()[1]] == [-100, 34]  # the allowance goes with it
    assert sale.take(ALL).total == -134


def test_an_amount_needs_its_rate_where_there_are_several() -> None:
    sale = Sale(
        order(
            lines=[
                line(unit_price=500, tax_rate="0", tax_kind="exempt"),
                line(unit_price=500, tax_rate="0"),
                line(unit_price=100, tax_rate="0.13"),
            ]
        )
    )
    with pytest.raises(MalformedError) as caught:
        sale.take(of_amount(10))
    assert (caught.value.code, caught.value.pointer) == ("rate_needed", "/rate")
    assert caught.value.extra == {"rates": "0, 0 exempt, 0.13"}
    exempt = sale.take(of_amount(10, rate="0", tax_kind="exempt"))
    assert exempt.rates == [("0 exempt", -10, 0)]
    assert sale.take(of_amount(10, rate="0")).rates == [("0", -10, 0)]
    for unknown in ({"rate": "0.03"}, {"rate": "0", "tax_kind": "untaxed"}):
        with pytest.raises(MalformedError) as caught:
            sale.take(of_amount(10, **unknown))
        assert caught.value.code == "rate_not_on_invoice"
    with pytest.raises(ConflictError) as over:
        sale.take(of_amount(101, rate="0.13"))
    assert (over.value.code, over.value.extra) == ("return_too_large", {"left": 100})


def test_what_is_over_says_what_is_left() -> None:
    sale = Sale(order(lines=[coffee(), coffee(discount=100)]))
    sale.take(by_lines((1, "0.5")))
    with pytest.raises(ConflictError) as caught:
        sale.take(by_lines((2, "1"), (1, "2.6")))
    assert (caught.value.code, caught.value.pointer) == ("return_too_large", "/lines/1/quantity")
    assert caught.value.extra == {"line": 1, "quantity_left": "2.5"}


@pytest.mark.parametrize("number", [3, 4, 99])
def test_only_what_was_sold_has_a_number_to_name(number: int) -> None:
    sale = Sale(order(lines=[coffee(), coffee(discount=100)]))  # its discount is line 3
    with pytest.raises(MalformedError) as caught:
        sale.take(by_lines((1, "1"), number))
    assert (caught.value.code, caught.value.pointer) == ("line_unknown", "/lines/1/line")


def test_free_things_come_back_with_others_only() -> None:
    sale = Sale(order(lines=[coffee(), line(unit_price=0)]))
    with pytest.raises(MalformedError) as caught:
        sale.take(by_lines(2))
    assert caught.value.code == "total_zero"
    assert money(sale.take(by_lines(1, 2)))[1] == (0, 0)


def test_the_whole_untouched_has_no_new_fields() -> None:
    sale = Sale(order(lines=[coffee(discount=100), coffee(tax_rate="0.13")]))
    red = sale.take(ALL)
    assert all(one.line is msgspec.UNSET for one in read_lines(red.lines))
    assert [standing.net for standing in sale.left()] == [0, 0]


def test_rows_that_are_not_what_was_issued_are_not_built_on() -> None:
    sale = Sale(order(lines=[coffee()]))
    sale.take(by_lines((1, "1")))
    draft = prepare_red(sale.blue, ALL, SALTS)
    red = sale.reds[0]
    for bad in (
        msgspec.structs.replace(red, lines=red.lines.replace(b"-2642", b"-2641")),
        msgspec.structs.replace(red, lines=b"{"),
        msgspec.structs.replace(red, salts=b""),
    ):
        with pytest.raises(UnavailableError, match="record_damaged"):
            take_part(draft, sale.blue, [bad])


@given(st.integers(0, 10**15))
def test_a_quantity_has_one_spelling(millionths: int) -> None:
    text = format_quantity(millionths)
    if millionths and millionths < 10**15:
        assert parse_quantity(text) == (text, millionths)


QUANTITIES = st.sampled_from(["1", "2", "3", "0.35", "1.5", "7"])
SOLD = st.builds(
    lambda price, quantity, rate, discount: line(
        unit_price=price, quantity=quantity, tax_rate=rate, discount=discount
    ),
    st.integers(0, 10**6),
    QUANTITIES,
    st.sampled_from(["0", "0.01", "0.06", "0.13"]),
    st.just(0),
)


class Returns(RuleBasedStateMachine):
    """Any returns, in any order: each is computed again from its own lines, and nothing is lost."""

    sale: Sale

    @initialize(
        lines=st.lists(SOLD, min_size=1, max_size=4),
        discount=st.integers(0, 100),
        paid=st.just(500),
    )
    def sell(self, lines: list[dict[str, Any]], discount: int, paid: int) -> None:
        lines = [*lines, line(unit_price=paid)]
        self.sale = Sale(order(lines=lines, discount=discount))

    def _take(self, asked: ReversalRequest) -> None:
        before = self.sale.left()
        earlier = self.sale.lines()
        red = self.sale.take(asked)
        blue, mine = read_lines(self.sale.blue.lines), read_lines(red.lines)
        assert is_return(blue, earlier, mine, rates_within(blue))
        after = self.sale.left()
        assert red.total == sum(now.net for now in after) - sum(was.net for was in before)
        off = [one for one in mine if one.nature == "discount"]
        assert all(one.amount >= 0 and one.tax >= 0 for one in off)
        assert all(one.amount <= 0 and one.tax <= 0 for one in mine if one not in off)

    @precondition(lambda self: any(one.net for one in self.sale.left()))
    @rule(data=st.data())
    def return_a_line(self, data: st.DataObject) -> None:
        worth = [one for one in self.sale.left() if one.net and one.quantity]
        if not worth:
            return
        one = data.draw(st.sampled_from(worth))
        part = data.draw(st.integers(1, one.quantity))
        with suppress(MalformedError):  # so little that it comes to nothing
            self._take(by_lines((one.number, format_quantity(part))))

    @precondition(lambda self: any(one.net for one in self.sale.left()))
    @rule(data=st.data())
    def allow_an_amount(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from([one for one in self.sale.left() if one.net]))
        most = sum(same.net for same in self.sale.left() if same.rate == one.rate)
        self._take(of_amount(data.draw(st.integers(1, most)), rate=one.sold.tax_rate))

    @precondition(lambda self: any(one.net for one in self.sale.left()))
    @rule()
    def take_the_rest(self) -> None:
        self._take(ALL)
        assert not any(one.net or one.gross for one in self.sale.left() if one.quantity)

    @precondition(lambda self: not any(one.net for one in self.sale.left()))
    @rule(asked=st.sampled_from([ALL, of_amount(1, rate="0.06")]))
    def ask_for_more_than_all(self, asked: ReversalRequest) -> None:
        with pytest.raises((ConflictError, MalformedError)):
            self.sale.take(asked)

    @invariant()
    def nothing_is_below_nothing(self) -> None:
        for standing in self.sale.left():
            assert standing.gross >= standing.net >= 0
            assert standing.quantity >= 0
            assert standing.quantity or not standing.net

    @invariant()
    def sold_is_returned_and_left(self) -> None:
        blue, left = self.sale.blue, self.sale.left()
        assert blue.total + sum(red.total for red in self.sale.reds) == sum(one.net for one in left)
        for rate, amount, tax in add_up([*_all_lines(self.sale)])[2]:
            total = sum(one.net for one in left if one.rate == rate)
            split = [RATES.split(one.net, one.sold.tax_rate) for one in left if one.rate == rate]
            assert (amount, tax) == (sum(a for a, _ in split), sum(t for _, t in split))
            assert amount + tax == total


def _all_lines(sale: Sale) -> list[Line]:
    return [one for lines in (read_lines(sale.blue.lines), *sale.lines()) for one in lines]


TestReturns = Returns.TestCase
TestReturns.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": -2641, "tax": -159},
        {"quantity": "-2"},
        {"quantity": "-01"},
        {"quantity": "1"},
        {"line": 2},
        {"name": "另一道菜"},
        {"tax_rate": "0.13"},
        {"nature": "allowance"},
        {"unit_price": 1},
    ],
)
def test_a_red_line_that_follows_from_nothing(change: dict[str, Any]) -> None:
    sale = Sale(order(lines=[coffee(), line(unit_price=100)]))
    sale.take(by_lines((1, "1")))
    blue, (mine,) = read_lines(sale.blue.lines), sale.lines()
    assert is_return(blue, [], mine, rates_within(blue))
    assert not is_return(blue, [], [msgspec.structs.replace(mine[0], **change)], rates_within(blue))
    assert not is_return(blue, [], [], rates_within(blue))


def test_more_than_was_left_is_no_return() -> None:
    sale = Sale(order(lines=[coffee()]))
    sale.take(by_lines((1, "2")))
    blue, (mine,) = read_lines(sale.blue.lines), sale.lines()
    assert not is_return(blue, [mine], mine, rates_within(blue))
    assert write(return_lines(left_of(blue, []), by_lines((1, "2")), RATES)) == write(mine)
