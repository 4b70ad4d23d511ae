"""Orders that customers claim: each rule is decided in the transaction that depends on it."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from chain.errors import ConflictError
from invoice_service.services.claims.ports import (
    LATEST,
    Claim,
    Made,
    Order,
    Payment,
    Wanted,
    Whole,
)
from invoice_service.services.claims.rules import choose
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.till.events import note

_COLUMNS: Final = Order.__struct_fields__
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM claim_orders"  # noqa: S608 # our own columns
_NEW: Final = [name for name in _COLUMNS if name != "seq"]
_INSERT: Final = (
    f"INSERT INTO claim_orders ({', '.join(_NEW)})"  # noqa: S608 # our own columns
    f" VALUES ({', '.join(f':{name}' for name in _NEW)})"
)
_SAME: Final = (
    "merchant_id = ? AND till = ? AND business_day = ? AND order_id = ? AND cancelled_at IS NULL"
)
_FINISH: Final = (
    "INSERT INTO claims (order_seq, part, secret, at, buyer, hash, number)"
    " VALUES (?, ?, ?, ?, x'', ?, ?) ON CONFLICT (order_seq, part) DO UPDATE SET"
    " secret = excluded.secret, buyer = x'', hash = excluded.hash, number = excluded.number"
    " WHERE hash = ''"
)
_BEGUN: Final = (
    "SELECT order_seq FROM claims WHERE hash = '' AND order_seq > :after AND at <= :before"
    " UNION SELECT order_seq FROM claims_due WHERE order_seq > :after ORDER BY 1 LIMIT :limit"
)
_BEGUN_AT: Final = (
    # CROSS: those that were begun are few, a merchant's orders are many.
    "SELECT c.order_seq FROM claims c CROSS JOIN claim_orders o ON o.seq = c.order_seq"
    " WHERE c.hash = '' AND o.merchant_id = :merchant UNION SELECT order_seq FROM claims_due"
    " WHERE merchant_id = :merchant ORDER BY 1 LIMIT :limit"
)


class ClaimRows:
    """The part of the store that keeps orders, claims and their payments."""

    connections: Connections

    def add_order(self, order: Order) -> Made:
        """Keep it, or give the one there is; ConflictError ``order_differs``."""
        named = order.merchant_id, order.till, order.business_day, order.order_id
        with self.connections.writing() as connection:
            there = _one(connection, _SAME, named)
            if there is None:
                return Made(keep_order(connection, order), new=True)
            if there.order.asked != order.asked:
                raise ConflictError(
                    "order_differs", f"order {order.order_id} stands here with other content"
                )
            if order.expires_at > there.order.expires_at:
                open_until(connection, there.order, order.expires_at)
            return Made(made_order(connection, there.order.id), new=False)

    def order(self, order_id: str, merchant_id: int | None) -> Whole | None:
        """One by its id; of this merchant, or of any (None)."""
        with self.connections.reading() as connection:
            found = _one(connection, "id = ?", (order_id,))
        if found is None or merchant_id not in (None, found.order.merchant_id):
            return None
        return found

    def order_by_mark(self, marks: Sequence[bytes]) -> Whole | None:
        """One by the keyed digest of its token."""
        with self.connections.reading() as connection:
            for mark in marks:
                if (found := _one(connection, "mark = ?", (mark,))) is not None:
                    return found
        return None

    def orders(
        self, merchant_id: int, after: int, limit: int, *, number: str = "", day: str = ""
    ) -> list[Whole]:
        """A merchant's, those above ``after`` in the order in which they were made."""
        where = "merchant_id = :merchant AND seq > :after"
        where += " AND order_id = :number" if number else ""
        where += " AND business_day = :day" if day else ""
        values = {"merchant": merchant_id, "after": after, "number": number, "day": day}
        with self.connections.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE {where} ORDER BY seq LIMIT :limit", values | {"limit": limit}
            ).fetchall()
            return [_whole(connection, row) for row in rows]

    def orders_of_day(self, merchant_id: int, day: str, limit: int) -> list[Whole]:
        """A merchant's newest of a business day, the newest first."""
        with self.connections.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE merchant_id = ? AND business_day = ? ORDER BY seq DESC LIMIT ?",
                (merchant_id, day, limit),
            ).fetchall()
            return [_whole(connection, row) for row in rows]

    def cancel_order(self, order_id: str, merchant_id: int, at: int) -> Whole | None:
        """Nobody may claim it any more; ConflictError ``order_claimed``. Safe to repeat."""
        with self.connections.writing() as connection:
            found = own_order(connection, order_id, merchant_id)
            if found is None or found.order.cancelled_at is not None:
                return found
            return end_order(connection, found, at)

    def begin_claim(self, seq: int, wanted: Wanted, now: int) -> Claim:
        """Keep a share for somebody, or find the claim that the same browser has made.

        A crash after this leaves a share that whoever asks next has issued as it was asked for.
        """
        with self.connections.writing() as connection:
            whole = _at(connection, seq)
            chosen = choose(whole, wanted, now)
            if isinstance(chosen, Claim):
                return chosen
            claim = Claim(part=chosen, secret=wanted.secret, at=now, buyer=wanted.buyer)
            connection.execute(
                "INSERT INTO claims (order_seq, part, secret, at, buyer) VALUES (?, ?, ?, ?, ?)",
                (seq, claim.part, claim.secret, claim.at, claim.buyer),
            )
            return claim

    def finish_claim(self, seq: int, claim: Claim) -> None:
        """It has its invoice; the buyer stands there, and nowhere else."""
        with self.connections.writing() as connection:
            values = (seq, claim.part, claim.secret, claim.at, claim.hash, claim.number)
            done = connection.execute(_FINISH, values)
            if done.rowcount:
                whole = _at(connection, seq)
                _mark_due(connection, whole)
                note(connection, whole.order.merchant_id, "order", whole.order.id)

    def drop_claim(self, seq: int, part: int) -> None:
        """It was refused, and the share is free again."""
        with self.connections.writing() as connection:
            connection.execute(
                "DELETE FROM claims WHERE order_seq = ? AND part = ? AND hash = ''", (seq, part)
            )

    def add_payment(self, seq: int, payment: Payment) -> bool:
        """Keep it, once by its reference; whether it is new."""
        with self.connections.writing() as connection:
            return keep_payment(connection, seq, payment)

    def begun_claims(
        self, limit: int, *, merchant_id: int | None = None, after: int = 0, before: int = LATEST
    ) -> list[Whole]:
        """Orders with claims of which nobody knows what came, or that wait to issue themselves."""
        query = _BEGUN if merchant_id is None else _BEGUN_AT
        values = {"merchant": merchant_id, "after": after, "before": before, "limit": limit}
        with self.connections.reading() as connection:
            rows = connection.execute(query, values).fetchall()
            return [_at(connection, row[0]) for row in rows]

    def order_news(self, order_id: str) -> dict[str, object]:
        """What a till is told of an order: its number, and how far it has come."""
        with self.connections.reading() as connection:
            whole = made_order(connection, order_id)
        order = whole.order
        return {
            "id": order.id,
            "order_id": order.order_id,
            "till": order.till,
            "business_day": order.business_day,
            "total": order.total,
            "shares": len(order.shares),
            "claimed": [one.hash for one in whole.claims if one.hash],
            "paid": whole.paid_at is not None,
            "differs": [one.amount for one in whole.payments if not one.counts],
            "cancelled": order.cancelled_at is not None,
            "expires_at": order.expires_at,
        }


