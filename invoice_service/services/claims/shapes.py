"""What a till says of an order whose invoice its customer is to claim."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chain.hashing import sha256
from invoice_service.domain.reading import Wire, read_json
from invoice_service.domain.request import (
    Amount,
    Bill,
    InvoiceRequest,
    LineRequest,
    Part,
    PrepaidId,
    Remark,
    Text40,
    Till,
)

LONGEST: Final = 2_678_400
"""Seconds for which a claim may be open: 31 days."""

Lifetime = Annotated[int, Meta(ge=60, le=LONGEST)]


class OrderRequest(Wire, frozen=True):
    """An order without its buyer. ``parts`` guests share it alike, or as ``shares`` (fen) say.

    ``expires_in`` is in seconds, ``prepaid`` the account that pays what is claimed. With
    ``auto_issue`` it issues by itself once it is paid, with ``after_payment`` nobody claims it
    before.
    """

    order_id: Annotated[str, Meta(min_length=1, max_length=64)]
    lines: Annotated[list[LineRequest], Meta(min_length=1)]
    discount: Amount = 0
    total: Amount | UnsetType = UNSET
    remark: Remark = ""
    drawer: Text40 = ""
    payee: Text40 = ""
    reviewer: Text40 = ""
    till: Till | UnsetType = UNSET
    business_day: str | UnsetType = UNSET
    parts: Part | UnsetType = UNSET
    shares: Annotated[list[Bill], Meta(min_length=1, max_length=5)] | UnsetType = UNSET
    expires_in: Lifetime | UnsetType = UNSET
    auto_issue: bool = False
    after_payment: bool = False
    prepaid: PrepaidId | UnsetType = UNSET


_decoder: Final = msgspec.json.Decoder(OrderRequest)
_encode: Final = msgspec.json.Encoder().encode
_PREFIX: Final = b"fapiao/v1/order\n"
_OF_THE_INVOICE: Final = (
    *("order_id", "lines", "discount", "total", "remark", "drawer", "payee", "reviewer"),
    *("till", "business_day", "prepaid"),
)


def parse_order(body: bytes, max_bytes: int) -> OrderRequest:
    """Read one; MalformedError as ``read_json``. What is sold is checked when it is prepared."""
    return read_json(body, _decoder, max_bytes=max_bytes)


def invoice_of(order: OrderRequest) -> InvoiceRequest:
    """What is issued for it, but for whom."""
    said: dict[str, Any] = {name: getattr(order, name) for name in _OF_THE_INVOICE}
    return InvoiceRequest(**said)


def digest_of(order: OrderRequest) -> bytes:
    """What two calls must share to be the same one: all but for how long."""
    return bytes(sha256(_PREFIX + _encode(msgspec.structs.replace(order, expires_in=UNSET))))
