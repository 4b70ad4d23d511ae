"""What an applicant fills in, with the register's paper; what is done on the applicant's page."""

from typing import Final, NamedTuple

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from chain.errors import MalformedError
from invoice_service.documents.certificate import MAX_BYTES
from invoice_service.domain.application import LONGEST_MESSAGE, ApplicationRequest
from invoice_service.domain.merchant import Place, industries
from invoice_service.openapi.operation import FIELDS, FORM
from invoice_service.services.help.desk import plain
from invoice_service.web.help.form import fields_of

MOST_PAPERS: Final = 3
BODY_BYTES: Final = MOST_PAPERS * MAX_BYTES + (64 << 10)
LONGEST: Final = {
    "tax_id": 30,
    "name": 100,
    "industry": 4,
    "district": 6,
    "contact": 100,
    "address_phone": 100,
    "message": LONGEST_MESSAGE,
}
_CATERING: Final = "62"


class Filled(NamedTuple):
    """A form as it came: what was typed, and the papers as they were sent."""

    nonce: str
    asked: ApplicationRequest
    papers: list[bytes]


def filled() -> Filled:
    """The form.

    MalformedError: unsupported_media_type, duplicate_parameter, body_too_large, text_too_long,
    too_many_pictures, picture_too_large, papers_missing; RefusedError ``form_stale``.
    """
    fields = fields_of(FORM, BODY_BYTES)
    texts = {name: plain(fields.get(name, ""), most, name) for name, most in LONGEST.items()}
    texts["tax_id"] = "".join(texts["tax_id"].split()).upper()  # as people type it
    papers = papers_sent()
    if not papers:
        raise MalformedError("papers_missing", "add the register's paper", pointer="paper")
    return Filled(fields.get("nonce", ""), ApplicationRequest(**texts), papers)


def papers_sent() -> list[bytes]:
    """The files of the form; MalformedError ``too_many_pictures``, ``picture_too_large``."""
    sent = [file for file in request.files.getlist("paper") if file.filename]
    if len(sent) > MOST_PAPERS:
        detail = f"{len(sent)}, and {MOST_PAPERS} are taken at once"
        raise MalformedError("too_many_pictures", detail, pointer="paper")
    papers = [file.stream.read(MAX_BYTES + 1) for file in sent]
    if any(len(data) > MAX_BYTES for data in papers):
        detail = f"a paper is over {MAX_BYTES >> 20} MiB"
        raise MalformedError("picture_too_large", detail, pointer="paper")
    return papers


def act_asked() -> dict[str, str]:
    """The fields of a form on the applicant's page, with files or without."""
    if request.mimetype == FORM:
        return fields_of(FORM, BODY_BYTES)
    return fields_of(FIELDS)


def as_typed() -> dict[str, str]:
    """What stands in the fields, good or not, for the form to be shown again."""
    try:
        return {name: request.form.get(name, "") for name in (*LONGEST, "nonce")}
    except RequestEntityTooLarge:
        return {}


def catering_first() -> tuple[list[Place], list[Place]]:
    """Industries to choose from: those of restaurants, all others."""
    found = industries().values()
    catering = [place for place in found if place.code.startswith(_CATERING)]
    return catering, [place for place in found if not place.code.startswith(_CATERING)]
