"""What is left of an invoice after returns, and the lines of the next red one (ADR 0028).

All of it follows from the stored lines: those of the blue invoice, and those of the red ones over
it in their order. What is left of a line always has its tax split once, as if it had been sold so;
a return takes the difference. So nothing is rounded away, and the last return takes the rest.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from chain.errors import ConflictError, MalformedError

from .document import Line
from .lifecycle import Reason
from .lines import spread
from .money import Fen, divide_half_up
from .quantity import format_quantity, parse_quantity
from .request import ReturnedLine, ReversalRequest
from .tax import TaxKind, TaxRates, rate_name


class Standing(NamedTuple):
    """What is left of a line that was sold: millionths of its quantity, and fen, tax included.

    ``number`` is the stored line's, counted from 1. ``gross`` is left before what was taken off
    (its discount, and allowances since), ``net`` after.
    """

    number: int
    sold: Line
    quantity: int
    gross: Fen
    net: Fen

    @property
    def rate(self) -> str:
        """The ``rate_name`` that it counts under."""
        return rate_name(self.sold.tax_rate, self.sold.tax_kind)


class _Taken(NamedTuple):
    """What a return takes of a line; an allowance has no quantity, and takes nothing gross."""

    quantity: int
    gross: Fen
    net: Fen


def left_of(blue: Sequence[Line], reds: Sequence[Sequence[Line]]) -> list[Standing]:
    """What is left of each line of ``blue``; ``reds`` are the lines of its red ones, in order."""
    left = list(_sold(blue))
    for red in reds:
        left = _after(left, red)
    return left


def return_lines(left: Sequence[Standing], asked: ReversalRequest, rates: TaxRates) -> list[Line]:
    """The lines of the red invoice that takes what is ``asked`` off what is ``left``.

    Raises ConflictError "return_too_large", which says what is left; MalformedError: line_unknown,
    rate_needed, rate_not_on_invoice, quantity_invalid, quantity_not_positive, total_zero.
    """
    if not isinstance(asked.amount, UnsetType):
        taken = _by_amount(left, asked.amount, _rate_of(asked))
    elif not isinstance(asked.lines, UnsetType):
        taken = _by_lines(left, asked.lines)
    else:
        taken = [_Taken(line.quantity, line.gross, line.net) for line in left]
    if not sum(part.net for part in taken):
        raise MalformedError("total_zero", "what is taken back comes to 0 fen")
    return [
        line
        for standing, part in zip(left, taken, strict=True)
        for line in _written(standing, part, rates)
    ]


def is_return(
    blue: Sequence[Line], earlier: Sequence[Sequence[Line]], red: Sequence[Line], rates: TaxRates
) -> bool:
    """Whether ``red`` is what somebody may have asked for, computed again from the rows before.

    The whole, untouched until then, is its lines with the opposite sign.
    """
    if not red:
        return False
    if not earlier and list(red) == negated(blue):
        return True
    try:
        left = left_of(blue, earlier)
        return return_lines(left, _asked(red), rates) == list(red)
    except (MalformedError, ConflictError, ValueError):
        return False


def negated(lines: Sequence[Line]) -> list[Line]:
    """The whole taken back: prices stay, quantities, amounts and taxes change their sign."""
    return [
        msgspec.structs.replace(
            line,
            amount=-line.amount,
            tax=-line.tax,
            quantity=UNSET if line.quantity is UNSET else f"-{line.quantity}",
        )
        for line in lines
    ]


def _sold(blue: Sequence[Line]) -> Iterator[Standing]:
    """What was sold, before any return."""
    for index, line in enumerate(blue):
        if line.nature is UNSET:
            off = blue[index + 1] if index + 1 < len(blue) else None
            net = line.total + (off.total if off is not None and off.nature is not UNSET else 0)
            yield Standing(index + 1, line, _millionths(line), line.total, net)


def _after(left: Sequence[Standing], red: Sequence[Line]) -> list[Standing]:
    """What a red invoice leaves; one whose lines name none takes all there is."""
    if not any(isinstance(line.line, int) for line in red):
        return [line._replace(quantity=0, gross=0, net=0) for line in left]
    taken = dict(_of_red(red))
    return [
        standing._replace(
            quantity=standing.quantity - part.quantity,
            gross=standing.gross - part.gross,
            net=standing.net - part.net,
        )
        for standing in left
        for part in [taken.get(standing.number, _NOTHING)]
    ]


def _of_red(red: Sequence[Line]) -> Iterator[tuple[int, _Taken]]:
    """(number of the blue line, what is taken of it) for each line that a red one names."""
    for index, line in enumerate(red):
        if not isinstance(line.line, int):
            continue  # the discount of the line before
        if line.nature is not UNSET:
            yield line.line, _Taken(0, 0, -line.total)
            continue
        follows = red[index + 1] if index + 1 < len(red) else None
        off = follows.total if follows is not None and follows.line is UNSET else 0
        yield line.line, _Taken(_millionths(line), -line.total, -line.total - off)


def _asked(red: Sequence[Line]) -> ReversalRequest:
    """A request for just these lines; ValueError where nobody can have asked so."""
    first = red[0]
    if first.nature is UNSET:
        lines = [
            ReturnedLine(line=number, quantity=format_quantity(part.quantity))
            for number, part in _of_red(red)
        ]
        return ReversalRequest(reason=_ANY_REASON, lines=lines)
    return ReversalRequest(
        reason=_ANY_REASON,
        amount=-sum(line.total for line in red),
        rate=first.tax_rate,
        tax_kind="zero" if first.tax_kind is UNSET else first.tax_kind,
    )


def _by_lines(left: Sequence[Standing], lines: Sequence[ReturnedLine]) -> list[_Taken]:
    wanted = {one.line: (index, one) for index, one in enumerate(lines)}
    for number in wanted.keys() - {standing.number for standing in left}:
        raise MalformedError(
            "line_unknown",
            f"line {number} is none of what was sold; a discount goes with the line before it",
            pointer=f"/lines/{wanted[number][0]}/line",
        )
    return [
        _of_line(standing, *wanted[standing.number]) if standing.number in wanted else _NOTHING
        for standing in left
    ]


def _of_line(standing: Standing, index: int, asked: ReturnedLine) -> _Taken:
    """So much of a line, and of what is left of its money as much as of its quantity."""
    quantity = standing.quantity
    if not isinstance(asked.quantity, UnsetType):
        quantity = parse_quantity(asked.quantity, f"/lines/{index}").millionths
    if quantity > standing.quantity or not quantity:
        quantity_left = format_quantity(standing.quantity)
        raise ConflictError(
            "return_too_large",
            f"of line {standing.number} there is {quantity_left} left",
            pointer=f"/lines/{index}/quantity",
            line=standing.number,
            quantity_left=quantity_left,
        )
    return _Taken(
        quantity,
        divide_half_up(standing.gross * quantity, standing.quantity),
        divide_half_up(standing.net * quantity, standing.quantity),
    )


def _by_amount(left: Sequence[Standing], amount: Fen, rate: str | None) -> list[_Taken]:
    """An allowance, spread over what is left under one rate as an order's discount is."""
    found = {standing.rate for standing in left if standing.net}
    if rate is None and len(found) > 1:
        names = ", ".join(sorted(found))
        raise MalformedError(
            "rate_needed", f"the invoice has several rates: {names}", pointer="/rate", rates=names
        )
    if rate is not None and rate not in {standing.rate for standing in left}:
        raise MalformedError(
            "rate_not_on_invoice", f"the invoice has nothing at {rate}", pointer="/rate"
        )
    over = [standing.net if rate in (None, standing.rate) else 0 for standing in left]
    if amount > sum(over):
        raise ConflictError(
            "return_too_large",
            f"there are {sum(over)} fen left",
            pointer="/amount",
            left=sum(over),
        )
    return [_Taken(0, 0, share) for share in spread(amount, over)]


