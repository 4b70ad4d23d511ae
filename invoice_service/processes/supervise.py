"""The process tree: issuing process, web, worker and beat under one supervisord.

``fapiao serve`` and ``fapiao demo`` are the parent of supervisord, which is the parent of the
four. Who ends, ends all below it: supervisord stops its programs when asked to, and the kernel
does when it was killed outright (``tether``). Why supervisord: docs/adr/0008-process-tree.md.
"""

import fcntl
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from stat import S_IMODE
from types import TracebackType
from typing import Final, NamedTuple, Self

from chain.errors import UnavailableError
from invoice_service.config import Config
from invoice_service.inventory import shut_folders
from invoice_service.keys.secrets import PASSPHRASE
from invoice_service.processes.listening import (
    FIRST_DESCRIPTOR,
    VARIABLE,
    listen,
    port_of,
    to_inherit,
)
from invoice_service.processes.presence import RUN

LOG_BYTES: Final = "10MB"  # a program's output, before its file is turned over
LOG_BACKUPS: Final = 3
STRANGERS: Final = 0o027  # what files of the programs deny: all to others, writing to the group
STOP_SECONDS: Final = 15  # what a program gets to finish its work before it is killed
OLD_TREE_SECONDS: Final = STOP_SECONDS + 5.0  # for which a start waits for a killed tree to end


class Program(NamedTuple):
    """One supervised program; ``module`` is what follows ``python -m``.

    Who opens no secret key (``keys``) is not told the passphrase.
    """

    name: str
    module: str
    keys: bool = False


_UNTOLD: Final = f"/usr/bin/env -u {PASSPHRASE} -u {PASSPHRASE}_FILE "
_CELERY: Final = "celery --app workers.app --quiet"
# In the order of starting; stopped in the opposite order.
PROGRAMS: Final = (
    Program("issuer", "invoice_service.cli issuer", keys=True),
    Program("web", "invoice_service.processes.web"),
    Program(
        "worker",
        f"{_CELERY} worker --include workers.tasks --loglevel INFO --hostname worker@fapiao"
        " --without-gossip --without-mingle --without-heartbeat",
        keys=True,
    ),
    Program("beat", f"{_CELERY} beat --loglevel INFO"),
)


def supervisor_settings() -> str:
    """The text of supervisord.conf. Paths are relative: supervisord runs in ``run_dir``."""
    tether = f"{shlex.quote(sys.executable)} -P -m invoice_service.processes.tether SIGKILL"
    sections = [
        "[supervisord]",
        "nodaemon=true",
        "silent=true",
        "pidfile=supervisord.pid",
        "logfile=../output/supervisor.log",
        "logfile_maxbytes=1MB",
        "logfile_backups=1",
        f"minfds={FIRST_DESCRIPTOR}",  # and closes below it, not the socket that we hand on
        # Said aloud, or supervisord complains that it was not told.
        *(["user=root"] if os.geteuid() == 0 else []),
    ]
    for rank, program in enumerate(PROGRAMS):
        python = f"{'' if program.keys else _UNTOLD}{shlex.quote(sys.executable)} -P -m"
        command = f"{tether} supervisord.pid tree.lock {python} {program.module}"
        sections += [
            f"[program:{program.name}]",
            "command=" + command.replace("%", "%%"),
            f"priority={rank}",
            "autorestart=true",
            # Each failed start waits a second longer than the one before; it never gives up, so
            # that the service comes back by itself when the disk has room again.
            "startretries=1000000",
            f"stopwaitsecs={STOP_SECONDS}",
            "killasgroup=true",
            "redirect_stderr=true",
            f"stdout_logfile=../output/{program.name}.log",
            f"stdout_logfile_maxbytes={LOG_BYTES}",
            f"stdout_logfile_backups={LOG_BACKUPS}",
        ]
    # One group, or supervisord stops one program after the other and each takes its seconds.
    names = ",".join(program.name for program in PROGRAMS)
    return "\n".join([*sections, "[group:fapiao]", f"programs={names}", ""])


def output_dir(config: Config) -> Path:
    """Where the programs' output is kept, one bounded file each."""
    return config.data_dir / "output"


def shut_output(folder: Path) -> None:
    """Make the folder of logs; nobody but us and our group reads in it, older files included."""
    folder.mkdir(exist_ok=True)
    for path in (folder, *folder.glob("*.log*")):
        mode = S_IMODE(path.stat().st_mode)
        path.chmod(mode & ~STRANGERS)


def free_port(host: str) -> int:
    """A port on ``host`` that nobody listens on just now."""
    with listen(host, 0) as listener:
        return port_of(listener)


def port_is_free(host: str, port: int) -> bool:
    """Whether one can listen there; UnavailableError "address_unusable" for other trouble."""
    try:
        listen(host, port).close()
    except UnavailableError as error:
        if error.code == "port_in_use":
            return False
        raise
    return True


