"""A slip of an order that has no invoice yet: what was had, and the code by which it is claimed.

It is no invoice, and says so; whoever has the code may claim.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from invoice_service.documents.slip import (
    PAPERS,
    SAMPLE,
    Block,
    Code,
    Pair,
    Rule,
    Slip,
    Text,
    Width,
    yuan,
)
from invoice_service.domain.invoice import InvoiceRequest
from invoice_service.domain.money import Fen
from invoice_service.domain.numbering import shanghai_time

TITLE = "自助开票"
NO_INVOICE = "本单不是发票 Not an invoice"
CALL = "扫码填写抬头 交易即开票"
CALL_EN = "Scan for your invoice"


class Ordered(Protocol):
    """What stands on it of an order."""

    @property
    def order_id(self) -> str: ...

    @property
    def total(self) -> Fen: ...

    @property
    def shares(self) -> tuple[Fen, ...]: ...

    @property
    def expires_at(self) -> int: ...


def claim_slip(
    order: Ordered,
    parts: Sequence[InvoiceRequest],
    seller: str,
    link: str,
    width: Width,
    *,
    sample: bool,
) -> Slip:
    """The slip of an order that is claimed at ``link``; a ``sample`` says that it is one."""
    head = [Text(TITLE, "center", bold=True, large=True)]
    if sample:
        head.append(Text(SAMPLE, "center", bold=True, large=True))
    return Slip(PAPERS[width], (*head, *_blocks(order, parts, seller, link)))


def _blocks(
    order: Ordered, parts: Sequence[InvoiceRequest], seller: str, link: str
) -> Iterator[Block]:
    yield Text(seller, "center")
    yield Text(NO_INVOICE, "center")
    yield Rule()
    for line in _names(parts):
        yield Text(line)
    yield Rule()
    yield Pair("订单号 Order", order.order_id)
    if len(order.shares) > 1:
        yield Pair("分单 Shares", str(len(order.shares)))
    yield Pair("合计 Total", yuan(order.total), bold=True, tall=True)
    yield Code(link)
    yield Text(CALL, "center", bold=True)
    yield Text(CALL_EN, "center")
    yield Text(f"有效期至 Until {shanghai_time(order.expires_at):%Y-%m-%d %H:%M}", "center")


def _names(parts: Sequence[InvoiceRequest]) -> list[str]:
    """What was had, each once."""
    return list(dict.fromkeys(line.name for part in parts for line in part.lines))
