"""Who gets the invoices of a bill, while it is open: people sealed, each bill under its own key.

The key goes when the bill is settled or dropped, when nobody stands on it any more, or in the end
by itself (``forget_buyers``): by zeros over it, in a row that never moves, as in ADR 0034. So
nothing of a person is ever in the file in plain text, and of a key that went nothing stays there.
"""

import sqlite3
from secrets import token_bytes
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType
from sqlite_utils import Database

from chain.errors import UnavailableError
from invoice_service.domain.persons import GONE, KEY_SIZE, hide, show
from invoice_service.domain.request import Buyer
from invoice_service.storage.sqlite.connection import TO_WASH

_NONCE_SIZE: Final = 12
_NOBODY: Final = Buyer()
_TABLES: Final = (
    "CREATE TABLE till_buyer_keys (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    f" key BLOB NOT NULL CHECK (length(key) = {KEY_SIZE}), at INTEGER NOT NULL) STRICT",
    "CREATE TRIGGER till_buyer_keys_end BEFORE UPDATE ON till_buyer_keys"
    " WHEN NEW.id IS NOT OLD.id OR NEW.at IS NOT OLD.at"
    f" OR NEW.key IS NOT zeroblob({KEY_SIZE})"
    " BEGIN SELECT RAISE(ABORT, 'till_buyer_keys: a key is only destroyed'); END",
    "CREATE TRIGGER till_buyer_keys_no_delete BEFORE DELETE ON till_buyer_keys"
    " BEGIN SELECT RAISE(ABORT, 'till_buyer_keys: no DELETE, rows are frozen'); END",
    "ALTER TABLE till_bills ADD COLUMN buyers BLOB NOT NULL DEFAULT x''",
    "ALTER TABLE till_bills ADD COLUMN buyer_key INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX idx_till_bills_person ON till_bills (buyer_key) WHERE buyer_key > 0",
)


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who was told of: the bill's buyer, and those of the parts in which it is paid."""

    bill: Buyer | UnsetType = UNSET
    parts: list[Buyer] = []  # msgspec copies it

    def has_person(self) -> bool:
        """Whether anything of an individual is among it."""
        told = [one for one in (self.bill, *self.parts) if not isinstance(one, UnsetType)]
        return any(one.kind == "individual" and one != _NOBODY for one in told)


_write: Final = msgspec.json.Encoder().encode
_read: Final = msgspec.json.Decoder(Told).decode


def keep_told(
    connection: sqlite3.Connection, told: Told, number: int, at: int
) -> tuple[int, bytes]:
    """The number of the key (0: none) under which ``told`` is kept from now on, and how.

    ``number`` is that of the bill's key until now; one that is not needed any more is destroyed.
    """
    text = b"" if told == Told() else _write(told)
    if not told.has_person():
        _destroy(connection, number)
        return 0, text
    if not number:
        key = token_bytes(KEY_SIZE)
        cursor = connection.execute(
            "INSERT INTO till_buyer_keys (key, at) VALUES (?, ?)", (key, at)
        )
        return int(cursor.lastrowid or 0), hide(text, key, token_bytes(_NONCE_SIZE))
    query = "SELECT key FROM till_buyer_keys WHERE id = ?"
    key = connection.execute(query, (number,)).fetchone()[0]
    return number, hide(text, key, token_bytes(_NONCE_SIZE))


def read_told(kept: bytes, key: bytes | None) -> Told:
    """Who was told of; UnavailableError ``record_damaged`` where that cannot be read."""
    if not kept:
        return Told()
    try:
        return _read(kept if key is None else show(kept, key))
    except (ValueError, msgspec.MsgspecError) as error:
        raise UnavailableError("record_damaged", f"a bill's buyer is damaged: {error}") from error


def _destroy(connection: sqlite3.Connection, number: int) -> None:
    """Whoever tidies up next has the write-ahead log forget it, too (``wash``)."""
    if number:
        connection.execute("UPDATE till_buyer_keys SET key = ? WHERE id = ?", (GONE, number))
        connection.execute(TO_WASH)


def create_till_buyers(db: Database) -> None:
    """The table of keys; who stands on bills goes where people can be forgotten."""
    for statement in _TABLES:
        db.execute(statement)
    query = (
        "SELECT merchant_id, id, content, opened_at FROM till_bills"
        " WHERE state IN ('open', 'settling')"
    )
    for merchant_id, bill_id, content, at in db.execute(query).fetchall():
        body = msgspec.json.decode(content)
        if (buyer := body.pop("buyer", None)) is None:
            continue
        told = Told(bill=msgspec.convert(buyer, Buyer))
        number, kept = keep_told(db.conn, told, 0, at)
        db.execute(
            "UPDATE till_bills SET content = ?, buyers = ?, buyer_key = ?"
            " WHERE merchant_id = ? AND id = ?",
            (msgspec.json.encode(body).decode(), kept, number, merchant_id, bill_id),
        )
