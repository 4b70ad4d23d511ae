"""Customers' pages, as ``/openapi.json`` has them."""

from typing import Final

from invoice_service.openapi.operation import HTML, LOG, SLIP, STORE, Operation, Parameter, slip

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
        "/",
        "landingPage",
        "pages",
        "A form to paste a code",
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
        errors="page",
        strict=False,
    ),
)
