"""The threads in which the application runs, and the share of them that large requests get."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

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
    """Runs jobs in order; heavy ones only in half of the threads, so that others never wait long.

    ``submit`` is called from the loop's thread alone. A job lets nothing escape.
    """

    def __init__(self, count: int, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._jobs: SimpleQueue[tuple[Job, bool]] = SimpleQueue()
        self._heavy: deque[Job] = deque()
        self._heavy_left = max(1, count // 2)
        for number in range(count):
            threading.Thread(target=self._work, name=f"web-{number}", daemon=True).start()

    def submit(self, job: Job, *, heavy: bool) -> None:
        """Run it as soon as a thread is free for its kind."""
        if heavy and not self._heavy_left:
            self._heavy.append(job)
            return
        self._heavy_left -= heavy
        self._jobs.put((job, heavy))

    def _work(self) -> None:
        while True:
            job, heavy = self._jobs.get()
            job()
            del job  # or an idle thread would hold the last request
            if heavy:
                tell(self._loop, self._next_heavy)

    def _next_heavy(self) -> None:
        if self._heavy:
            self._jobs.put((self._heavy.popleft(), True))
        else:
            self._heavy_left += 1
