"""The worker's sign of life, and its silence."""

from pathlib import Path

import pytest

from chain.errors import Problem, UnavailableError
from invoice_service.processes.heartbeat import FILE, Heartbeat, read_beat
from invoice_service.services.health import Beat

FULL = UnavailableError("disk_full", "no space")


def test_before_the_first_run_there_is_none(tmp_path: Path) -> None:
    assert read_beat(tmp_path) == Beat(None, "", ())


def test_a_run_that_did_all_is_young(tmp_path: Path) -> None:
    Heartbeat(tmp_path, lambda: 100.0).done()
    assert read_beat(tmp_path, lambda: 100.9) == Beat(0, "", ())
    assert read_beat(tmp_path, lambda: 160.0) == Beat(60, "", ())


def test_a_run_that_stopped_does_not_make_the_last_whole_one_younger(tmp_path: Path) -> None:
    now = 100.0
    beat = Heartbeat(tmp_path, lambda: now)
    beat.failed(FULL)
    assert read_beat(tmp_path, lambda: now) == Beat(None, "disk_full", ())
    beat.done([Problem("not_canonical", "a sum")])
    now = 130.0
    assert read_beat(tmp_path, lambda: now) == Beat(30, "", ("not_canonical",))
    beat.failed(FULL)
    assert read_beat(tmp_path, lambda: now) == Beat(30, "disk_full", ())


def test_what_an_earlier_start_of_the_machine_left_says_nothing(tmp_path: Path) -> None:
    Heartbeat(tmp_path, lambda: 9_000.0).done()
    assert read_beat(tmp_path, lambda: 12.0).age is None


@pytest.mark.parametrize("content", [b"", b"{}", b'{"at": "x"}', b"\xff"])
def test_a_torn_file_says_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert read_beat(tmp_path) == Beat()


def test_who_cannot_write_is_silent_and_goes_on(tmp_path: Path) -> None:
    Heartbeat(tmp_path / "nowhere").done()
