"""The till: what its pages ask of the service, by session, as JSON and as a feed of events."""

from flask import Blueprint

from invoice_service.services.mailing.desk import MailDesk
from invoice_service.services.till.desk import TillDesk
from invoice_service.web.people.gate import Gate
from invoice_service.web.till.accounts import AccountCalls
from invoice_service.web.till.bills import BillCalls
from invoice_service.web.till.events import EventCalls
from invoice_service.web.till.figures import FigureCalls
from invoice_service.web.till.invoices import InvoiceCalls
from invoice_service.web.till.lists import ListCalls
from invoice_service.web.till.mails import MailCalls
from invoice_service.web.till.orders import OrderCalls
from invoice_service.web.till.session import TillGate
from invoice_service.web.till.shifts import ShiftCalls
from invoice_service.web.till.slips import SlipCalls
from invoice_service.web.till.state import StateCalls

DATA = "till_data"
"""The blueprint whose refusals are for programs: problem+json."""


def data_blueprint(gate: Gate, desk: TillDesk, mail: MailDesk, largest: int) -> Blueprint:
    """All calls; bodies have ``largest`` bytes at most."""
    routes = Blueprint(DATA, __name__, url_prefix="/till")
    session = TillGate(gate, desk, largest)
    routes.before_request(session.enter)
    for calls in (
        StateCalls(session),
        ListCalls(session),
        BillCalls(session),
        OrderCalls(session, gate.door),
        AccountCalls(session),
        InvoiceCalls(session),
        SlipCalls(session, gate.door),
        MailCalls(session, mail),
        FigureCalls(session),
        ShiftCalls(session),
        EventCalls(session),
    ):
        calls.add_to(routes)
    return routes
