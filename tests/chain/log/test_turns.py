"""Turns on a folder: one at a time, some together, and never for ever."""

import subprocess
import sys
from pathlib import Path

import pytest

from chain.errors import UnavailableError
from chain.log.turns import turn

OPEN = Path("/proc/self/fd")
HOLD = """
import sys, time
from pathlib import Path
from chain.log.turns import turn
with turn(Path(sys.argv[1]), shared=sys.argv[2] == "shared"):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path, how: str = "alone") -> "subprocess.Popen[bytes]":
    """A process that has the turn until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_who_waits_too_long_is_told(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        with pytest.raises(UnavailableError) as caught, turn(tmp_path, seconds=0.05):
            pytest.fail("two at once")
        assert caught.value.code == "turn_busy"
        assert str(tmp_path) in caught.value.detail
        other.communicate()
    with turn(tmp_path, seconds=0):
        pass


def test_some_share_a_turn_and_keep_out_who_wants_it_alone(tmp_path: Path) -> None:
    with holder(tmp_path, "shared") as other:
        with turn(tmp_path, shared=True, seconds=0):
            pass
        with pytest.raises(UnavailableError), turn(tmp_path, seconds=0.05):
            pytest.fail("two at once")
        other.communicate()


def test_a_turn_ends_with_its_holder_and_leaves_nothing_open(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        other.kill()
        other.wait()
    before = len(list(OPEN.iterdir()))
    with turn(tmp_path):
        pass
    assert len(list(OPEN.iterdir())) == before
