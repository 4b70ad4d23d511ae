"""Customers' pages, as ``/openapi.json`` has them."""

from typing import Final

import msgspec

from invoice_service.openapi.operation import (
    FORM,
    HASH,
    HIDE,
    HTML,
    LOG,
    SLIP,
    SLIP_ASKED,
    STORE,
    XLSX,
    Operation,
    Parameter,
    Words,
    says,
    slip,
)


class ListForm(msgspec.Struct, omit_defaults=True, rename={"answer": "as"}):
    """A list of codes, in a file or pasted."""

    list: str = ""
    text: str = ""
    answer: str = ""


class ReceiptFileForm(msgspec.Struct, omit_defaults=True):
    """A receipt or a credential to be checked; what a receipt is of."""

    receipt: str
    hash: str = ""


class PaperForm(msgspec.Struct):
    """A PDF to be checked."""

    pdf: str


PRINT = Parameter(
    "print", "`1`: the browser is asked to print at once", schema={"enum": ["0", "1"]}
)

WORDS: Final[Words] = {
    "ReceiptFileForm.receipt": says("The file", contentMediaType="application/octet-stream"),
    "ReceiptFileForm.hash": says("Of a receipt: the password area of its invoice"),
    "PaperForm.pdf": says("The file", contentMediaType="application/pdf"),
    "ListForm.list": says(
        "A file: .xlsx, .csv or .ndjson as for `POST /v1/verifications`, else a code a line",
        contentMediaType="application/octet-stream",
    ),
    "ListForm.text": says("Without a file: codes, one a line"),
    "ListForm.as": says("`xlsx` for a workbook; else a page"),
}

OPERATIONS: Final = (
    Operation(
        "get",
        "/verify/scan",
        "scanPage",
        "pages",
        "The verdict for a person",
        "A page",
        ((HTML, "string"),),
        "",
        slip("text"),
        codes=("query_malformed", "duplicate_parameter", "missing_parameter", *SLIP, *STORE, *LOG),
        errors="page",
        strict=False,
    ),
    Operation(
        "get",
        "/verify/list",
        "listPage",
        "pages",
        "A form to check many codes",
        "A page",
        ((HTML, "string"),),
        errors="page",
        strict=False,
    ),
    Operation(
        "post",
        "/verify/list",
        "checkList",
        "pages",
        "Many verdicts for a person",
        "A page, or a workbook for `as=xlsx`",
        ((HTML, "string"), (XLSX, "bytes")),
        "",
        (),
        ((FORM, ListForm),),
        codes=("too_many_records", "several_lists", "not_csv", "not_xlsx", *STORE, *LOG),
        errors="page",
        strict=False,
        large=True,
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
        codes=("key_unreadable",),
        errors="page",
        strict=False,
    ),
    Operation(
        "get",
        "/verify/receipt",
        "receiptFilePage",
        "pages",
        "A form to have a receipt, or an invoice from a wallet, checked",
        "A page",
        ((HTML, "string"),),
        errors="page",
        strict=False,
    ),
    Operation(
        "post",
        "/verify/receipt",
        "checkReceiptFile",
        "pages",
        "What a receipt, or an invoice from a wallet, is worth, for a person",
        "A page: whether it holds, and the verdict",
        ((HTML, "string"),),
        "",
        (),
        ((FORM, ReceiptFileForm),),
        codes=(
            *("receipt_missing_file", "credential", "receipt", "receipt_hash_missing"),
            *("password_area", "claims_differ", *STORE, *LOG),
        ),
        errors="page",
        strict=False,
    ),
    Operation(
        "get",
        "/verify/paper",
        "paperPage",
        "pages",
        "A form to have a PDF read",
        "A page",
        ((HTML, "string"),),
        errors="page",
        strict=False,
    ),
    Operation(
        "post",
        "/verify/paper",
        "checkPaper",
        "pages",
        "What a PDF is worth, for a person",
        "A page: which parts of it fit, which differ, and in what",
        ((HTML, "string"),),
        "",
        (),
        ((FORM, PaperForm),),
        codes=(
            *("pdf_missing", "pdf_unreadable", "pdf_too_much", "pdf_too_long", "pdf_active"),
            *("pdf_several", "pdf_no_invoice", "paper_busy", *STORE, *LOG),
        ),
        errors="page",
        strict=False,
        large=True,
    ),
    Operation(
        "get",
        "/v1/invoices/{hash}/receipt",
        "receiptPage",
        "pages",
        "The slip for a person, to be printed by the browser",
        "A page, without what the asker may not see",
        ((HTML, "string"),),
        "optional",
        (HASH, *SLIP_ASKED, HIDE, PRINT),
        codes=("parameter_malformed", "password_area", "invoice_unknown", *STORE),
        errors="page",
    ),
    Operation(
        "get",
        "/verify",
        "checkPage",
        "pages",
        "The first page, at a second address",
        "A page",
        ((HTML, "string"),),
        errors="page",
        strict=False,
    ),
    Operation(
        "get",
        "/verify/typed",
        "typedPage",
        "pages",
        "To the verdict on what was typed",
        "A redirect to `/verify/scan`",
        ((HTML, "string"),),
        "",
        (
            Parameter("hash", "The password area; blanks between its signs are passed over"),
            Parameter("number", "The number"),
            Parameter("total", "Yuan, tax included, like `498.10`"),
        ),
        codes=("password_area", "amount_invalid", "amount_out_of_range", "duplicate_parameter"),
        statuses=(303,),
        errors="page",
        strict=False,
    ),
    Operation(
        "get",
        "/",
        "landingPage",
        "pages",
        "A code by camera, from a picture or a file, pasted or typed",
        "A page",
        ((HTML, "string"),),
        errors="page",
        strict=False,
    ),
    Operation(
        "get",
        "/docs",
        "docsPage",
        "pages",
        "This description, to be read",
        "A page",
        ((HTML, "string"),),
        errors="page",
        strict=False,
    ),
    Operation(
        "get",
        "/problems",
        "problemsPage",
        "pages",
        "All error codes",
        "A page",
        ((HTML, "string"),),
        "",
        (
            Parameter("q", "Only codes with these words in their name, status or sentences"),
            Parameter(
                "for",
                "Only codes that these do something about",
                schema={"enum": ["customer", "merchant", "program", "official", "operator"]},
            ),
        ),
        errors="page",
        strict=False,
    ),
)
