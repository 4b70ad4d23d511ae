"""A log's folder behind a real web server, which can be told to answer otherwise."""

import shutil
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from chain.entry import anchor_entry
from chain.hashing import sha256
from tests.chain.books import NOON, Books
from tests.patience import PATIENCE


class Served:
    """What the server has been asked for, and what it answers instead of a file.

    ``headers`` are the coding asked for and what is said to caches, of each request.
    """

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.bent: dict[str, bytes | int] = {}
        self.headers: list[tuple[str | None, str | None]] = []


@contextmanager
def serve(folder: Path, tls: ssl.SSLContext | None = None) -> Iterator[Served]:
    """Serve a folder below ``/log/`` as any static server would."""
    served = Served()

    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms between head and body

        def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # as the base class
            super().__init__(*args, directory=str(folder), **kwargs)

        def do_GET(self) -> None:  # as the base class has it
            self.path = self.path.removeprefix("/log")
            name = self.path.removeprefix("/")
            served.asked.append(name)
            served.headers.append(
                (self.headers.get("Accept-Encoding"), self.headers.get("Cache-Control"))
            )
            answer = served.bent.get(name)
            if answer is None:
                super().do_GET()
            elif isinstance(answer, int):
                self.send_error(answer)
            else:
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}/log"
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def roll_back(books: Books, folder: Path) -> Books:
    """The same log as it stands, in another folder, to go on in another way."""
    books.store.close()
    shutil.copytree(books.folder, folder)
    return Books(folder)


def go_another_way(books: Books, count: int) -> None:
    """Append entries that the log itself never had, and sign them."""
    head = books.log.head()
    drafts = [anchor_entry("invoice", sha256(b"other %d" % (head.size + n))) for n in range(count)]
    moment = NOON + timedelta(seconds=head.height)
    books.log.sequence(head, drafts, sealed_at=moment, cursor=head.cursor + count)
    books.publish()


def answer(status: int, body: bytes, *more: str) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *more, "", ""]
    return "\r\n".join(lines).encode() + body


@contextmanager
def answering(*connections: Sequence[bytes]) -> Iterator[str]:
    """The address of a server that gives these answers, so many on each connection."""

    def run() -> None:
        for answers in connections:
            connection, _ = listener.accept()
            with connection:
                for each in answers:
                    connection.recv(65536)
                    connection.sendall(each)
                connection.recv(1)  # until the other side closes

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        thread = threading.Thread(target=run)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()
