"""``fapiao`` in a process of its own that need not load its modules first.

It is forked from one that has them and does nothing else. What is to be killed, or to go on, is
started as users start it.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from invoice_service.cli import COMMANDS, run

_forks = multiprocessing.get_context("forkserver")
_modules = {place.partition(":")[0] for place in COMMANDS.values()}
_forks.set_forkserver_preload([f"invoice_service.commands.{name}" for name in sorted(_modules)])


def run_fapiao(
    arguments: Sequence[str], environ: Mapping[str, str], folder: Path
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, in this environment and folder, with nothing to read."""
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name, "out"), Path(name, "err")]
        process = _forks.Process(target=_run, args=(arguments, dict(environ), folder, files))
        process.start()
        process.join()
        said = [path.read_text(encoding="utf-8") for path in files]
    assert process.exitcode is not None
    return subprocess.CompletedProcess(arguments, process.exitcode, *said)


def _run(
    arguments: Sequence[str], environ: dict[str, str], folder: Path, files: list[Path]
) -> None:
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()  # a started one reads its zone from there
    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, path in enumerate(files, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.stdout, sys.stderr = (os.fdopen(n, "w", encoding="utf-8") for n in (1, 2))
    sys.exit(run(arguments))
