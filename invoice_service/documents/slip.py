"""A slip for a thermal printer: what stands on it, in blocks that know no printer and no font.

One layout for all: ``documents.columns`` breaks it into printed lines, from which the printer's
bytes and the picture are made; the page shows the blocks as they are. What may not be seen is not
on it: see ``shown``.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.money import Fen, format_yuan
from invoice_service.domain.numbering import format_issued_at
from invoice_service.domain.verdict import NAMES_ZH, Verdict, shown_buyer_name

Width: TypeAlias = Literal[58, 80]
Form: TypeAlias = Literal["full", "short", "electronic"]
Align: TypeAlias = Literal["left", "center"]

FORMS: Final[tuple[Form, ...]] = ("full", "short", "electronic")
TITLE: Final = "深圳电子普通发票"
COPY: Final = "副本"
NOT_SHOWN: Final = "（未显示）"
"""Of a group that somebody hides who could show it: not a letter of it is on paper."""

SAMPLE: Final = "样本"
"""Beside the title where the service is no tax office's: nobody is to take the slip for one."""

RED: Final = "红字发票"
_REVERSED: Final = {
    "part": NAMES_ZH[Verdict.PARTLY_REVERSED],
    "full": NAMES_ZH[Verdict.REVERSED],
}
_UNTAXED: Final = {"exempt": "免税", "untaxed": "不征税"}


class Paper(NamedTuple):
    """A roll: millimetres, dots of the printer's head (203 dpi), columns of 12 dots."""

    width: Width
    dots: int
    columns: int


PAPERS: Final[dict[Width, Paper]] = {58: Paper(58, 384, 32), 80: Paper(80, 576, 48)}


class Text(NamedTuple):
    """A paragraph."""

    text: str
    align: Align = "left"
    bold: bool = False
    large: bool = False  # twice as wide and as high


class Pair(NamedTuple):
    """A name at the left, and at the right edge a figure, which is never broken.

    ``tall`` print is twice as high.
    """

    left: str
    right: str
    bold: bool = False
    tall: bool = False


class Rule(NamedTuple):
    """A line across the paper."""


class Code(NamedTuple):
    """A QR code, in the middle."""

    text: str


Block: TypeAlias = Text | Pair | Rule | Code


class Slip(NamedTuple):
    """What is printed, from top to bottom."""

    paper: Paper
    blocks: tuple[Block, ...]


class Asked(NamedTuple):
    """Which slip of an invoice; ``hidden`` are groups of which it says that they are not shown."""

    width: Width = 58
    form: Form = "full"
    copy: bool = False
    hidden: frozenset[str] = frozenset()


def slip_of(
    invoice: StoredInvoice, asked: Asked, link: str, shown: frozenset[str], *, sample: bool
) -> Slip:
    """The slip of an invoice whose code says ``link``; a ``sample`` says that it is one.

    Without ``buyer`` among the groups that are ``shown`` there is no more of the buyer than in a
    verdict: an individual's name is masked. Without ``lines`` there are none. What is asked to be
    ``hidden`` is shown to nobody.
    """
    shown -= asked.hidden
    head = tuple(_head(invoice, copy=asked.copy, sample=sample))
    return Slip(PAPERS[asked.width], head + tuple(_blocks(invoice, asked, link, shown)))


def yuan(fen: Fen) -> str:
    """Money as printers have it: U+FFE5 is in GBK, U+00A5 is not."""
    whole, cents = format_yuan(abs(fen)).split(".")
    return f"{'-' if fen < 0 else ''}￥{int(whole):,}.{cents}"


def _blocks(
    invoice: StoredInvoice, asked: Asked, link: str, shown: frozenset[str]
) -> Iterator[Block]:
    face: dict[str, Any] = msgspec.json.decode(invoice.face)
    if asked.form == "electronic":
        yield from _electronic(invoice, face, link)
        return
    yield Rule()
    yield from _numbers(invoice)
    yield Rule()
    yield from _seller(face["seller"], whole=asked.form == "full")
    if asked.form == "full":
        if "buyer" in asked.hidden:
            yield Text(f"购买方: {NOT_SHOWN}")
        else:
            yield from _buyer(msgspec.json.decode(invoice.buyer), whole="buyer" in shown)
        if "lines" in shown:
            yield Rule()
            yield from _lines(msgspec.json.decode(invoice.lines))
        elif "lines" in asked.hidden:
            yield Rule()
            yield Text(f"明细: {NOT_SHOWN}")
    yield Rule()
    yield from _totals(invoice)
    yield Code(link)
    yield Text("扫码查验真伪", "center")
    if asked.form == "full":
        yield from _foot(invoice, face)


