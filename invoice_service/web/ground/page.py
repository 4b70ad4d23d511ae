"""A page for people, with what it may do: nothing but show itself and send its own forms."""

from typing import Any, Final

from flask import Response, render_template

from invoice_service.web.ground.language import language

# Our own style sheet and pictures, and nothing else: no script, no frame around us.
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def page(template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 # whatever a template shows
    """A rendered page that is kept by nobody and runs nothing."""
    answer = Response(render_template(template, **values), status)
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Content-Language"] = language().tag
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Frame-Options"] = "DENY"
    return answer
