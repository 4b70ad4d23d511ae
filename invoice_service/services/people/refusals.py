"""Refusals at the door (401, 403): counted by hour, code, key and address, bounded in every way.

What a stranger causes costs a few microseconds and a place in memory; once a second it is added
to the hour's rows in the database, of which there are a few hundred at most. A call that is
allowed comes nowhere near here.
"""

from collections.abc import Sequence
from threading import Lock, Timer
from typing import Final, Protocol

import msgspec

from chain.errors import UnavailableError
from invoice_service.domain.acts import UNKNOWN, Act, By, act_by

HOUR: Final = 3600
OTHERS: Final = "others"
"""The address under which those are counted that have no row of their own."""

MOST_WAITING: Final = 4096
"""Names that a process remembers; what comes beyond is counted under ``OTHERS``."""

KEPT_SECONDS: Final = 184 * 86_400
"""How long counts of refusals are kept at least: six months. Acts are kept for ever."""

ROWS_A_STEP: Final = 64
STEPS: Final = 5
LINES_AN_HOUR: Final = 20
PAUSE: Final = 1.0  # seconds between two writes of a process

OF_A_KEY: Final = frozenset(
    {"key_revoked", "key_expired", "key_suspended", "role_required", "scope_required"}
)
"""Refusals that are an act of whoever holds a key, and get a line each while there are few."""


class Refusals(msgspec.Struct, kw_only=True):
    """How often one was refused within the hour that begins at ``hour`` (unix seconds)."""

    hour: int
    code: str
    who: str
    origin: str
    count: int
    first_at: int
    last_at: int
    seen: int = 0
    """How often this process saw that name in this hour; decides on a row of its own."""


class RefusalStore(Protocol):
    """Where counts and lines are kept."""

    def count_refusals(self, counts: Sequence[Refusals]) -> None:
        """Add to the rows of those that have one, or earn one; the rest to ``OTHERS``."""
        ...

    def record(self, act: Act) -> int:
        """Append an act to the trail; returns its place."""
        ...


def earns_a_row(rows: int, seen: int) -> bool:
    """Whether a name seen so often gets a row of its own, beside so many of its hour.

    Each 64 rows cost ten times as many refusals as the 64 before: whoever has many addresses
    cannot crowd out one that insists, and an hour has 320 rows and those of ``OTHERS``.
    """
    step = rows // ROWS_A_STEP
    return step < STEPS and seen >= 10**step


class Door:
    """Counts for one process; safe for threads."""

    def __init__(self, store: RefusalStore, *, pause: float = PAUSE) -> None:
        self._store = store
        self._pause = pause
        self._guard = Lock()
        self._writing = Lock()
        self._timer: Timer | None = None
        self._ends = False
        self._waiting: dict[tuple[int, str, str, str], Refusals] = {}
        self._hour = 0
        self._seen: dict[tuple[str, str, str], int] = {}
        self._lines: dict[str, int] = {}

    def refuse(self, code: str, by: By | None, origin: str, call: str, at: int) -> None:
        """Somebody was refused ``call``; ``by`` when the key is known, ``origin`` as counted."""
        who = UNKNOWN if by is None else by.actor
        lined = self._count(code, who, origin, at) and by is not None
        if lined and by is not None and code in OF_A_KEY:
            self._line(act_by(by, "access", f"call:{call}", outcome="refused", code=code))

    def flush(self) -> None:
        """Write what waits; when the database cannot be used, it waits on.

        Once this returns, nothing is being written any more that waited before.
        """
        with self._writing:
            with self._guard:
                waiting, self._waiting, self._timer = self._waiting, {}, None
            try:
                if waiting:
                    self._store.count_refusals(list(waiting.values()))
            except UnavailableError:
                with self._guard:
                    for refusals in waiting.values():
                        self._add(refusals)
                    self._arm(again=True)

    def close(self) -> None:
        """Write what waits, and try no more: the process ends, or its database is gone for good."""
        with self._guard:
            self._ends, timer = True, self._timer
        if timer is not None:
            timer.cancel()
        self.flush()

    def count(self, code: str, who: str, origin: str, at: int) -> None:
        """One record of a list was refused: that is counted, and no line says so."""
        with self._guard:
            self._count_one(code, who, origin, at)

    def _count(self, code: str, who: str, origin: str, at: int) -> bool:
        """Count one; True while the hour has lines left for ``who``."""
        with self._guard:
            self._count_one(code, who, origin, at)
            if code not in OF_A_KEY or who == UNKNOWN:
                return False
            lines = self._lines[who] = self._lines.get(who, 0) + 1
            return lines <= LINES_AN_HOUR

    def _count_one(self, code: str, who: str, origin: str, at: int) -> None:
        hour = at - at % HOUR
        if hour != self._hour:
            self._hour, self._seen, self._lines = hour, {}, {}
        seen = self._notice((code, who, origin))
        self._add(
            Refusals(
                hour=hour,
                code=code,
                who=who,
                origin=origin,
                count=1,
                first_at=at,
                last_at=at,
                seen=seen,
            )
        )
        self._arm()

    def _notice(self, name: tuple[str, str, str]) -> int:
        """How often a name was seen: exact for few names, and never lost for a frequent one.

        When there is no more room, each name is forgotten once (Misra and Gries, 1982).
        """
        if name not in self._seen and len(self._seen) >= MOST_WAITING:
            self._seen = {known: seen - 1 for known, seen in self._seen.items() if seen > 1}
            return 1
        self._seen[name] = self._seen.get(name, 0) + 1
        return self._seen[name]

    def _add(self, one: Refusals) -> None:
        name = (one.hour, one.code, one.who, one.origin)
        if name not in self._waiting and len(self._waiting) >= MOST_WAITING:
            one = msgspec.structs.replace(one, who=UNKNOWN, origin=OTHERS)
            name = (one.hour, one.code, one.who, one.origin)
        known = self._waiting.setdefault(name, one)
        if known is not one:
            known.count += one.count
            known.first_at = min(known.first_at, one.first_at)
            known.last_at = max(known.last_at, one.last_at)
            known.seen = max(known.seen, one.seen)

    def _arm(self, *, again: bool = False) -> None:
        """Write in a moment. A process that ends waits for that, unless it has failed before."""
        if self._timer is None and not self._ends:
            timer = Timer(self._pause, self.flush)
            timer.daemon = again
            try:
                timer.start()
            except RuntimeError:  # no thread to be had: the next refusal tries again
                return
            self._timer = timer

    def _line(self, act: Act) -> None:
        try:
            self._store.record(act)
        except UnavailableError:
            return  # it is counted, and stays refused
