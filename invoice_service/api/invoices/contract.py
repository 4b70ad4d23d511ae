"""Invoices: what is sent, what is answered. Money in fen; ``issued_at`` RFC 3339 with +08:00."""

from typing import Annotated, Final

import msgspec

from invoice_service.api.problems import ProblemBody
from invoice_service.domain.bounds import LARGEST
from invoice_service.domain.lifecycle import Type
from invoice_service.domain.request import InvoiceRequest, ReversalRequest
from invoice_service.domain.verdict import Verdict
from invoice_service.openapi.operation import (
    FROM,
    HASH,
    JSON,
    NDJSON,
    NUMBER,
    TEXT,
    TO,
    Operation,
    Parameter,
    page,
    whole,
)

MODULE = Parameter("module", "Printer dots for each QR module", schema=whole(4, 32))
AGAIN = Parameter("Idempotency-Key", "1 to 255 visible ASCII characters", "header")
PREFER = Parameter("Prefer", "wait=N (seconds, 30 at most), return=minimal", "header")

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
    reverses: str | None = None
    reversed_by: str | None = None
    promise: str | None = None


class InvoiceDetail(InvoiceBody, kw_only=True, omit_defaults=True):
    """An invoice with its groups, the very bytes that were frozen.

    A group that the asker may not see is ``{"digest": "…"}`` instead.
    """

    face: Group
    buyer: Group
    lines: Group


class InvoicePage(msgspec.Struct):
    """``next`` is the ``after`` of the following page; null on the last."""

    invoices: list[InvoiceBody]
    next: str | None


class BatchResult(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What became of one line of a batch: what a single request would have got."""

    line: int
    status: int
    invoice: InvoiceBody | None = None
    problem: ProblemBody | None = None


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
        ((NDJSON, InvoiceRequest),),
    ),
    Operation(
        "post",
        "/v1/invoices/{hash}/reversals",
        "reverse",
        "issuing",
        "Reverse a whole invoice",
        "The red invoice",
        ((JSON, InvoiceBody),),
        "merchant",
        (HASH, AGAIN, PREFER),
        ((JSON, ReversalRequest),),
        (201, 200),
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
            Parameter("order_id", "The merchant's order"),
            Parameter("number", "The number", schema=NUMBER),
            FROM,
            TO,
            Parameter("merchant", "Officials only: one merchant's", schema=whole(1, LARGEST)),
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
        (HASH,),
    ),
    Operation(
        "get",
        "/v1/invoices/{hash}/proof",
        "proof",
        "reading",
        "The proof file",
        "Canonical JSON, or the text of C2SP tlog-proof; docs/formats.md",
        ((JSON, "object"), (TEXT, "string")),
        "optional",
        (
            HASH,
            Parameter(
                "format",
                "`fapiao`, the default: the proof file; `tlog`: that the entry is in the log",
                schema={"enum": ["fapiao", "tlog"]},
            ),
            Parameter(
                "hide",
                "Groups to leave out",
                schema={"type": "array", "items": {"enum": ["buyer", "lines"]}},
            ),
        ),
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
    ),
)
