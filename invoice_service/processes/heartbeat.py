"""The worker's sign of life: a file that says how its last run ended, and when one did all.

Time is counted since the machine started, so that no clock that is set makes it older or newer.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from chain.errors import Problem
from invoice_service.services.health import Beat

FILE: Final = "worker.beat"


class _Written(msgspec.Struct, frozen=True):
    """What stands in the file: ``at`` in seconds since the machine started, 0 for never."""

    at: float
    failing: str
    left: tuple[str, ...]


def since_start() -> float:
    """Seconds since the machine started, time asleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Heartbeat:
    """Written by the worker after each run; whoever cannot write is silent, and is noticed."""

    def __init__(self, folder: Path, clock: Callable[[], float] = since_start) -> None:
        self._path = folder / FILE
        self._clock = clock
        self._at = 0.0

    def done(self, left: Sequence[Problem] = ()) -> None:
        """A run ended; ``left`` is what it could not bring up to date."""
        self._at = self._clock()
        self._write("", tuple(problem.code for problem in left))

    def failed(self, problem: Problem) -> None:
        """A run stopped before its end."""
        self._write(problem.code, ())

    def _write(self, failing: str, left: tuple[str, ...]) -> None:
        aside = self._path.with_suffix(".new")
        try:
            # Not synced: after a power cut another run has to say it anyway.
            aside.write_bytes(msgspec.json.encode(_Written(self._at, failing, left)))
            aside.rename(self._path)
        except OSError:
            return


def read_beat(folder: Path, clock: Callable[[], float] = since_start) -> Beat:
    """What the worker has said last; of another start of the machine nothing counts."""
    try:
        said = msgspec.json.decode((folder / FILE).read_bytes(), type=_Written)
    except (OSError, msgspec.MsgspecError):
        return Beat()
    age = clock() - said.at
    return Beat(int(age) if said.at and age >= 0 else None, said.failing, said.left)
