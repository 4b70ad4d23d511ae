"""What a customer fills in, read into a buyer."""

from typing import Final, NamedTuple

from flask import request

from chain.errors import MalformedError
from invoice_service.domain.request import Buyer
from invoice_service.domain.titles import is_title_code, parse_title
from invoice_service.openapi.operation import FIELDS
from invoice_service.services.claims.ports import ANY

KINDS: Final = ("individual", "company", "organisation")
_LONGEST: Final = {"name": 100, "tax_id": 40}
_PARTS: Final = {str(part): part for part in range(1, 6)}


class Filled(NamedTuple):
    """A form: for whom, which share, what the page made; ``sure`` is False for a code to compare.

    ``typed`` is what stands in the fields when the form is shown again.
    """

    buyer: Buyer
    part: int
    mine: str
    sure: bool
    typed: dict[str, str]


def fields() -> dict[str, str]:
    """The form's fields, each once. MalformedError unsupported_media_type, duplicate_parameter."""
    if request.mimetype != FIELDS:
        raise MalformedError("unsupported_media_type", f"send {FIELDS}")
    if any(len(request.form.getlist(name)) > 1 for name in request.form):
        raise MalformedError("duplicate_parameter", "a field stands twice in the form")
    return {name: text.strip() for name, text in request.form.items()}


def filled(found: dict[str, str]) -> Filled:
    """The buyer of a form. MalformedError: title_invalid, text_too_long, value_unknown."""
    typed, sure = dict(found), True
    code = found.get("code", "") or next(
        (found[name] for name in ("name", "tax_id") if is_title_code(found.get(name, ""))), ""
    )
    if code:
        title = parse_title(code)
        kind = "company" if title.tax_id else "organisation"
        typed |= {"kind": kind, "name": title.name, "tax_id": title.tax_id, "code": ""}
        sure = title.sure
    return Filled(_buyer(typed), _part(found), found.get("mine", ""), sure, typed)


def _buyer(typed: dict[str, str]) -> Buyer:
    kind, name = typed.get("kind", "") or "individual", typed.get("name", "")
    tax_id = "".join(typed.get("tax_id", "").split()).upper() if kind == "company" else ""
    for field, text in (("name", name), ("tax_id", tax_id)):
        if len(text) > _LONGEST[field]:
            raise MalformedError("text_too_long", f"at most {_LONGEST[field]}", pointer=field)
    if kind == "company":
        return Buyer(kind="company", name=name, tax_id=tax_id)
    if kind == "organisation":
        return Buyer(kind="organisation", name=name)
    if kind == "individual":
        return Buyer(name=name)
    raise MalformedError("value_unknown", f"kind is one of {', '.join(KINDS)}", pointer="kind")


def _part(found: dict[str, str]) -> int:
    text = found.get("part", "")
    if text and text not in _PARTS:
        raise MalformedError("value_unknown", "a part is a number from 1 to 5", pointer="part")
    return _PARTS.get(text, ANY)
