"""The wheels, built once from a copy of the sources, so that nothing is left in them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("chain", "invoice_service", "workers", "static")
FILES = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "config.toml")


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both wheels, as ``make wheels`` builds them for a release."""
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        unwanted = shutil.ignore_patterns("*.egg-info", "__pycache__")
        shutil.copytree(ROOT / name, source / name, ignore=unwanted)
    for name in FILES:
        shutil.copy(ROOT / name, source / name)
    built = tmp_path_factory.mktemp("built")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "--no-index", "-w", built, "./chain", "."],
        cwd=source,
        env=os.environ | {"FAPIAO_RELEASE": "1"},
        check=True,
    )
    return built
