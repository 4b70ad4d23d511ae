"""Taking turns on a folder: a lock that dies with its holder, for which nobody waits for ever."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from chain.errors import UnavailableError

TURN_SECONDS: Final = 60.0
"""Whoever holds it longer than this hangs, or does what takes minutes; others try again later."""

LONG_SECONDS: Final = 10 * TURN_SECONDS
"""For a turn in which a large database may be brought up to date."""

_PAUSE: Final = 0.005


@contextmanager
def turn(folder: Path, *, shared: bool = False, seconds: float = TURN_SECONDS) -> Iterator[None]:
    """Hold the lock of ``folder``, alone or with others who share it.

    UnavailableError ``turn_busy`` when it is not free within ``seconds``.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        take(handle, folder, shared=shared, seconds=seconds)
        yield
    finally:
        os.close(handle)


def take(
    handle: int,
    path: Path,
    *,
    shared: bool = False,
    seconds: float = TURN_SECONDS,
    code: str = "turn_busy",
) -> None:
    """Take the lock of an open file or folder, whose ``path`` is said; closing it lets go.

    The kernel would wait without an end, for a holder that stands still too. UnavailableError of
    that ``code`` when it is not free within ``seconds``.
    """
    give_up = time.monotonic() + seconds
    while not _taken(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
        if time.monotonic() >= give_up:
            raise UnavailableError(code, f"another program has held {path} for {seconds:.0f} s")
        time.sleep(_PAUSE)


def _taken(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)  # freed by the kernel when its holder dies
    except BlockingIOError:
        return False
    return True