def _rate_of(asked: ReversalRequest) -> str | None:
    if isinstance(asked.rate, UnsetType):
        return None
    kind = asked.tax_kind
    named: TaxKind | UnsetType = UNSET if isinstance(kind, UnsetType) or kind == "zero" else kind
    return rate_name(asked.rate, named)


def _written(standing: Standing, taken: _Taken, rates: TaxRates) -> Iterator[Line]:
    """The red line, and behind it the discount that goes with it; or an allowance alone."""
    if not taken.quantity and not taken.net:
        return
    sold = standing.sold
    before = rates.split(standing.net, sold.tax_rate)
    after = rates.split(standing.net - taken.net, sold.tax_rate)
    amount, tax = before[0] - after[0], before[1] - after[1]
    money = Line(
        amount=-amount, name=sold.name, tax=-tax, tax_kind=sold.tax_kind, tax_rate=sold.tax_rate
    )
    if not taken.quantity:
        yield msgspec.structs.replace(money, line=standing.number, nature="allowance")
        return
    # What was taken off is split by itself and added to the net: so neither sign can turn.
    off_amount, off_tax = rates.split(taken.gross - taken.net, sold.tax_rate)
    yield msgspec.structs.replace(
        sold,
        amount=-amount - off_amount,
        line=standing.number,
        quantity=f"-{format_quantity(taken.quantity)}",
        tax=-tax - off_tax,
    )
    if taken.gross != taken.net:
        yield msgspec.structs.replace(money, amount=off_amount, nature="discount", tax=off_tax)


def _millionths(line: Line) -> int:
    """Its quantity without the sign."""
    text = "0" if isinstance(line.quantity, UnsetType) else line.quantity.removeprefix("-")
    return parse_quantity(text).millionths


_NOTHING: Final = _Taken(0, 0, 0)
_ANY_REASON: Final = Reason.SALES_RETURN
