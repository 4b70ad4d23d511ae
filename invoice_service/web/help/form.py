"""What somebody fills in about a slip, with photographs; and what a scanned text is taken from."""

from typing import Final, NamedTuple

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from chain.errors import MalformedError, RefusedError
from invoice_service.domain.qrtext import FIELDS
from invoice_service.openapi.operation import FIELDS as PLAIN
from invoice_service.openapi.operation import FORM
from invoice_service.services.help.desk import plain, receipt_of

MOST_PICTURES: Final = 3
PICTURE_BYTES: Final = 8 << 20
BODY_BYTES: Final = MOST_PICTURES * PICTURE_BYTES + (64 << 10)
LONGEST_TEXTS: Final = {"said": 1000, "place": 200, "message": 2000, "contact": 200}
"""What may be typed, and how many characters of it."""
_OURS: Final = ("same-origin", "none")


class Filled(NamedTuple):
    """A form as it came: what was typed, and the photographs as they were sent."""

    nonce: str
    texts: dict[str, str]
    pictures: list[bytes]

    @property
    def receipt(self) -> str:
        """That of all in it; MalformedError ``form_incomplete``."""
        typed = [self.texts.get(name, "").encode() for name in LONGEST_TEXTS]
        return receipt_of(self.nonce, [*typed, *self.pictures])


def scanned(public_url: str) -> str:
    """What the link to the form says was scanned: nothing else, and no more than that.

    The scan page passes its own address on, so it is the pasted text, or the code's own three
    fields, put together as we print them.
    """
    asked = request.args
    if text := asked.get("text", ""):
        return text[: LONGEST_TEXTS["said"]]
    said = "&".join(f"{name}={asked[name]}" for name in FIELDS if asked.get(name))
    return f"{public_url}/verify/scan?{said}"[: LONGEST_TEXTS["said"]] if said else ""


def filled() -> Filled:
    """The form.

    MalformedError: unsupported_media_type, duplicate_parameter, body_too_large, text_too_long,
    too_many_pictures, picture_too_large, report_empty; RefusedError ``form_stale``.
    """
    fields = fields_of(FORM, BODY_BYTES)
    texts = {
        name: plain(fields.get(name, ""), longest, name) for name, longest in LONGEST_TEXTS.items()
    }
    sent = [file for file in request.files.getlist("picture") if file.filename]
    if len(sent) > MOST_PICTURES:
        raise MalformedError("too_many_pictures", f"{len(sent)}, and {MOST_PICTURES} are taken")
    pictures = [file.stream.read(PICTURE_BYTES + 1) for file in sent]
    if any(len(data) > PICTURE_BYTES for data in pictures):
        detail = f"a picture is over {PICTURE_BYTES >> 20} MiB"
        raise MalformedError("picture_too_large", detail, pointer="picture")
    if not texts["said"] and not texts["message"] and not pictures:
        raise MalformedError("report_empty", "say what is wrong, or show it", pointer="message")
    return Filled(fields.get("nonce", ""), texts, pictures)


def as_typed() -> dict[str, str]:
    """What stands in the fields, good or not, for the form to be shown again."""
    try:
        return {name: request.form.get(name, "") for name in (*LONGEST_TEXTS, "nonce")}
    except RequestEntityTooLarge:
        return {}


def fields_of(kind: str = PLAIN, most: int = 0) -> dict[str, str]:
    """The fields of a form of our own site, each once, and of ``most`` bytes with its files.

    MalformedError: unsupported_media_type, body_too_large, duplicate_parameter; RefusedError
    ``form_stale``.
    """
    if request.headers.get("Sec-Fetch-Site", "none") not in _OURS:
        raise RefusedError("form_stale", "load the page again, and send the form from there")
    if request.mimetype != kind:
        raise MalformedError("unsupported_media_type", f"send {kind}")
    if most:
        request.max_content_length = most
    try:
        found = request.form.to_dict()
    except RequestEntityTooLarge:
        raise MalformedError("body_too_large", f"at most {most >> 20} MiB in all") from None
    if len(found) != sum(len(request.form.getlist(name)) for name in request.form):
        raise MalformedError("duplicate_parameter", "a field stands twice in the form")
    return found
