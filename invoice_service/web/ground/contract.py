"""What belongs to no page alone, as ``/openapi.json`` has it."""

from typing import Final

import msgspec

from invoice_service.openapi.operation import FIELDS, HTML, Operation, Words, says
from invoice_service.web.ground.again import MODES
from invoice_service.web.ground.language import LANGUAGES


class LanguageForm(msgspec.Struct, omit_defaults=True):
    """The language in which this browser is to be answered."""

    language: str
    back: str = ""
    again: str = ""


WORDS: Final[Words] = {
    "LanguageForm.language": says("The language", enum=list(LANGUAGES)),
    "LanguageForm.back": says("The address of ours to go back to; the start page unless given"),
    "LanguageForm.again": says(
        "Of a page that answers a form: `form` for the page with its form, `answer` for the answer"
        " to the same question; what else is sent goes along, and nothing is done (307)",
        enum=["", *MODES],
    ),
}

OPERATIONS: Final = (
    Operation(
        "get",
        "/components",
        "componentsPage",
        "pages",
        "What pages are put together from",
        "A page",
        ((HTML, "string"),),
        errors="page",
        strict=False,
    ),
    Operation(
        "post",
        "/language",
        "chooseLanguage",
        "pages",
        "Remember the language for pages, in a cookie",
        "The way back, in that language",
        ((HTML, "string"),),
        "",
        (),
        ((FIELDS, LanguageForm),),
        statuses=(303, 307),
        codes=("value_unknown",),
        errors="page",
        strict=False,
    ),
)
