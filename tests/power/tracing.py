"""Run programs under strace, and read back what they did to their files."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.outside import need
from tests.patience import NEVER, PATIENCE, wait_until
from tests.power.replay import CALLS
from tests.power.trace import Call, read_trace

_LONGEST = 1_000_000
_WRITES = "fsync,fdatasync,rename,renameat,renameat2"


def need_strace() -> None:
    """Skip the calling test where strace is missing; fail it in continuous integration."""
    need("strace")


def strace_command(output: Path, command: Sequence[str], *, kill_at: int = 0) -> list[str]:
    """Return the command line that runs ``command`` and writes its trace to ``output``.

    ``kill_at`` n: kill -9 before the n-th fsync, fdatasync or rename, whichever kind gets
    there first.
    """
    flags = ["-f", "-ttt", "-xx", "-y", "-s", str(_LONGEST), "-e", f"trace={','.join(CALLS)}"]
    # With seccomp-bpf only the traced calls are slow, but strace then injects nothing.
    flags += (
        ["-e", f"inject={_WRITES}:signal=KILL:when={kill_at}"] if kill_at else ["--seccomp-bpf"]
    )
    return ["strace", *flags, "-e", "signal=none", "-o", str(output), *command]


def trace_run(
    output: Path, command: Sequence[str], env: dict[str, str], *, kill_at: int = 0
) -> list[Call]:
    """Run ``command`` to its end under strace; AssertionError unless it ends as asked for."""
    need_strace()
    done = subprocess.run(
        strace_command(output, command, kill_at=kill_at),
        env=_environment(env),
        capture_output=True,
        text=True,
        timeout=NEVER,
    )
    if done.returncode != (-signal.SIGKILL if kill_at else 0):
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return load(output)


def _environment(env: dict[str, str]) -> dict[str, str]:
    # PYTHONDONTWRITEBYTECODE keeps the interpreter's own files out of the trace.
    return {**os.environ, **env, "PYTHONDONTWRITEBYTECODE": "1"}


@contextmanager
def traced_process(
    output: Path, command: Sequence[str], env: dict[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    """Keep ``command`` running under strace; on leaving, ask it to stop and wait for it."""
    need_strace()
    process = subprocess.Popen(strace_command(output, command), env=_environment(env))
    try:
        yield process
    finally:
        _stop(process, output)


def _stop(process: "subprocess.Popen[bytes]", output: Path) -> None:
    # strace keeps SIGTERM for itself, so the signal goes to the program it started.
    if process.poll() is None:
        os.kill(first_process(output), signal.SIGTERM)
    try:
        process.wait(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def first_process(output: Path) -> int:
    """Return the id of the program that strace started (the first one in the trace)."""
    wait_until(lambda: output.exists() and output.read_bytes()[:32].split(), f"a call in {output}")
    return int(output.read_bytes()[:32].split()[0])


def load(output: Path) -> list[Call]:
    """Return the calls of a finished trace."""
    with output.open(encoding="ascii", errors="strict") as lines:
        return list(read_trace(lines))
