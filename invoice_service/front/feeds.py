"""Answers that stay open: no thread waits for them; once a second all are asked together.

An application returns a ``Feed`` as its body. Its first bytes go out with the head; from then on
the connection belongs to the loop alone, and a thread of the pool asks the feed's source for what
is new, for all feeds of that source in one pass. A pass begins only when the last one is done.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple, Protocol

from chain.errors import Problem, UnavailableError
from invoice_service.front.crowd import LINE_SECONDS, Crowd
from invoice_service.front.limits import Limits
from invoice_service.front.threads import Job

LOOK_SECONDS: Final = 1.0
PULSE_SECONDS: Final = 15.0
"""After which a silent feed says that it is there: proxies close what says nothing."""

log = logging.getLogger(__name__)


class Said(NamedTuple):
    """What a feed sends now; after the ``last`` it is closed."""

    data: bytes = b""
    last: bool = False


NOTHING: Final = Said()


class Source(Protocol):
    """Where feeds have what they send."""

    def look(self, feeds: "Sequence[Feed]") -> Sequence[Said]:
        """What is new for each, in their order; called in a thread, once at a time."""
        ...


class Feed:
    """One answer that stays open, as an application returns it.

    ``beginning`` is sent at once, ``pulse`` in silence, ``farewell`` before the server stops.
    """

    def __init__(
        self, source: Source, *, beginning: bytes = b"", pulse: bytes = b"", farewell: bytes = b""
    ) -> None:
        self.source = source
        self.beginning = beginning
        self.pulse = pulse
        self.farewell = farewell

    def __iter__(self) -> Iterator[bytes]:
        """For a server that knows no feeds: the beginning alone."""
        yield self.beginning


class Holder(Protocol):
    """A connection that holds a feed; used in the loop's thread alone."""

    @property
    def behind(self) -> bool:
        """Whether its client has not taken what it was sent."""

    def feed(self, data: bytes) -> None:
        """Send it."""

    def end_feed(self, data: bytes) -> None:
        """Send it, and close."""


class _Open(NamedTuple):
    feed: Feed
    owner: str


class Feeds:
    """All that are open in this process. Used in the loop's thread alone."""

    def __init__(
        self,
        limits: Limits,
        crowd: Crowd,
        run: Callable[[Job], object],
        tell: Callable[[Callable[[], object]], object],
        note: Callable[[int], object] | None = None,
    ) -> None:
        """``run`` has a job done in a thread, ``tell`` a call made in the loop's from there.

        ``note`` is told how many are open.
        """
        self._limits = limits
        self._crowd = crowd
        self._run = run
        self._tell = tell
        self._note = note or (lambda _count: None)
        self._open: dict[Holder, _Open] = {}
        self._of: Counter[str] = Counter()
        self._said_at: dict[Holder, float] = {}
        self._looking = False
        self._look_at = 0.0
        self._over = False
        self._tell_at = 0.0
        self._note(0)

    def __len__(self) -> int:
        return len(self._open)

    def refuses(self, owner: str) -> Problem | None:
        """Why there is no room for one more of this owner ("" is nobody's, and not counted)."""
        mine = self._of[owner] if owner else 0
        if (
            not self._over
            and len(self._open) < self._limits.feeds
            and (mine < self._limits.peer_feeds)
        ):
            return None
        self._crowd.note("feeds_full")
        return UnavailableError("too_many_feeds", "too many feeds are open")

    def add(self, holder: Holder, feed: Feed, owner: str) -> None:
        """Ask it from now on."""
        self._open[holder] = _Open(feed, owner)
        self._said_at[holder] = time.monotonic()
        self._of[owner] += 1
        self._note(len(self._open))

    def drop(self, holder: Holder) -> None:
        """Its connection has ended."""
        found = self._open.pop(holder, None)
        if found is not None:
            del self._said_at[holder]
            self._of -= Counter([found.owner])
            self._note(len(self._open))

    def sweep(self, now: float) -> None:
        """Ask all whose clients have taken what they were sent, if it is time."""
        if now < self._look_at or self._looking or not self._open:
            return
        self._look_at, self._looking = now + LOOK_SECONDS, True
        waiting = [(holder, one.feed) for holder, one in self._open.items() if not holder.behind]
        self._run(partial(self._look, waiting))

    def end(self) -> None:
        """The server stops: each says farewell, at once."""
        self._over = True
        for holder, one in [*self._open.items()]:
            self.drop(holder)
            holder.end_feed(one.feed.farewell)

    def _look(self, waiting: Sequence[tuple[Holder, Feed]]) -> None:
        """One pass, in a thread."""
        found: list[tuple[Holder, Said]] = []
        by_source: dict[int, list[tuple[Holder, Feed]]] = {}
        for holder, feed in waiting:
            by_source.setdefault(id(feed.source), []).append((holder, feed))
        for group in by_source.values():
            try:
                said = group[0][1].source.look([feed for _, feed in group])
                found += zip((holder for holder, _ in group), said, strict=True)
            except Exception:  # noqa: BLE001 # told in the log; others are still asked
                self._tell_of_failure()
        self._tell(partial(self._deliver, found))

    def _tell_of_failure(self) -> None:
        """In the log, once a minute: it is tried again each second."""
        now = time.monotonic()
        if now >= self._tell_at:
            self._tell_at = now + LINE_SECONDS
            log.exception("feeds could not be asked")

    def _deliver(self, found: Sequence[tuple[Holder, Said]]) -> None:
        self._looking = False
        now = time.monotonic()
        for holder, said in found:
            one = self._open.get(holder)
            if one is None:
                continue  # gone meanwhile
            if said.last:
                self.drop(holder)
                holder.end_feed(said.data)
            elif data := said.data or self._pulse(holder, one.feed, now):
                self._said_at[holder] = now
                holder.feed(data)

    def _pulse(self, holder: Holder, feed: Feed, now: float) -> bytes:
        return feed.pulse if now - self._said_at[holder] >= PULSE_SECONDS else b""
