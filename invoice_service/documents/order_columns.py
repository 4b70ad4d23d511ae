"""What the columns of a table of orders are called, and what their cells mean.

A cell is taken where its meaning is sure, and refused where a spreadsheet has destroyed it, by the
cause. A column that nobody here knows is kept as it is.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from chain.errors import MalformedError

NAMES: Final = {
    "order_id": (
        "order",
        "order no",
        "order number",
        "订单号",
        "订单编号",
        "单号",
        "账单号",
        "小票号",
    ),
    "time": ("date", "日期", "时间", "下单时间", "交易时间", "结账时间", "营业时间"),
    "item": (
        *("name", "product", "商品名称", "商品", "名称", "品名", "菜名", "菜品", "菜品名称"),
        "项目名称",
    ),
    "spec": ("specification", "规格", "规格型号"),
    "unit": ("单位", "计量单位"),
    "quantity": ("qty", "数量"),
    "unit_price": ("price", "单价", "含税单价"),
    "tax_rate": ("rate", "税率"),
    "discount": ("折扣金额", "优惠", "优惠金额"),
    "discount_unclear": ("折扣",),  # an amount, or the share of a price
    "total": (
        "小计",
        "含税金额",
        "价税合计",
    ),  # 金额 may be with tax or without: in doubt it is not
    "unit_price_yuan": (),
    "tax_kind": ("税率类型",),
    "order_discount": (
        "整单优惠",
        "整单优惠金额",
        "订单优惠",
        "订单优惠金额",
        "订单折扣金额",
        "抹零",
        "抹零金额",
    ),
    "invoice_total": ("开票金额", "发票金额"),
    "till": ("till no", "收银台", "收银机号", "款台", "款台号"),
    "business_day": ("business date", "营业日", "营业日期"),
    "part": ("分单号",),
    "parts": ("分单数",),
    "order_total": ("分单总额",),
    "replaces": ("替代密码区",),
    "buyer": ("buyer name", "购买方", "购买方名称", "购方名称", "发票抬头", "抬头", "抬头名称"),
    "buyer_tax_id": ("购买方税号", "购方税号", "购买方纳税人识别号", "抬头税号", "税号"),
    "buyer_kind": ("购买方类型", "抬头类型"),
    "buyer_address_phone": ("购买方地址电话", "购买方地址、电话"),
    "buyer_payment_id": ("付款标识",),
    "remark": ("发票备注", "开票备注"),  # 备注 alone may be for nobody else's eyes
    "drawer": ("开票人",),
    "payee": ("收款人",),
    "reviewer": ("复核人",),
}
"""Other names of a column; one that is in no list is none of ours."""

OF_ITS_ORDER: Final = frozenset(
    [
        *("order_id", "time", "till", "business_day", "part", "parts", "order_total", "replaces"),
        *("order_discount", "invoice_total", "remark", "drawer", "payee", "reviewer"),
        *("buyer", "buyer_tax_id", "buyer_kind", "buyer_address_phone", "buyer_payment_id"),
    ]
)
"""What belongs to an order as a whole: its lines say the same, or nothing."""

NEEDED: Final = ("order_id", "item", "tax_rate")
PRICES: Final = ("unit_price", "total", "unit_price_yuan")
RATES_IN_WORDS: Final = {"免税": "exempt", "不征税": "untaxed", "零税率": "zero"}
BUYERS_IN_WORDS: Final = {
    "个人": "individual",
    "企业": "company",
    "公司": "company",
    "单位": "company",
    "机关": "organisation",
    "组织": "organisation",
}

_UNIT: Final = re.compile(r"[(（](?:元|¥|￥|rmb|cny|含税|元/份)[)）]$")
_MONEY: Final = re.compile(r"(-?)(?:¥|￥|CNY|RMB)?(-?)([0-9.,]+)元?", re.ASCII)
_THOUSANDS: Final = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?", re.ASCII)
_PERCENT: Final = re.compile(r"([0-9]{1,2}(?:\.[0-9]{1,4})?)[%％]", re.ASCII)
_PLAIN: Final = re.compile(r"-?[0-9]+\.[0-9]+", re.ASCII)
_ROUNDED: Final = re.compile(r"-?[0-9](?:\.[0-9]+)?E\+?[0-9]+", re.ASCII | re.IGNORECASE)
_LOST: Final = re.compile(r"\?{2,}")  # how letters end that a code page has not
_HIDDEN: Final = re.compile(r"#+|#(?:N/A|REF!|VALUE!|NAME\?|NUM!|NULL!|DIV/0!)")
_DATE_CODE: Final = re.compile(
    r"[0-9]{1,2}月[0-9]{1,2}日?|[0-9]{1,2}-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-[0-9]{2}"
    r"|(?:19|20)[0-9]{2}/[0-9]{1,2}/[0-9]{1,2}",
    re.ASCII,
)
_SERIAL: Final = re.compile(r"[3-7][0-9]{4}(?:\.[0-9]+)?", re.ASCII)
_SERIAL_ZERO: Final = datetime(1899, 12, 30)  # noqa: DTZ001 # sheets know no zone
_DIGITS_MATTER: Final = frozenset({"order_id", "till", "buyer_tax_id", "code"})
_DIGITS: Final = 15
"""Of a number that a spreadsheet keeps; it shows no more."""


def _plain(name: str) -> str:
    """A column's name without what does not tell it from others: case, unit, blanks."""
    return _UNIT.sub("", name.casefold().replace("_", " ").replace(" ", ""))


