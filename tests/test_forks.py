"""What a fork of a process with threads must not meet."""

import os
import select
import signal
import sqlite3
import threading
from pathlib import Path

from tests.patience import PATIENCE

FORKS = 40


def test_a_fork_opens_a_database_whatever_other_threads_open_in_that_instant(
    tmp_path: Path,
) -> None:
    """Unguarded, a quarter of them stand still for ever."""
    ended = threading.Event()

    def open_and_close(path: Path) -> None:
        while not ended.is_set():
            connection = sqlite3.connect(path)
            connection.execute("CREATE TABLE IF NOT EXISTS t (a)")
            connection.close()

    threads = [
        threading.Thread(target=open_and_close, args=(tmp_path / f"{number}.db",))
        for number in range(3)
    ]
    for thread in threads:
        thread.start()
    try:
        stood_still = sum(not _opens_in_a_fork(tmp_path / "forked.db") for _ in range(FORKS))
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert stood_still == 0


def _opens_in_a_fork(path: Path) -> bool:
    child = os.fork()
    if child == 0:
        try:
            sqlite3.connect(path).execute("SELECT 1")
        finally:
            os._exit(0)
    handle = os.pidfd_open(child)
    ends = bool(select.select([handle], [], [], PATIENCE)[0])
    os.close(handle)
    if not ends:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return ends
