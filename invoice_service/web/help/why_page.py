"""``/why``: in a minute, why all of this can be believed, and what it does not prove."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response

from invoice_service.web.ground.page import page


def why_blueprint(trusted: Callable[[], dict[str, Any]]) -> Blueprint:
    """``trusted`` gives the log's ``key``, and how many ``witnesses`` its policy names."""
    blueprint = Blueprint("why_page", __name__)

    @blueprint.get("/why")
    def why() -> Response:
        return page("help/why.html", **trusted())

    return blueprint
