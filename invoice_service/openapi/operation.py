"""What a door says of its calls, for ``/openapi.json``: the words that all doors share."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from invoice_service.domain.bounds import LARGEST
from invoice_service.services.people.roles import Power

JSON, NDJSON, CSV, TEXT, HTML, XLSX, FORM, FIELDS, OCTETS, PDF, COSE, SD_JWT = (
    "application/json",
    "application/x-ndjson",
    "text/csv",
    "text/plain",
    "text/html",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "multipart/form-data",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "application/pdf",
    "application/cose",
    "application/dc+sd-jwt",
)

Shape = type[Any] | Literal["string", "bytes", "object"]
"""A struct, or what has none."""

Shapes = tuple[tuple[str, Shape], ...]
"""(content type, shape) of each form that a body has."""

Words = Mapping[str, dict[str, Any]]
"""What JSON Schema is told beside the types, by ``Struct.field``, or ``field`` for all structs."""

# Codes that come with what a call does, whatever it is about.
SIGN_IN = (
    *("authorization_scheme", "key_malformed", "key_unknown", "key_revoked"),
    *("key_expired", "key_suspended"),
)
QUERY = ("query_malformed", "unknown_parameter", "duplicate_parameter")
BODY = (
    *("unsupported_media_type", "unsupported_encoding", "body_too_large", "empty_body"),
    "not_utf8",
)
JSON_BODY = (
    *("not_json", "lone_surrogate", "duplicate_key"),
    *("unknown_field", "missing_field", "wrong_type", "amount_not_fen"),
)
STORE = ("database_busy", "database_unavailable", "database_damaged", "record_damaged", "disk_full")
SLIP = (
    *("password_area", "bill_num_invalid", "amount_invalid", "amount_out_of_range"),
    *("qr_invalid", "qr_ordinary_vat", "claims_differ"),
)
TEXTS = (
    *("text_empty", "text_too_long", "control_character", "text_damaged"),
    "identifier_ambiguous",
)
LOG = ("store_damaged", "log_unreadable")


class Parameter(NamedTuple):
    """One parameter of a call."""

    name: str
    text: str
    place: Literal["query", "path", "header"] = "query"
    schema: dict[str, Any] = {"type": "string"}  # noqa: RUF012 # never changed
    required: bool = False


class Operation(NamedTuple):
    """One call; ``key`` says whose API key it takes, ``scope`` what that must be for.

    ``power`` is what an official must have for it (``services.people.roles``).

    ``codes`` are what it refuses by itself.

    ``errors`` are problems, pages, either as ``Accept`` says, or none at all (the status is always
    200). A call that is not
    ``strict`` ignores parameters that it does not know; what is ``kept`` by others has an ETag.
    A ``free`` call costs nobody a token; the body of a ``large`` one is as large as a list may be.
    A ``bodiless`` one may be made without its body.
    """

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
    codes: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    errors: Literal["problem", "page", "either", "none"] = "problem"
    strict: bool = True
    kept: bool = False
    free: bool = False
    large: bool = False
    scope: str = ""
    power: Power | Literal[""] = ""
    bodiless: bool = False

    def all_codes(self) -> Iterator[str]:
        """Every code that it can answer, in the order in which things are looked at."""
        if self.errors == "none":
            return
        if not self.free:
            yield "rate_limited"
        if self.strict:
            yield from QUERY
        if any(parameter.place == "path" for parameter in self.parameters):
            yield "no_such_address"  # with a line end or a slash in it
        if self.key:
            yield from SIGN_IN if self.key == "optional" else ("key_missing", *SIGN_IN)
        if self.key in ("merchant", "official"):
            yield "role_required"
        if self.scope:
            yield "scope_required"
        if self.body:
            yield from (code for code in BODY if not self.bodiless or code != "empty_body")
        if JSON in dict(self.body):
            yield from JSON_BODY
        yield from self.codes
        yield "internal_error"


def says(text: str, **schema: object) -> dict[str, Any]:
    """A field's description, and what its type does not say."""
    return {"description": text, **schema}


def whole(least: int, most: int) -> dict[str, Any]:
    """The schema of a whole number."""
    return {"type": "integer", "minimum": least, "maximum": most}


HASH_TEXT: Final = {"type": "string", "pattern": "^01[0-9a-f]{64}$"}
DAY: Final = {"type": "string", "format": "date"}
NUMBER: Final = {"type": "string", "pattern": "^[0-9]{8}$"}

TAX_ID: Final = "^[0-9A-HJ-NPQRTUWXY]{18}$"
TAX_ID_OR_NONE: Final = "^([0-9A-HJ-NPQRTUWXY]{18})?$"

HASH = Parameter("hash", "The password area", "path", HASH_TEXT)
SLIP_ASKED = (
    Parameter("width", "Millimetres of the paper; 58 unless given", schema={"enum": ["58", "80"]}),
    Parameter(
        "form",
        "`full`, the default: all that may be shown; `short`: without buyer and lines;"
        " `electronic`: the total and the code",
        schema={"enum": ["full", "short", "electronic"]},
    ),
    Parameter("copy", "`1`: it says 副本 (copy)", schema={"enum": ["0", "1"]}),
)
HIDE = Parameter(
    "hide",
    "Groups to leave out",
    schema={"type": "array", "items": {"enum": ["buyer", "lines"]}, "maxItems": 2},
)
PURPOSE = Parameter(
    "X-Purpose", "Officials: why they look; UTF-8, best percent-encoded, 200 characters", "header"
)
LOOKING = ("purpose_missing", "text_too_long", "control_character", "text_damaged")
"""What looking is refused with, beside what a call has by itself."""
FROM = Parameter("from", "First Shanghai date; not after `to`", schema=DAY)
TO = Parameter("to", "Last Shanghai date, included", schema=DAY)


def page(most: int, furthest: int = LARGEST) -> tuple[Parameter, Parameter]:
    """The parameters of a list that comes in pages."""
    return (
        Parameter("after", "`next` of the page before", schema=whole(0, furthest)),
        Parameter("limit", "Entries of a page; 100 unless given", schema=whole(1, most)),
    )


def slip(instead: str) -> tuple[Parameter, ...]:
    """The three parts of a code, or its whole text."""
    return (
        Parameter(
            "hash", f"The password area; with the two others, or `{instead}`", schema=HASH_TEXT
        ),
        Parameter("bill_num", "The number", schema=NUMBER),
        Parameter("total_amount", "Fen, tax included", schema=whole(-(10**13), 10**13)),
        Parameter(instead, "Instead of the three: a QR code's whole text, in either form"),
    )
