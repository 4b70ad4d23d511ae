"""From a bill to what is issued for it: one invoice, or one for each guest who pays a part.

What a line comes to, after its own discount and its share of the bill's, is spread over the parts
by the quantities that they take, or by what they pay: by largest remainders, so that the parts'
sum is the bill's, to the fen. The page computes the same before anybody pays.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET

from chain.errors import MalformedError
from invoice_service.domain.invoice import InvoiceRequest
from invoice_service.domain.lines import spread, write_lines
from invoice_service.domain.money import Fen
from invoice_service.domain.quantity import Quantity, format_quantity, parse_quantity
from invoice_service.domain.request import Buyer, LineRequest, check_request
from invoice_service.domain.tax import TaxRates
from invoice_service.services.till.shapes import BillContent, BillLine, PartLine, PartRequest

_UNNAMED: Final = "-"
"""The order's number, while it has none."""


class Order(NamedTuple):
    """What one part asks to have issued, but for its order's number; and what that comes to.

    ``of`` are the numbers of the bill's lines that its lines are of.
    """

    request: InvoiceRequest
    total: Fen
    of: list[int]


class _Came(NamedTuple):
    """What a line of a bill comes to: before discounts, and after them."""

    line: BillLine
    quantity: Quantity
    gross: Fen
    net: Fen


class _Share(NamedTuple):
    """What a part has of a line; quantities in millionths."""

    quantity: int
    gross: Fen
    net: Fen

    @property
    def is_some(self) -> bool:
        """Whether it is a line of the part."""
        return bool(self.quantity or self.net)


def check_bill(content: BillContent, rates: TaxRates, max_lines: int) -> None:
    """Refuse what could never be issued; a buyer may be half typed, a bill may be empty.

    MalformedError as ``check_request`` and ``write_lines`` raise it.
    """
    if content.lines:
        write_lines(check_request(_whole(content, Buyer()), max_lines), rates)
    elif content.discount:
        raise MalformedError(
            "discount_too_large", "there is nothing that it is taken off", pointer="/discount"
        )


def split(content: BillContent, parts: Sequence[PartRequest]) -> list[Order]:
    """What is to be issued, in the order of ``parts``; the bill was checked before.

    MalformedError: no_lines, part_unclear, line_unknown, line_twice, parts_incomplete, and as
    ``parse_quantity`` raises it.
    """
    if not content.lines:
        raise MalformedError("no_lines", "there is nothing on the bill", pointer="/lines")
    came = _came(content)
    if len(parts) == 1 and parts[0].lines is UNSET and parts[0].amount is UNSET:
        buyer = _buyer(content, parts[0])
        every = list(range(1, len(came) + 1))
        return [Order(_whole(content, buyer), sum(one.net for one in came), every)]
    shares = _shares(came, parts)
    return [
        Order(
            _part(came, [row[n] for row in shares], _buyer(content, part)),
            _net(shares, n),
            [number for number, row in enumerate(shares, 1) if row[n].is_some],
        )
        for n, part in enumerate(parts)
    ]


def rest_of(
    content: BillContent, sold: Iterable[tuple[Sequence[int], Sequence[LineRequest]]]
) -> BillContent:
    """The bill without what its ``sold`` parts have: of each, ``Order.of`` and its lines.

    It comes to what all parts come to less those, to the fen: the bill's discount, and what
    rounding has given or taken, stand on the lines.
    """
    came = _came(content)
    left = [[one.quantity.millionths, one.net] for one in came]
    for numbers, lines in sold:
        for number, line in zip(numbers, lines, strict=True):
            quantity, net = _asked(line)
            left[number - 1][0] -= quantity
            left[number - 1][1] -= net
    rest = [_rest(one, *some) for one, some in zip(came, left, strict=True)]
    lines_left = [line for line in rest if line is not None]
    return msgspec.structs.replace(content, lines=lines_left, discount=0)


def _asked(line: LineRequest) -> tuple[int, Fen]:
    """Millionths, and what the line comes to."""
    quantity = parse_quantity(line.quantity if isinstance(line.quantity, str) else "1")
    if isinstance(line.total, int):
        return quantity.millionths, line.total - line.discount
    price = line.unit_price if isinstance(line.unit_price, int) else 0
    return quantity.millionths, quantity.times(price) - line.discount


def _rest(came: _Came, millionths: int, net: Fen) -> BillLine | None:
    """What is left of a line, at its price; where a fen of rounding forbids that, for its sum."""
    if millionths > 0:
        quantity = parse_quantity(format_quantity(millionths))
        gross = quantity.times(came.line.unit_price)
        if gross >= net and (gross or not came.gross):
            return msgspec.structs.replace(came.line, quantity=quantity.text, discount=gross - net)
    if not net:
        return None
    return msgspec.structs.replace(came.line, quantity="1", unit_price=net, discount=0)


def _net(shares: Sequence[Sequence[_Share]], n: int) -> Fen:
    return sum(row[n].net for row in shares)


def _buyer(content: BillContent, part: PartRequest) -> Buyer:
    if not isinstance(part.buyer, msgspec.UnsetType):
        return part.buyer
    return Buyer() if isinstance(content.buyer, msgspec.UnsetType) else content.buyer


