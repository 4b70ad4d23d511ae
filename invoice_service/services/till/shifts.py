"""Opening and closing a till; what was begun and never finished is finished before it closes."""

from contextlib import suppress
from typing import Any, Final, Protocol

from chain.errors import NotFoundError, Problem
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.money import Fen
from invoice_service.domain.text import given_text
from invoice_service.services.till.books import Books
from invoice_service.services.till.days import Days
from invoice_service.services.till.ports import BillStore, Hand, ReturnStore, Shift, ShiftStore
from invoice_service.services.till.returning import Taking
from invoice_service.services.till.rows import shift_row
from invoice_service.services.till.selling import Selling
from invoice_service.services.till.shapes import CloseRequest, ShiftRequest, check_id

MOST: Final = 500
"""Shifts of a list."""


class Store(ShiftStore, BillStore, ReturnStore, Protocol):
    """What closing needs of a store."""

    def invoice_at(self, seq: int) -> StoredInvoice | None:
        """The invoice at ``seq``."""
        ...


class Shifts:
    """Shifts of a merchant's tills."""

    def __init__(
        self, store: Store, selling: Selling, taking: Taking, books: Books, days: Days
    ) -> None:
        self._store = store
        self._selling = selling
        self._taking = taking
        self._books = books
        self._days = days

    def current(self, merchant_id: int, till: str) -> dict[str, Any] | None:
        """The one that is open at a till, as it is shown."""
        shift = self._store.current_shift(merchant_id, till) if till else None
        return None if shift is None else self._shown(merchant_id, shift)

    def open(self, hand: Hand, asked: ShiftRequest) -> dict[str, Any]:
        """Open a till; ConflictError ``till_open``, MalformedError ``till_id_invalid``."""
        shift = self._store.open_shift(hand, check_id(asked.id, "/id"), asked.change)
        return self._shown(hand.merchant_id, shift)

    def close(self, hand: Hand, shift_id: str, asked: CloseRequest) -> dict[str, Any]:
        """Count and close; the figures are those of the business day.

        NotFoundError ``shift_unknown``; ConflictError ``shift_closed``, ``bills_open``.
        """
        given_text(asked.note, "/note")
        shift = self._store.shift(hand.merchant_id, shift_id)
        if shift is None:
            raise NotFoundError("shift_unknown", "there is no such shift")
        if shift.closed_at is None:
            self._finish_what_was_begun(hand, shift)
        counted: dict[str, Fen] = {str(kind): amount for kind, amount in asked.counted.items()}
        closed = self._store.close_shift(hand, shift_id, counted, asked.note, carry=asked.carry)
        figures = self._books.figures(hand.merchant_id, self._days.day(closed.business_day))
        return {**self._shown(hand.merchant_id, closed), "figures": figures}

    def of_month(self, merchant_id: int, month: str) -> list[dict[str, Any]]:
        """Those of a month, the newest first."""
        span = self._days.month(month)
        found = self._store.shifts(merchant_id, span.first, span.last, MOST)
        names = self._books.names(merchant_id)
        return [shift_row(shift, names) for shift in found]

    def one(self, merchant_id: int, shift_id: str) -> dict[str, Any] | None:
        """One of them, as it is shown."""
        shift = self._store.shift(merchant_id, shift_id)
        return None if shift is None else self._shown(merchant_id, shift)

    def _shown(self, merchant_id: int, shift: Shift) -> dict[str, Any]:
        return shift_row(shift, self._books.names(merchant_id))

    def _finish_what_was_begun(self, hand: Hand, shift: Shift) -> None:
        """A process that was killed may have left some; what cannot be finished is named later."""
        for bill in self._store.open_bills(hand.merchant_id):
            if bill.state == "settling" and bill.shift == shift.id:
                self._selling_resumes(hand, bill.id)
        for begun in self._store.begun_returns(hand.merchant_id, shift.id):
            blue = self._store.invoice_at(begun.invoice)
            if blue is not None:
                self._taking.resume(hand, begun, blue.hash)

    def _selling_resumes(self, hand: Hand, bill_id: str) -> None:
        bill = self._store.bill(hand.merchant_id, bill_id)
        with suppress(Problem):
            if bill is not None and bill.state == "settling":
                self._selling.resume(hand, bill)
