"""Who of the bureau looked at which merchant or invoice, and why: acts of the trail.

A look-up is one merchant's file, one invoice whole, a list of invoices, an application with its
papers, or the queue of requests for quota; figures and the list of merchants are none. Within an
hour the same person or key looks at the same thing for the same purpose once, however often it is
asked: the trail stays readable, and a program that polls does not fill it.
"""

from collections.abc import Callable
from threading import Lock
from typing import Final, Literal, Protocol

import msgspec

from chain.errors import MalformedError
from invoice_service.domain.acts import By, act_by
from invoice_service.domain.text import given_text
from invoice_service.services.people.trail import ActStore

What = Literal["file", "invoice", "list", "application"]
UNSAID: Final = "unsaid"
"""The purpose of who says none, where none is required."""

LONGEST_PURPOSE: Final = 200  # characters
HOUR: Final = 3600
MOST_KEPT: Final = 10_000


class LookupCount(msgspec.Struct, frozen=True):
    """How often one looked for one purpose, at how many things; times in unix seconds.

    ``person`` is who that is, None for a key that nobody is known to hold.
    """

    actor: str
    purpose: str
    person: int | None
    count: int
    subjects: int
    first_at: int
    last_at: int


class Looked(msgspec.Struct, frozen=True):
    """One look-up: ``seq`` is the act's in the trail, ``person`` as in ``LookupCount``."""

    seq: int
    at: int
    actor: str
    person: int | None
    origin: str
    what: str
    subject: str
    purpose: str


class LookupFilter(msgspec.Struct, frozen=True):
    """Whose look-ups, and of which seconds (``until`` excluded); None leaves a condition out."""

    person: int | None = None
    since: int | None = None
    until: int | None = None


class LookupStore(ActStore, Protocol):
    """Where look-ups are kept."""

    def looked(self, wanted: LookupFilter, before: int | None, limit: int) -> list[Looked]:
        """Those that fit, the newest first; with ``before``, those with a lower ``seq``."""
        ...

    def lookups(self, since: int | None, until: int | None, limit: int) -> list[LookupCount]:
        """Counts by official and purpose, the most first, of a span (``until`` excluded)."""
        ...


class Lookups:
    """Writes look-ups down, before what was looked at is shown; safe for threads."""

    def __init__(self, store: LookupStore, clock: Callable[[], int], *, required: bool) -> None:
        """``clock`` gives unix seconds; ``required``: nobody looks without saying why."""
        self.store = store
        self._clock = clock
        self._required = required
        self._guard = Lock()
        self._hour = -1
        self._seen: set[tuple[str, str, str, str]] = set()

    def note(self, by: By, subject: str, what: What, purpose: str) -> None:
        """Somebody looks; on disk when this returns.

        MalformedError ``purpose_missing``, ``text_too_long``, ``control_character``.
        """
        purpose = self.purpose(purpose)
        one = (by.actor, subject, what, purpose)
        if self._is_known(one):
            return
        self.store.record(act_by(by, "lookup", subject, after={"what": what}, reason=purpose))
        with self._guard:
            self._seen.add(one)

    def purpose(self, text: str) -> str:
        """A purpose as it is kept; MalformedError as ``note``."""
        text = given_text(text.strip(), "/purpose")
        if len(text) > LONGEST_PURPOSE:
            raise MalformedError(
                "text_too_long",
                f"a purpose has at most {LONGEST_PURPOSE} characters",
                pointer="/purpose",
                detail_zh=f"目的最多 {LONGEST_PURPOSE} 个字符",
            )
        if not text and self._required:
            raise MalformedError("purpose_missing", "say why: X-Purpose", pointer="X-Purpose")
        return text or UNSAID

    def _is_known(self, one: tuple[str, str, str, str]) -> bool:
        hour = self._clock() // HOUR
        with self._guard:
            if hour != self._hour or len(self._seen) >= MOST_KEPT:
                self._hour, self._seen = hour, set()
            return one in self._seen
