"""``Prefer: wait=N``: holding an answer back until the invoice is in the published log."""

import threading
import time

from chain.errors import Problem
from chain.hashing import Digest
from chain.log.log import Log

POLL = 0.05  # seconds; anchoring runs about once a second


class Waiting:
    """Waits in at most ``threads - 1`` of a process's threads, so that others are still served."""

    def __init__(self, log: Log, threads: int) -> None:
        self._log = log
        self._free = threading.Semaphore(max(threads - 1, 0))

    def until_published(self, anchor: Digest, seconds: float) -> tuple[bool, bool]:
        """(whether we waited, whether it is published); at once when too many wait already."""
        if not self._free.acquire(blocking=False):
            return False, self._is_published(anchor)
        try:
            give_up = time.monotonic() + seconds
            while not (published := self._is_published(anchor)) and time.monotonic() < give_up:
                time.sleep(POLL)
        finally:
            self._free.release()
        return True, published

    def _is_published(self, anchor: Digest) -> bool:
        """Whether the entry stands under the newest signed checkpoint."""
        try:
            index = self._log.find(anchor)
            return index is not None and index < self._log.latest_checkpoint()[0].size
        except Problem:
            return False  # the invoice is issued all the same: a log in trouble must not hide that
