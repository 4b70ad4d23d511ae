"""From an order to what is issued for it: one invoice, or one for each guest who claims a share.

What a line comes to after its discounts is spread over the shares by largest remainders, each in
its turn of what is left: their sums are the order's, to the fen, whoever claims which of them.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from chain.errors import MalformedError
from invoice_service.domain.invoice import InvoiceRequest
from invoice_service.domain.lines import spread, write_lines
from invoice_service.domain.money import Fen
from invoice_service.domain.quantity import format_quantity, parse_quantity
from invoice_service.domain.request import LineRequest
from invoice_service.domain.tax import TaxRates
from invoice_service.services.claims.shapes import OrderRequest


class Came(msgspec.Struct, frozen=True):
    """A line with what it comes to, and how many millionths it is of."""

    line: LineRequest
    net: Fen
    quantity: int


def came_of(request: InvoiceRequest, rates: TaxRates) -> list[Came]:
    """Each line after its own discount and its part of the order's; raises as ``write_lines``."""
    nets: list[Fen] = []
    for line in write_lines(request, rates):
        if line.nature is UNSET:
            nets.append(line.total)
        else:
            nets[-1] += line.total
    return [Came(line, net, _quantity(line)) for line, net in zip(request.lines, nets, strict=True)]


def shares_of(order: OrderRequest, total: Fen) -> list[Fen]:
    """What each guest's share is; MalformedError parts_incomplete, part_unclear, total_zero."""
    parts = 1 if isinstance(order.parts, msgspec.UnsetType) else order.parts
    if isinstance(order.shares, msgspec.UnsetType):
        found = spread(total, [1] * parts)
    else:
        found = list(order.shares)
        if order.parts is not UNSET and parts != len(found):
            raise MalformedError(
                "part_unclear", "shares say how many parts there are", pointer="/parts"
            )
    if sum(found) != total:
        raise MalformedError(
            "parts_incomplete", f"the order comes to {total} fen", pointer="/shares"
        )
    if not all(found):
        raise MalformedError("total_zero", "a share comes to nothing", pointer="/shares")
    return found


def divided(
    request: InvoiceRequest, shares: Sequence[Fen], came: Sequence[Came]
) -> list[InvoiceRequest]:
    """What is issued for each share: of one share, the order as it was said."""
    if len(shares) == 1:
        return [request]
    nets = [one.net for one in came]
    quantities = [one.quantity for one in came]
    found = []
    for number, share in enumerate(shares, 1):
        lines = []
        for index, part in enumerate(spread(share, nets)):
            quantity = _taken(quantities[index], part, nets[index])
            nets[index] -= part
            quantities[index] -= quantity
            if part:
                lines.append(_line(came[index].line, part, quantity))
        told: dict[str, Any] = {"part": number, "parts": len(shares), "order_total": sum(shares)}
        found.append(msgspec.structs.replace(request, lines=lines, discount=0, total=UNSET, **told))
    return found


def _quantity(line: LineRequest) -> int:
    text = "1" if isinstance(line.quantity, msgspec.UnsetType) else line.quantity
    return parse_quantity(text).millionths


def _taken(quantity: int, part: Fen, net: Fen) -> int:
    """So much of a quantity as is paid for."""
    return quantity * part // net if part < net else quantity


def _line(line: LineRequest, part: Fen, quantity: int) -> LineRequest:
    """A share of a line, by what it comes to: its quantity is for reading."""
    return LineRequest(
        name=line.name,
        tax_rate=line.tax_rate,
        total=part,
        quantity=format_quantity(max(quantity, 1)),
        spec=line.spec,
        unit=line.unit,
        tax_kind=line.tax_kind,
    )
