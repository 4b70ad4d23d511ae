"""Beat: a tick at each interval, whatever the wall clock, the broker and the worker do."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from invoice_service.config import Anchor, Config, Service
from workers import schedule
from workers.app import QUEUE, make_app
from workers.schedule import WAITING, SteadyScheduler


class Beat:
    """A scheduler over a folder, with a clock that is moved by hand."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "broker"
        config = Config(service=Service(data_dir=str(folder)), anchor=Anchor(interval=2))
        self.app: Any = make_app(config)
        schedule_ = self.app.conf.beat_schedule
        self.app.conf.beat_schedule = {"anchor pending": schedule_["anchor pending"]}
        self.now = 1000.0
        clock: Callable[[], float] = lambda: self.now  # noqa: E731 # a clock, not a function
        monkeypatch.setattr(schedule, "monotonic", clock)
        self.scheduler: Any = SteadyScheduler(self.app)

    def tick(self, seconds: float = 0) -> float:
        """Let time pass, then let the scheduler look."""
        self.now += seconds
        return float(self.scheduler.tick())

    def waiting(self) -> int:
        """Count the messages that wait."""
        return len(list(self.folder.glob(f"*.{QUEUE}.msg")))

    def take_all(self) -> int:
        """Take all messages, as a worker would; return how many there were."""
        with self.app.connection_for_write() as connection:
            return int(connection.default_channel.queue_purge(QUEUE))


@pytest.fixture
def beat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Beat:
    """A beat that ticks every two seconds and has not begun."""
    return Beat(tmp_path, monkeypatch)


def test_the_first_tick_is_at_once_and_the_next_an_interval_later(beat: Beat) -> None:
    assert beat.tick() == 2
    assert beat.take_all() == 1
    assert beat.tick(1.5) == 0.5
    assert beat.take_all() == 0
    assert beat.tick(0.5) == 2
    assert beat.take_all() == 1


def test_a_late_tick_does_not_shift_those_after_it(beat: Beat) -> None:
    beat.tick()
    assert beat.tick(2.25) == 1.75


def test_what_was_missed_in_sleep_is_not_made_up_for(beat: Beat) -> None:
    beat.tick()
    beat.take_all()
    beat.tick(3600)
    beat.tick()
    assert beat.take_all() == 1


@pytest.mark.parametrize("jump", [-3600, -86400 * 365, 3600])
def test_a_wall_clock_that_is_set_changes_nothing(
    beat: Beat, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    """Celery's own scheduler, set back by an hour, waits for an hour."""
    beat.tick()
    beat.take_all()
    now = beat.app.now
    monkeypatch.setattr(beat.app, "now", lambda: now() + timedelta(seconds=jump))
    assert beat.tick(1) == 1
    assert beat.take_all() == 0
    assert beat.tick(1) == 2
    assert beat.take_all() == 1


def test_while_nobody_takes_messages_the_queue_stays_short(beat: Beat) -> None:
    for _ in range(50):
        beat.tick(2)
    assert beat.waiting() == WAITING
    assert beat.take_all() == WAITING
    beat.tick(2)
    assert beat.waiting() == 1


def test_a_message_says_when_it_is_no_longer_wanted(beat: Beat) -> None:
    beat.tick()
    (path,) = beat.folder.iterdir()
    assert b'"expires": "2' in path.read_bytes()


def test_a_folder_that_is_deleted_is_made_again(beat: Beat) -> None:
    beat.tick()
    for path in beat.folder.iterdir():
        path.unlink()
    beat.folder.rmdir()
    beat.tick(2)
    assert beat.waiting() == 1


def test_a_broker_that_cannot_be_reached_does_not_end_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "broker").write_text("a file where the folder should be")
    beat = Beat(tmp_path, monkeypatch)
    assert beat.tick() == 2
    assert "Couldn't apply scheduled task" in caplog.text
    (tmp_path / "broker").unlink()
    beat.tick(2)
    assert beat.waiting() == 1


def test_another_broker_is_asked_for_its_length_too(monkeypatch: pytest.MonkeyPatch) -> None:
    app: Any = Celery("other", broker="memory://")
    app.conf.update(
        task_default_queue=QUEUE,
        beat_schedule={"tick": {"task": "anything", "schedule": 1.0}},
    )
    now = 0.0
    monkeypatch.setattr(schedule, "monotonic", lambda: now)
    scheduler: Any = SteadyScheduler(app)
    for _ in range(10):
        scheduler.tick()
        now += 1
    with app.connection_for_write() as connection:
        assert connection.default_channel.queue_declare(QUEUE).message_count == WAITING


def test_nothing_is_written_but_messages(beat: Beat, tmp_path: Path) -> None:
    """Celery's own scheduler keeps a file, which a kill can spoil."""
    beat.tick()
    beat.scheduler.close()
    assert [path.name for path in tmp_path.iterdir()] == ["broker"]
