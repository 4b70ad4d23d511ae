"""Invoices: what is sent, what is answered. Money in fen; ``issued_at`` RFC 3339 with +08:00."""

from typing import Annotated, Final

import msgspec

from invoice_service.api.problems import ProblemBody
from invoice_service.domain.bounds import LARGEST
from invoice_service.domain.invoice import NoPromise
from invoice_service.domain.lifecycle import Type
from invoice_service.domain.request import BatchRecord, InvoiceRequest, ReversalRequest
from invoice_service.domain.verdict import Verdict
from invoice_service.openapi.operation import (
    DAY,
    FROM,
    HASH,
    HASH_TEXT,
    HIDE,
    JSON,
    LOG,
    LOOKING,
    NDJSON,
    NUMBER,
    OCTETS,
    PURPOSE,
    SLIP_ASKED,
    STORE,
    TAX_ID_OR_NONE,
    TEXTS,
    TO,
    Operation,
    Parameter,
    Words,
    page,
    says,
    whole,
)

MODULE = Parameter("module", "Printer dots for each QR module", schema=whole(4, 32))
AGAIN = Parameter(
    "Idempotency-Key",
    "1 to 255 visible ASCII characters",
    "header",
    {"type": "string", "pattern": "^[!-~]{1,255}$"},
)
PREFER = Parameter("Prefer", "wait=N (seconds, 30 at most), return=minimal", "header")
DRAWER = Parameter("drawer", "`1`: the till's drawer is opened", schema={"enum": ["0", "1"]})

Group = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": ["object", "array"]})]
"""Canonical JSON, passed on as it is stored."""


class InvoiceBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An invoice without its groups; ``state`` is its verdict when nothing was altered."""

    hash: str
    code: str
    number: str
    check_code: str
    type: Type
    issued_at: str
    order_id: str
    amount: int
    tax: int
    total: int
    state: Verdict
    qr: str
    till: str = ""
    business_day: str = ""
    part: int = 0
    parts: int = 0
    order_total: int = 0
    replaces: str = ""
    reverses: str | None = None
    reversed_by: tuple[str, ...] = ()
    left: int | None = None
    promise: str | None = None
    no_promise: NoPromise | None = None


class InvoiceDetail(InvoiceBody, kw_only=True, omit_defaults=True):
    """An invoice with its groups, the very bytes that were frozen.

    A group that the asker may not see is ``{"digest": "…"}`` instead.
    """

    face: Group
    buyer: Group
    lines: Group
    buyer_erased: bool = False
    replaced_by: tuple[str, ...] = ()


class InvoicePage(msgspec.Struct):
    """``next`` is the ``after`` of the following page; null on the last."""

    invoices: list[InvoiceBody]
    next: str | None


class Prints(msgspec.Struct):
    """How many slips of an invoice are on paper."""

    prints: int


class BatchResult(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What became of one line of a batch: what a single request would have got."""

    line: int
    status: int
    invoice: InvoiceBody | None = None
    problem: ProblemBody | None = None


_MOST = 10**13  # fen
_TEXTS: Final = {
    "drawer": says("Who wrote it, as printed", maxLength=40),
    "payee": says("Who took the money, as printed", maxLength=40),
    "reviewer": says("Who checked it, as printed", maxLength=40),
}
_ORDER_TEXTS: Final = {
    "till": says(
        "The till whose order it is: tills may give the same numbers", minLength=1, maxLength=32
    ),
    "business_day": says(
        "The day to which the order counts: numbers may begin anew each day. With it, the same"
        " content again is a repeat for ever",
        format="date",
    ),
    "part": says("Which part of a bill that guests share; with `parts` and `order_total`"),
    "parts": says("How many parts the bill has; the first one fixes it"),
    "order_total": says(
        "Fen, tax included: the bill, which its parts never exceed; the first one fixes it",
        minimum=1,
        maximum=_MOST,
    ),
    "replaces": says(
        "The hash of this order's first invoice, once it was taken back: this one stands in its"
        " place",
        pattern="^01[0-9a-fA-F]{64}$",
    ),
}

