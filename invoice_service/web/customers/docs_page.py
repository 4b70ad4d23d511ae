"""The page that shows the description of all calls (``/openapi.json``) to people who program."""

from flask import Blueprint, Response

from invoice_service.web.ground.page import page

# Our own files only: Swagger UI draws its arrows from `data:` addresses in its style sheet.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def docs_blueprint() -> Blueprint:
    """``/docs``."""
    blueprint = Blueprint("docs_page", __name__)

    @blueprint.get("/docs")
    def docs() -> Response:
        answer = page("customers/docs.html")
        answer.headers["Content-Security-Policy"] = POLICY
        return answer

    return blueprint