def _whole(content: BillContent, buyer: Buyer) -> InvoiceRequest:
    lines = [
        LineRequest(
            name=line.name,
            tax_rate=line.tax_rate,
            unit_price=line.unit_price,
            quantity=line.quantity,
            discount=line.discount,
            tax_kind=line.tax_kind,
        )
        for line in content.lines
    ]
    return InvoiceRequest(order_id=_UNNAMED, lines=lines, buyer=buyer, discount=content.discount)


def _came(content: BillContent) -> list[_Came]:
    quantities = [parse_quantity(line.quantity) for line in content.lines]
    gross = [
        quantity.times(line.unit_price)
        for quantity, line in zip(quantities, content.lines, strict=True)
    ]
    own = [whole - line.discount for whole, line in zip(gross, content.lines, strict=True)]
    off = spread(content.discount, own)
    return [
        _Came(line, quantity, whole, net - less)
        for line, quantity, whole, net, less in zip(
            content.lines, quantities, gross, own, off, strict=True
        )
    ]


def _shares(came: Sequence[_Came], parts: Sequence[PartRequest]) -> list[list[_Share]]:
    """For each line, what every part has of it."""
    by_amount = [part.amount is not UNSET for part in parts]
    if all(by_amount):
        return _by_amounts(came, [int(part.amount) for part in parts])  # type: ignore[arg-type] # all are set
    if any(by_amount):
        raise MalformedError(
            "part_unclear", "either all parts say an amount, or none does", pointer="/parts"
        )
    return [
        [
            _Share(quantity, gross, net)
            for quantity, gross, net in zip(
                row, spread(one.gross, row), spread(one.net, row), strict=True
            )
        ]
        for one, row in zip(came, _taken(came, parts), strict=True)
    ]


def _by_amounts(came: Sequence[_Came], amounts: Sequence[Fen]) -> list[list[_Share]]:
    """Each part in its turn takes its share of what is left; the last one takes the rest."""
    if sum(amounts) != sum(one.net for one in came):
        raise MalformedError(
            "parts_incomplete", "the parts' amounts are not the bill's", pointer="/parts"
        )
    if not all(amounts):
        raise MalformedError("total_zero", "a part comes to nothing", pointer="/parts")
    left = [one.net for one in came]
    columns: list[list[Fen]] = []
    for amount in amounts:
        column = spread(amount, left)
        left = [before - taken for before, taken in zip(left, column, strict=True)]
        columns.append(column)
    rows = zip(*columns, strict=True)
    return [
        [
            _Share(quantity, net, net)
            for quantity, net in zip(spread(one.quantity.millionths, amounts), row, strict=True)
        ]
        for one, row in zip(came, rows, strict=True)
    ]


def _taken(came: Sequence[_Came], parts: Sequence[PartRequest]) -> list[list[int]]:
    """How many millionths of each line every part takes: all of them, together."""
    taken = [[0] * len(parts) for _ in came]
    rest: list[int] = []
    for n, part in enumerate(parts):
        if isinstance(part.lines, msgspec.UnsetType):
            rest.append(n)
            continue
        for index, asked in enumerate(part.lines):
            where = f"/parts/{n}/lines/{index}"
            _take(taken, came, n, asked, where)
    left = [one.quantity.millionths - sum(row) for one, row in zip(came, taken, strict=True)]
    if len(rest) > 1:
        raise MalformedError("part_unclear", "one part may take the rest", pointer="/parts")
    for row, more in zip(taken, left, strict=True):
        if more < 0 or (more and not rest):
            raise MalformedError(
                "parts_incomplete", "the parts do not take just what is there", pointer="/parts"
            )
        for n in rest:
            row[n] += more
    return taken


def _take(
    taken: list[list[int]], came: Sequence[_Came], n: int, asked: PartLine, where: str
) -> None:
    if asked.line > len(came):
        raise MalformedError(
            "line_unknown", f"the bill has {len(came)} lines", pointer=f"{where}/line"
        )
    row = taken[asked.line - 1]
    if row[n]:
        raise MalformedError("line_twice", "each line is named once", pointer=where)
    if isinstance(asked.quantity, msgspec.UnsetType):
        row[n] = came[asked.line - 1].quantity.millionths
    else:
        row[n] = parse_quantity(asked.quantity, where).millionths


def _part(came: Sequence[_Came], shares: Sequence[_Share], buyer: Buyer) -> InvoiceRequest:
    lines = [
        _line(one.line, share) for one, share in zip(came, shares, strict=True) if share.is_some
    ]
    if not lines:
        raise MalformedError("total_zero", "a part has nothing on it", pointer="/parts")
    return InvoiceRequest(order_id=_UNNAMED, lines=lines, buyer=buyer)


def _line(line: BillLine, share: _Share) -> LineRequest:
    """A part of a line: at its price where that comes to the same, else by what it comes to."""
    quantity = format_quantity(max(share.quantity, 1))
    gross = max(share.gross, share.net)  # a fen of rounding may have gone to either
    priced = parse_quantity(quantity).times(line.unit_price) == gross
    money: dict[str, Any] = {"unit_price": line.unit_price} if priced else {"total": gross}
    return LineRequest(
        name=line.name,
        tax_rate=line.tax_rate,
        quantity=quantity,
        discount=gross - share.net,
        tax_kind=line.tax_kind,
        **money,
    )
