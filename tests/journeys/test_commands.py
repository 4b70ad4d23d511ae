"""A command that is forked says and does what one that is started does."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.journeys.commands import run_fapiao
from tests.journeys.service import FAPIAO


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["merchants", "list"], 3),  # where nothing is initialised
        (["init"], 0),
        (["no-such-command"], 2),
        (["merchants", "list", "--help"], 0),
        (["--config", "not there", "init"], 2),
    ],
)
def test_it_is_what_a_started_one_is(tmp_path: Path, arguments: list[str], status: int) -> None:
    settings = tmp_path / "mine.toml"
    settings.write_text('[service]\npublic_url = "https://fapiao.test"\n', encoding="utf-8")
    environ = {**os.environ, "FAPIAO_CONFIG": str(settings)}
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    environ["FAPIAO_SERVICE_DATA_DIR"] = str(one / "data")
    forked = run_fapiao(arguments, environ, one)
    environ["FAPIAO_SERVICE_DATA_DIR"] = str(other / "data")
    started = subprocess.run(
        [*FAPIAO, *arguments], env=environ, cwd=other, capture_output=True, text=True, check=False
    )
    assert (forked.returncode, started.returncode) == (status, status)
    assert _alike(forked.stderr, one) == _alike(started.stderr, other)
    assert bool(forked.stdout) == bool(started.stdout)
    assert sorted(_alike(str(path), one) for path in one.rglob("*")) == sorted(
        _alike(str(path), other) for path in other.rglob("*")
    )


def _alike(said: str, folder: Path) -> str:
    return said.replace(str(folder), "here")
