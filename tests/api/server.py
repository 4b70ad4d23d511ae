"""The application in a real server of several processes, over a real instance."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3

from tests.api.desk import Desk

START_SECONDS = 30


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
        server.wait(timeout=20)
        output.close()


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        assert server.poll() is None, "the server ended"
        try:
            if urllib3.request("GET", f"{url}/readyz", timeout=2, retries=False).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            time.sleep(0.05)
    raise AssertionError("the server does not answer")
