"""Where the programs of others are: ``tests/strangers/install`` puts them into ``build/``."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.outside import NEEDS, missing
from tests.patience import PATIENCE

HERE = Path(__file__).parent
HOMES = HERE.parents[1] / "build" / "strangers"
"""Seconds for one program to come to its end, however busy the machine is."""


def home(name: str) -> Path:
    """A stranger's virtual environment, as locked; a missing one skips, or fails where CI=true."""
    return _fresh(name, (HERE / "requirements" / f"{name}.txt").read_bytes())


def reader() -> Path:
    """Our reader in Go, compiled from the sources as they are; missing as above."""
    sources = sorted((HERE / "go").iterdir())
    locked = (HERE / "requirements" / "go.txt").read_bytes()
    wanted = locked + b"".join(path.read_bytes() for path in sources)
    return _fresh("reader", wanted) / "reader"


def _fresh(name: str, wanted: bytes) -> Path:
    folder = HOMES / name
    stamp = folder / "stamp"
    if not stamp.exists() or stamp.read_bytes() != wanted:
        missing(f"{NEEDS}{name}, as locked today: run tests/strangers/install")
    return folder


def run(program: Path, *arguments: object, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a stranger's program to its end, in an environment that says nothing of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [str(program), *map(str, arguments)],
        env=kept | {"NO_PROXY": "127.0.0.1"},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def asked(program: Path, *arguments: object, stdin: str = "") -> Any:  # noqa: ANN401 # any JSON
    """The JSON that a program prints when it is content."""
    done = run(program, *arguments, stdin=stdin)
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return json.loads(done.stdout)


def told(home: Path, script: str, order: dict[str, object]) -> Any:  # noqa: ANN401 # any JSON
    """What one of ``programs/`` answers to ``order``, run by a stranger's own interpreter."""
    return asked(home / "bin" / "python", HERE / "programs" / script, stdin=json.dumps(order))


def refused(home: Path, script: str, order: dict[str, object]) -> str:
    """The error, on standard error, with which one of ``programs/`` ends."""
    program = HERE / "programs" / script
    done = run(home / "bin" / "python", program, stdin=json.dumps(order))
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    return done.stderr.strip().splitlines()[-1]
