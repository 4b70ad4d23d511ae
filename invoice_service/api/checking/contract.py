"""Checks: what is sent, what is answered."""

from typing import Final, Literal

import msgspec

from invoice_service.api.problems import ProblemBody
from invoice_service.documents.paper.agreement import Difference
from invoice_service.domain.verdict import Verification
from invoice_service.openapi.operation import (
    COSE,
    CSV,
    HASH_TEXT,
    JSON,
    LOG,
    NDJSON,
    PDF,
    SD_JWT,
    SLIP,
    STORE,
    TEXT,
    XLSX,
    Operation,
    Parameter,
    Words,
    says,
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


class PaperVerification(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a PDF is worth: the verdict as of now, and whether it agrees with itself."""

    verification: Verification
    agrees: bool
    proved_block: int | None = None
    differences: tuple[Difference, ...] = ()
    unproved: tuple[str, ...] = ()
    text_compared: bool = True


class FileVerification(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a receipt or a credential proves, and the verdict on its invoice as of now.

    One that does not hold has the ``code`` of the step at which it fails, and nothing else.
    """

    kind: Literal["credential", "receipt"]
    holds: bool = False
    code: str = ""
    detail: str = ""
    verification: Verification | None = None
    origin: str = ""
    index: int | None = None
    log_size: int = 0
    state: str = ""
    hidden: tuple[str, ...] = ()
    holder: bool = False
    audience: str = ""


_PDF: Final = (
    *("pdf_unreadable", "pdf_too_much", "pdf_too_long", "pdf_active", "pdf_several"),
    *("pdf_no_invoice", "paper_busy"),
)

WORDS: Final[Words] = {
    "PaperVerification.verification": says("`mismatch` unless the PDF agrees with itself"),
    "PaperVerification.agrees": says("Whether text, code and proof say the same"),
    "PaperVerification.proved_block": says("The block that the proof inside is of"),
    "PaperVerification.differences": says("Where they differ"),
    "PaperVerification.unproved": says("Groups of which no proof inside says anything"),
    "PaperVerification.text_compared": says(
        "`false`: the page has no text of an invoice of ours, as a scan has none; the verdict is"
        " about its code alone"
    ),
    "Difference.part": says(
        "What says something else than the proof; `proof`: it does not hold; `signature`: the file"
        " was changed after it had been signed"
    ),
    "Difference.field": says("What of the invoice; of a proof, why it does not hold"),
    "Difference.found": says("What stands there"),
    "Difference.proved": says("What the proof says; without one, the code"),
    "SlipRecord.hash": says("The password area; with `bill_num` and `total_amount`, or `qr`"),
    "SlipRecord.bill_num": says("The number, 8 digits"),
    "SlipRecord.total_amount": says("Fen, tax included: a whole number, or its digits"),
    "SlipRecord.qr": says("Instead of the three: a QR code's whole text, in either form"),
    "CheckResult.line": says("The line of the request, counted from 1", minimum=1),
    "CheckResult.duplicate_of": says("An earlier line with the same invoice"),
    "CheckResult.verification": says("The verdict; without a problem"),
    "CheckResult.problem": says("Why there is no verdict"),
    "Verification.verdict": says("What the records say of this slip"),
    "Verification.hash": says("The password area that was asked about", **HASH_TEXT),
    "Verification.block": says("The block in which it stands; absent while it is pending"),
    "Verification.sealed_at": says("When that block was sealed, UTC", format="date-time"),
    "Verification.index": says("The place of its entry in the log, from 0"),
    "Verification.log_size": says("Entries under the checkpoint that it was checked against"),
    "Verification.steps": says("What was checked, in order"),
    "Verification.face": says("Seller, amounts, number; absent for a forged slip"),
    "Verification.buyer_name": says("A company's name, or an individual's first character"),
    "Verification.buyer_erased": says("`true`: the buyer was a person, and was erased"),
    "Verification.reversed_by": says(
        "The hashes of the red invoices that took it or parts of it back"
    ),
    "Verification.left": says("Fen of it that stand; absent where nothing was taken back"),
    "Verification.returns": says("Those red invoices, in order of issue"),
    "Verification.replaces": says(
        "The order's first invoice, in whose place this one stands after a return"
    ),
    "Verification.replaced_by": says(
        "What was taken back: the invoices of its order that stand in its place now"
    ),
    "SameOrder.hash": says("That invoice's", **HASH_TEXT),
    "SameOrder.number": says("That invoice's"),
    "SameOrder.issued_at": says("RFC 3339 with +08:00"),
    "SameOrder.total": says("Fen, tax included, as its code says"),
    "Return.hash": says("The red invoice's"),
    "Return.number": says("The red invoice's"),
    "Return.issued_at": says("RFC 3339 with +08:00"),
    "Return.total": says("Fen that it took back, tax included"),
    "Verification.hidden": says("Groups that a proof file did not show"),
    "Verification.witnesses": says("Who cosigned the checkpoint"),
    "FileVerification.kind": says("What was sent"),
    "FileVerification.holds": says("`true`: it proves what stands here; absent: it does not hold"),
    "FileVerification.code": says("Of one that does not hold: where it fails"),
    "FileVerification.detail": says("Why, for people"),
    "FileVerification.verification": says(
        "The verdict as of now, as `GET /v1/verifications` has it"
    ),
    "FileVerification.origin": says("The log's name"),
    "FileVerification.index": says("The place of its entry in the log", minimum=0),
    "FileVerification.log_size": says("Entries of the log, as of the signature in it"),
    "FileVerification.state": says(
        "Of a credential: how far it was taken back when it was made: `part`, `full`; absent where"
        " nothing was"
    ),
    "FileVerification.hidden": says("Of a credential: groups that its holder keeps back"),
    "FileVerification.holder": says(
        "Of a credential: `true` where its holder's key signed what was shown"
    ),
    "FileVerification.audience": says("For whom the holder signed it"),
    "Step.number": says("Counted from 1"),
    "Step.name": says("A fixed name for programs"),
    "Step.text": says("What was found, for people"),
}

_FILE: Final = ("credential", "receipt", "receipt_hash_missing", "password_area", "claims_differ")

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
        slip("qr"),
        codes=("missing_parameter", *SLIP, *STORE, *LOG),
    ),
    Operation(
        "post",
        "/v1/verifications",
        "verifyMany",
        "checking",
        "Verdicts on many slips",
        "One result a line, in order",
        ((NDJSON, CheckResult), (CSV, "string"), (XLSX, "bytes")),
        "",
        (),
        ((NDJSON, SlipRecord), (CSV, "string"), (TEXT, "string"), (XLSX, "bytes")),
        codes=("too_many_records", "not_csv", "not_xlsx", "not_acceptable", *STORE, *LOG),
        large=True,
    ),
    Operation(
        "post",
        "/v1/verifications/pdf",
        "verifyPaper",
        "checking",
        "A verdict on a PDF: its text, its code and the proof inside held against each other",
        "The verdict, and where they differ",
        ((JSON, PaperVerification),),
        "",
        (),
        ((PDF, "bytes"),),
        codes=(*_PDF, *SLIP, *STORE, *LOG),
        large=True,
    ),
    Operation(
        "post",
        "/v1/verifications/file",
        "verifyFile",
        "checking",
        "What a COSE receipt, or a credential from a wallet, proves; and what is true now",
        "Whether it holds, and the verdict",
        ((JSON, FileVerification),),
        "",
        (Parameter("hash", "Of a receipt: the password area of its invoice", schema=HASH_TEXT),),
        ((COSE, "bytes"), (SD_JWT, "string")),
        codes=(*_FILE, *STORE, *LOG),
    ),
)
