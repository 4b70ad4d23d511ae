"""The threads in which the application runs, and the share of them that large requests get."""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

from invoice_service.front.rounds import Rounds

HEAVY_BYTES: Final = 8_192  # of a body whose address takes lists: about a hundred records

Job = Callable[[], None]


def tell(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    """Have the loop make a call, from another thread; nothing once the server has stopped."""
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        if not loop.is_closed():
            raise


class Threads:
    """Runs jobs; heavy ones only in half of the threads, so that others never wait long.

    Callers take turns, whatever one of them sends over how many connections. ``submit`` is called
    from the loop's thread alone. A job lets nothing escape.
    """

    def __init__(self, count: int, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._jobs: Rounds[tuple[Job, bool]] = Rounds()
        self._count: SimpleQueue[None] = SimpleQueue()  # one for each of the jobs
        self._heavy: Rounds[tuple[Job, str]] = Rounds()
        self._heavy_left = max(1, count // 2)
        for number in range(count):
            threading.Thread(target=self._work, name=f"web-{number}", daemon=True).start()

    def submit(self, job: Job, *, heavy: bool, whose: str = "") -> None:
        """Run it as soon as a thread is free for its kind, and it is its caller's turn."""
        if heavy and not self._heavy_left:
            self._heavy.add(whose, (job, whose))
            return
        self._heavy_left -= heavy
        self._queue(job, whose, heavy=heavy)

    def _queue(self, job: Job, whose: str, *, heavy: bool) -> None:
        with self._lock:
            self._jobs.add(whose, (job, heavy))
        self._count.put(None)

    def _work(self) -> None:
        while True:
            self._count.get()
            with self._lock:
                job, heavy = self._jobs.next()
            job()
            del job  # or an idle thread would hold the last request
            if heavy:
                tell(self._loop, self._next_heavy)

    def _next_heavy(self) -> None:
        if self._heavy:
            job, whose = self._heavy.next()
            self._queue(job, whose, heavy=True)
        else:
            self._heavy_left += 1
