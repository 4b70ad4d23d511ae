"""Turns on a folder: one at a time, some together, and never for ever."""

import ast
import subprocess
import sys
from collections.abc import Iterator
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


WAITS = {
    "chain/proof/memory.py": "one person's own commands, for a few lines",
    "invoice_service/api/operations/counts.py": "a file that nobody else knows yet",
    "invoice_service/processes/tether.py": "that is what it is for: it ends with its parent",
    "invoice_service/storage/sqlite/turnstile.py": "a thread aside, whom nobody waits for",
}


def test_nothing_else_waits_for_a_lock_without_an_end() -> None:
    """A holder that is stopped would hang whoever starts, signs in or forgets somebody."""
    found = {
        str(path)
        for room in ("chain", "invoice_service", "workers")
        for path in Path(room).rglob("*.py")
        for call in _locks(ast.parse(path.read_text("utf-8")))
        if not ("LOCK_NB" in call or "LOCK_UN" in call)
    }
    assert found == {*WAITS}


def _locks(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "fcntl.flock":
            yield ast.unparse(node)
