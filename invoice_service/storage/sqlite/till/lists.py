"""A merchant's lists: menu, tables, tills; each is replaced whole."""

from typing import Final

from chain.errors import ConflictError
from chain.hashing import sha256
from invoice_service.domain.acts import act_by
from invoice_service.services.till.ports import NOTHING_KEPT, Hand, Kept, ListKind
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.till.events import note
from invoice_service.storage.sqlite.trail import append

_PUT: Final = "INSERT OR REPLACE INTO till_lists (merchant_id, kind, version, items)"


class ListRows:
    """The part of the store that keeps them."""

    connections: Connections

    def till_list(self, merchant_id: int, kind: ListKind) -> Kept:
        """One of them."""
        with self.connections.reading() as connection:
            row = connection.execute(
                "SELECT version, items FROM till_lists WHERE merchant_id = ? AND kind = ?",
                (merchant_id, kind),
            ).fetchone()
        return NOTHING_KEPT if row is None else Kept(row[0], row[1].encode())

    def put_till_list(self, hand: Hand, kind: ListKind, kept: Kept) -> int:
        """Replace one whose version is still ``kept``'s; ConflictError ``list_changed``."""
        with self.connections.writing() as connection:
            row = connection.execute(
                "SELECT version FROM till_lists WHERE merchant_id = ? AND kind = ?",
                (hand.merchant_id, kind),
            ).fetchone()
            version = 0 if row is None else int(row[0])
            if version != kept.version:
                raise ConflictError(
                    "list_changed", f"somebody has changed it: it is at version {version}"
                )
            connection.execute(
                f"{_PUT} VALUES (?, ?, ?, ?)",
                (hand.merchant_id, kind, version + 1, kept.items.decode()),
            )
            append(
                connection,
                act_by(
                    hand.by,
                    "menu",
                    f"merchant:{hand.merchant_id}",
                    after={
                        "list": kind,
                        "version": version + 1,
                        "digest": sha256(kept.items).hex(),
                    },
                ),
            )
            note(connection, hand.merchant_id, "menu", kind)
        return version + 1

    def set_session_till(self, session_id: int, till: str) -> None:
        """This browser is that till."""
        with self.connections.writing() as connection:
            connection.execute("UPDATE sessions SET till = ? WHERE id = ?", (till, session_id))