def _head(invoice: StoredInvoice, *, copy: bool, sample: bool) -> Iterator[Text]:
    if copy:
        yield Text(COPY, "center", bold=True, large=True)
    yield Text(TITLE, "center", bold=True, large=True)
    if invoice.type == "red":
        yield Text(RED, "center", bold=True, large=True)
    if invoice.reversal is not None:
        yield Text(_REVERSED[invoice.reversal], "center", bold=True)
    if sample:
        yield Text(SAMPLE, "center", bold=True, large=True)


def _numbers(invoice: StoredInvoice) -> Iterator[Pair]:
    yield Pair("发票代码", invoice.code)
    yield Pair("发票号码", invoice.number)
    yield Pair("开票日期", _time(invoice))
    yield Pair("校验码", invoice.check_code)


def _time(invoice: StoredInvoice) -> str:
    """When it was issued, as clocks in Shenzhen showed it."""
    day, _, time = format_issued_at(invoice.issued_at).partition("T")
    return f"{day} {time[:8]}"


def _seller(seller: dict[str, str], *, whole: bool) -> Iterator[Text]:
    yield Text(f"销售方: {seller['name']}")
    yield Text(f"税号: {seller['tax_id']}")
    if whole:
        yield from _given("地址、电话", seller["address_phone"])
        yield from _given("开户行及账号", seller["bank_account"])


def _buyer(buyer: dict[str, str], *, whole: bool) -> Iterator[Text]:
    yield from _given("购买方", buyer["name"] if whole else shown_buyer_name(buyer))
    if whole:
        yield from _given("税号", buyer["tax_id"])
        yield from _given("地址、电话", buyer["address_phone"])
        yield from _given("电子支付标识", buyer["payment_id"])


def _lines(lines: list[dict[str, Any]]) -> Iterator[Block]:
    rates = {_rate(line) for line in lines}
    for line in lines:
        if line.get("nature") == "discount":
            yield Pair("  折扣", yuan(line["amount"] + line["tax"]))
            continue
        if line.get("nature") == "allowance":
            yield Text(line["name"])
            yield Pair("  折让", yuan(line["amount"] + line["tax"]))
            continue
        yield Text(" ".join(filter(None, (line["name"], line["spec"]))))
        rate = f" {_rate(line)}" if len(rates) > 1 else ""
        yield Pair(f"  {_measure(line)}{rate}", yuan(line["amount"] + line["tax"]))
    if len(rates) == 1:
        yield Text(rates.pop())


def _measure(line: dict[str, Any]) -> str:
    """How much, and at which price if one was given."""
    quantity = f"{line['quantity']}{line['unit']}"
    if "unit_price_yuan" in line:
        return f"{quantity} x ￥{line['unit_price_yuan']}"
    return f"{quantity} x {yuan(line['unit_price'])}" if "unit_price" in line else quantity


def _rate(line: dict[str, Any]) -> str:
    kind = _UNTAXED.get(line.get("tax_kind", ""))
    return kind or f"税率{(Decimal(line['tax_rate']) * 100).normalize():f}%"


def _totals(invoice: StoredInvoice) -> Iterator[Pair]:
    yield Pair("金额", yuan(invoice.amount))
    yield Pair("税额", yuan(invoice.tax))
    yield Pair("价税合计", yuan(invoice.total), bold=True, tall=True)


def _electronic(invoice: StoredInvoice, face: dict[str, Any], link: str) -> Iterator[Block]:
    """As little paper as can be: the invoice itself is behind the code."""
    yield Text(face["seller"]["name"], "center")
    yield Pair("发票号码", invoice.number)
    yield Pair("开票日期", _time(invoice))
    yield Pair("价税合计", yuan(invoice.total), bold=True, tall=True)
    yield Code(link)
    yield Text("扫码查看并保存电子发票", "center")


def _foot(invoice: StoredInvoice, face: dict[str, Any]) -> Iterator[Text]:
    yield Text(f"密码区: {invoice.hash}")
    yield from _given("备注", face["remark"])
    yield from _given("收款人", face["payee"])
    yield from _given("复核", face["reviewer"])
    yield from _given("开票人", face["drawer"])
    yield Text(f"订单号: {invoice.order_id}")


def _given(name: str, text: str) -> Iterator[Text]:
    if text:
        yield Text(f"{name}: {text}")
