"""The bureau's pages: who works here, what two decide, and who looked at what.

A page extends ``bureau/frame.html``, whose navigation shows what the reader's role has the power
for (``navigation.ROOMS``), and begins with ``gate.official(power)``.
"""

from flask import Blueprint

from invoice_service.web.bureau.contract import PAGES
from invoice_service.web.bureau.home import home_blueprint
from invoice_service.web.bureau.people import BureauPeople
from invoice_service.web.people.gate import Gate

__all__ = ["PAGES", "blueprints"]


def blueprints(gate: Gate) -> tuple[Blueprint, ...]:
    """All routes below ``/bureau``; they go behind the same gate as all pages of people."""
    return home_blueprint(gate), BureauPeople(gate).blueprint()
