"""Which web processes of this start have opened: a locked file each, freed when its owner dies."""

import fcntl
import os
from pathlib import Path
from typing import Final

RUN: Final = "FAPIAO_RUN"
"""The environment variable by which ``fapiao serve`` names its start to its programs."""

_TRIES: Final = 16


class Presence:
    """The web processes that answer for one start, ``run``; files of other starts do not count."""

    def __init__(self, folder: Path, run: str) -> None:
        self._folder = folder
        self._run = run
        self._held = -1

    def join(self) -> None:
        """Be seen from here on, until this process ends; quietly not, where nothing can be written.

        A dead one's file is taken over, so there are never more than there were processes at once.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # Whoever counts holds a share for an instant: then another new file is as good.
            new = (self._folder / f"{self._run}-{os.urandom(8).hex()}" for _ in range(_TRIES))
            places = (*self._places(), *new)
            self._held = next((held for held in map(_lock, places) if held >= 0), -1)
        except OSError:
            return

    def count(self) -> tuple[int, int]:
        """(alive now, the most that have been there at once)."""
        places = list(self._places())
        return sum(map(_is_held, places)), len(places)

    def _places(self) -> list[Path]:
        return sorted(self._folder.glob(f"{self._run}-*"))


def _lock(place: Path) -> int:
    """Hold the file; -1 when another does."""
    descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return -1
    return descriptor


def _is_held(place: Path) -> bool:
    """Whether its owner lives. Looking takes a share of the lock, and never its owner's place."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
