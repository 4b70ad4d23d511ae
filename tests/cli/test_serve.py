"""``fapiao serve`` asks who answers on its port."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle

import pytest

from chain.errors import UnavailableError
from invoice_service.commands.serve import refuse_strangers, with_port
from invoice_service.config import Config


@contextmanager
def answering(*names: str) -> Iterator[Config]:
    """Settings of a port where these answer in turn, as two that listen on it would."""
    turn = cycle(names)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"ready": True, "instance": next(turn)}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # as it is called
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield with_port(Config(), server.server_port)
        finally:
            server.shutdown()


def test_all_answers_are_ours() -> None:
    with answering("a.cn/log+12345678+ours") as config:
        refuse_strangers(config, "ours")


def test_a_stranger_now_and_then_is_found() -> None:
    with answering("a.cn/log+12345678+ours", "b.cn/log+12345678+other") as config:
        with pytest.raises(UnavailableError, match=r"^port_in_use\b.*b.cn/log") as refused:
            refuse_strangers(config, "ours")
        assert str(config.web.port) in refused.value.detail


def test_who_does_not_answer_is_no_stranger() -> None:
    with answering("x") as config:
        pass
    refuse_strangers(config, "ours")