_WORDS: Final[Words] = {
    "hash": says("The password area: 01 and the digest in hex", **HASH_TEXT),
    "code": says("The invoice code, 12 digits"),
    "number": says("The invoice number, 8 digits", **NUMBER),
    "check_code": says("The last five digits of the digest, as printed"),
    "type": says("`blue`, or `red` for one that takes a blue one back"),
    "issued_at": says("RFC 3339 with +08:00", format="date-time"),
    "order_id": says("The merchant's order"),
    "till": says("The till whose order it is"),
    "business_day": says("The day to which the merchant counts the order"),
    "part": says("Which part of a bill this is"),
    "parts": says("How many parts the bill has"),
    "order_total": says("Fen, tax included: what all parts come to at most"),
    "replaces": says("The hash of the order's first invoice, in whose place this one stands"),
    "amount": says("Fen without tax"),
    "tax": says("Fen of tax"),
    "total": says("Fen, tax included"),
    "state": says("The verdict on it, when nothing on the slip was altered"),
    "qr": says("What its QR code says"),
    "reverses": says("The hash of the blue invoice that this red one takes back"),
    "reversed_by": says("The hashes of the red invoices that took it or parts of it back"),
    "left": says("Fen of it that stand, tax included; absent where nothing was taken back"),
    "promise": says("Signed: by when it will be in the log; keep it"),
    "no_promise": says(
        "Why there is no promise: `overdue`, it should be in the log by now and is not; `unsigned`,"
        " nobody could sign just now: send the same again"
    ),
    "face": says("Seller, amounts, number: canonical JSON"),
    "buyer": says("The buyer as issued, or its digest: canonical JSON"),
    "lines": says("The lines as issued, or their digest: canonical JSON"),
    "InvoicePage.invoices": says("In order of issue"),
    "InvoicePage.next": says("The `after` of the following page; null on the last"),
    "Prints.prints": says("How many of its slips are on paper; from the first on they are copies"),
    "BatchResult.line": says("The line of the request, counted from 1", minimum=1),
    "BatchResult.status": says("What a single request would have been answered with"),
    "BatchResult.invoice": says("The invoice; without a problem"),
    "BatchResult.problem": says("Why there is no invoice"),
    **{f"InvoiceRequest.{name}": text for name, text in _TEXTS.items()},
    "InvoiceRequest.order_id": says(
        "The order's number, once for a till and business day; printable characters, not blanks"
        " alone",
        minLength=1,
        maxLength=64,
    ),
    "InvoiceRequest.lines": says(
        "What was sold, 2,000 lines at most unless configured; together they come to more than 0",
        minItems=1,
    ),
    "InvoiceRequest.discount": says(
        "Fen, tax included, taken off the whole: spread over the lines by what each comes to after"
        " its own discount",
        minimum=0,
        maximum=_MOST,
    ),
    "InvoiceRequest.buyer": says("Who gets the invoice; an unnamed individual unless given"),
    "InvoiceRequest.total": says(
        "Fen, tax included: refused unless it is the sum over the lines", maximum=_MOST
    ),
    "InvoiceRequest.amount": says(
        "Fen without tax: refused unless it is the sum over the lines", maximum=_MOST
    ),
    "InvoiceRequest.tax": says(
        "Fen of tax: refused unless it is the sum over the lines", maximum=_MOST
    ),
    "InvoiceRequest.remark": says(
        "Printed below the lines. A text of which nothing can be seen counts as left out, here and"
        " wherever one may be",
        maxLength=230,
    ),
    **{f"InvoiceRequest.{name}": text for name, text in _ORDER_TEXTS.items()},
    "BatchRecord.idempotency_key": says(
        "As the header of a single call; no part of the invoice", pattern="^[!-~]{1,255}$"
    ),
    "LineRequest.name": says(
        "What was sold; something of it can be seen", minLength=1, maxLength=100
    ),
    "LineRequest": {
        "oneOf": [{"required": [name]} for name in ("unit_price", "unit_price_yuan", "total")]
    },
    "LineRequest.unit_price": says("Fen, tax included", minimum=0, maximum=_MOST),
    "LineRequest.unit_price_yuan": says(
        "Instead of `unit_price`: yuan, tax included, as a decimal text of eight decimals at most",
        pattern=r"^(0|[1-9][0-9]{0,10})(\.[0-9]{1,8})?$",
    ),
    "LineRequest.total": says(
        "Instead of a price: what the line comes to in fen, tax included",
        minimum=0,
        maximum=_MOST,
    ),
    "LineRequest.discount": says(
        "Fen, tax included, taken off the line: at most what it comes to; stands in a line of its"
        " own behind it",
        minimum=0,
        maximum=_MOST,
    ),
    "LineRequest.tax_kind": says(
        "With rate `0` alone: `zero` (zero-rated, the default), `exempt`, or `untaxed`"
    ),
    "LineRequest.tax_rate": says("One of the rates in force, in this spelling; 6 % is `0.06`"),
    "LineRequest.quantity": says(
        "A plain decimal above 0, six decimals at most; `1` unless given",
        pattern=r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?$",
    ),
    "LineRequest.spec": says("Model or size, as printed", maxLength=40),
    "LineRequest.unit": says("What is counted, as printed", maxLength=40),
    "Buyer.kind": says(
        "`individual` unless given; a `company` needs `name` and `tax_id`, an `organisation`"
        " without a Chinese tax id its `name`"
    ),
    "Buyer.name": says("The title", maxLength=100),
    "Buyer.tax_id": says(
        "18 digits and capital letters, the last a check digit (GB 32100-2015)",
        pattern=TAX_ID_OR_NONE,
    ),
    "Buyer.address_phone": says("Address and telephone, as printed", maxLength=100),
    "Buyer.payment_id": says("How it was paid", maxLength=100),
    "ReversalRequest.reason": says("Why it is taken back"),
    "ReversalRequest.lines": says(
        "Which lines, in order or not; instead of `amount`. Without both, all that is left",
        minItems=1,
    ),
    "ReversalRequest.amount": says(
        "Fen, tax included: spread over what is left, by what is left of each line",
        minimum=1,
        maximum=_MOST,
    ),
    "ReversalRequest.rate": says("With `amount`, where the invoice has several rates: which one"),
    "ReversalRequest.tax_kind": says("With rate `0` alone, where the invoice has several kinds"),
    "ReturnedLine.line": says(
        "The number of the stored line, counted from 1; discount lines count and cannot be named:"
        " they go with the line before",
        minimum=1,
        maximum=4_000,
    ),
    "ReturnedLine.quantity": says(
        "How much of it; all that is left unless given",
        pattern=r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?$",
    ),
}

