"""The queue of those who write to one database file, whatever process they belong to."""

import fcntl
import os
import threading
import time
from pathlib import Path

from chain.errors import UnavailableError


class Turnstile:
    """One thread's place in the queue: a file lock, which the kernel gives out in its order.

    The kernel cannot wait for a file lock with an end. A holder that stands still (stopped, frozen,
    swapped out) would hang all others; so a thread aside waits, and its place is kept for the next
    try where this one gave up.
    """

    def __init__(self, path: Path) -> None:
        """Open the lock; UnavailableError ``database_unavailable`` where that cannot be."""
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            detail = f"the lock beside the database cannot be opened: {error}"
            raise UnavailableError("database_unavailable", detail) from error
        self._guard = threading.Lock()
        self._aside: _Aside | None = None
        self._closed = False

    def enter(self, give_up: float) -> bool:
        """Come to the front and stay there until ``leave``; False when ``give_up`` comes first.

        ``give_up`` is a time of ``time.monotonic``.
        """
        with self._guard:
            aside = self._aside
            if aside is None:
                if self._is_free():
                    return True
                aside = self._aside = _Aside()
                try:
                    threading.Thread(target=self._wait, args=(aside,), daemon=True).start()
                except RuntimeError:  # no thread to be had: the answer is the same as for a crowd
                    self._aside = None
                    return False
            aside.wanted = True
        came = False
        try:
            came = aside.came.wait(max(0.0, give_up - time.monotonic()))
        finally:
            with self._guard:
                if aside.came.is_set():
                    self._aside = None
                    if not came:  # it came in the very instant of giving up, or of an interrupt
                        self._unlock()
                aside.wanted = False
        return came

    def leave(self) -> None:
        """Let the next one come."""
        self._unlock()

    def close(self) -> None:
        """Leave the queue for good; a thread that waits aside takes the file along."""
        with self._guard:
            self._closed = True
            if self._aside is None:
                os.close(self._handle)

    def leave_behind(self) -> None:
        """After a fork: let go of the parent's place, which must not outlive it here.

        No guard is taken: a thread that is not in this process may have held it.
        """
        os.close(self._handle)

    def _wait(self, aside: "_Aside") -> None:
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        with self._guard:
            if aside.wanted:
                aside.came.set()
                return
            self._aside = None
            if self._closed:
                os.close(self._handle)
            else:
                self._unlock()

    def _is_free(self) -> bool:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(self) -> None:
        fcntl.flock(self._handle, fcntl.LOCK_UN)


class _Aside:
    """What a thread and the one that waits for it tell each other."""

    def __init__(self) -> None:
        self.came = threading.Event()
        self.wanted = True
