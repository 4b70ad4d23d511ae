"""Printing in a process of its own, a few at a time, and what was printed of late.

Nobody waits here who issues: a page is set in a fifth of a second of processor time, a list of two
thousand lines in some. So there is a bound to how many are at work and how many wait; more are
turned away at once. What takes too much or breaks ends alone.
"""

import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from chain.errors import UnavailableError
from chain.hashing import Digest, sha256
from invoice_service.documents.paper.job import Job

AT_WORK: Final = 1
WAITING: Final = 1
"""Of each web process, whose threads are few."""
DEADLINE: Final = 45.0
"""Seconds; a process that is stopped from outside takes no processor time."""
KEPT_BYTES: Final = 16 << 20
KEPT_SECONDS: Final = 600.0
"""After which a file is made anew, with the newest proof."""


def printed(job: Job) -> bytes:
    """The PDF. Raises UnavailableError ``paper_failed``."""
    command = [sys.executable, "-P", "-m", "invoice_service.documents.paper.typeset"]
    data = msgspec.json.encode(job)
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, check=False, timeout=DEADLINE
        )
    except subprocess.TimeoutExpired:
        raise _failed("it took too long") from None
    if done.returncode or not done.stdout.startswith(b"%PDF-"):
        raise _failed(done.stderr.decode(errors="replace").strip()[-300:] or "it was ended")
    return done.stdout


def _failed(why: str) -> UnavailableError:
    return UnavailableError("paper_failed", f"the paper could not be made: {why}")


class Turns:
    """One at work, one that waits; whoever comes then is turned away."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(AT_WORK + WAITING)
        self._work = threading.BoundedSemaphore(AT_WORK)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A turn, if not too many wait for one; UnavailableError ``paper_busy``."""
        if not self._places.acquire(blocking=False):
            raise UnavailableError("paper_busy", "others are at it: try again in a moment")
        try:
            with self._work:
                yield
        finally:
            self._places.release()


_TURNS: Final = Turns()
"""Of this process, whichever door is asked."""


class Press:
    """Prints for the threads of one process, and keeps what anybody may have for a while."""

    def __init__(
        self,
        make: Callable[[Job], bytes] = printed,
        *,
        clock: Callable[[], float] = time.monotonic,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self._make = make
        self._clock = clock
        self._most = kept_bytes
        self._turns = _TURNS
        self._lock = threading.Lock()
        self._kept: OrderedDict[Digest, tuple[float, bytes]] = OrderedDict()
        self._size = 0

    def print(self, job: Job, *, keep: bool) -> bytes:
        """The PDF, from what is kept if it is the same page.

        ``keep`` only what holds nothing of a person: what is erased must not be here either.
        Raises UnavailableError: paper_busy, paper_failed.
        """
        if not keep:
            with self._turns.turn():
                return self._make(job)
        page = _page_of(job)
        if (found := self._found(page)) is not None:
            return found
        with self._turns.turn():
            if (found := self._found(page)) is not None:  # made while this one waited
                return found
            made = self._make(job)
        self._keep(page, made)
        return made

    def _found(self, page: Digest) -> bytes | None:
        with self._lock:
            made, data = self._kept.get(page, (0.0, None))
            if data is None or self._clock() - made > KEPT_SECONDS:
                return None
            self._kept.move_to_end(page)
            return data

    def _keep(self, page: Digest, data: bytes) -> None:
        with self._lock:
            self._drop(page)
            self._kept[page] = (self._clock(), data)
            self._size += len(data)
            while self._size > self._most:
                self._drop(next(iter(self._kept)))

    def _drop(self, page: Digest) -> None:
        _, data = self._kept.pop(page, (0.0, b""))
        self._size -= len(data)


def _page_of(job: Job) -> Digest:
    """What the pages show, whether in the log or not; not as of when, which changes each second."""
    faces = [msgspec.structs.replace(face, notes=[]) for face in job.faces]
    return sha256(msgspec.json.encode((faces, job.two_up)))
