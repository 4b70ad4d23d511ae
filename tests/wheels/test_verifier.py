"""The verifier as a wheel of its own: what it holds, what it needs, and that it says yes and no."""

import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.chain.books import SIGNER
from tests.chain.forged import with_everything
from tests.wheels.conftest import ROOT

KEY = SIGNER.verifier.text()
STORES = {"chain/log", "chain/witness", "chain/audit"}


def wheel(folder: Path, name: str) -> zipfile.ZipFile:
    """The one wheel of that name."""
    (path,) = folder.glob(f"{name}-*.whl")
    return zipfile.ZipFile(path)


def requirements(archive: zipfile.ZipFile) -> set[str]:
    """What installing it brings along, without the extras."""
    (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    stated = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist") or []
    return {line for line in stated if "extra ==" not in line}


@pytest.mark.slow
def test_no_file_is_in_two_wheels_and_none_is_forgotten(wheels: Path) -> None:
    verifier, service = (wheel(wheels, name) for name in ("fapiao_verifier", "fapiao"))
    assert not set(verifier.namelist()) & set(service.namelist())
    packed = {*verifier.namelist(), *service.namelist()}
    for package in ("chain", "invoice_service", "workers"):
        for path in (ROOT / package).rglob("*.py"):
            assert path.relative_to(ROOT).as_posix() in packed


@pytest.mark.slow
def test_the_verifier_has_no_store_and_two_dependencies(wheels: Path) -> None:
    archive = wheel(wheels, "fapiao_verifier")
    folders = {name.rpartition("/")[0] for name in archive.namelist()}
    assert not folders & STORES
    assert not any(folder.startswith(("invoice_service", "workers")) for folder in folders)
    assert not any(b"sqlite3" in archive.read(name) for name in archive.namelist())
    names = {re.split(r"[~=<>]", line)[0] for line in requirements(archive)}
    assert names == {"msgspec", "pycryptodome"}


@pytest.mark.slow
def test_the_service_asks_for_the_verifier_of_its_version(wheels: Path) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"fapiao-verifier=={version}" in requirements(wheel(wheels, "fapiao"))
    alone = tomllib.loads((ROOT / "chain/pyproject.toml").read_text())["project"]
    assert alone["version"] == version
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert set(alone["dependencies"]) <= set(asked)


@pytest.fixture(scope="module")
def alone(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment that holds the verifier and its locked dependencies."""
    home = tmp_path_factory.mktemp("alone")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    python = str(home / "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    install = [*pip, "--quiet", "install"]
    locked = (ROOT / "requirements/run.txt").read_text()
    wanted = [
        block
        for block in re.findall(r"^\S+==\S+(?: \\\n[^\\\n]+)+$", locked, re.MULTILINE)
        if block.startswith(("msgspec==", "pycryptodome=="))
    ]
    (home / "wanted.txt").write_text("\n".join(wanted))
    subprocess.run([*install, "--require-hashes", "-r", home / "wanted.txt"], check=True)
    (path,) = wheels.glob("fapiao_verifier-*.whl")
    subprocess.run([*install, "--no-index", "--no-deps", path], check=True)
    subprocess.run([*pip, "check"], check=True)
    return home / "bin"


@pytest.mark.slow
def test_the_command_says_yes_and_no_in_a_fresh_environment(alone: Path, tmp_path: Path) -> None:
    good = with_everything().to_bytes()
    for name, data, status, word in (
        ("good", good, 0, "\nPROVED\n"),
        ("bent", good.replace(b"*food*", b"*fool*", 1), 1, "NOT PROVED"),
        ("none", None, 2, ""),
    ):
        file = tmp_path / name
        if data is not None:
            file.write_bytes(data)
        done = subprocess.run(
            [alone / "fapiao-verify", file, "--key", KEY],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, (name, done.stdout, done.stderr)
        assert word in done.stdout


@pytest.mark.slow
def test_the_witness_is_said_to_be_elsewhere(alone: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [alone / "python", "-m", "chain", "witness", "serve"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "comes with the whole service" in done.stderr
