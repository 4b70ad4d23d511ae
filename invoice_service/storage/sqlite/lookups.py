"""Look-ups of officials, counted from the acts that say them."""

from invoice_service.services.people.lookups import LookupCount
from invoice_service.storage.sqlite.connection import Connections


class LookupRows:
    """The part of the store that counts look-ups."""

    connections: Connections

    def lookups(self, since: int | None, until: int | None, limit: int) -> list[LookupCount]:
        """Counts by official and purpose, the most first, of a span (``until`` excluded)."""
        with self.connections.reading() as connection:
            rows = connection.execute(
                "SELECT actor, reason, CASE WHEN actor LIKE 'person:%' THEN"
                " cast(substr(actor, 8) AS INTEGER) ELSE (SELECT person_id FROM api_keys"
                " WHERE 'key:' || id = actor) END, count(*), count(DISTINCT subject),"
                " min(at), max(at) FROM acts INDEXED BY idx_acts_lookups"
                " WHERE type = 'lookup' AND at >= ? AND at < ?"
                " GROUP BY actor, reason ORDER BY count(*) DESC, actor, reason LIMIT ?",
                (since or 0, 2**62 if until is None else until, limit),
            ).fetchall()
        return [LookupCount(*row) for row in rows]
