"""Whom the front turned away for want of room: counted, and told in the log once a minute."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from math import inf
from typing import Final, Literal, get_args

Why = Literal["bodies_full", "answers_full", "connections_full", "address_full", "feeds_full"]
"""Requests whose body had no room, answers that nobody took, connections: of all, of one address.

And feeds: answers that stay open, of all or of one address.

Who gives way to another one, with nothing to answer, counts among the connections.
"""

REASONS: Final[tuple[Why, ...]] = get_args(Why)
LINE_SECONDS: Final = 60.0

log = logging.getLogger(__name__)


class Crowd:
    """Takes note of each who is turned away. Used by one thread."""

    def __init__(
        self,
        count: Callable[[Why], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._count = count
        self._clock = clock
        self._untold: Counter[str] = Counter()
        self._told_at: dict[str, float] = {}

    def note(self, why: Why) -> None:
        """One more; of each reason a line a minute says how many there were since the last."""
        if self._count is not None:
            self._count(why)
        self._untold[why] += 1
        now = self._clock()
        if now - self._told_at.get(why, -inf) >= LINE_SECONDS:
            self._told_at[why] = now
            log.warning("turned away for want of room: %s, %d", why, self._untold.pop(why))
