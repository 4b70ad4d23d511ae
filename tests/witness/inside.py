"""Witnesses on threads of the test's own process, good and bad, on real sockets."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from chain.signing.cosignature import Cosigner
from chain.signing.note import SignerKey, VerifierKey
from chain.witness.database import WitnessStore, create_store
from chain.witness.http import WitnessServer
from chain.witness.judge import Witness
from tests.chain.histories import SIGNER
from tests.patience import NEVER, wait_until

NOW = 1_800_000_000


def cosigner(number: int) -> Cosigner:
    """The key of a witness."""
    return Cosigner(SignerKey(f"witness.example/w{number}", bytes([number]) * 32))


class _Followed(WitnessServer):
    """Knows whom it serves, so that at its end it can wait until that is nobody.

    A thread that has not noticed yet that its client is gone would say so in the next test.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # as the real one has it
        self._served: set[socket.socket] = set()
        super().__init__(*args, **kwargs)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 # likewise
        self._served.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 # likewise
        super().shutdown_request(request)
        self._served.discard(request)

    def let_all_go(self) -> None:
        """Hang up on everybody, and return once every thread has noticed."""
        for request in list(self._served):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)
        wait_until(lambda: not self._served, "nobody is served any more")


@contextmanager
def serving(
    folder: Path,
    key: Cosigner,
    *,
    host: str = "127.0.0.1",
    seconds: float = NEVER,
    places: int = 16,
    logs: Sequence[VerifierKey] = (SIGNER.verifier,),
) -> Iterator[WitnessServer]:
    """The real server around a real witness."""
    if not folder.exists():
        create_store(folder, key.verifier)
    with closing(WitnessStore(folder)) as store:
        store.claim(key.verifier)
        witness = Witness(key, logs, store, lambda: NOW)
        with _Followed(
            (host, 0), witness, lambda: NOW, request_seconds=seconds, connections=places
        ) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            try:
                yield server
            finally:
                server.shutdown()
                thread.join()
                server.let_all_go()


class Peer:
    """Something that listens and behaves as it likes: ``answer`` makes bytes of each request.

    It closes each connection after the answer; without ``answer`` it never says anything.
    """

    def __init__(self, answer: Callable[[bytes], bytes] | None = None) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.heads: list[bytes] = []
        self.requests: list[bytes] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening, and let go of everybody."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for connection in self._open:
            connection.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            head, body = _request(connection)
            self.heads.append(head)
            self.requests.append(body)
            if self._answer is not None:
                self.send(connection, self._answer(self.requests[-1]))
                connection.shutdown(socket.SHUT_RDWR)

    def send(self, connection: socket.socket, answer: bytes) -> None:
        """Send the answer."""
        connection.sendall(answer)


def _request(connection: socket.socket) -> tuple[bytes, bytes]:
    """Read one request, and return its head and its body."""
    content = b""
    while b"\r\n\r\n" not in content:
        content += _some(connection)
    head, _, body = content.partition(b"\r\n\r\n")
    (length,) = (
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += _some(connection)
    return head, body


def _some(connection: socket.socket) -> bytes:
    piece = connection.recv(65536)
    if not piece:
        raise OSError("it has gone")
    return piece


def http_answer(status: int, body: bytes, media_type: str = "text/plain") -> bytes:
    """A whole answer."""
    head = (
        f"HTTP/1.1 {status} Whatever\r\nContent-Type: {media_type}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
