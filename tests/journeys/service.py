"""A whole service of one's own: an instance, its process tree, and whoever uses it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from Crypto.Random import get_random_bytes

from invoice_service.commands.remote import Remote
from invoice_service.config import Config, load
from invoice_service.domain.merchant import MerchantRequest
from invoice_service.processes.supervise import free_port
from invoice_service.services.people.admit import admit, create_key
from invoice_service.services.people.ports import Role
from invoice_service.wiring import init_instance, open_instance
from tests.journeys.commands import run_fapiao
from tests.patience import PATIENCE, wait_until

FAPIAO = [sys.executable, "-P", "-m", "invoice_service.cli"]

PROGRAMS = {
    "supervisor": "supervisor.supervisord",
    "issuer": "invoice_service.cli issuer",
    "web": "invoice_service.processes.web",
    "worker": " worker --include",
    "beat": " beat --loglevel",
}


class Service:
    """An instance below ``folder`` and, once started, its processes; found by their environment."""

    def __init__(self, folder: Path, **sections: dict[str, Any]) -> None:
        self.folder = folder
        port = free_port("127.0.0.1")
        self.url = f"http://127.0.0.1:{port}"
        self.settings = folder / "config.toml"
        tables: dict[str, dict[str, Any]] = {
            "service": {"public_url": self.url, "data_dir": "data"},
            "web": {"port": port, "workers": 2, "threads": 4},
            **sections,
        }
        self.settings.write_text(_toml(tables), encoding="utf-8")
        others = {name: text for name, text in os.environ.items() if not name.startswith("FAPIAO_")}
        self.environ = {**others, "FAPIAO_CONFIG": str(self.settings)}
        self.serving: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> Config:
        return load(self.settings, {})

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def init(self) -> None:
        """Make the instance. In this process, like ``admit``: nothing of a story is in it yet."""
        init_instance(self.config).close()

    def fapiao(self, *arguments: str, status: int = 0) -> str:
        """Run a command to its end and return what it printed; fails on another exit status."""
        done = run_fapiao(arguments, self.environ, self.folder)
        assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def asked(self, *arguments: str, status: int = 0) -> Any:  # noqa: ANN401 # any JSON
        """What a command answers with ``--json``."""
        return json.loads(self.fapiao(*arguments, "--json", status=status))

    def background(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command and leave it running."""
        return subprocess.Popen(
            [*FAPIAO, *arguments],
            env=self.environ,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def start(self) -> None:
        """Serve, and return once requests are taken."""
        self.serve()
        wait_until(self.is_ready, "the service is ready")

    def serve(self) -> None:
        """Serve; what it prints goes to ``serve.out``."""
        with (self.folder / "serve.out").open("ab") as output:
            self.serving = subprocess.Popen(
                [*FAPIAO, "serve"],
                env=self.environ,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def is_ready(self) -> bool:
        try:
            Remote(self.url, patience=0).get("/readyz")
        except Exception:  # noqa: BLE001 # whatever is wrong, it is not ready
            return False
        return True

    def stop(self, signum: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; returns the exit status, after which nothing of it may run."""
        assert self.serving is not None
        self.serving.send_signal(signum)
        status = self.serving.wait(timeout=PATIENCE)
        self.serving = None
        return status

    def close(self) -> None:
        """Leave nothing behind, however the test ended."""
        kill_all(self.settings)
        if self.serving is not None:
            self.serving.kill()
            self.serving.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def pids(self, program: str = "") -> list[int]:
        """Processes of this service, or of one program; those of the web are the server's first."""
        words = PROGRAMS.get(program, "")
        return [pid for pid, line in processes(self.settings) if words in line]

    def kill(self, program: str, place: int = 0) -> None:
        """SIGKILL for one of a program's processes; returns once there are as many again."""
        pids = self.pids(program)
        os.kill(pids[place], signal.SIGKILL)

        def is_back() -> bool:
            now = self.pids(program)
            return pids[place] not in now and len(now) == len(pids) and self.is_ready()

        wait_until(is_back, f"{program} is back")

    def remote(self, key: str = "", *, patience: float = PATIENCE) -> Remote:
        """A client of the service."""
        return Remote(self.url, key, patience=patience)

    def admit(self, tax_id: str = "91440300618810208N") -> tuple[str, str]:
        """A merchant; (its number, its key)."""
        asked = MerchantRequest(
            tax_id=tax_id, name="深圳旋转餐厅有限公司", industry="6210", district="440303"
        )
        with closing(open_instance(self.config)) as instance:
            number = admit(instance.store, asked, instance.operator()).merchant.id
        return str(number), self._key(number)

    def official(self) -> Remote:
        """A client with an official's key."""
        return self.remote(self.official_key())

    def official_key(self) -> str:
        """A new key of an official."""
        return self._key(None)

    def _key(self, merchant: int | None) -> str:
        """A new key of a merchant, or of an official."""
        role: Role = "official" if merchant is None else "merchant"
        with closing(open_instance(self.config)) as instance:
            by = instance.operator()
            _, key = create_key(
                instance.store, role, merchant, "", by=by, randbytes=get_random_bytes
            )
        return key

    def wait_until_anchored(self, invoices: int) -> None:
        """Return when the worker has put so many invoices into the published log."""

        def anchored() -> bool:
            health = json.loads(self.remote().get("/readyz"))
            issued: int = health["issued"]
            return (
                issued >= invoices
                and health["pending"] == 0
                and health["published_size"] == health["log_size"]
            )

        wait_until(anchored, f"{invoices} invoices are anchored")


def processes(settings: Path) -> list[tuple[int, str]]:
    """(pid, command line) of all living processes that were started with these settings."""
    mark = f"FAPIAO_CONFIG={settings}".encode()
    found = []
    for path in Path("/proc").iterdir():
        if not path.name.isdigit() or int(path.name) == os.getpid():
            continue
        try:
            if mark not in (path / "environ").read_bytes().split(b"\0"):
                continue
            line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue  # it has ended
        if line:  # else it is dead and waits to be collected
            found.append((int(path.name), line))
    return sorted(found)


def kill_all(settings: Path) -> None:
    """Kill every process that was started with these settings."""
    for pid, _ in processes(settings):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _toml(tables: dict[str, dict[str, Any]]) -> str:
    lines = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    return "\n".join([*lines, ""])
