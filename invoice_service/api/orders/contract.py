"""Orders and payment notices: what is sent, what is answered. Money in fen, times UTC."""

from typing import Final, Literal

import msgspec

from invoice_service.api.invoices.contract import FOR_WHOMEVER, SOLD
from invoice_service.api.invoices.contract import WORDS as OF_INVOICES
from invoice_service.domain.bounds import LARGEST
from invoice_service.openapi.operation import (
    DAY,
    FIELDS,
    JSON,
    OCTETS,
    SLIP_ASKED,
    STORE,
    TEXT,
    Operation,
    Parameter,
    Words,
    page,
    says,
)
from invoice_service.services.claims.ports import OrderState, Payer
from invoice_service.services.claims.shapes import LONGEST, OrderRequest
from invoice_service.services.claims.wechat import WechatNotice

ORDER = Parameter(
    "order", "The order's id", "path", {"type": "string", "pattern": "^[0-9a-f]{32}$"}
)
_MOST: Final = 10**13


class ShareBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A guest's share of an order; with its invoice once it has been claimed."""

    part: int
    amount: int
    state: Literal["free", "begun", "claimed"]
    claimed_at: str = ""
    hash: str = ""
    number: str = ""


class PaymentBody(msgspec.Struct, kw_only=True):
    """Money that came, or is said to have come."""

    by: Payer
    reference: str
    amount: int
    at: str
    counts: bool


class OrderBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An order; ``link`` is for its customer, and nobody else."""

    id: str
    order_id: str
    till: str = ""
    business_day: str
    total: int
    state: OrderState
    link: str
    qr: str
    created_at: str
    expires_at: str
    paid_at: str = ""
    auto_issue: bool = False
    after_payment: bool = False
    shares: list[ShareBody]
    payments: list[PaymentBody] = []


class OrderPage(msgspec.Struct):
    """``next`` is the ``after`` of the following page; null on the last."""

    orders: list[OrderBody]
    next: str | None


class WechatAnswer(msgspec.Struct):
    """What WeChat Pay takes for an acknowledgement."""

    code: str = "SUCCESS"
    message: str = ""


class AlipayNotice(msgspec.Struct, omit_defaults=True):
    """A notice of Alipay; further fields are signed, and passed over."""

    out_trade_no: str
    trade_no: str
    total_amount: str
    trade_status: str
    sign: str
    sign_type: str = "RSA2"


_SAME: Final = (
    *("order_id", "lines", "discount", "total", "remark", "drawer", "payee", "reviewer"),
    *("till", "business_day"),
)

WORDS: Final[Words] = {
    **{f"OrderRequest.{name}": OF_INVOICES[f"InvoiceRequest.{name}"] for name in _SAME},
    "OrderRequest.business_day": says(
        "The day to which the order counts; today's unless given. A till that issues the order by"
        " itself sends the day that stands in the answer",
        format="date",
    ),
    "OrderRequest.parts": says("Among how many guests it is shared alike; 1 unless given"),
    "OrderRequest.shares": says("Instead: the guests' shares in fen, together the total"),
    "OrderRequest.expires_in": says(
        "Seconds for which it may be claimed; as configured (seven days) unless given",
        minimum=60,
        maximum=LONGEST,
    ),
    "OrderRequest.auto_issue": says(
        "`true`: once it is paid, what nobody has claimed is issued by itself, to an unnamed"
        " individual"
    ),
    "OrderRequest.after_payment": says("`true`: nobody claims it before it is paid"),
    "ShareBody.part": says("Which share, from 1", minimum=1, maximum=5),
    "ShareBody.amount": says("Fen, tax included"),
    "ShareBody.state": says("`begun`: somebody has asked, and the invoice is on its way"),
    "ShareBody.claimed_at": says("When it was asked for, UTC"),
    "ShareBody.hash": says("The invoice's hash"),
    "ShareBody.number": says("The invoice's number"),
    "PaymentBody.by": says("Who said so"),
    "PaymentBody.reference": says("The payment service's number of it; of a till, the order's id"),
    "PaymentBody.amount": says("Fen"),
    "PaymentBody.at": says("When we were told, UTC", format="date-time"),
    "PaymentBody.counts": says("`false`: it is not what the order comes to, which is not paid"),
    "OrderBody.id": says("Given out here: `out_trade_no` for payment services"),
    "OrderBody.order_id": says("The merchant's order"),
    "OrderBody.till": says("The till whose order it is"),
    "OrderBody.business_day": says("The day to which the merchant counts the order"),
    "OrderBody.total": says("Fen, tax included"),
    "OrderBody.state": says(
        "`claimed`: every share has its invoice; `expired`: nobody claims it any more"
    ),
    "OrderBody.link": says("Where its customer claims: the secret is in it"),
    "OrderBody.qr": says("What its QR code says"),
    "OrderBody.created_at": says("UTC", format="date-time"),
    "OrderBody.expires_at": says("Until then it may be claimed, UTC", format="date-time"),
    "OrderBody.paid_at": says("When it was paid, UTC; absent while it is not"),
    "OrderBody.auto_issue": says("What is paid and not claimed issues by itself"),
    "OrderBody.after_payment": says("It is claimed after it was paid"),
    "OrderBody.shares": says("One, or one for each guest"),
    "OrderBody.payments": says("All that was said to have been paid"),
    "OrderPage.orders": says("In the order in which they were made"),
    "OrderPage.next": says("The `after` of the following page; null on the last"),
    "WechatNotice.id": says("The notice's id"),
    "WechatNotice.event_type": says("`TRANSACTION.SUCCESS`; all else is acknowledged, and no more"),
    "WechatNotice.resource": says("What it says"),
    "WechatResource.algorithm": says("`AEAD_AES_256_GCM`"),
    "WechatResource.ciphertext": says("Base64"),
    "WechatResource.nonce": says("Twelve characters"),
    "WechatResource.associated_data": says("What is authenticated beside it"),
    "WechatAnswer.code": says("`SUCCESS`"),
    "WechatAnswer.message": says("Nothing"),
    "AlipayNotice.out_trade_no": says("Our order's `id`"),
    "AlipayNotice.trade_no": says("Alipay's number of the payment"),
    "AlipayNotice.total_amount": says("Yuan"),
    "AlipayNotice.trade_status": says("`TRADE_SUCCESS` or `TRADE_FINISHED`: it was paid"),
    "AlipayNotice.sign": says("RSA2 over all fields in order but `sign` and `sign_type`"),
    "AlipayNotice.sign_type": says("`RSA2`"),
}

_READ: Final = ("order_unknown", "key_unreadable", *STORE)
_NOTICE: Final = (
    *("payments_off", "payment_malformed", "payment_signature_invalid", "payment_order_unknown"),
    *("payment_amount_differs", "payment_keys_unreadable", "body_too_large", "empty_body", *STORE),
)
_HEADERS: Final = tuple(
    Parameter(f"Wechatpay-{name}", text, "header")
    for name, text in (
        ("Timestamp", "Unix seconds"),
        ("Nonce", "Beside the time and the body, what is signed"),
        ("Serial", "Whose key it is"),
        ("Signature", "RSA with SHA-256, base64"),
    )
)

OPERATIONS: Final = (
    Operation(
        "post",
        "/v1/orders",
        "makeOrder",
        "orders",
        "Make an order whose invoice its customer claims",
        "The order with its link: 201 when new, 200 when it was made before",
        ((JSON, OrderBody),),
        "merchant",
        (),
        ((JSON, OrderRequest),),
        (201, 200),
        scope="issue",
        codes=(
            *(*SOLD, "value_unknown", "parts_incomplete", "part_unclear", "order_differs"),
            *(
                "merchant_suspended",
                "merchant_left",
                "merchant_revoked",
                "prepaid_unknown",
                "key_unreadable",
            ),
            "database_refused",
            *STORE,
        ),
    ),
    Operation(
        "get",
        "/v1/orders",
        "listOrders",
        "orders",
        "A merchant's orders",
        "In the order in which they were made",
        ((JSON, OrderPage),),
        "merchant",
        (
            Parameter("order_id", "Only orders of this number"),
            Parameter("business_day", "Only orders of this day", schema=DAY),
            *page(500, LARGEST),
        ),
        scope="read",
        codes=("parameter_malformed", "key_unreadable", *STORE),
    ),
    Operation(
        "get",
        "/v1/orders/{order}",
        "readOrder",
        "orders",
        "How far an order has come",
        "The order",
        ((JSON, OrderBody),),
        "merchant",
        (ORDER,),
        scope="read",
        codes=_READ,
    ),
    Operation(
        "delete",
        "/v1/orders/{order}",
        "cancelOrder",
        "orders",
        "Cancel an order of which nothing was claimed",
        "The order",
        ((JSON, OrderBody),),
        "merchant",
        (ORDER,),
        scope="issue",
        codes=("order_claimed", *_READ),
    ),
    Operation(
        "post",
        "/v1/orders/{order}/paid",
        "orderPaid",
        "orders",
        "Say that the till has the money",
        "The order: 201 when that is news, 200 when it was said before",
        ((JSON, OrderBody),),
        "merchant",
        (ORDER,),
        (),
        (201, 200),
        scope="issue",
        codes=_READ,
    ),
    Operation(
        "post",
        "/v1/orders/{order}/rest",
        "orderRest",
        "orders",
        "Issue what nobody has claimed to an unnamed individual",
        "The order, of which every share has its invoice",
        ((JSON, OrderBody),),
        "merchant",
        (ORDER,),
        scope="issue",
        codes=("order_cancelled", "order_not_paid", *FOR_WHOMEVER, *_READ),
    ),
    Operation(
        "get",
        "/v1/orders/{order}/slip",
        "orderSlip",
        "orders",
        "A slip by which its customer claims, for a thermal printer",
        "Bytes for the printer: ESC/POS, GB18030",
        ((OCTETS, "bytes"),),
        "merchant",
        (ORDER, SLIP_ASKED[0]),
        scope="read",
        codes=("parameter_malformed", "order_claimed", "order_cancelled", *_READ),
    ),
    Operation(
        "get",
        "/v1/orders/{order}/slip.png",
        "orderPicture",
        "orders",
        "The same as a picture",
        "PNG, a pixel for each dot",
        (("image/png", "bytes"),),
        "merchant",
        (ORDER, SLIP_ASKED[0]),
        scope="read",
        codes=(
            *("parameter_malformed", "order_claimed", "order_cancelled", "slip_too_long"),
            *("font_missing", *_READ),
        ),
    ),
    Operation(
        "post",
        "/v1/payments/wechat",
        "wechatPaid",
        "orders",
        "WeChat Pay says that an order was paid",
        "Taken, or taken before",
        ((JSON, WechatAnswer),),
        "",
        _HEADERS,
        ((JSON, WechatNotice),),
        codes=("payment_time_over", "payment_serial_unknown", *_NOTICE),
    ),
    Operation(
        "post",
        "/v1/payments/alipay",
        "alipayPaid",
        "orders",
        "Alipay says that an order was paid",
        "`success`: taken, or taken before",
        ((TEXT, "string"),),
        "",
        (),
        ((FIELDS, AlipayNotice),),
        codes=_NOTICE,
    ),
)
