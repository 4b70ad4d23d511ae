"""The first sale of an instance, as somebody types it who sets one up."""

from typing import Any, Final

import msgspec

from chain.errors import MalformedError
from invoice_service.domain.money import Fen, parse_yuan

ITEM: Final = "*餐饮服务*餐费"
"""What restaurants sell, where nothing else is said: the tax class between stars, and a name."""

ORDER: Final = "SETUP-1"
"""The first order's number: sent twice on its day, it is one invoice.

No till counts like this, so that a program which begins at 1 the same day finds that free.
"""


def first_order(item: str, price: str, rate: tuple[str, str], till: str, day: str) -> bytes:
    """The request of it, on a business ``day``; MalformedError ``price_invalid``.

    ``rate`` is one, and the kind of rate 0 or "". The rest is checked at its issue.
    """
    text, kind = rate
    line = {"name": item.strip(), "unit_price": typed_price(price), "tax_rate": text}
    if kind:
        line["tax_kind"] = kind
    order: dict[str, Any] = {"order_id": ORDER, "business_day": day, "lines": [line]}
    if till:
        order["till"] = till
    return msgspec.json.encode(order)


def typed_price(text: str) -> Fen:
    """A price in yuan as people type it, with its sign perhaps; else ``price_invalid``."""
    plain = text.strip().removeprefix("¥").removeprefix("￥").removesuffix("元").strip()
    try:
        return parse_yuan(plain)
    except MalformedError as problem:
        raise MalformedError("price_invalid", problem.detail, pointer="/price") from None
