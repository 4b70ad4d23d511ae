"""The sealed links of customers, wherever they stand: all are sealed anew when the key changes."""

from collections.abc import Sequence
from typing import Final

from invoice_service.services.claims.links import CLAIM
from invoice_service.services.prepaid.ports import PREPAID
from invoice_service.storage.sqlite.connection import Connections

_TABLES: Final = {CLAIM: "claim_orders", PREPAID: "prepaid_accounts"}


class LinkRows:
    """The part of the store that has links."""

    connections: Connections

    def sealed_links(self, newest: bytes) -> list[tuple[str, int, bytes]]:
        """(of what, which, sealed) of all links that were not sealed by the key with this mark."""
        found: list[tuple[str, int, bytes]] = []
        with self.connections.reading() as connection:
            for of, table in _TABLES.items():
                rows = connection.execute(
                    f"SELECT seq, sealed FROM {table} WHERE substr(sealed, 1, ?) <> ?",  # noqa: S608 # our own names
                    (len(newest), newest),
                )
                found += [(of, row[0], row[1]) for row in rows]
        return found

    def seal_links_again(self, links: Sequence[tuple[str, int, bytes, bytes]]) -> None:
        """Replace (of what, which, sealed, mark)."""
        with self.connections.writing() as connection:
            for of, seq, sealed, mark in links:
                connection.execute(
                    f"UPDATE {_TABLES[of]} SET sealed = ?2, mark = ?3 WHERE seq = ?1",  # noqa: S608 # our own names
                    (seq, sealed, mark),
                )
