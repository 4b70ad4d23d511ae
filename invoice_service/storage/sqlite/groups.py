"""Many records at once: new invoices for new orders are stored together, with one look-up for all.

All else (repeats, conflicts, refusals, red invoices) and whatever fails here goes to the counter,
which serves one record at a time and knows every rule. So the answers are the same.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol, TypeAlias

from chain.errors import Problem
from invoice_service.domain.invoice import Issued, Prepared
from invoice_service.domain.numbering import Allotment

Row: TypeAlias = tuple[object, ...]
"""An invoice as it is inserted."""

OF_ONE_RECORD: Final = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)
"""What is wrong with a record, as SQLite or its module say it; the transaction goes on."""

STORED_AT_ONCE: Final = 64
"""Invoices under one savepoint. Each statement walks through all that the savepoint has kept."""

_KNOWN_ORDERS: Final = (
    "SELECT i.merchant_id, i.order_id, i.till, i.business_day"
    " FROM json_each(?) AS wanted CROSS JOIN invoices i"
    " ON i.order_id = wanted.value ->> 1 AND i.merchant_id = wanted.value ->> 0"
    " AND i.till = wanted.value ->> 2 AND i.business_day = wanted.value ->> 3 AND i.type = 'blue'"
)
_KNOWN_KEYS: Final = (
    "SELECT i.merchant_id, i.key FROM json_each(?) AS wanted CROSS JOIN idempotency i"
    " ON i.merchant_id = wanted.value ->> 0 AND i.key = wanted.value ->> 1"
)

_Order: TypeAlias = tuple[int, str, str, str]
"""A merchant's order: its number, till and business day."""

_Key: TypeAlias = tuple[int, str]
"""A merchant's Idempotency-Key."""


class Draft(NamedTuple):
    """A numbered invoice that only waits to be stored; ``after`` is the last number before it."""

    prepared: Prepared
    row: Row
    issued: Issued
    after: Allotment | None


class Counter(Protocol):
    """Who serves one record at a time within a transaction."""

    def serve(self, prepared: Prepared) -> Issued | Problem:
        """Answer one record by every rule; when it fails, nothing of it is stored."""
        ...

    def draft(self, prepared: Prepared) -> Draft:
        """Number a blue invoice for a new order; nothing is stored yet. Raises why not."""
        ...

    def store(self, drafts: Sequence[Draft]) -> None:
        """Store what was drafted, in its order."""
        ...

    def forget(self, drafts: Sequence[Draft]) -> None:
        """Take back what was drafted last, as if it had never been."""
        ...


def serve_together(
    connection: sqlite3.Connection, counter: Counter, batch: Sequence[Prepared]
) -> list[Issued | Problem]:
    """Answer each record as ``counter.serve`` would, one after the other.

    Raises sqlite3.Error when the transaction as a whole cannot go on.
    """
    if len(batch) == 1:
        return [counter.serve(batch[0])]
    return _Group(connection.execute, counter).serve(batch)


class _Group:
    """The records of one transaction; ``drafts`` are those that are not stored yet."""

    def __init__(self, execute: Callable[..., sqlite3.Cursor], counter: Counter) -> None:
        self._execute = execute
        self._counter = counter
        self._answers: list[Issued | Problem] = []
        self._drafts: list[Draft] = []
        self._orders: set[_Order] = set()
        self._keys: set[_Key] = set()

    def serve(self, batch: Sequence[Prepared]) -> list[Issued | Problem]:
        """Answer all of them."""
        self._look_up(batch)
        for prepared in batch:
            if not (self._is_new(prepared) and self._draft(prepared)):
                self._store()
                self._answers.append(self._counter.serve(prepared))
            elif len(self._drafts) == STORED_AT_ONCE:
                self._store()
        self._store()
        return self._answers

    def _look_up(self, batch: Sequence[Prepared]) -> None:
        """Which of the orders and keys are known already."""
        orders = [_order(one) for one in batch]
        keys = [(one.merchant_id, one.idempotency_key) for one in batch if one.idempotency_key]
        self._orders.update(self._execute(_KNOWN_ORDERS, (json.dumps(orders),)))
        if keys:
            self._keys.update(self._execute(_KNOWN_KEYS, (json.dumps(keys),)))

    def _is_new(self, prepared: Prepared) -> bool:
        """Whether nothing is known under its order and key; from now on something is."""
        order = _order(prepared)
        key = prepared.merchant_id, prepared.idempotency_key
        new = prepared.kind == "blue" and order not in self._orders and key not in self._keys
        if prepared.place is not None and not prepared.place.is_plain:
            new = False  # what the whole order comes to is to be looked at
        if prepared.prepaid:
            new = False  # what the account holds is, too
        self._orders.add(order)
        if prepared.idempotency_key:
            self._keys.add(key)
        return new

    def _draft(self, prepared: Prepared) -> bool:
        try:
            self._drafts.append(self._counter.draft(prepared))
        except Exception as error:  # noqa: BLE001 # the counter answers it, by its rules
            _raise_unless_of_one(error)
            return False
        return True

    def _store(self) -> None:
        """Store the drafts; if one of them fails, serve them one by one."""
        drafts, self._drafts = self._drafts, []
        if not drafts:
            return
        self._execute("SAVEPOINT together")
        try:
            self._counter.store(drafts)
        except Exception as error:  # noqa: BLE001 # as above
            _raise_unless_of_one(error)
            self._execute("ROLLBACK TO together")
            self._counter.forget(drafts)
            answers = [self._counter.serve(draft.prepared) for draft in drafts]
        else:
            answers = [draft.issued for draft in drafts]
        self._execute("RELEASE together")
        self._answers += answers


def _order(prepared: Prepared) -> _Order:
    place = prepared.place
    if place is None:
        return prepared.merchant_id, prepared.order_id, "", ""
    return prepared.merchant_id, prepared.order_id, place.till, place.business_day


def _raise_unless_of_one(error: Exception) -> None:
    """The disk, the file or the lock: the next record would fare no better."""
    if isinstance(error, sqlite3.Error) and not isinstance(error, OF_ONE_RECORD):
        raise error
