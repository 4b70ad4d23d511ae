"""Clocks and percentiles; every rate here is counted over wall-clock time."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something was done, and how long each took: median and 99th percentile, in s."""

    per_second: float
    p50: float
    p99: float
    count: int


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` (0 to 1) of all do not exceed."""
    if not values:
        return 0.0
    rank = math.ceil(round(len(values) * share, 6))  # 0.99 of 100 is 99, not 99.00000000000001
    return sorted(values)[max(1, rank) - 1]


def repeat(action: Callable[[], object], seconds: float) -> Rate:
    """Do ``action`` again and again for ``seconds``."""
    durations: list[float] = []
    start = before = time.perf_counter()
    while before - start < seconds:
        action()
        now = time.perf_counter()
        durations.append(now - before)
        before = now
    return summary(durations, before - start)


def summary(durations: Sequence[float], elapsed: float) -> Rate:
    """Summarise the durations of what was done within ``elapsed`` seconds."""
    return Rate(
        per_second=len(durations) / elapsed,
        p50=percentile(durations, 0.50),
        p99=percentile(durations, 0.99),
        count=len(durations),
    )


def per_second(count: int, action: Callable[[], object]) -> float:
    """Return ``count`` over the time that one ``action``, doing that many, takes."""
    start = time.perf_counter()
    action()
    return count / (time.perf_counter() - start)


def wait_until(ready: Callable[[], bool], seconds: float, what: str) -> None:
    """Ask again and again until ``ready``; raises TimeoutError naming ``what``.

    A connection that is refused means: not ready yet.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError):
            if ready():
                return
        time.sleep(0.02)
    raise TimeoutError(f"{what}: not within {seconds} seconds")
