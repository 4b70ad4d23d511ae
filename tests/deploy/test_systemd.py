"""The units that are shipped: systemd takes them, they are shut in, and their commands run."""

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path
from typing import Final

import pytest

from invoice_service.wiring import open_instance
from tests.chain.histories import SIGNER
from tests.journeys.service import Service
from tests.outside import need
from tests.patience import PATIENCE, wait_until

SHIPPED: Final = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES: Final = sorted(path.name for path in SHIPPED.glob("*.service"))
UNITS: Final = sorted(path.name for path in SHIPPED.iterdir())
HOME: Final = "/srv/fapiao/.venv/bin/fapiao"
EXPOSED: Final = 30
"""Exposure as ``systemd-analyze security`` counts it, of a hundred; 96 is no care at all."""


def unit(name: str) -> RawConfigParser:
    parsed = RawConfigParser(strict=True, comment_prefixes="#")
    parsed.optionxform = str  # type: ignore[assignment, method-assign] # names keep their letters
    parsed.read_string((SHIPPED / name).read_text(encoding="utf-8"))
    return parsed


def command(name: str) -> list[str]:
    words = shlex.split(unit(name)["Service"]["ExecStart"])
    assert words[0] == HOME
    return [sys.executable, "-P", "-m", "invoice_service.cli", *words[1:]]


@pytest.fixture
def installed(tmp_path: Path) -> list[Path]:
    """The units as they are, but for a program that is there."""
    folder = tmp_path / "units"
    folder.mkdir()
    for name in UNITS:
        text = (SHIPPED / name).read_text(encoding="utf-8").replace(HOME, "/bin/true")
        (folder / name).write_text(re.sub(r"^(User|Group)=.*", r"\1=root", text, flags=re.M))
    return sorted(folder.iterdir())


def test_lines_of_logs_are_in_utc() -> None:
    """Of the processes whose lines name no zone."""
    assert "TZ=UTC" in unit("fapiao.service")["Service"]["Environment"].split()


def test_systemd_has_nothing_to_say(installed: list[Path]) -> None:
    done = subprocess.run(
        [need("systemd-analyze"), "verify", "--man=no", *installed],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "fapiao" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_shut_in(name: str, installed: list[Path]) -> None:
    path = next(path for path in installed if path.name == name)
    done = subprocess.run(
        [
            *(need("systemd-analyze"), "security", "--offline=true", "--no-pager"),
            *(f"--threshold={EXPOSED}", path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-400:] + done.stderr
    said = unit(name)["Service"]
    assert said["User"] in ("fapiao", "witness")
    assert (said["NoNewPrivileges"], said["ProtectSystem"]) == ("yes", "strict")
    assert said["LimitCORE"] == "0"
    assert (said["CapabilityBoundingSet"], said["AmbientCapabilities"]) == ("", "")


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".timer")])
def test_a_timer_has_its_service(name: str) -> None:
    assert name.replace(".timer", ".service") in SERVICES
    assert unit(name)["Install"]["WantedBy"] == "timers.target"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An instance that has a place for backups, as the units' settings have."""
    folder = tmp_path_factory.mktemp("srv")
    one = Service(folder, retention={"backups": str(folder / "backups")})
    try:
        one.init()
        yield one
    finally:
        one.close()


def run(service: Service, words: list[str]) -> str:
    done = subprocess.run(
        words,
        env=service.environ,
        cwd=service.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


@pytest.mark.slow
def test_the_commands_run(service: Service, tmp_path: Path) -> None:
    """Each ``ExecStart`` as it stands, but for places, the mirror's address and its key."""
    with (service.folder / "serve.out").open("ab") as output:
        service.serving = subprocess.Popen(
            command("fapiao.service"),
            env=service.environ,
            cwd=service.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    wait_until(service.is_ready, "the service is ready")
    _, key = service.admit()
    line = {"name": "*餐饮服务*餐费", "unit_price": 100, "tax_rate": "0.06"}
    order = json.dumps({"order_id": "1", "lines": [line]}).encode()
    service.remote(key).post("/v1/invoices", order)
    service.wait_until_anchored(1)
    assert "backups" in run(service, command("fapiao-backup.service"))
    assert list((service.folder / "backups").iterdir())
    assert "clean" in run(service, command("fapiao-audit.service"))
    instance = open_instance(service.config)
    log_key = instance.log_key.text()
    instance.close()
    places = {
        "https://fapiao.example.cn/log": f"{service.url}/log",
        "/srv/mirror": str(tmp_path / "mirror"),
        "KEY": log_key,
    }
    mirror = [places.get(word, word) for word in command("fapiao-mirror.service")]
    assert set(places.values()) <= set(mirror)
    run(service, mirror)
    assert (tmp_path / "mirror" / "checkpoint").is_file()
    assert service.stop() == 0


@pytest.mark.slow
def test_a_witness_runs(service: Service, tmp_path: Path) -> None:
    folder = tmp_path / "witness"
    made = ["witness", "init", "--name", "witness.example", "--log", SIGNER.verifier.text()]
    service.fapiao(*made, str(folder))
    places = {"/srv/witness": str(folder), "8600": "0"}
    words = [places.get(word, word) for word in command("fapiao-witness.service")]
    said = tmp_path / "said"
    with said.open("wb") as output:
        serving = subprocess.Popen(
            words, env=service.environ, cwd=tmp_path, stdout=output, stderr=output
        )
    try:
        wait_until(
            lambda: "http://" in said.read_text() or serving.poll() is not None, "it listens"
        )
        assert serving.poll() is None, said.read_text()
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(timeout=PATIENCE) == 0, said.read_text()
    finally:
        serving.kill()
        serving.wait()
