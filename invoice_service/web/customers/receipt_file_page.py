"""The page that has the service check a receipt of the log, or what a wallet showed."""

from collections.abc import Callable
from typing import Final, Protocol

from flask import Blueprint, Response, request

from chain.errors import MalformedError
from invoice_service.domain.verdict import Verification
from invoice_service.openapi.operation import FORM
from invoice_service.web.customers.words import FILE_FAILS, words_of
from invoice_service.web.ground.catalogs import N_
from invoice_service.web.ground.page import page

PATH: Final = "/verify/receipt"
FIELD: Final = "receipt"
MOST: Final = 64 << 10
_AROUND: Final = 8192
"""Bytes of a form around its file."""

_KINDS: Final = {
    "credential": N_("An invoice from a wallet"),
    "receipt": N_("A receipt of the log"),
}
_GROUPS: Final = {"buyer": N_("Buyer"), "lines": N_("Lines")}


class Checked(Protocol):
    """What such a file is worth."""

    @property
    def kind(self) -> str: ...
    @property
    def holds(self) -> bool: ...
    @property
    def hidden(self) -> tuple[str, ...]: ...
    @property
    def verification(self) -> Verification | None: ...


def receipt_file_blueprint(check: Callable[[bytes, str], Checked]) -> Blueprint:
    """``/verify/receipt``."""
    blueprint = Blueprint("receipt_file_page", __name__)

    @blueprint.get(PATH)
    def show() -> Response:
        return page("customers/receipt_file.html", file=None)

    @blueprint.post(PATH)
    def judge() -> Response:
        data, hash_ = _sent()
        found = check(data, hash_)
        verification = found.verification
        return page(
            "customers/receipt_file.html",
            file=found,
            kind=_KINDS[found.kind],
            words=FILE_FAILS if verification is None else words_of(verification),
            result=verification,
            hidden=[_GROUPS[name] for name in found.hidden],
        )

    return blueprint


def _sent() -> tuple[bytes, str]:
    """The file, and the hash that was typed; MalformedError."""
    if request.mimetype != FORM:
        raise MalformedError("unsupported_media_type", f"send {FORM}")
    request.max_content_length = MOST + _AROUND
    if (request.content_length or 0) > MOST + _AROUND:
        raise MalformedError("credential", f"no such file is over {MOST >> 10} KiB")
    files = [file for file in request.files.getlist(FIELD) if file.filename]
    if len(files) != 1:
        raise MalformedError("receipt_missing_file", "choose one file", pointer=FIELD)
    with files[0].stream as stream:
        return stream.read(), request.form.get("hash", "").strip()
