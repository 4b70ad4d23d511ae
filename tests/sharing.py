"""How several processes share the tests of a run: what comes first, where files are."""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parent
LONGEST: Final = (
    "bench/test_pilot.py",
    "power/test_init.py",
    "openapi/test_made_up_calls.py",
    "journeys/test_processes.py",
    "faults/test_witnesses_and_mirrors.py",
    "keys/test_rotation.py",
    "faults/test_anchoring_killed.py",
    "power/test_processes.py",
    "power/test_service.py",
    "journeys/test_first_run.py",
    "bench/test_run.py",
    "fuzz/test_huge.py",
    "journeys/test_demo.py",
    "journeys/test_promises.py",
    "journeys/test_rotation.py",
    "journeys/test_year.py",
    "browser/till/test_journeys.py",
    "browser/till/test_looks.py",
    "browser/till/test_order_journeys.py",
    "browser/till/test_prepaid_journeys.py",
    "browser/bureau/test_monday.py",
    "browser/test_working.py",
    "journeys/test_keys_at_rest.py",
    "journeys/test_same_bytes.py",
    "wheels/test_service.py",
    "wheels/test_verifier.py",
    "chain/tree/test_absence.py",
)
"""Files that take longest, the longest first; `pytest --durations=20` tells when this is old."""

IN_MEMORY: Final = Path("/dev/shm")
ROOM: Final = 4 << 30
"""In bytes: several times what the files of a run take at most."""

_SELDOM: Final = (50_000, 20, 20)
"""After how many new things, and passes through younger ones, garbage is looked for."""


def deal(items: Sequence[pytest.Item], hands: int = 1) -> list[pytest.Item]:
    """Put tests in order for so many processes, of which each first gets a run of equal length.

    Each run begins with its share of the files that take longest, then come others with slow tests,
    then the rest, which is what one takes from another in the end. Slow files stay whole, so that
    what a file makes once is made once.
    """
    ranks = {TESTS / name: rank for rank, name in enumerate(LONGEST)}
    slow = {item.path for item in items if item.get_closest_marker("slow") is not None}
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    first = sorted(
        (slow | ranks.keys()) & files.keys(), key=lambda path: (ranks.get(path, len(ranks)), path)
    )
    rest = [item for path, found in files.items() if path not in first for item in found]
    rounds = [*range(hands), *reversed(range(hands))]
    dealt: list[pytest.Item] = []
    for hand in range(hands):
        length = (len(items) - len(dealt)) // (hands - hand)
        mine = [path for at, path in enumerate(first) if rounds[at % len(rounds)] == hand]
        pile = [item for path in mine for item in files[path]]
        room = max(0, length - len(pile))
        dealt += [*pile, *rest[:room]]
        del rest[:room]
    return dealt + rest


@contextmanager
def collect_no_garbage() -> Iterator[None]:
    """What is made meanwhile stays: look for no garbage in it, neither now nor later.

    Thousands of tests and all that they import stand until the run ends, in each process of it;
    going through them again and again took a third of the time in which they are found. What tests
    leave is looked for less often than Python does, which took a fifth of many tests' time: of a
    page with all that makes it ten thousand things are made and go by themselves.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_SELDOM)
        gc.enable()


class LeftOpen:
    """Looks for garbage after all, where what tests have left holds many files.

    An application that is left is garbage with its counts, which are two open files; a process may
    have 1,024 and more, but ``select`` takes no number above. What is no garbage stays open, and is
    no reason to look again until there is as much beside it.
    """

    def __init__(self, most: int = 300) -> None:
        """Nothing is left yet."""
        self._most = self._limit = most

    def collect(self) -> None:
        """Look, if there is reason to."""
        if _open_files() > self._limit:
            gc.collect()
            self._limit = _open_files() + self._most


def _open_files() -> int:
    return sum(1 for _ in os.scandir("/proc/self/fd"))


def keep_temporary_files_in_memory() -> None:
    """Put files that tests make where syncing them costs nothing, unless TMPDIR says where.

    No test cuts the power of this machine: whether a sync was asked for is seen in system calls
    (tests/power), and a killed process leaves its files in memory as it does on a disk.
    """
    if "TMPDIR" not in os.environ and has_room(IN_MEMORY, ROOM):
        os.environ["TMPDIR"] = tempfile.tempdir = str(IN_MEMORY)


def has_room(folder: Path, room: int) -> bool:
    """Whether one can write there, and both the folder and the machine's memory have ``room``."""
    if not os.access(folder, os.W_OK):
        return False
    return min(shutil.disk_usage(folder).free, _free_memory()) > room


def _free_memory() -> int:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        name, _, amount = line.partition(":")
        if name == "MemAvailable":
            return int(amount.split()[0]) << 10
    return 0
