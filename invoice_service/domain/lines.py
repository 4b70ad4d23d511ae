"""From what a shop sells to the lines of an invoice: prices, discounts, the tax in both (ADR 0026).

Every sum is that of its lines: nothing is rounded again. A line rounds once, where its price meets
its quantity, and splits its tax once, over what is left of it after its discount.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from msgspec import UNSET, UnsetType

from chain.errors import MalformedError

from .document import Line
from .money import Fen, check_fen
from .quantity import NOT_NEGATIVE, Quantity, parse_price, parse_quantity
from .request import InvoiceRequest, LineRequest
from .tax import NO_TAX, TaxKind, TaxRates, is_rate, rate_name

RateTotal = tuple[str, Fen, Fen]
"""(rate, amount, tax): what the lines of one ``tax.rate_name`` add up to."""

_BARE: Final = ("line", "quantity", "spec", "unit", "unit_price", "unit_price_yuan")
"""What a line of what was sold may have, and a discount line has not."""


def write_lines(request: InvoiceRequest, rates: TaxRates) -> list[Line]:
    """The lines as they are stored: what was sold, a discount directly after what it is taken off.

    Raises MalformedError: quantity_invalid, quantity_not_positive, unit_price_not_positive,
    unit_price_yuan_invalid, line_total_negative, tax_rate_unknown, tax_kind_with_rate,
    discount_negative, discount_too_large, amount_out_of_range.
    """
    sold = [_sold(line, rates, index) for index, line in enumerate(request.lines)]
    taken_off = _taken_off(request, sold)
    if not taken_off:
        return sold
    return [
        line
        for gross, off in zip(sold, taken_off, strict=True)
        for line in _with_discount(gross, off, rates)
    ]


def add_up(lines: Sequence[Line]) -> tuple[Fen, Fen, list[RateTotal]]:
    """(amount, tax, both by rate)."""
    by_rate: dict[str, tuple[Fen, Fen]] = {}
    for line in lines:
        name = line.tax_rate
        if line.tax_kind is not UNSET:
            name = rate_name(name, line.tax_kind)
        amount, tax = by_rate.get(name, (0, 0))
        by_rate[name] = amount + line.amount, tax + line.tax
    amount = sum(amount for amount, _ in by_rate.values())
    tax = sum(tax for _, tax in by_rate.values())
    return amount, tax, [(name, *by_rate[name]) for name in sorted(by_rate)]


def spread(amount: Fen, over: Sequence[Fen]) -> list[Fen]:
    """``amount`` divided as ``over`` is, by largest remainders, ties in order.

    None gets more than it has, if ``amount`` is from 0 to their sum, and none of them below 0.
    """
    whole = sum(over)
    if not amount:
        return [0] * len(over)
    parts = [divmod(amount * each, whole) for each in over]
    shares = [share for share, _ in parts]
    by_remainder = sorted(range(len(over)), key=lambda index: -parts[index][1])
    for index in by_remainder[: amount - sum(shares)]:
        shares[index] += 1
    return shares


def first_wrong(lines: Sequence[Line], rates: TaxRates) -> int | None:
    """Compute a blue invoice's lines again, each from its own price, quantity and rate.

    The index of the first that ``write_lines`` would not have made; None when all are right.
    """
    before: Line | None = None
    for index, line in enumerate(lines):
        try:
            if line.nature is UNSET:
                right, before = _is_as_sold(line, rates), line
            else:
                right = before is not None and _is_discount_of(before, line, rates)
                before = None  # a second discount has nothing to be taken off
        except MalformedError:  # a quantity, price or rate that cannot be read
            right = False
        if not right:
            return index
    return None


def rates_within(lines: Sequence[Line]) -> TaxRates:
    """The rates of these lines: those that were in force once may be so no longer."""
    return _rates(frozenset(line.tax_rate for line in lines))


@lru_cache(maxsize=64)
def _rates(texts: frozenset[str]) -> TaxRates:
    return TaxRates(text for text in texts if is_rate(text))


def _sold(line: LineRequest, rates: TaxRates, index: int) -> Line:
    """The line before any discount."""
    where = f"/lines/{index}"
    quantity = parse_quantity("1" if line.quantity is UNSET else line.quantity, where)
    fine: str | UnsetType = UNSET
    if line.unit_price is not UNSET:
        if line.unit_price < 0:
            raise MalformedError(
                "unit_price_not_positive", NOT_NEGATIVE, pointer=f"{where}/unit_price"
            )
        total = quantity.times(check_fen(line.unit_price, f"{where}/unit_price"))
    elif line.unit_price_yuan is not UNSET:
        price = parse_price(line.unit_price_yuan, where)
        fine, total = price.text, price.times(quantity)
    else:
        total = _given_total(line, where)
    amount, tax = rates.split(check_fen(total, where), line.tax_rate, f"{where}/tax_rate")
    return Line(
        amount=amount,
        name=line.name,
        quantity=quantity.text,
        spec=line.spec,
        tax=tax,
        tax_kind=UNSET if line.tax_kind is UNSET else _kind(line, where),
        tax_rate=line.tax_rate,
        unit=line.unit,
        unit_price=line.unit_price,
        unit_price_yuan=fine,
    )


def _given_total(line: LineRequest, where: str) -> Fen:
    total = 0 if line.total is UNSET else line.total
    if total < 0:
        raise MalformedError(
            "line_total_negative",
            "a line comes to 0 or more; what is taken off is a discount",
            pointer=f"{where}/total",
        )
    return total


def _kind(line: LineRequest, where: str) -> TaxKind | UnsetType:
    """What rate 0 means; that it is zero-rated is said by saying nothing."""
    if line.tax_rate != NO_TAX:
        raise MalformedError(
            "tax_kind_with_rate",
            f"tax_kind says what rate 0 means; this line's rate is {line.tax_rate}",
            pointer=f"{where}/tax_kind",
        )
    return UNSET if line.tax_kind is UNSET or line.tax_kind == "zero" else line.tax_kind


def _taken_off(request: InvoiceRequest, sold: Sequence[Line]) -> list[Fen]:
    """What is taken off each line: its own discount and its part of the order's. [] for nothing."""
    own = [line.discount for line in request.lines]
    if not request.discount and not any(own):
        return []
    for index, (discount, line) in enumerate(zip(own, sold, strict=True)):
        _check_discount(discount, line.total, f"/lines/{index}/discount")
    left = [line.total - discount for line, discount in zip(sold, own, strict=True)]
    _check_discount(request.discount, sum(left), "/discount")
    parts = spread(request.discount, left)
    return [discount + part for discount, part in zip(own, parts, strict=True)]


