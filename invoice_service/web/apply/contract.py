"""The pages of applicants, as ``/openapi.json`` has them."""

from typing import Final

import msgspec

from invoice_service.domain.application import LONGEST_MESSAGE
from invoice_service.domain.bounds import LARGEST
from invoice_service.openapi.operation import (
    FIELDS,
    FORM,
    HTML,
    STORE,
    Operation,
    Parameter,
    Words,
    says,
    whole,
)
from invoice_service.services.people.person import LONGEST_NAME
from invoice_service.web.apply.form import LONGEST


class ApplyForm(msgspec.Struct, omit_defaults=True):
    """What a merchant tells of itself, with the register's paper."""

    nonce: str
    tax_id: str
    name: str
    industry: str
    district: str
    contact: str
    address_phone: str = ""
    message: str = ""
    paper: str = ""


class StatusForm(msgspec.Struct, omit_defaults=True):
    """A receipt, and what is to be done."""

    receipt: str
    act: str = ""
    text: str = ""
    sure: str = ""
    paper: str = ""
    name: str = ""
    login: str = ""


class ObjectionForm(msgspec.Struct, omit_defaults=True):
    """What speaks against somebody's admission."""

    text: str


WORDS: Final[Words] = {
    "ApplyForm.nonce": says(
        "What the page made; the same form sent twice is one application", pattern="^[0-9a-f]{48}$"
    ),
    "ApplyForm.tax_id": says("The unified social credit code", maxLength=LONGEST["tax_id"]),
    "ApplyForm.name": says("As in the register", maxLength=LONGEST["name"]),
    "ApplyForm.industry": says("A group or class of GB/T 4754-2017"),
    "ApplyForm.district": says("A district of Shenzhen by GB/T 2260"),
    "ApplyForm.contact": says("How the office reaches you", maxLength=LONGEST["contact"]),
    "ApplyForm.address_phone": says("As printed", maxLength=LONGEST["address_phone"]),
    "ApplyForm.message": says("What the office should know", maxLength=LONGEST["message"]),
    "ApplyForm.paper": says(
        "Up to three papers of 8 MiB: JPEG, PNG, WebP or PDF; made anew as pictures",
        contentMediaType="application/octet-stream",
    ),
    "StatusForm.receipt": says("The number that the application was answered with"),
    "StatusForm.act": says(
        "What is to be done; nothing: to be shown",
        enum=["", "comment", "papers", "withdraw", "account"],
    ),
    "StatusForm.text": says("What the applicant says", maxLength=LONGEST_MESSAGE),
    "StatusForm.sure": says("`yes`, to withdraw"),
    "StatusForm.paper": says(
        "Up to three papers of 8 MiB", contentMediaType="application/octet-stream"
    ),
    "StatusForm.name": says("Of `account`: the owner's name", maxLength=LONGEST_NAME),
    "StatusForm.login": says("Of `account`: what stands before the @", maxLength=32),
    "ObjectionForm.text": says("What speaks against it", maxLength=LONGEST_MESSAGE),
}

_PAPERS: Final = (
    *("picture_kind", "picture_too_large", "picture_unreadable", "picture_too_much"),
    *("too_many_pictures", "pictures_busy", "write_failed", "papers_missing"),
    *("pdf_unreadable", "pdf_too_much", "pdf_too_long", "pdf_active"),
)
_FORM: Final = ("form_incomplete", "form_stale", "duplicate_parameter", "text_too_long")
_ONE: Final = Parameter("application", "The application's number", "path", whole(1, LARGEST))
_SAID: Final = ("text_empty", "applications_limited", "applications_full", "application_closed")


def _shown(path: str, name: str, summary: str, *codes: str, one: bool = False) -> Operation:
    return Operation(
        "get",
        path,
        name,
        "pages",
        summary,
        "A page",
        ((HTML, "string"),),
        "",
        (_ONE,) if one else (),
        codes=codes,
        errors="page",
        strict=False,
    )


OPERATIONS: Final = (
    _shown("/apply", "applyPage", "A form to be admitted as a merchant"),
    Operation(
        "post",
        "/apply",
        "applyByForm",
        "pages",
        "Apply to be admitted as a merchant",
        "A page with the receipt",
        ((HTML, "string"),),
        "",
        (),
        ((FORM, ApplyForm),),
        codes=(
            *(*_FORM, *_PAPERS, "text_empty", "control_character", "text_damaged"),
            *("tax_id_invalid", "industry_unknown", "district_unknown"),
            *("applications_limited", "applications_full", "tax_id_taken", "application_pending"),
            *STORE,
        ),
        errors="page",
        strict=False,
        large=True,
    ),
    _shown("/apply/status", "applicantForm", "Where a receipt is typed"),
    Operation(
        "post",
        "/apply/status",
        "applicantPage",
        "pages",
        "An application as its applicant sees it; answer, add papers, withdraw",
        "A page",
        ((HTML, "string"),),
        "",
        (),
        ((FIELDS, StatusForm), (FORM, StatusForm)),
        codes=(
            *(*_FORM, *_PAPERS, *_SAID, "application_unknown", "control_character"),
            *("login_invalid", "login_taken", "account_not_offered", *STORE),
        ),
        errors="page",
        strict=False,
        large=True,
    ),
    _shown("/apply/notices", "noticesPage", "Applications whose public notice runs", *STORE),
    _shown(
        *("/apply/notices/{application}", "noticePage", "One of them, with a form to object"),
        *("application_unknown", *STORE),
        one=True,
    ),
    Operation(
        "post",
        "/apply/notices/{application}",
        "objectByForm",
        "pages",
        "Object to an application",
        "A page",
        ((HTML, "string"),),
        "",
        (_ONE,),
        ((FIELDS, ObjectionForm),),
        codes=(*_FORM, *_SAID, "application_unknown", *STORE),
        errors="page",
        strict=False,
    ),
)