def keep_order(connection: sqlite3.Connection, order: Order) -> Whole:
    """Write a new one down within a transaction."""
    connection.execute(_INSERT, _row(order))
    note(connection, order.merchant_id, "order", order.id)
    return made_order(connection, order.id)


def open_until(connection: sqlite3.Connection, order: Order, until: int) -> None:
    """It may be claimed for as long, within a transaction."""
    connection.execute("UPDATE claim_orders SET expires_at = ? WHERE seq = ?", (until, order.seq))


def end_order(connection: sqlite3.Connection, whole: Whole, at: int) -> Whole:
    """Cancel it within a transaction; ConflictError ``order_claimed``."""
    order = whole.order
    if whole.claims:
        issued = "it has an invoice: take that back instead"
        begun = "somebody has claimed it, and the invoice is on its way: take that back then"
        raise ConflictError("order_claimed", issued if whole.issued else begun)
    connection.execute("UPDATE claim_orders SET cancelled_at = ? WHERE seq = ?", (at, order.seq))
    found = made_order(connection, order.id)
    _mark_due(connection, found)
    note(connection, order.merchant_id, "order", order.id)
    return found


def keep_payment(connection: sqlite3.Connection, seq: int, payment: Payment) -> bool:
    """Write it down within a transaction, once by its reference; whether it is new."""
    done = connection.execute(
        "INSERT INTO claim_payments (by, reference, order_seq, amount, at, counts)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (payment.by, payment.reference, seq, payment.amount, payment.at, payment.counts),
    )
    if done.rowcount:
        whole = _at(connection, seq)
        _mark_due(connection, whole)
        note(connection, whole.order.merchant_id, "order", whole.order.id)
    return bool(done.rowcount)


