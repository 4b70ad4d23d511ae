"""The threads in which the application runs, and the shares that large and long requests get."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Final, Literal, NamedTuple, TypeAlias

from invoice_service.front.rounds import Rounds

HEAVY_BYTES: Final = 8_192  # of a body whose address takes lists: about a hundred records

Job = Callable[[], None]
Load: TypeAlias = Literal["", "heavy", "long"]
"""Ordinary; a large body; or an answer that takes long to make, such as a file of everything."""


def tell(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    """Have the loop make a call, from another thread; nothing once the server has stopped."""
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        if not loop.is_closed():
            raise


class _Waiting(NamedTuple):
    """A job, whose it is, and what kind."""

    job: Job
    whose: str
    load: Load


class Threads:
    """Runs jobs; heavy ones only in half of the threads, so that others never wait long, and long
    ones only in half of those.

    Callers take turns, whatever one of them sends over how many connections. ``submit`` is called
    from the loop's thread alone. A job lets nothing escape.
    """

    def __init__(self, count: int, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._jobs: Rounds[_Waiting] = Rounds()
        self._count: SimpleQueue[None] = SimpleQueue()  # one for each of the jobs
        self._heavy: Rounds[_Waiting] = Rounds()
        self._heavy_left = max(1, count // 2)
        self._long: Rounds[_Waiting] = Rounds()
        self._long_left = max(1, count // 4)
        for number in range(count):
            threading.Thread(target=self._work, name=f"web-{number}", daemon=True).start()

    def submit(self, job: Job, *, load: Load = "", whose: str = "") -> None:
        """Run it as soon as a thread is free for its kind, and it is its caller's turn."""
        one = _Waiting(job, whose, load)
        if load == "long" and not self._long_left:
            self._long.add(whose, one)
            return
        self._long_left -= load == "long"
        self._begin(one)

    def _begin(self, one: _Waiting) -> None:
        if one.load and not self._heavy_left:
            self._heavy.add(one.whose, one)
            return
        self._heavy_left -= bool(one.load)
        self._queue(one)

    def _queue(self, one: _Waiting) -> None:
        with self._lock:
            self._jobs.add(one.whose, one)
        self._count.put(None)

    def _work(self) -> None:
        while True:
            self._count.get()
            with self._lock:
                one = self._jobs.next()
            one.job()
            load = one.load
            del one  # or an idle thread would hold the last request
            if load:
                tell(self._loop, partial(self._next, load))

    def _next(self, load: Load) -> None:
        if self._heavy:
            self._queue(self._heavy.next())
        else:
            self._heavy_left += 1
        if load == "long":
            if self._long:
                self._begin(self._long.next())
            else:
                self._long_left += 1
