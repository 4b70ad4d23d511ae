"""The shell scripts that make and CI call."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.outside import PACKAGES

PYTHON = """#!/bin/bash
# A Python as Debian ships it without python3-venv, until that is installed.
if [[ "$*" == *ensurepip* && ! -e "{folder}/installed" ]]; then exit 1; fi
if [[ "$1" == -m ]]; then mkdir -p "${{@: -1}}"; exit 0; fi
exec {python} "$@"
"""
APT = """#!/bin/bash
echo "$*" >> "{folder}/apt"
[[ "$1" == install ]] && touch "{folder}/installed"
exit 0
"""


def _program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(text.format(folder=folder, python=sys.executable))
    path.chmod(0o755)


@pytest.fixture
def debian(tmp_path: Path) -> Path:
    """A machine with python3 and apt-get, but without python3-venv."""
    _program(tmp_path, "python3", PYTHON)
    _program(tmp_path, "apt-get", APT)
    return tmp_path


def _make_venv(machine: Path) -> "subprocess.CompletedProcess[str]":
    environ = os.environ | {"PATH": f"{machine}:{os.environ['PATH']}"}
    environ.pop("PYTHON", None)
    return subprocess.run(
        ["scripts/make-venv", str(machine / "venv")],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_root_gets_python3_venv_when_it_is_missing(debian: Path) -> None:
    _program(debian, "id", "#!/bin/bash\necho 0\n")
    done = _make_venv(debian)
    assert done.returncode == 0, done.stderr
    assert "python3-venv" in (debian / "apt").read_text().splitlines()[-1]
    assert (debian / "venv").is_dir()


def test_others_are_told_what_to_install(debian: Path) -> None:
    _program(debian, "id", "#!/bin/bash\necho 1000\n")
    done = _make_venv(debian)
    assert done.returncode == 3
    assert "apt-get install python3-venv" in done.stderr
    assert not (debian / "apt").exists()


def test_an_old_python_is_named(debian: Path) -> None:
    _program(debian, "python3", "#!/bin/bash\n[[ $1 == --version ]] && echo Python 3.9.2\nexit 1\n")
    done = _make_venv(debian)
    assert done.returncode == 3
    assert "Python 3.9.2 is too old" in done.stderr


@pytest.mark.parametrize("script", [".ci/run", "scripts/make-venv", "scripts/lock"])
def test_scripts_are_bash_that_stops_at_the_first_error(script: str) -> None:
    text = Path(script).read_text()
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in text
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)


def test_ci_installs_every_outside_program_that_tests_ask_for() -> None:
    text = Path(".ci/run").read_text()
    for package in PACKAGES.values():
        assert package in text


def test_no_file_of_ours_names_a_machine_or_a_registry() -> None:
    for path in (Path("Makefile"), Path(".ci/run"), *Path("scripts").iterdir()):
        if path.is_file():
            # A name of RFC 2606 is nobody's.
            text = path.read_text().replace("https://fapiao.example", "")
            assert "://" not in text, path
            assert "/work" not in text, path