_KNOWN: Final = {_plain(other): name for name, others in NAMES.items() for other in (name, *others)}


class Columns(NamedTuple):
    """Which place has what: our columns by their names, the others by theirs.

    ``called`` is what the file calls ours.
    """

    ours: dict[str, int]
    others: dict[str, int]
    width: int
    called: dict[str, str]


def columns_of(header: Sequence[str]) -> Columns:
    """Read a header; MalformedError ``csv_header_unknown`` where ours are missing or doubled."""
    ours: dict[str, int] = {}
    others: dict[str, int] = {}
    for place, text in enumerate(header):
        name = _KNOWN.get(_plain(text))
        if name in ours:
            raise _unknown(
                f"two columns are the {name}: {header[ours[name]]!r} and {text!r}",
                f"两列同为 {name}：“{header[ours[name]]}”和“{text}”",
            )
        if name is not None:
            ours[name] = place
        elif text:
            others.setdefault(text, place)
    missing = [name for name in NEEDED if name not in ours]
    if missing or not any(name in ours for name in PRICES):
        raise _missing(header, missing or list(PRICES[:2]))
    called = {name: header[place] for name, place in ours.items()}
    return Columns(ours, others, len(header), called)


def money(text: str) -> str:
    """An amount without its currency and thousands separators; what is none is left as it is."""
    match = _MONEY.fullmatch(text.replace(" ", ""))
    if match is None or (match[1] and match[2]):
        return text
    digits = match[3]
    if "," in digits:
        if not _THOUSANDS.fullmatch(digits):
            return text
        digits = digits.replace(",", "")
    return (match[1] or match[2]) + _shown(digits)


def quantity(text: str) -> str:
    """A quantity, without thousands separators and needless zeros."""
    plain = text.replace(",", "") if _THOUSANDS.fullmatch(text) else text
    plain = _shown(plain)
    return plain.rstrip("0").rstrip(".") if _PLAIN.fullmatch(plain) else plain


def rate(text: str) -> tuple[str, str]:
    """(rate, kind of rate 0 or "") of `6%`, `0.060`, 免税; what is none is left as it is."""
    if text in RATES_IN_WORDS:
        return "0", RATES_IN_WORDS[text]
    percent = _PERCENT.fullmatch(text)
    if percent:
        return f"{(Decimal(percent[1]) / 100).normalize():f}", ""
    return quantity(text), ""


