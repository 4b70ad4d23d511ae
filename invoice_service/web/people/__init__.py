"""Pages for people who sign in: the way in, one's own account, who works here."""

from flask import Blueprint

from invoice_service.web.people.account import AccountPages
from invoice_service.web.people.agents import short_agent
from invoice_service.web.people.contract import PAGES
from invoice_service.web.people.gate import Door, Gate, SignInNeededError
from invoice_service.web.people.invitation import invitation_blueprint
from invoice_service.web.people.provider import ProviderPages
from invoice_service.web.people.sign_in import SignInPages
from invoice_service.web.people.staff import StaffPages
from invoice_service.web.people.till import till_blueprint

__all__ = ["PAGES", "Door", "Gate", "blueprints"]


def blueprints(gate: Gate, *more: Blueprint) -> list[Blueprint]:
    """All routes, and ``more`` behind the same gate; what goes wrong has pages of its own."""
    found = [
        SignInPages(gate).blueprint(),
        ProviderPages(gate).blueprint(),
        invitation_blueprint(gate),
        AccountPages(gate).blueprint(),
        StaffPages(gate).blueprint(),
        till_blueprint(gate),
        *more,
    ]
    for routes in found:
        routes.register_error_handler(SignInNeededError, gate.sign_in_first)
        for fault in gate.FAULTS:
            routes.register_error_handler(fault, gate.problem)
        routes.add_app_template_filter(gate.clock, "clock")
        routes.add_app_template_global(gate.is_somebody, "is_somebody")
        routes.add_app_template_filter(short_agent, "browser")
    return found
