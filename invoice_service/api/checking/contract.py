"""Checks: what is sent, what is answered."""

from typing import Final

import msgspec

from invoice_service.api.problems import ProblemBody
from invoice_service.domain.verdict import Verification
from invoice_service.openapi.operation import (
    CSV,
    JSON,
    NDJSON,
    TEXT,
    Operation,
    Parameter,
    slip,
)


class SlipRecord(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One slip to check: the three fields of its code, or the code's whole text."""

    hash: str = ""
    bill_num: str = ""
    total_amount: str | int = ""
    qr: str = ""


class CheckResult(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What one of many checks came to; ``duplicate_of`` is the line with the same invoice."""

    line: int
    duplicate_of: int | None = None
    verification: Verification | None = None
    problem: ProblemBody | None = None


OPERATIONS: Final = (
    Operation(
        "get",
        "/v1/verifications",
        "verify",
        "checking",
        "The verdict on one slip",
        "The verdict",
        ((JSON, Verification),),
        "",
        (*slip(required=False), Parameter("qr", "Instead: a QR code's whole text, either form")),
    ),
    Operation(
        "post",
        "/v1/verifications",
        "verifyMany",
        "checking",
        "Verdicts on many slips",
        "One result a line, in order",
        ((NDJSON, CheckResult), (CSV, "string")),
        "",
        (),
        ((NDJSON, SlipRecord), (CSV, "string"), (TEXT, "string")),
    ),
)
