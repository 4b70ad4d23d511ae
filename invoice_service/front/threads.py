"""The threads in which the application runs, and the share of them that large requests get."""

import asyncio
import threading
from collections import OrderedDict, deque
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


class Rounds:
    """Jobs that wait; their callers take turns, so that one with many makes nobody wait for all."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, deque[Job]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._of)

    def add(self, whose: str, job: Job) -> None:
        """Wait behind the caller's own."""
        self._of.setdefault(whose, deque()).append(job)

    def next(self) -> Job:
        """The first of whoever has waited longest, who joins again at the end with the rest."""
        whose, jobs = self._of.popitem(last=False)
        job = jobs.popleft()
        if jobs:
            self._of[whose] = jobs
        return job


class Threads:
    """Runs jobs in order; heavy ones only in half of the threads, so that others never wait long.

    Where heavy ones wait, their callers take turns. ``submit`` is called from the loop's thread
    alone. A job lets nothing escape.
    """

    def __init__(self, count: int, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._jobs: SimpleQueue[tuple[Job, bool]] = SimpleQueue()
        self._heavy = Rounds()
        self._heavy_left = max(1, count // 2)
        for number in range(count):
            threading.Thread(target=self._work, name=f"web-{number}", daemon=True).start()

    def submit(self, job: Job, *, heavy: bool, whose: str = "") -> None:
        """Run it as soon as a thread is free for its kind, and it is its caller's turn."""
        if heavy and not self._heavy_left:
            self._heavy.add(whose, job)
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
            self._jobs.put((self._heavy.next(), True))
        else:
            self._heavy_left += 1
