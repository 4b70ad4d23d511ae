"""The table of calls behind ``/openapi.json``. A test holds it against the routes, both ways."""

from typing import Any, Final, Literal, NamedTuple

JSON, NDJSON, CSV, TEXT, HTML = (
    "application/json",
    "application/x-ndjson",
    "text/csv",
    "text/plain",
    "text/html",
)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BYTES = "application/octet-stream"
NOTE = "c2sp.org/signed-note"
FORM = "application/x-www-form-urlencoded"

Shapes = tuple[tuple[str, str], ...]
"""(content type, shape) of each form that a body has."""


class Parameter(NamedTuple):
    """One parameter of a call."""

    name: str
    text: str
    place: Literal["query", "path", "header"] = "query"
    schema: dict[str, Any] = {"type": "string"}  # noqa: RUF012 # never changed
    required: bool = False


class Operation(NamedTuple):
    """One call; ``key`` says whose API key it takes."""

    method: Literal["get", "post", "put", "delete"]
    path: str
    name: str
    tag: str
    summary: str
    answer: str
    answers: Shapes
    key: Literal["", "merchant", "official", "any", "optional"] = ""
    parameters: tuple[Parameter, ...] = ()
    body: Shapes = ()
    statuses: tuple[int, ...] = (200,)


def _whole(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


_HASH_SCHEMA = {"type": "string", "pattern": "^01[0-9a-f]{64}$"}
_DAY_SCHEMA = {"type": "string", "format": "date"}
_NUMBER_SCHEMA = {"type": "string", "pattern": "^[0-9]{8}$"}

_HASH = Parameter("hash", "The password area", "path", _HASH_SCHEMA)
_MERCHANT = Parameter("merchant", "The merchant's id", "path", _whole(1, 2**53 - 1))
_KEY = Parameter("key", "The key's id", "path", _whole(1, 2**53 - 1))
_MODULE = Parameter("module", "Printer dots for each QR module", schema=_whole(4, 32))
_AGAIN = Parameter("Idempotency-Key", "1 to 255 visible ASCII characters", "header")
_PREFER = Parameter("Prefer", "wait=N (seconds, 30 at most), return=minimal", "header")
_FROM = Parameter("from", "First Shanghai date", schema=_DAY_SCHEMA)
_TO = Parameter("to", "Last Shanghai date, included", schema=_DAY_SCHEMA)


def _page(most: int) -> tuple[Parameter, Parameter]:
    return (
        Parameter("after", "`next` of the page before"),
        Parameter("limit", "Entries of a page", schema=_whole(1, most)),
    )


def _slip(*, required: bool) -> tuple[Parameter, ...]:
    return (
        Parameter("hash", "The password area", schema=_HASH_SCHEMA, required=required),
        Parameter("bill_num", "The number", schema=_NUMBER_SCHEMA, required=required),
        Parameter(
            "total_amount", "Fen, tax included", schema=_whole(-(10**13), 10**13), required=required
        ),
    )


OPERATIONS: Final = (
    Operation(
        "post",
        "/v1/invoices",
        "issue",
        "issuing",
        "Issue an invoice",
        "The invoice, on disk: 201 when new, 200 when it was issued before",
        ((JSON, "InvoiceBody"),),
        "merchant",
        (_AGAIN, _PREFER),
        ((JSON, "InvoiceRequest"),),
        (201, 200),
    ),
    Operation(
        "post",
        "/v1/invoices/batch",
        "issueBatch",
        "issuing",
        "Issue many",
        "One result a line, in order",
        ((NDJSON, "BatchResult"),),
        "merchant",
        (_PREFER,),
        ((NDJSON, "InvoiceRequest"),),
    ),
    Operation(
        "post",
        "/v1/invoices/{hash}/reversals",
        "reverse",
        "issuing",
        "Reverse a whole invoice",
        "The red invoice",
        ((JSON, "InvoiceBody"),),
        "merchant",
        (_HASH, _AGAIN, _PREFER),
        ((JSON, "ReversalRequest"),),
        (201, 200),
    ),
    Operation(
        "get",
        "/v1/invoices",
        "listInvoices",
        "reading",
        "List and search own invoices; officials: all",
        "A page, in order of issue",
        ((JSON, "InvoicePage"),),
        "any",
        (
            *_page(500),
            Parameter("order_id", "The merchant's order"),
            Parameter("number", "The number", schema=_NUMBER_SCHEMA),
            _FROM,
            _TO,
            Parameter("merchant", "Officials only: one merchant's", schema=_whole(1, 2**53 - 1)),
        ),
    ),
    Operation(
        "get",
        "/v1/invoices/{hash}",
        "readInvoice",
        "reading",
        "One invoice; groups that the asker may not see are digests",
        "The invoice",
        ((JSON, "InvoiceDetail"),),
        "optional",
        (_HASH,),
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
            _HASH,
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
        (_HASH, _MODULE),
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
        (_HASH, _MODULE),
    ),
    Operation(
        "get",
        "/v1/verifications",
        "verify",
        "checking",
        "The verdict on one slip",
        "The verdict",
        ((JSON, "Verification"),),
        "",
        (*_slip(required=False), Parameter("qr", "Instead: a QR code's whole text, either form")),
    ),
    Operation(
        "post",
        "/v1/verifications",
        "verifyMany",
        "checking",
        "Verdicts on many slips",
        "One result a line, in order",
        ((NDJSON, "CheckResult"), (CSV, "string")),
        "",
        (),
        ((NDJSON, "SlipRecord"), (CSV, "string"), (TEXT, "string")),
    ),
    Operation(
        "post",
        "/dzswj/bers_ep_web/query_bill_detail",
        "queryBillDetail",
        "checking",
        "The check as the Shenzhen pilot's clients call it",
        "Always 200: retcode, retmsg, bill_record",
        ((JSON, "object"),),
        "",
        (),
        ((FORM, "object"), (JSON, "object")),
    ),
    Operation(
        "get",
        "/verify/scan",
        "scanPage",
        "pages",
        "The verdict for a person",
        "A page",
        ((HTML, "string"),),
        "",
        (*_slip(required=False), Parameter("text", "Instead: a QR code's whole text")),
    ),
    Operation(
        "get",
        "/verify/file",
        "filePage",
        "pages",
        "The browser checks a proof file by itself",
        "A page",
        ((HTML, "string"),),
        "",
        (Parameter("hash", "The password area whose proof file the page loads at once"),),
    ),
    Operation(
        "get",
        "/",
        "landingPage",
        "pages",
        "A form to paste a code",
        "A page",
        ((HTML, "string"),),
    ),
    Operation(
        "get",
        "/problems",
        "problemsPage",
        "pages",
        "All error codes",
        "A page",
        ((HTML, "string"),),
    ),
    Operation(
        "get",
        "/v1/reports/totals",
        "totals",
        "officials",
        "Totals of the days from `from` to `to` (dates of sealing), as of a block",
        "The report; the same for ever at the same block",
        ((JSON, "object"), (CSV, "string"), (XLSX, "bytes")),
        "official",
        (
            _FROM,
            _TO,
            Parameter(
                "by",
                "What the rows are",
                schema={"enum": ["day", "industry", "district", "rate", "merchant"]},
            ),
            Parameter("at_block", "Default: the newest", schema=_whole(0, 10**15)),
        ),
    ),
    Operation(
        "get",
        "/v1/merchants",
        "listMerchants",
        "officials",
        "Admitted merchants",
        "A page",
        ((JSON, "MerchantPage"),),
        "official",
        _page(1000),
    ),
    Operation(
        "post",
        "/v1/merchants",
        "admit",
        "officials",
        "Admit a merchant",
        "The merchant",
        ((JSON, "MerchantBody"),),
        "official",
        (),
        ((JSON, "MerchantRequest"),),
        (201,),
    ),
    Operation(
        "get",
        "/v1/merchants/{merchant}",
        "readMerchant",
        "officials",
        "One merchant",
        "The merchant",
        ((JSON, "MerchantBody"),),
        "official",
        (_MERCHANT,),
    ),
    Operation(
        "post",
        "/v1/merchants/{merchant}/suspension",
        "suspend",
        "officials",
        "Suspend a merchant",
        "The merchant",
        ((JSON, "MerchantBody"),),
        "official",
        (_MERCHANT,),
    ),
    Operation(
        "delete",
        "/v1/merchants/{merchant}/suspension",
        "resume",
        "officials",
        "Let a merchant issue again",
        "The merchant",
        ((JSON, "MerchantBody"),),
        "official",
        (_MERCHANT,),
    ),
    Operation(
        "put",
        "/v1/merchants/{merchant}/quota",
        "setQuota",
        "officials",
        "Set how many invoices a merchant may issue in all",
        "The merchant",
        ((JSON, "MerchantBody"),),
        "official",
        (_MERCHANT,),
        ((JSON, "QuotaRequest"),),
    ),
    Operation(
        "get",
        "/v1/merchants/{merchant}/keys",
        "listKeys",
        "officials",
        "A merchant's API keys",
        "All keys, without their texts",
        ((JSON, "KeyList"),),
        "official",
        (_MERCHANT,),
    ),
    Operation(
        "post",
        "/v1/merchants/{merchant}/keys",
        "createKey",
        "officials",
        "Make an API key",
        "The key; its text is shown here only",
        ((JSON, "KeyBody"),),
        "official",
        (_MERCHANT,),
        ((JSON, "KeyRequest"),),
        (201,),
    ),
    Operation(
        "delete",
        "/v1/merchants/{merchant}/keys/{key}",
        "revokeKey",
        "officials",
        "Revoke an API key, for ever",
        "The key",
        ((JSON, "KeyBody"),),
        "official",
        (_MERCHANT, _KEY),
    ),
    Operation(
        "get",
        "/log/checkpoint",
        "checkpoint",
        "log",
        "The newest signed checkpoint",
        "c2sp.org/tlog-checkpoint",
        ((TEXT, "string"),),
    ),
    Operation(
        "get",
        "/log/tile/{tile}",
        "tile",
        "log",
        "A tile or an entry bundle; the path may hold slashes",
        "c2sp.org/tlog-tiles",
        ((BYTES, "bytes"),),
        "",
        (Parameter("tile", "L/N[.p/W] or entries/N[.p/W]", "path"),),
    ),
    Operation(
        "get",
        "/log/key",
        "publicKeys",
        "log",
        "Public keys: the log's, and that of promises",
        "Two lines",
        ((TEXT, "string"),),
    ),
    Operation(
        "get", "/log/keys", "signedKeys", "log", "The newest statement", NOTE, ((TEXT, "string"),)
    ),
    Operation(
        "get",
        "/log/keys/{number}",
        "keyStatement",
        "log",
        "What the log said of its keys, signed by them",
        NOTE,
        ((TEXT, "string"),),
        "",
        (Parameter("number", "Counted from 1", "path", _whole(1, 10**9 - 1)),),
    ),
    Operation(
        "get",
        "/log/blocks",
        "listBlocks",
        "log",
        "Published blocks",
        "A page, in order of height",
        ((JSON, "BlockPage"),),
        "",
        _page(1000),
    ),
    Operation(
        "get",
        "/log/blocks/{height}",
        "readBlock",
        "log",
        "One published block",
        "The block",
        ((JSON, "BlockBody"),),
        "",
        (Parameter("height", "Counted from 1", "path", _whole(1, 10**15)),),
    ),
    Operation(
        "get",
        "/healthz",
        "alive",
        "operations",
        "Does the process live",
        "It does",
        ((JSON, "object"),),
    ),
    Operation(
        "get",
        "/readyz",
        "ready",
        "operations",
        "Can the service answer; 503 if it cannot",
        "What was found",
        ((JSON, "Health"),),
        statuses=(200, 503),
    ),
    Operation(
        "get",
        "/metrics",
        "metrics",
        "operations",
        "Numbers for Prometheus",
        "Of all web processes together",
        ((TEXT, "string"),),
    ),
    Operation(
        "get",
        "/openapi.json",
        "description",
        "operations",
        "This document",
        "OpenAPI 3.1",
        ((JSON, "object"),),
    ),
)
