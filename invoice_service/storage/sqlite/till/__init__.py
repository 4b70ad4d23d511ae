"""Rows of the till: lists, bills, sales, returns, shifts, and what has changed since when."""

from invoice_service.storage.sqlite.till.bills import BillRows
from invoice_service.storage.sqlite.till.events import EventRows
from invoice_service.storage.sqlite.till.lists import ListRows
from invoice_service.storage.sqlite.till.looking import LookRows
from invoice_service.storage.sqlite.till.returns import ReturnRows
from invoice_service.storage.sqlite.till.shifts import ShiftRows
from invoice_service.storage.sqlite.till.tables import create_till

__all__ = ["TillRows", "create_till"]


class TillRows(ListRows, BillRows, ReturnRows, ShiftRows, LookRows, EventRows):
    """The part of the store that tills use."""
