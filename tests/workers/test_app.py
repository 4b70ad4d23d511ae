"""The Celery application: built from the settings, whatever they say the broker is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from invoice_service.config import Anchor, Config, Service, load
from invoice_service.sections import Broker
from tests.patience import PATIENCE
from workers.app import (
    ANCHOR_PENDING,
    CLAIMS_SECONDS,
    FINISH_CLAIMS,
    LET_GO,
    LET_GO_SECONDS,
    QUEUE,
    STATUS_LISTS,
    STATUS_SECONDS,
    make_app,
    settings,
)


def _config(folder: Path, *, broker: str = "filesystem://") -> Config:
    return Config(
        service=Service(data_dir=str(folder)),
        broker=Broker(url=broker),
        anchor=Anchor(interval=2.5, max_delay=40),
    )


def test_the_default_broker_is_a_folder_of_the_instance(tmp_path: Path) -> None:
    app = make_app(_config(tmp_path))
    with app.connection_for_write() as connection:
        assert connection.transport_cls == "workers.folder:Transport"
        channel = connection.default_channel
        assert Path(channel.data_folder_in) == Path(channel.data_folder_out) == tmp_path / "broker"
    assert not (tmp_path / "broker").exists()


def test_another_broker_is_taken_as_it_is(tmp_path: Path) -> None:
    app = make_app(_config(tmp_path, broker="amqp://somebody:secret@broker.example:5671/fapiao"))
    connection = app.connection_for_write()
    assert connection.transport_cls == "amqp"
    assert (connection.hostname, connection.port) == ("broker.example", 5671)
    assert connection.virtual_host == "fapiao"


def test_beat_sends_its_tasks_each_at_its_interval(tmp_path: Path) -> None:
    entries = make_app(_config(tmp_path)).conf.beat_schedule.values()
    assert {entry["task"]: entry["schedule"] for entry in entries} == {
        ANCHOR_PENDING: 2.5,
        FINISH_CLAIMS: CLAIMS_SECONDS,
        LET_GO: LET_GO_SECONDS,
        STATUS_LISTS: STATUS_SECONDS,
    }
    entry = next(iter(entries))
    assert entry == {"task": ANCHOR_PENDING, "schedule": 2.5, "options": {"expires": 40}}


def test_the_task_is_the_one_that_beat_names() -> None:
    from workers.tasks import anchor_pending

    assert anchor_pending.name == ANCHOR_PENDING
    assert anchor_pending.ignore_result


def test_nothing_is_kept_of_results_and_nobody_is_told_of_events(tmp_path: Path) -> None:
    conf = make_app(_config(tmp_path)).conf
    assert conf.result_backend is None
    assert not conf.worker_send_task_events
    assert not conf.worker_enable_remote_control
    assert conf.task_default_queue == QUEUE


def test_a_worker_is_one_process_with_one_task_at_a_time(tmp_path: Path) -> None:
    conf = make_app(_config(tmp_path)).conf
    assert (conf.worker_pool, conf.worker_concurrency) == ("solo", 1)
    assert conf.worker_prefetch_multiplier == 1


def test_only_json_is_read(tmp_path: Path) -> None:
    """Whoever can write to the broker must not be able to run code here."""
    assert set(make_app(_config(tmp_path)).conf.accept_content) == {"json"}


def test_settings_are_those_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "other.toml"
    file.write_text('[service]\ndata_dir = "here"\n')
    monkeypatch.setenv("FAPIAO_CONFIG", str(file))
    assert settings() == load(file, os.environ)
    assert settings().data_dir == tmp_path / "here"


def test_without_a_name_they_are_those_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FAPIAO_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    assert settings() == load(None, os.environ)
    (tmp_path / "config.toml").write_text("[anchor]\ninterval = 7\n")
    assert settings().anchor.interval == 7


def test_a_file_that_is_named_and_not_there_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAPIAO_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(Exception, match="config_invalid"):
        settings()


def test_celery_finds_the_application_and_its_task(tmp_path: Path) -> None:
    """As the supervisor calls it: ``celery --app workers.app``."""
    environ = {**os.environ, "FAPIAO_SERVICE_DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "celery", "--app", "workers.app", "report"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert "workers.schedule:SteadyScheduler" in done.stdout
    assert "workers.folder:Transport" in done.stdout


def test_beat_loads_nothing_that_anchors() -> None:
    """Half a second and 30 MB at each start; the worker is told to include the tasks."""
    program = "import sys, celery.bin.celery, celery.apps.beat; from workers.app import app;"
    program += " app.loader.init_worker(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert "workers.app" in loaded
    assert not {"workers.tasks", "invoice_service.wiring", "chain.log"} & {*loaded}
