"""What the shows of kills stand on."""

import sqlite3
import threading
from pathlib import Path

import pytest

from tests.faults import killing


def test_work_is_done_whatever_other_threads_open_in_the_instant_of_a_fork(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quarter of such forks stands still for ever at the first database: others are made."""
    monkeypatch.setattr(killing, "FIRST", 1.0)
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
        done = [
            killing.in_child(lambda: sqlite3.connect(tmp_path / "work.db").execute("SELECT 1"))
            for _ in range(8)
        ]
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert done == [0] * 8