def _mark_due(connection: sqlite3.Connection, whole: Whole) -> None:
    """Whether it waits to issue itself: so that those that do are found among all others."""
    order = whole.order
    connection.execute("DELETE FROM claims_due WHERE order_seq = ?", (order.seq,))
    if whole.issues_itself and whole.issued < len(order.shares):
        connection.execute("INSERT INTO claims_due VALUES (?, ?)", (order.seq, order.merchant_id))


def own_order(connection: sqlite3.Connection, order_id: str, merchant_id: int) -> Whole | None:
    """A merchant's, within a transaction."""
    return _one(connection, "id = ? AND merchant_id = ?", (order_id, merchant_id))


def made_order(connection: sqlite3.Connection, order_id: str) -> Whole:
    """One that is there, within a transaction."""
    row = connection.execute(f"{_SELECT} WHERE id = ?", (order_id,)).fetchone()
    return _whole(connection, row)


def _row(order: Order) -> dict[str, object]:
    row = msgspec.structs.asdict(order) | {
        "shares": msgspec.json.encode(order.shares).decode(),
        "auto_issue": int(order.auto_issue),
        "after_payment": int(order.after_payment),
    }
    row.pop("seq")
    return row


def _one(connection: sqlite3.Connection, where: str, values: tuple[object, ...]) -> Whole | None:
    row = connection.execute(f"{_SELECT} WHERE {where}", values).fetchone()
    return None if row is None else _whole(connection, row)


def _at(connection: sqlite3.Connection, seq: int) -> Whole:
    return _whole(connection, connection.execute(f"{_SELECT} WHERE seq = ?", (seq,)).fetchone())


def _whole(connection: sqlite3.Connection, row: tuple[Any, ...]) -> Whole:
    fields = dict(zip(_COLUMNS, row, strict=True))
    fields["shares"] = tuple(msgspec.json.decode(fields["shares"]))
    fields |= {name: bool(fields[name]) for name in ("auto_issue", "after_payment")}
    order = Order(**fields)
    claims = connection.execute(
        "SELECT part, secret, at, buyer, hash, number FROM claims WHERE order_seq = ?"
        " ORDER BY part",
        (order.seq,),
    ).fetchall()
    payments = connection.execute(
        "SELECT by, reference, amount, at, counts FROM claim_payments WHERE order_seq = ?"
        " ORDER BY at, by, reference",
        (order.seq,),
    ).fetchall()
    return Whole(order, tuple(map(_claim, claims)), tuple(map(_payment, payments)))


def _claim(row: tuple[Any, ...]) -> Claim:
    return Claim(**dict(zip(Claim.__struct_fields__, row, strict=True)))


def _payment(row: tuple[Any, ...]) -> Payment:
    fields = dict(zip(Payment.__struct_fields__, row, strict=True))
    return Payment(**fields | {"counts": bool(fields["counts"])})