WORDS: Final[Words] = {
    **_WORDS,
    **{
        name.replace("InvoiceRequest.", "BatchRecord."): text
        for name, text in _WORDS.items()
        if name.startswith("InvoiceRequest.")
    },
}

_ANSWERED = (
    ("Location", "Where the invoice is"),
    ("Idempotency-Replayed", "`true`: an earlier call issued it"),
    ("Preference-Applied", "What was done of `Prefer`"),
)
_READ = ("password_area", "invoice_unknown", *STORE)
FOR_WHOMEVER: Final = (
    *("merchant_suspended", "quota_exhausted", "number_range_exhausted", "numbering_changed"),
    *("merchant_left", "merchant_revoked", "quota_money_spent", "invoice_over_limit"),
    *("database_refused", "clock_behind", "clock_ahead", "log_behind", *STORE, *LOG),
)
"""What issuing is refused for, whatever is issued."""

_ISSUE = (*("idempotency_key_invalid", "idempotency_key_conflict", "value_unknown", *FOR_WHOMEVER),)
SOLD: Final = (
    *(*TEXTS, "no_lines", "too_many_lines"),
    *("quantity_invalid", "quantity_not_positive", "unit_price_not_positive", "tax_rate_unknown"),
    *("unit_price_yuan_invalid", "price_twice", "line_total_negative", "tax_kind_with_rate"),
    *("discount_negative", "discount_too_large", "total_zero"),
    *("amount_out_of_range", "totals_mismatch", "business_day_invalid", "business_day_ahead"),
)
"""What an order is refused for by what it sells, whoever it is for."""

_ORDER = (
    *(*SOLD, "tax_id_invalid", "buyer_incomplete"),
    *("parts_invalid", "password_area", "order_total_exceeded"),
    *("order_id_conflict", "order_id_reused", "order_parts_conflict", "replaces_not_first"),
    *("prepaid_unknown", "prepaid_ended", "prepaid_short", "prepaid_full"),
)

