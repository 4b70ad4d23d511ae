"""The operators' manual says what is true."""

import re
from pathlib import Path

from invoice_service.app import create_app
from invoice_service.config import load
from invoice_service.processes.supervise import LOG_BYTES, PROGRAMS, STOP_SECONDS
from invoice_service.wiring import open_instance
from tests.cli.town import Town

MANUAL = Path("docs/operations.md").read_text(encoding="utf-8")


def test_every_metric_that_it_names_is_there(town: Town) -> None:
    named = set(re.findall(r"`(fapiao_[a-z_]+)`", MANUAL))
    assert len(named) > 5
    instance = open_instance(load(town.folder / "config.toml", {}))
    client = create_app(instance).test_client()
    client.get("/healthz")
    found = set(re.findall(r"^# HELP (\w+) ", client.get("/metrics").text, re.MULTILINE))
    instance.close()
    families = {name.removesuffix("_total") for name in found}
    assert {name.removesuffix("_total") for name in named} <= families


def test_the_programs_and_their_limits_are_those_of_the_tree(town: Town) -> None:
    for program in PROGRAMS:
        assert f"| `{program.name}` |" in MANUAL
    assert f"up to {STOP_SECONDS} seconds" in MANUAL
    assert f"{LOG_BYTES.removesuffix('MB')} MB each" in MANUAL


def test_every_file_that_an_instance_has_is_in_it(town: Town) -> None:
    for path in (town.folder / "var/main").iterdir():
        name = path.name.partition("-")[0]  # -wal, -shm and the like belong to their database
        assert f"| `{name}" in MANUAL, path.name


def test_every_target_of_make_is_explained() -> None:
    lines = Path("Makefile").read_text(encoding="utf-8").splitlines()
    [phony] = [line for line in lines if line.startswith(".PHONY:")]
    for target in phony.split()[1:]:
        assert any(line.startswith(f"{target}:") and "## " in line for line in lines), target
