"""``/bureau/``: who one is here, and where one may go."""

from flask import Blueprint, Response

from invoice_service.services.people.roles import OFFICIALS
from invoice_service.web.bureau.navigation import bureau_page
from invoice_service.web.people.gate import Gate


def home_blueprint(gate: Gate) -> Blueprint:
    """The route."""
    routes = Blueprint("bureau", __name__, url_prefix="/bureau")

    @routes.get("/")
    def home() -> Response:
        return bureau_page(gate, gate.person(*OFFICIALS), "bureau/home.html")

    return routes