class Tree:
    """The running programs of one instance; a context manager that stops them all."""

    def __init__(self, config: Config, environ: Mapping[str, str]) -> None:
        self._config = config
        self._environ = environ
        self._run = config.run_dir
        self.name = os.urandom(8).hex()  # of this start, for whoever asks who answers
        self._lock = -1
        self._listener: socket.socket | None = None
        self._supervisor: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start supervisord. Raises UnavailableError "already_running" or "port_in_use"."""
        self._run.mkdir(parents=True, exist_ok=True)
        shut_folders(self._config)
        shut_output(output_dir(self._config))
        self._lock = take_lock(self._run / "tree.lock")
        # Ours for as long as we live, whatever becomes of the web server: clients wait meanwhile.
        self._listener = listen(self._config.web.host, self._config.web.port)
        (self._run / "supervisord.conf").write_text(supervisor_settings(), encoding="utf-8")
        (self._run / "serve.pid").write_text(f"{os.getpid()}\n", encoding="ascii")
        self._supervisor = self._start_supervisor(self._listener)

    def _start_supervisor(self, listener: socket.socket) -> "subprocess.Popen[bytes]":
        python = [sys.executable, "-P", "-m"]
        passed_on = to_inherit(listener)
        try:
            return subprocess.Popen(
                [
                    *python,
                    "invoice_service.processes.tether",
                    "SIGTERM",  # when we are killed outright, supervisord still stops all in order
                    "serve.pid",
                    "tree.lock",
                    *python,
                    "supervisor.supervisord",
                    "--configuration",
                    "supervisord.conf",
                ],
                cwd=self._run,
                env={**self._environ, VARIABLE: str(passed_on), RUN: self.name},
                pass_fds=[passed_on],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches us alone, and we stop the rest once
                umask=STRANGERS,
            )
        finally:
            os.close(passed_on)

    def alive(self) -> bool:
        """Whether supervisord runs."""
        return self._supervisor is not None and self._supervisor.poll() is None

    def stop(self) -> None:
        """Stop every program; kills what has not ended in time, or at once when interrupted."""
        supervisor = self._supervisor
        if supervisor is not None and supervisor.poll() is None:
            supervisor.send_signal(signal.SIGTERM)
            try:
                supervisor.wait(timeout=2 * STOP_SECONDS)
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                supervisor.kill()  # the kernel then kills the programs
                supervisor.wait()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def take_lock(path: Path, wait: float = OLD_TREE_SECONDS) -> int:
    """Hold a share of the tree's lock, once nobody else does; returns its descriptor.

    Raises UnavailableError "already_running" when others still hold it after ``wait`` seconds, or
    at once when the tree they belong to has a living parent.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The change to a shared lock is not atomic: who loses it here to another gives way.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < deadline and not _has_living_parent(path.with_name("serve.pid")):
                time.sleep(0.1)
                continue
            os.close(descriptor)
            raise UnavailableError(
                "already_running", f"this instance is being served already ({path.parent})"
            ) from None
        return descriptor


def _has_living_parent(pid_file: Path) -> bool:
    """Whether the process that started the tree last is still there."""
    try:
        os.kill(int(pid_file.read_text(encoding="ascii")), 0)
    except (OSError, ValueError):
        return False
    return True


class Output:
    """Follows the programs' output files, through turn-overs, from where they end now."""

    def __init__(self, config: Config) -> None:
        names = ["supervisor", *(program.name for program in PROGRAMS)]
        self._files = {name: output_dir(config) / f"{name}.log" for name in names}
        self._inode: dict[str, int] = {}
        self._offset: dict[str, int] = {}
        for name, path in self._files.items():
            if path.exists():
                self._inode[name], self._offset[name] = path.stat().st_ino, path.stat().st_size

    def new_lines(self) -> Iterator[tuple[str, str]]:
        """(program, line) of every whole line written since the last call."""
        for name, path in self._files.items():
            try:
                with path.open("rb") as file:
                    yield from ((name, line) for line in self._read(name, file.fileno()))
            except FileNotFoundError:
                continue  # not started yet, or being turned over this instant

    def _read(self, name: str, descriptor: int) -> list[str]:
        status = os.fstat(descriptor)
        if self._inode.get(name) != status.st_ino or status.st_size < self._offset.get(name, 0):
            # A new file. The last lines of the old one may be missed here; they are in its backup.
            self._inode[name], self._offset[name] = status.st_ino, 0
        data = os.pread(descriptor, 1 << 20, self._offset[name])
        whole = data[: data.rfind(b"\n") + 1]
        self._offset[name] += len(whole)
        return whole.decode(errors="replace").splitlines()
