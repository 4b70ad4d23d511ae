"""Offers to wallets; each step of one is a single statement, so that two never have it."""

from collections.abc import Sequence
from typing import Final

from sqlite_utils import Database

from invoice_service.storage.sqlite.connection import Connections

_TABLE: Final = (
    "CREATE TABLE wallet_offers (code BLOB PRIMARY KEY NOT NULL, hash TEXT NOT NULL,"
    " made_at INTEGER NOT NULL, until INTEGER NOT NULL, token BLOB UNIQUE,"
    " done INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID"
)
_OVER: Final = "DELETE FROM wallet_offers WHERE until <= ?"
_OLDEST: Final = (
    "DELETE FROM wallet_offers WHERE code IN (SELECT code FROM wallet_offers"
    " WHERE hash = ? ORDER BY made_at DESC, code LIMIT -1 OFFSET ?)"
)
_REDEEM: Final = (
    "UPDATE wallet_offers SET token = ?, until = ? WHERE code = ? AND token IS NULL AND until > ?"
)
_TAKE: Final = (
    "UPDATE wallet_offers SET done = 1 WHERE token = ? AND NOT done AND until > ? RETURNING hash"
)
_RETURN: Final = "UPDATE wallet_offers SET done = 0 WHERE token = ?"


def create_offers(db: Database) -> None:
    """Make the table, empty."""
    db.execute(_TABLE)


class OfferRows:
    """The part of the store that keeps offers."""

    connections: Connections

    def add_offer(self, code: bytes, hash_: str, now: int, until: int, most: int) -> None:
        """Keep an offer; those that are over go, and the oldest beyond ``most`` of the invoice."""
        with self.connections.writing() as connection:
            connection.execute(_OVER, (now,))
            connection.execute(_OLDEST, (hash_, most - 1))
            connection.execute(
                "INSERT INTO wallet_offers (code, hash, made_at, until) VALUES (?, ?, ?, ?)",
                (code, hash_, now, until),
            )

    def redeem_offer(self, codes: Sequence[bytes], token: bytes, now: int, until: int) -> bool:
        """Put a token in the place of a code that is open, once."""
        with self.connections.writing() as connection:
            return any(
                connection.execute(_REDEEM, (token, until, code, now)).rowcount for code in codes
            )

    def take_offer(self, tokens: Sequence[bytes], now: int) -> str | None:
        """The invoice's hash of a token that is open, which is used up by that."""
        with self.connections.writing() as connection:
            for token in tokens:
                row = connection.execute(_TAKE, (token, now)).fetchone()
                if row is not None:
                    return str(row[0])
        return None

    def return_offer(self, tokens: Sequence[bytes]) -> None:
        """It came to nothing: the token is open again."""
        with self.connections.writing() as connection:
            for token in tokens:
                connection.execute(_RETURN, (token,))