OPERATIONS: Final = (
    Operation(
        "post",
        "/v1/invoices",
        "issue",
        "issuing",
        "Issue an invoice",
        "The invoice, on disk: 201 when new, 200 when it was issued before",
        ((JSON, InvoiceBody),),
        "merchant",
        (AGAIN, PREFER),
        ((JSON, InvoiceRequest),),
        (201, 200),
        scope="issue",
        codes=(*_ORDER, *_ISSUE),
        headers=_ANSWERED,
    ),
    Operation(
        "post",
        "/v1/invoices/batch",
        "issueBatch",
        "issuing",
        "Issue many",
        "One result a line, in order",
        ((NDJSON, BatchResult),),
        "merchant",
        (PREFER,),
        ((NDJSON, BatchRecord),),
        scope="issue",
        codes=("too_many_records", *STORE, *LOG),
        large=True,
    ),
    Operation(
        "post",
        "/v1/invoices/{hash}/reversals",
        "reverse",
        "issuing",
        "Take an invoice back, or a part of it",
        "The red invoice",
        ((JSON, InvoiceBody),),
        "merchant",
        (HASH, AGAIN, PREFER),
        ((JSON, ReversalRequest),),
        (201, 200),
        scope="reverse",
        codes=(
            "password_area",
            "invoice_unknown",
            "not_reversible",
            "already_reversed",
            *("return_too_large", "return_repeated", "return_unclear", "line_unknown"),
            *("line_twice", "rate_needed", "rate_not_on_invoice", "amount_not_positive"),
            *("quantity_invalid", "quantity_not_positive", "total_zero", "no_lines"),
            "amount_out_of_range",
            *_ISSUE,
        ),
        headers=_ANSWERED,
    ),
    Operation(
        "get",
        "/v1/invoices",
        "listInvoices",
        "reading",
        "List and search own invoices; officials: all",
        "A page, in order of issue",
        ((JSON, InvoicePage),),
        "any",
        (
            *page(500),
            Parameter("order_id", "The merchant's order, exactly"),
            Parameter("till", "Beside `order_id`: the till's order"),
            Parameter("business_day", "Beside `order_id`: the order of that day", schema=DAY),
            Parameter("number", "The number", schema=NUMBER),
            FROM,
            TO,
            Parameter("merchant", "Officials only: one merchant's", schema=whole(1, LARGEST)),
            PURPOSE,
        ),
        scope="read",
        power="look",
        codes=(
            "role_required",
            *LOOKING,
            "missing_parameter",
            "parameter_malformed",
            "bill_num_invalid",
            "day_invalid",
            "range_invalid",
            *STORE,
            *LOG,
        ),
    ),
    Operation(
        "get",
        "/v1/invoices/{hash}",
        "readInvoice",
        "reading",
        "One invoice; groups that the asker may not see are digests",
        "The invoice",
        ((JSON, InvoiceDetail),),
        "optional",
        (HASH, PURPOSE),
        codes=(*_READ, *LOOKING, *LOG),
    ),
    Operation(
        "get",
        "/v1/invoices/{hash}/qr.svg",
        "qrSvg",
        "reading",
        "The QR code for screens and A4",
        "A picture",
        (("image/svg+xml", "string"),),
        "",
        (HASH, MODULE),
        codes=("parameter_malformed", *_READ),
    ),
    Operation(
        "get",
        "/v1/invoices/{hash}/qr.png",
        "qrPng",
        "reading",
        "The QR code for thermal printers",
        "A picture, 1 bit deep",
        (("image/png", "bytes"),),
        "",
        (HASH, MODULE),
        codes=("parameter_malformed", *_READ),
    ),
    Operation(
        "get",
        "/v1/invoices/{hash}/slip",
        "slip",
        "reading",
        "The slip for a thermal printer",
        "ESC/POS bytes: to be sent to the printer as they are",
        ((OCTETS, "bytes"),),
        "merchant",
        (HASH, *SLIP_ASKED, DRAWER),
        codes=("parameter_malformed", *_READ),
        scope="read",
    ),
    Operation(
        "post",
        "/v1/invoices/{hash}/prints",
        "slipPrinted",
        "reading",
        "Count a slip that is on paper: the next one is a copy",
        "How many there are now",
        ((JSON, Prints),),
        "merchant",
        (HASH,),
        statuses=(201,),
        codes=("database_refused", *_READ),
        scope="issue",
    ),
    Operation(
        "get",
        "/v1/invoices/{hash}/slip.png",
        "slipPicture",
        "reading",
        "The slip as a picture; without what the asker may not see",
        "A picture, a pixel a printer's dot",
        (("image/png", "bytes"),),
        "optional",
        (HASH, *SLIP_ASKED, HIDE, PURPOSE),
        codes=("parameter_malformed", "slip_too_long", "font_missing", *LOOKING, *_READ),
    ),
)
