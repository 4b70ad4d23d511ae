"""Look-ups of officials, listed and counted from the acts that say them."""

from typing import Final

from invoice_service.services.people.lookups import Looked, LookupCount, LookupFilter
from invoice_service.storage.sqlite.connection import Connections

_NEVER: Final = 2**62
_PERSON: Final = (
    "CASE WHEN actor LIKE 'person:%' THEN cast(substr(actor, 8) AS INTEGER)"
    " ELSE (SELECT person_id FROM api_keys WHERE 'key:' || id = actor) END"
)
"""Who an actor is; nobody for a key of which it is not known."""

_SINCE: Final = (
    " FROM acts INDEXED BY idx_acts_lookups WHERE type = 'lookup' AND at >= :since AND at < :until"
)


class LookupRows:
    """The part of the store that lists and counts look-ups."""

    connections: Connections

    def looked(self, wanted: LookupFilter, before: int | None, limit: int) -> list[Looked]:
        """Those that fit, the newest first; with ``before``, those with a lower ``seq``."""
        with self.connections.reading() as connection:
            rows = connection.execute(
                f"SELECT seq, at, actor, {_PERSON} AS person, origin,"  # our own words
                f" coalesce(json_extract(after, '$.what'), ''), subject, reason{_SINCE}"
                " AND seq < :before AND (:person IS NULL OR person = :person)"
                " ORDER BY seq DESC LIMIT :limit",
                {
                    "since": wanted.since or 0,
                    "until": _NEVER if wanted.until is None else wanted.until,
                    "before": _NEVER if before is None else before,
                    "person": wanted.person,
                    "limit": limit,
                },
            ).fetchall()
        return [Looked(*row) for row in rows]

    def lookups(self, since: int | None, until: int | None, limit: int) -> list[LookupCount]:
        """Counts by official and purpose, the most first, of a span (``until`` excluded)."""
        with self.connections.reading() as connection:
            rows = connection.execute(
                f"SELECT actor, reason, {_PERSON}, count(*), count(DISTINCT subject),"  # as above
                f" min(at), max(at){_SINCE}"
                " GROUP BY actor, reason ORDER BY count(*) DESC, actor, reason LIMIT :limit",
                {
                    "since": since or 0,
                    "until": _NEVER if until is None else until,
                    "limit": limit,
                },
            ).fetchall()
        return [LookupCount(*row) for row in rows]
