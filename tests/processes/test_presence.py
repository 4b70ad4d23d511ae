"""Who is there: real processes, killed and replaced."""

import multiprocessing
import os
import signal
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

from invoice_service.processes.presence import Presence

fork = multiprocessing.get_context("fork")


def stay(folder: Path, run: str, joined: Barrier) -> None:
    """Be there until killed."""
    presence = Presence(folder, run)
    presence.join()
    joined.wait()
    signal.pause()


def start(folder: Path, run: str, count: int) -> list[BaseProcess]:
    """So many processes, once all are there."""
    joined = fork.Barrier(count + 1)
    found: list[BaseProcess] = []
    for _ in range(count):
        process = fork.Process(target=stay, args=(folder, run, joined), daemon=True)
        process.start()
        found.append(process)
    joined.wait()
    return found


def end(process: BaseProcess) -> None:
    """Kill one, and wait until it is gone."""
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def test_processes_that_join_at_once_are_all_counted(tmp_path: Path) -> None:
    for number in range(10):
        run = f"run{number}"
        processes = start(tmp_path, run, 6)
        assert Presence(tmp_path, run).count() == (6, 6)
        for process in processes:
            end(process)
        assert Presence(tmp_path, run).count() == (0, 6)


def test_one_that_died_is_missed_and_its_successor_takes_its_place(tmp_path: Path) -> None:
    first, second = start(tmp_path, "run", 2)
    end(first)
    assert Presence(tmp_path, "run").count() == (1, 2)
    (third,) = start(tmp_path, "run", 1)
    assert Presence(tmp_path, "run").count() == (2, 2)
    assert Presence(tmp_path, "other").count() == (0, 0)
    end(second)
    end(third)


def test_where_nothing_can_be_written_nobody_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    presence = Presence(tmp_path / "file" / "web", "run")
    presence.join()
    assert presence.count() == (0, 0)
