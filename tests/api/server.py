"""The application in a real server of several processes, over a real instance."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import urllib3

from tests.api.desk import Desk
from tests.patience import PATIENCE, wait_until


@contextmanager
def serving(desk: Desk, *, workers: int = 2, threads: int = 2, **settings: str) -> Iterator[str]:
    """The server's address, once it answers; it is stopped at the end.

    ``settings`` are FAPIAO_ variables in lower case.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environ = {
        **os.environ,
        "FAPIAO_SERVICE_DATA_DIR": str(desk.config.data_dir),
        "FAPIAO_WEB_PORT": str(port),
        "FAPIAO_WEB_WORKERS": str(workers),
        "FAPIAO_WEB_THREADS": str(threads),
        **{f"FAPIAO_{name.upper()}": value for name, value in settings.items()},
        "FAPIAO_SERVICE_PUBLIC_URL": desk.config.service.public_url,
    }
    command = [sys.executable, "-m", "invoice_service.processes.web"]
    output = (desk.config.data_dir / "server.log").open("wb")
    server = subprocess.Popen(
        command, env=environ, stdout=output, stderr=output, cwd=Path(__file__).parents[2]
    )
    try:
        _wait(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=PATIENCE)
        output.close()


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    def answers() -> bool:
        assert server.poll() is None, "the server ended"
        with suppress(urllib3.exceptions.HTTPError):
            answer = urllib3.request("GET", f"{url}/readyz", timeout=PATIENCE, retries=False)
            return answer.status == 200
        return False

    wait_until(answers, "the server answers")
