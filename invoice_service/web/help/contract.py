"""The pages of help that anybody sees, as ``/openapi.json`` has them."""

from typing import Final

import msgspec

from invoice_service.openapi.operation import (
    FIELDS,
    FORM,
    HTML,
    STORE,
    Operation,
    Words,
    says,
    slip,
)
from invoice_service.web.help.form import LONGEST_TEXTS


class ReportForm(msgspec.Struct, omit_defaults=True):
    """What somebody tells of a slip."""

    nonce: str
    said: str = ""
    place: str = ""
    message: str = ""
    contact: str = ""
    picture: str = ""


class ReceiptForm(msgspec.Struct, omit_defaults=True):
    """A receipt, and what of its report is to be erased."""

    receipt: str
    erase: str = ""


WORDS: Final[Words] = {
    "ReportForm.nonce": says(
        "What the page made; the same form sent twice is one report", pattern="^[0-9a-f]{48}$"
    ),
    "ReportForm.said": says("What the slip's code says", maxLength=LONGEST_TEXTS["said"]),
    "ReportForm.place": says("Where the slip is from", maxLength=LONGEST_TEXTS["place"]),
    "ReportForm.message": says("What is wrong with it", maxLength=LONGEST_TEXTS["message"]),
    "ReportForm.contact": says(
        "How to reach the sender, who need not say", maxLength=LONGEST_TEXTS["contact"]
    ),
    "ReportForm.picture": says(
        "Up to three photographs of 8 MiB, JPEG, PNG or WebP; made anew without what stood in them",
        contentMediaType="application/octet-stream",
    ),
    "ReceiptForm.receipt": says("The number that the report was answered with"),
    "ReceiptForm.erase": says("`contact`, or `all` that was sent", enum=["", "contact", "all"]),
}

_PICTURES: Final = (
    *("picture_kind", "picture_too_large", "picture_unreadable", "picture_too_much"),
    *("too_many_pictures", "pictures_busy", "write_failed"),
)

OPERATIONS: Final = (
    Operation(
        "get",
        "/report",
        "reportPage",
        "pages",
        "A form to report a wrong slip",
        "A page, with what was scanned filled in",
        ((HTML, "string"),),
        "",
        slip("text"),
        errors="page",
        strict=False,
    ),
    Operation(
        "post",
        "/report",
        "reportSlip",
        "pages",
        "Report a wrong slip",
        "A page with the receipt",
        ((HTML, "string"),),
        "",
        (),
        ((FORM, ReportForm),),
        codes=(
            *("form_incomplete", "form_stale", "report_empty", "text_too_long", "reports_limited"),
            *("duplicate_parameter", *_PICTURES, *STORE),
        ),
        errors="page",
        strict=False,
        large=True,
    ),
    Operation(
        "get",
        "/report/status",
        "receiptForm",
        "pages",
        "Where a receipt is typed",
        "A page",
        ((HTML, "string"),),
        errors="page",
        strict=False,
    ),
    Operation(
        "post",
        "/report/status",
        "reportStatus",
        "pages",
        "What became of a report; have it erased",
        "A page",
        ((HTML, "string"),),
        "",
        (),
        ((FIELDS, ReceiptForm),),
        codes=("report_unknown", "value_unknown", "form_stale", "duplicate_parameter", *STORE),
        errors="page",
        strict=False,
    ),
    Operation(
        "get",
        "/why",
        "whyPage",
        "pages",
        "Why this can be believed",
        "A page",
        ((HTML, "string"),),
        errors="page",
        strict=False,
    ),
)
