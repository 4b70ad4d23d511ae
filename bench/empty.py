"""An application that does nothing: the most requests a second that the web stack can answer."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen

from flask import Flask, request

from bench.load import Plan, run
from bench.processes import cpu_spent, tree
from bench.timing import Rate, wait_until
from bench.web import answers, free_port
from invoice_service.config import Config, Web
from invoice_service.processes.listening import listen
from invoice_service.processes.web import Workers

BODY = '{"order_id":"ORDER"}'


def load() -> Flask:
    """Return an application that reads every POST and answers with an empty object."""
    app = Flask("empty")

    @app.post("/")
    def nothing() -> tuple[str, int]:
        request.get_data()
        return "{}", 201

    @app.get("/")
    def ready() -> str:
        return ""

    return app


@dataclass(frozen=True, slots=True)
class Empty:
    """Empty requests: how many a second, and the processor seconds of one in all processes."""

    rate: Rate
    cpu: float


def empty_rate(folder: Path, seconds: float, workers: int, threads: int) -> Empty:
    """Measure empty POSTs on our server, with as many processes and threads as the service has."""
    with _served(workers, threads) as url:
        run(Plan(url, body=BODY), 1, folder)  # as before single issues: everything is loaded
        before = tree()
        rate = run(Plan(url, body=BODY), seconds, folder)
        spent = cpu_spent(before, tree()).get("empty application", 0.0)
    return Empty(rate, spent / rate.count)


@contextmanager
def _served(workers: int, threads: int) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "bench.empty", str(port), str(workers), str(threads)]
    process = Popen(command, stdout=DEVNULL)
    url = f"http://127.0.0.1:{port}/"
    try:
        wait_until(lambda: answers(url), 20, "the empty application")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def main(port: int, workers: int, threads: int) -> None:
    """Serve it until SIGTERM."""
    config = Config(web=Web(port=port, workers=workers, threads=threads))
    Workers(config, listen(config.web.host, port), load).keep()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
