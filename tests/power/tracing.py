"""Run programs under strace, and read back what they did to their files."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.power.replay import CALLS
from tests.power.trace import Call, read_trace

_LONGEST = 1_000_000


def need_strace() -> None:
    """Skip the calling test where strace is missing; fail it in continuous integration."""
    if shutil.which("strace") is not None:
        return
    reason = "strace is not installed: the power-cut tests cannot see the system calls"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def strace_command(output: Path, command: Sequence[str]) -> list[str]:
    """Return the command line that runs ``command`` and writes its trace to ``output``."""
    only = f"trace={','.join(CALLS)}"
    flags = ["-f", "--seccomp-bpf", "-ttt", "-xx", "-y", "-s", str(_LONGEST), "-e", only]
    return ["strace", *flags, "-e", "signal=none", "-o", str(output), *command]


def trace_run(output: Path, command: Sequence[str], env: dict[str, str]) -> list[Call]:
    """Run ``command`` to its end under strace; raises CalledProcessError when it fails."""
    need_strace()
    # One clean environment: PYTHONDONTWRITEBYTECODE keeps the interpreter's own writes out.
    full = {**os.environ, **env, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        strace_command(output, command), env=full, capture_output=True, text=True, timeout=300
    )
    if done.returncode:
        raise AssertionError(f"{command} failed:\n{done.stdout}\n{done.stderr}")
    return load(output)


@contextmanager
def traced_process(
    output: Path, command: Sequence[str], env: dict[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    """Keep ``command`` running under strace; on leaving, ask it to stop and wait for it."""
    need_strace()
    full = {**os.environ, **env, "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(strace_command(output, command), env=full)
    try:
        yield process
    finally:
        _stop(process, output)


def _stop(process: "subprocess.Popen[bytes]", output: Path) -> None:
    # strace keeps SIGTERM for itself, so the signal goes to the program it started.
    if process.poll() is None:
        os.kill(first_process(output), signal.SIGTERM)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def first_process(output: Path, patience: float = 10.0) -> int:
    """Return the id of the program that strace started (the first one in the trace)."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if output.exists() and (head := output.read_bytes()[:32].split()):
            return int(head[0])
        time.sleep(0.05)
    raise AssertionError(f"nothing was traced in {output}")


def load(output: Path) -> list[Call]:
    """Return the calls of a finished trace."""
    with output.open(encoding="ascii", errors="strict") as lines:
        return list(read_trace(lines))
