"""The customer's page, as ``/openapi.json`` has it."""

from typing import Final

import msgspec

from invoice_service.openapi.operation import FIELDS, HTML, STORE, Operation, Parameter, Words, says

TOKEN = Parameter("token", "What stands in the link; whoever has it may ask the rest back", "path")


class AskForm(msgspec.Struct):
    """What a customer presses."""

    ask: str


WORDS: Final[Words] = {"AskForm.ask": says("`back`: all that is left is to be paid back")}

OPERATIONS: Final = (
    Operation(
        "get",
        "/prepaid/{token}",
        "prepaidPage",
        "pages",
        "What is held of money paid in advance, and what each meal took",
        "A page",
        ((HTML, "string"),),
        "",
        (TOKEN,),
        codes=("prepaid_unknown", "key_unreadable", *STORE),
        errors="page",
        strict=False,
    ),
    Operation(
        "post",
        "/prepaid/{token}",
        "askBack",
        "pages",
        "Ask for what is left: no meal is paid from it any more",
        "303: on to the page that says so",
        ((HTML, "string"),),
        "",
        (TOKEN,),
        ((FIELDS, AskForm),),
        (303,),
        codes=("prepaid_unknown", "value_unknown", "key_unreadable", *STORE),
        errors="page",
        strict=False,
    ),
)
