"""Orders that tills make of bills: bill, order and money change together, or not at all."""

import sqlite3
from collections.abc import Mapping

import msgspec
from msgspec import UNSET

from chain.errors import ConflictError
from invoice_service.domain.money import Fen
from invoice_service.services.claims.ports import Order, Payment, Whole
from invoice_service.services.till.order_ports import Ordering, order_of, outcome_of
from invoice_service.services.till.ports import Bill, Hand, Paid
from invoice_service.storage.sqlite.claims import (
    end_order,
    keep_order,
    keep_payment,
    made_order,
    open_until,
    own_order,
)
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.till.bills import (
    begin_bill,
    bill_at,
    bill_of_order,
    keep_bill,
    numbered,
)
from invoice_service.storage.sqlite.till.events import note
from invoice_service.storage.sqlite.till.shifts import current, opened


class BillOrderRows:
    """The part of the store that turns bills into orders, and back."""

    connections: Connections

    def order_bill(self, hand: Hand, ordering: Ordering) -> Whole:
        """Make the order; the bill keeps what stood on it, but for whom, until it is wanted again.

        ConflictError as ``put_bill``.
        """
        with self.connections.writing() as connection:
            bill = bill_at(connection, hand, ordering.bill_id, ordering.version)
            if bill is None:
                bill = begin_bill(connection, hand, ordering.bill_id, ordering.content)
            named = numbered(connection, bill, hand.place)
            place = {name: getattr(named, name) for name in ("till", "business_day", "order_id")}
            made = keep_order(connection, msgspec.structs.replace(ordering.order, **place))
            if ordering.paid:
                _take(connection, hand, made.order, ordering.paid, ordering.new_shift)
            _settled(connection, hand, named, ordering, made.order)
            return made_order(connection, made.order.id)

    def pay_order(self, hand: Hand, order_id: str, paid: Paid, new_shift: str) -> Whole | None:
        """Money has come into a till; of an order that is paid already it changes nothing.

        ConflictError ``order_cancelled``. None for what is no order of this merchant.
        """
        with self.connections.writing() as connection:
            found = own_order(connection, order_id, hand.merchant_id)
            if found is None:
                return None
            if found.order.cancelled_at is not None:
                raise ConflictError("order_cancelled", "it was cancelled: nobody pays for it")
            if found.paid_at is not None:
                return found
            _take(connection, hand, found.order, paid, new_shift)
            return made_order(connection, order_id)

    def drop_order(self, hand: Hand, order_id: str, new_shift: str) -> Whole | None:
        """Cancel it, give back what came into a till, and open its bill again. Safe to repeat.

        ConflictError ``order_claimed``. None for what is no order of this merchant.
        """
        with self.connections.writing() as connection:
            found = own_order(connection, order_id, hand.merchant_id)
            if found is None or found.order.cancelled_at is not None:
                return found
            ended = end_order(connection, found, hand.by.at)
            back = {kind: -amount for kind, amount in _money(connection, ended.order).items()}
            if back:
                _book(connection, hand, ended.order, back, new_shift)
            _open_again(connection, ended.order)
            return ended

    def extend_order(self, merchant_id: int, order_id: str, until: int) -> Whole | None:
        """It may be claimed until then (unix seconds), if that is later.

        ConflictError ``order_cancelled``.
        """
        with self.connections.writing() as connection:
            found = own_order(connection, order_id, merchant_id)
            if found is None:
                return None
            if found.order.cancelled_at is not None:
                raise ConflictError("order_cancelled", "it was cancelled: make another")
            if until > found.order.expires_at:
                open_until(connection, found.order, until)
                note(connection, merchant_id, "order", order_id)
            return made_order(connection, order_id)

    def order_money(self, order: Order) -> dict[str, Fen]:
        """What has come into tills for it, and is still there, by kind."""
        with self.connections.reading() as connection:
            return _money(connection, order)


def _settled(
    connection: sqlite3.Connection, hand: Hand, bill: Bill, ordering: Ordering, order: Order
) -> None:
    done = msgspec.structs.replace(
        bill,
        state="settled",
        version=bill.version + 1,
        content=msgspec.structs.replace(ordering.content, buyer=UNSET),
        settlement=outcome_of(order, hand),
        asked=ordering.asked,
        buyers=b"",
    )
    keep_bill(connection, done)


def _open_again(connection: sqlite3.Connection, order: Order) -> None:
    """The bill that the order was made of, if it was made of one."""
    named = order.merchant_id, order.till, order.business_day, order.order_id
    bill = bill_of_order(connection, named)
    if bill is not None and bill.state == "settled" and order_of(bill) == order.id:
        version = bill.version + 1
        keep_bill(
            connection,
            msgspec.structs.replace(bill, state="open", version=version, settlement=b"", asked=b""),
        )


def _take(
    connection: sqlite3.Connection, hand: Hand, order: Order, paid: Paid, new_shift: str
) -> None:
    payment = Payment(by="till", reference=order.id, amount=order.total, at=hand.by.at)
    if keep_payment(connection, order.seq, payment):
        _book(connection, hand, order, paid, new_shift)


def _book(
    connection: sqlite3.Connection,
    hand: Hand,
    order: Order,
    amounts: Mapping[str, Fen],
    new_shift: str,
) -> None:
    """Into the shift that is open at this till, or out of it (below zero)."""
    place = hand.place
    shift = current(connection, place.merchant_id, place.till) or opened(
        connection, hand, new_shift, 0
    )
    connection.executemany(
        "INSERT INTO claim_money (order_seq, kind, returned, amount, merchant_id, shift, person,"
        " at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                order.seq,
                kind,
                amount < 0,
                amount,
                hand.merchant_id,
                shift.id,
                hand.person,
                hand.by.at,
            )
            for kind, amount in amounts.items()
        ],
    )


def _money(connection: sqlite3.Connection, order: Order) -> dict[str, Fen]:
    rows = connection.execute(
        "SELECT kind, sum(amount) FROM claim_money WHERE order_seq = ? GROUP BY kind"
        " HAVING sum(amount) <> 0",
        (order.seq,),
    ).fetchall()
    return {kind: int(amount) for kind, amount in rows}
