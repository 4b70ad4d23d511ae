"""A disk that is full, at any point of anchoring: an error that says so, and nothing lost."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chain.errors import Problem, UnavailableError
from tests.faults.killing import in_child
from tests.faults.order import check_in_order
from tests.services.town import Town

KIB = 1024
_STEP = 4 * KIB


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB of its own; needs the right to mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _pending(town: Town) -> None:
    """Fill most of a tile, let a day end, and leave a block's worth of invoices waiting."""
    town.issue(250)
    town.anchor()
    town.issue(40)
    town.pass_days(1)


def _free(folder: Path) -> int:
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def _leave(folder: Path, free: int) -> None:
    """Fill the disk until only ``free`` bytes are left."""
    ballast = folder / "ballast"
    ballast.unlink(missing_ok=True)
    ballast.write_bytes(bytes(max(0, _free(folder) - free)))


@pytest.mark.slow
def test_a_full_disk_delays_and_loses_nothing(small_disk: Path) -> None:
    """A little more room at each try: anchoring fails further and further on, until it works."""
    town = Town(small_disk, acts=True)
    town.settle_in()
    _pending(town)
    failures = []
    for free in range(0, 4096 * KIB, _STEP):
        _leave(small_disk, free)
        try:
            town.anchor()
        except UnavailableError as error:
            failures.append(error.code)
        else:
            break
    (small_disk / "ballast").unlink()
    town.anchor()
    check_in_order(town)
    assert failures[0] == "disk_full"
    assert set(failures) <= {"disk_full", "write_failed", "database_unavailable"}
    assert len(failures) > 3
    town.close()


@pytest.mark.slow
def test_a_worker_started_on_a_full_disk_says_so_and_recovers(small_disk: Path) -> None:
    """Opening the databases needs room too (the write-ahead log's index)."""
    town = Town(small_disk, acts=True)
    town.settle_in()
    _pending(town)
    town.close()
    _leave(small_disk, 0)
    with pytest.raises(Problem):
        Town(small_disk, acts=True).anchor()
    (small_disk / "ballast").unlink()
    again = Town(small_disk, acts=True)
    again.now = town.now
    again.anchor()
    check_in_order(again)
    again.close()


def _limited(limit: int, anchor: Callable[[], object]) -> None:
    """Anchor where no file may grow beyond ``limit`` bytes; only errors of ours may come out."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        anchor()
    except UnavailableError:
        pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@pytest.mark.slow
def test_files_that_may_not_grow_delay_and_lose_nothing(tmp_path: Path) -> None:
    """As a full disk, for those who may not mount one: every write beyond a size fails."""
    town = Town(tmp_path, acts=True)
    town.settle_in()
    _pending(town)
    wal = max((tmp_path / f"{name}.db-wal").stat().st_size for name in ("invoices", "log"))
    now = town.now
    for limit in range(512, wal + 256 * KIB, 24 * KIB):

        def work(limit: int = limit) -> None:
            worker = Town(tmp_path, acts=True)
            worker.now = now
            _limited(limit, worker.anchor)

        assert in_child(work) == 0
        town.audit()
        if town.log.head().cursor == 290:
            break
    town.anchor()
    check_in_order(town)
    town.close()
