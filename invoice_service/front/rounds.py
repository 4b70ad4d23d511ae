"""Whose turn it is: callers take turns, so that one with much makes nobody wait for all of it."""

from collections import OrderedDict, deque
from typing import Generic, TypeVar

Job = TypeVar("Job")


class Rounds(Generic[Job]):
    """What waits, by caller; of each its own in order."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, deque[Job]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._of)

    def add(self, whose: str, job: Job) -> None:
        """Wait behind the caller's own."""
        self._of.setdefault(whose, deque()).append(job)

    def first(self) -> Job:
        """What ``next`` would give."""
        return next(iter(self._of.values()))[0]

    def next(self) -> Job:
        """The first of whoever has waited longest, who joins again at the end with the rest."""
        whose, jobs = self._of.popitem(last=False)
        job = jobs.popleft()
        if jobs:
            self._of[whose] = jobs
        return job