def rate_cell(text: str, kind: str) -> str:
    """What ``rate`` reads as this rate, and as this kind of rate 0 ("" and zero are the same)."""
    words = {name: word for word, name in RATES_IN_WORDS.items() if name != "zero"}
    return words.get(kind, text)


def time(text: str) -> str:
    """A time as people write it, of one that a workbook has as a number of days."""
    if not _SERIAL.fullmatch(text):
        return text
    minutes = round(Decimal(text) * 24 * 60)
    at = _SERIAL_ZERO + timedelta(minutes=minutes)
    return f"{at:%Y-%m-%d %H:%M}" if "." in text else f"{at:%Y-%m-%d}"


def buyer_kind(text: str) -> str:
    """What kind of buyer a word says; what is none of ours is left as it is."""
    return BUYERS_IN_WORDS.get(text, text)


def check_whole(name: str, text: str, line: int) -> None:
    """Refuse what a spreadsheet has put in a cell's place.

    MalformedError: csv_cell_destroyed; text_damaged; csv_number_destroyed of what digit by digit
    matters.
    """
    if _HIDDEN.fullmatch(text):
        raise MalformedError(
            "csv_cell_destroyed",
            f"line {line}: the cell of {name} says {text[:20]}: the column was too narrow, or its"
            " formula failed, when the file was saved",
            pointer=f"/{name}",
            detail_zh=f"第 {line} 行：单元格内容为 {text[:20]}",
        )
    if _LOST.fullmatch(text):
        raise MalformedError(
            "text_damaged",
            f"line {line}: of {name} there are question marks only: its letters were lost when the"
            " file was saved; save it as .xlsx, or as CSV UTF-8",
            pointer=f"/{name}",
            detail_zh=f"第 {line} 行：只剩问号，文字在保存时已丢失；请另存为 .xlsx 或 CSV UTF-8",
        )
    if name not in _DIGITS_MATTER:
        return
    cause = "number" if _ROUNDED.fullmatch(text) else "date" if _DATE_CODE.fullmatch(text) else ""
    if cause:
        raise MalformedError(
            "csv_number_destroyed",
            f"line {line}: a spreadsheet took the {name} for a {cause} and wrote {text},"
            " and its digits are lost: export that column as text",
            pointer=f"/{name}",
            detail_zh=f"第 {line} 行：{text}",
        )


def _shown(digits: str) -> str:
    """As a spreadsheet shows it: 28.300000000000001 is how it keeps 28.3."""
    if not _PLAIN.fullmatch(digits) or len(digits.replace(".", "").lstrip("-0")) <= _DIGITS:
        return digits
    exact = Decimal(digits)
    return f"{exact.quantize(Decimal(1).scaleb(exact.adjusted() - _DIGITS + 1)).normalize():f}"


def _missing(header: Sequence[str], names: list[str]) -> MalformedError:
    if not header:
        return _unknown("there is nothing in the file", "文件是空的")
    apart = next((sign for sign in ("\t", ";", "|") if len(header) == 1 and sign in header[0]), "")
    if apart:
        called = {"\t": ("tabs", "制表符")}.get(apart, (apart, apart))
        return _unknown(
            f"columns stand apart by {called[0]}: save it as CSV with commas, or as .xlsx",
            f"各列以{called[1]}分隔，请另存为以逗号分隔的 CSV 或 .xlsx",
        )
    return _unknown(
        "; ".join(f"no column is the {name} (also: {', '.join(NAMES[name])})" for name in names),
        "；".join(f"缺少 {name} 列（{'、'.join(_in_chinese(name))}）" for name in names),
    )


def _in_chinese(name: str) -> list[str]:
    return [other for other in NAMES[name] if not other.isascii()]


def _unknown(why: str, why_zh: str) -> MalformedError:
    return MalformedError(
        "csv_header_unknown",
        f"{why}. The first line names the columns, in any order; the template has all of them",
        detail_zh=why_zh,
    )