def _check_discount(discount: Fen, most: Fen, pointer: str) -> None:
    if discount < 0:
        raise MalformedError(
            "discount_negative", "a discount is written as what is taken off: 500", pointer=pointer
        )
    if discount > most:
        raise MalformedError(
            "discount_too_large",
            f"{discount} fen cannot be taken off {most} fen",
            pointer=pointer,
            most=most,
        )


def _with_discount(line: Line, off: Fen, rates: TaxRates) -> Iterator[Line]:
    """The line; after it what is taken off: the difference to what is left, whose tax is split."""
    yield line
    if off:
        amount, tax = rates.split(line.total - off, line.tax_rate)
        yield Line(
            amount=amount - line.amount,
            name=line.name,
            nature="discount",
            tax=tax - line.tax,
            tax_kind=line.tax_kind,
            tax_rate=line.tax_rate,
        )


def _is_as_sold(line: Line, rates: TaxRates) -> bool:
    if UNSET in (line.quantity, line.spec, line.unit) or line.line is not UNSET or line.total < 0:
        return False
    priced = line.unit_price is not UNSET, line.unit_price_yuan is not UNSET
    split = rates.split(line.total, line.tax_rate) == (line.amount, line.tax)
    kind_fits = line.tax_kind is UNSET or line.tax_rate == NO_TAX
    return split and kind_fits and not all(priced) and _price_fits(line)


def _price_fits(line: Line) -> bool:
    quantity = _spelled(line.quantity)
    if quantity is None:
        return False
    if line.unit_price is not UNSET:
        return line.unit_price >= 0 and quantity.times(line.unit_price) == line.total
    if line.unit_price_yuan is not UNSET:
        price = parse_price(line.unit_price_yuan)
        return price.text == line.unit_price_yuan and price.times(quantity) == line.total
    return True


def _spelled(text: str | UnsetType) -> Quantity | None:
    """The quantity, if this is its one spelling."""
    quantity = None if text is UNSET else parse_quantity(text)
    return quantity if quantity is not None and quantity.text == text else None


def _is_discount_of(sold: Line, line: Line, rates: TaxRates) -> bool:
    same = (sold.name, sold.tax_rate, sold.tax_kind) == (line.name, line.tax_rate, line.tax_kind)
    bare = all(getattr(line, name) is UNSET for name in _BARE)
    left = sold.total + line.total
    if not (same and bare and line.nature == "discount" and 0 <= left < sold.total):
        return False
    return rates.split(left, line.tax_rate) == (sold.amount + line.amount, sold.tax + line.tax)
