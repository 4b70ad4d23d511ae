"""What the command line's tests start from."""

import os
import shutil
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from invoice_service.cli import run
from tests.cli.town import ADMITTING, Town

SETTINGS = '[service]\npublic_url = "https://fapiao.test"\n'


@pytest.fixture
def empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Town:
    """A folder with settings and no instance, where we stand."""
    for name in [name for name in os.environ if name.startswith("FAPIAO_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text(SETTINGS)
    return Town(tmp_path, capsys)


@pytest.fixture(scope="session")
def made_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of an instance with one merchant, which tests have copies of."""
    folder = tmp_path_factory.mktemp("town")
    (folder / "config.toml").write_text(SETTINGS)
    with pytest.MonkeyPatch.context() as patch, chdir(folder), redirect_stdout(StringIO()):
        for name in [name for name in os.environ if name.startswith("FAPIAO_")]:
            patch.delenv(name)
        assert run(["init"]) == 0
        assert run(ADMITTING) == 0
    return folder / "var"


@pytest.fixture
def town(empty: Town, made_town: Path) -> Town:
    """An instance with one merchant."""
    shutil.copytree(made_town, empty.folder / "var", symlinks=True)
    return empty
