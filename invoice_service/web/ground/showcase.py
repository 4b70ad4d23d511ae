"""The page of all components: what pages are put together from, in both languages."""

from typing import Final, NamedTuple

from flask import Blueprint, Response

from invoice_service.web.ground.catalogs import N_
from invoice_service.web.ground.charts import Bar
from invoice_service.web.ground.page import page


class Said(NamedTuple):
    """What a banner or a label says; as the words of a verdict."""

    style: str
    icon: str
    name: str
    text: str


BANNERS: Final = (
    Said("authentic", "circle-check", N_("Good"), N_("What was asked for is so.")),
    Said("pending", "clock", N_("Under way"), N_("It is so, and something more is to come.")),
    Said("unavailable", "triangle-alert", N_("Careful"), N_("Something is missing, or in part.")),
    Said("mismatch", "circle-x", N_("No"), N_("What was asked for is not so.")),
    Said("unknown", "circle-question-mark", N_("Nothing"), N_("There is nothing to say of it.")),
)
COLOURS: Final = ("good", "wait", "warn", "bad", "none")
DAYS: Final = (
    Bar("11-16", 123450, "¥1,234.50"),
    Bar("11-17", 88000, "¥880.00"),
    Bar("11-18", -20000, "-¥200.00"),
    Bar("11-19", 156020, "¥1,560.20"),
    Bar("11-20", 201200, "¥2,012.00"),
    Bar("11-21", 187400, "¥1,874.00"),
)


def showcase_blueprint() -> Blueprint:
    """``/components``."""
    blueprint = Blueprint("showcase", __name__)

    @blueprint.get("/components")
    def components() -> Response:
        return page("ground/components_page.html", banners=BANNERS, colours=COLOURS, days=DAYS)

    return blueprint
