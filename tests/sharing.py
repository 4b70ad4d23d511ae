"""How several processes share the tests of a run: what is done first, and where files are put."""

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parent
LONGEST: Final = (
    "faults/test_witnesses_and_mirrors.py",
    "journeys/test_processes.py",
    "journeys/test_year.py",
    "journeys/test_rotation.py",
    "browser/till/test_looks.py",
    "browser/till/test_journeys.py",
    "bench/test_pilot.py",
    "chain/tree/test_absence.py",
    "power/test_service.py",
    "journeys/test_promises.py",
    "browser/till/test_order_journeys.py",
    "fuzz/test_huge.py",
    "faults/test_anchoring_killed.py",
    "journeys/test_keys_at_rest.py",
    "journeys/test_demo.py",
    "bench/test_run.py",
)
"""Files that take longest, the longest first; `pytest --durations=20` tells when this is old."""

IN_MEMORY: Final = Path("/dev/shm")
ROOM: Final = 4 << 30
"""In bytes: several times what the files of a run take at most."""


def longest_first(items: Sequence[pytest.Item]) -> Callable[[pytest.Item], int]:
    """Return by what to sort: first those files, then others with slow tests, then the rest.

    Whole files, so that what a file makes once is made once.
    """
    ranks = {TESTS / name: rank for rank, name in enumerate(LONGEST)}
    slow = {item.path for item in items if item.get_closest_marker("slow") is not None}

    def rank(item: pytest.Item) -> int:
        return ranks.get(item.path, len(LONGEST) + (item.path not in slow))

    return rank


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
