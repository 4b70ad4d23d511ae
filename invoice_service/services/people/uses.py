"""When keys were used last, to within minutes: noted beside the calls, written now and then."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Lock, Timer
from typing import Final, Protocol

from chain.errors import UnavailableError

EVERY: Final = 300
"""Seconds within which a key's further uses are not noted."""

PAUSE: Final = 1.0  # seconds between a note and its writing


class UseStore(Protocol):
    """Where uses are kept."""

    def note_uses(self, uses: Mapping[int, int]) -> None:
        """Unix seconds by the keys' ids."""
        ...


class KeyUses:
    """The uses that one process sees; safe for threads."""

    def __init__(
        self, store: UseStore, clock: Callable[[], float], *, pause: float = PAUSE
    ) -> None:
        """``clock`` gives unix seconds."""
        self._store = store
        self._clock = clock
        self._pause = pause
        self._guard = Lock()
        self._noted: dict[int, int] = {}
        self._waiting: dict[int, int] = {}

    def note(self, key_id: int) -> None:
        """A key is used now; most of the time that costs a look into a table."""
        at = int(self._clock())
        if 0 <= at - self._noted.get(key_id, -EVERY) < EVERY:
            return
        with self._guard:
            self._noted[key_id] = self._waiting[key_id] = at
            first = len(self._waiting) == 1
        if first:
            timer = Timer(self._pause, self.flush)
            timer.daemon = True
            with suppress(RuntimeError):  # no thread to be had: written at the end
                timer.start()

    def flush(self) -> None:
        """Write what waits; what cannot be written is noted again in some minutes."""
        with self._guard:
            waiting, self._waiting = self._waiting, {}
        if waiting:
            with suppress(UnavailableError):
                self._store.note_uses(waiting)
