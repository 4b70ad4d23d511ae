"""One thread that works on files in turns: each gets a step, so that none waits for a large one."""

import logging
import threading
from collections import deque
from collections.abc import Generator

log = logging.getLogger(__name__)

Job = Generator[object, None, None]
"""Does a step each time it is asked for the next, and is closed at its end."""


class Turns:
    """The thread of a process; it begins with the first job, and sleeps without one."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, job: Job) -> None:
        """Have it done; what it lets escape ends it, and no other."""
        with self._changed:
            self._jobs.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="files", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def idle(self, seconds: float) -> bool:
        """Wait until there is nothing to do; False where there still is after so long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._jobs, seconds)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs)
                job = self._jobs[0]
            going = _step(job)
            with self._changed:
                self._jobs.popleft()
                if going:
                    self._jobs.append(job)
                self._changed.notify_all()


def _step(job: Job) -> bool:
    """Whether there is more of it."""
    try:
        for _ in job:
            return True
    except Exception:
        log.exception("a file was left")
    return False
