"""Pages that lead from an empty instance to the first slip; gone once that is done."""

from flask import Blueprint

from invoice_service.services.people.setup import Setup
from invoice_service.web.people.gate import Gate
from invoice_service.web.setup.contract import PAGES
from invoice_service.web.setup.doors import doors_blueprint
from invoice_service.web.setup.entry import SetupGate, SetupParts
from invoice_service.web.setup.sale import SalePages
from invoice_service.web.setup.steps import StepPages

__all__ = ["PAGES", "SetupParts", "doors_blueprint", "setup_blueprint"]


def setup_blueprint(parts: SetupParts, setup: Setup, gate: Gate) -> Blueprint:
    """All routes below ``/setup``."""
    entry = SetupGate(parts, setup, gate)
    routes = Blueprint("setup", __name__, url_prefix="/setup")
    entry.add_to(routes)
    StepPages(entry).add_to(routes)
    SalePages(entry).add_to(routes)
    return routes
