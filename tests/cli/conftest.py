"""What the command line's tests start from."""

import os
from pathlib import Path

import pytest

from tests.cli.town import Town


@pytest.fixture
def empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Town:
    """A folder with settings and no instance, where we stand."""
    for name in [name for name in os.environ if name.startswith("FAPIAO_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text('[service]\npublic_url = "https://fapiao.test"\n')
    return Town(tmp_path, capsys)


@pytest.fixture
def town(empty: Town) -> Town:
    """An instance with one merchant."""
    empty.run("init")
    empty.admit()
    return empty
