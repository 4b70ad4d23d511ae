"""One address, two forms: a page for whoever names ``text/html``, as browsers do, else JSON.

What is sealed never changes, so its JSON is kept for ever; the page about it is kept too, but
asked for again each time: its looks and words may change, and its language is the reader's.
"""

from typing import Any, Final

import msgspec
from flask import Request, Response, request

from chain.hashing import sha256
from invoice_service.openapi.operation import HTML, JSON, TEXT
from invoice_service.web.ground.page import page

FRESH: Final = "public, max-age=2"
KEYS: Final = "public, max-age=300"
FOREVER: Final = "public, max-age=31536000, immutable"
AGAIN: Final = "no-cache"
"""Kept, and asked for again each time."""

VARY_PAGE: Final = "Accept, Accept-Language, Cookie"
VARY_JSON: Final = "Accept"

_DIGITS: Final = 32


def wants_json(asked: Request) -> bool:
    """Whether a program asks: one that does not prefer a page over JSON."""
    return asked.accept_mimetypes.best_match((JSON, HTML), JSON) == JSON


def told(view: msgspec.Struct, template: str, cache: str, **values: Any) -> Response:  # noqa: ANN401 # whatever a template shows
    """``view`` in the form that was asked for; ``cache`` says how long its JSON may be kept."""
    if wants_json(request):
        return kept(msgspec.json.encode(view), JSON, cache, VARY_JSON)
    return as_page(page(template, view=view, **values))


def as_page(answer: Response) -> Response:
    """A page of the explorer: the same for everybody who reads that language."""
    answer.headers["Vary"] = VARY_PAGE
    answer.headers["Cache-Control"] = AGAIN
    return _tagged(answer)


def kept(data: bytes, kind: str, cache: str, vary: str = "") -> Response:
    """Bytes that anybody may copy and keep."""
    answer = Response(data, content_type=f"{kind}; charset=utf-8" if kind == TEXT else kind)
    answer.headers["Cache-Control"] = cache
    if vary:
        answer.headers["Vary"] = vary
    return _tagged(answer)


def for_every_site(answer: Response) -> Response:
    """Let a page of another site read what is for programs, errors too."""
    if answer.mimetype != HTML:
        answer.headers["Access-Control-Allow-Origin"] = "*"
        if answer.mimetype != TEXT:
            answer.headers["Vary"] = VARY_JSON
    return answer


def _tagged(answer: Response) -> Response:
    answer.set_etag(sha256(answer.get_data()).hex()[:_DIGITS])
    answer.make_conditional(request.environ)
    return answer
