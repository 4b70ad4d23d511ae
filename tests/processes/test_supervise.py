"""The tree's settings, its lock, and the ports it listens on."""

import configparser
import fcntl
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from chain.errors import UnavailableError
from invoice_service.config import Config, Service, Web
from invoice_service.processes.supervise import (
    Output,
    Tree,
    free_port,
    output_dir,
    port_is_free,
    supervisor_settings,
    take_lock,
)
from tests.patience import NEVER, returns


def _config(folder: Path, port: int = 8000) -> Config:
    return Config(service=Service(data_dir=str(folder)), web=Web(port=port, workers=2, threads=5))


def _read(settings: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(inline_comment_prefixes=(" ;",))
    parser.read_string(settings)
    return parser


def test_every_program_is_restarted_and_its_output_is_bounded(tmp_path: Path) -> None:
    settings = _read(supervisor_settings())
    assert settings["supervisord"]["nodaemon"] == "true"
    names = [name for name in settings.sections() if name.startswith("program:")]
    assert names == ["program:issuer", "program:web", "program:worker", "program:beat"]
    for name in names:
        assert settings[name]["autorestart"] == "true"
        assert settings[name]["killasgroup"] == "true"
        assert settings[name]["stdout_logfile_maxbytes"] == "10MB"
        assert "invoice_service.processes.tether SIGKILL" in settings[name]["command"]


def test_who_opens_no_key_is_not_told_the_passphrase(tmp_path: Path) -> None:
    settings = _read(supervisor_settings())
    for name, told in (("issuer", True), ("web", False), ("worker", True), ("beat", False)):
        command = settings[f"program:{name}"]["command"]
        assert (" -u FAPIAO_PASSPHRASE -u FAPIAO_PASSPHRASE_FILE " in command) is not told


def test_a_port_in_use_is_told_from_a_free_one() -> None:
    port = free_port("127.0.0.1")
    assert port_is_free("127.0.0.1", port)
    with socket.create_server(("127.0.0.1", port)):
        assert not port_is_free("127.0.0.1", port)


def test_an_address_of_another_machine_is_unusable() -> None:
    with pytest.raises(UnavailableError) as caught:
        port_is_free("192.0.2.1", 8000)  # RFC 5737: nobody's
    assert caught.value.code == "address_unusable"


def test_a_tree_does_not_start_on_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        tree = Tree(_config(tmp_path, other.getsockname()[1]), os.environ)
        with pytest.raises(UnavailableError) as caught, tree:
            tree.start()
    assert caught.value.code == "port_in_use"
    assert not tree.alive()


def test_a_second_start_is_refused_at_once_while_the_first_parent_lives(tmp_path: Path) -> None:
    lock = take_lock(tmp_path / "tree.lock")
    (tmp_path / "serve.pid").write_text(f"{os.getpid()}\n")
    with pytest.raises(UnavailableError) as caught:
        returns(lambda: take_lock(tmp_path / "tree.lock", wait=NEVER))
    assert caught.value.code == "already_running"
    os.close(lock)


def test_a_start_waits_for_the_remains_of_a_killed_tree(tmp_path: Path) -> None:
    path = tmp_path / "tree.lock"
    (tmp_path / "serve.pid").write_text(f"{_ended_pid()}\n")
    remains = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdout=subprocess.PIPE, stdin=subprocess.PIPE
    )
    assert remains.stdout is not None
    assert remains.stdout.readline() == b"held\n"
    with pytest.raises(UnavailableError) as caught:
        take_lock(path, wait=0.3)
    assert caught.value.code == "already_running"
    remains.kill()
    remains.wait()
    descriptor = take_lock(path, wait=NEVER)
    fcntl.flock(os.open(path, os.O_RDWR), fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared, as programs do
    os.close(descriptor)


_HOLD = """
import sys, time
from pathlib import Path
from invoice_service.processes.tether import hold_shared
hold_shared(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def _ended_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_output_is_followed_from_its_end_by_whole_lines(tmp_path: Path) -> None:
    config = _config(tmp_path)
    output_dir(config).mkdir()
    web = output_dir(config) / "web.log"
    web.write_text("from the last run\n")
    output = Output(config)
    assert list(output.new_lines()) == []
    with web.open("a") as file:
        file.write("first\nhalf")
        file.flush()
        assert list(output.new_lines()) == [("web", "first")]
        file.write(" a line\n")
    assert list(output.new_lines()) == [("web", "half a line")]


def test_output_is_followed_through_a_turn_over(tmp_path: Path) -> None:
    config = _config(tmp_path)
    output_dir(config).mkdir()
    web = output_dir(config) / "web.log"
    web.write_text("old\n")
    output = Output(config)
    web.rename(web.with_suffix(".log.1"))
    web.write_text("new\n")
    assert list(output.new_lines()) == [("web", "new")]
