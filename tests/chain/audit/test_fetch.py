"""Reading a log from outside: what is not there, too long, too slow, or not from there."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from chain.audit.fetch import FolderSource, HttpSource, LogSource
from chain.errors import MalformedError, NotFoundError, UnavailableError, VerificationError
from chain.signing.note import MAX_NOTE_SIZE
from chain.tree.tiles import MAX_ENTRY, TileFolder, TileId
from tests.chain.books import Books
from tests.chain.served import Served, answer, answering, serve
from tests.chain.trees import entries, leaves
from tests.chain.witness.test_client_time import CERTIFICATE
from tests.outside import need
from tests.patience import growing

LAST = TileId(0, 1, 49)


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """A log of 305 entries: one full tile and a partial one."""
    books = Books(tmp_path)
    books.grow(3, 300)
    return books


@pytest.fixture
def served(books: Books) -> Iterator[Served]:
    """The same, served."""
    with serve(books.log_folder) as served:
        yield served


@pytest.fixture(params=["folder", "http"])
def source(request: pytest.FixtureRequest, books: Books, served: Served) -> Iterator[LogSource]:
    """Both ways to read it."""
    if request.param == "folder":
        yield FolderSource(books.log_folder)
    else:
        with closing(HttpSource(served.url)) as source:
            yield source


def test_both_read_the_same(source: LogSource, books: Books) -> None:
    assert source.checkpoint() == books.published()
    for tile in (TileId(0, 0), LAST, TileId(1, 0, 1), TileId(None, 0), TileId(None, 1, 49)):
        assert source.tile(tile) == (books.log_folder / tile.path()).read_bytes()


def test_what_is_not_there_is_named(source: LogSource) -> None:
    with pytest.raises(NotFoundError, match=r"^file_missing\b") as caught:
        source.tile(TileId(0, 7))
    assert caught.value.extra["path"] == "tile/0/007"


def test_no_more_is_taken_than_a_log_can_need(source: LogSource, books: Books) -> None:
    (books.log_folder / LAST.path()).write_bytes(bytes(32 * 49 + 1))
    with pytest.raises(MalformedError, match=r"^file_too_long\b"):
        source.tile(LAST)
    (books.log_folder / "checkpoint").write_bytes(bytes(MAX_NOTE_SIZE + 1))
    with pytest.raises(MalformedError, match=r"^file_too_long\b"):
        source.checkpoint()


def test_a_folder_that_cannot_be_read_says_nothing_of_the_log(books: Books) -> None:
    (books.log_folder / "checkpoint").unlink()
    (books.log_folder / "checkpoint").mkdir()
    with pytest.raises(UnavailableError, match=r"^read_failed\b"):
        FolderSource(books.log_folder).checkpoint()


@pytest.mark.parametrize("status", [302, 403, 429, 500, 503])
def test_other_answers_are_not_the_log(served: Served, status: int) -> None:
    served.bent["checkpoint"] = status
    with closing(HttpSource(served.url)) as source:
        with pytest.raises(UnavailableError, match=r"^log_status\b"):
            source.checkpoint()
        assert len(source.tile(TileId(0, 0))) == 8192  # and the next one works


@pytest.mark.parametrize(
    "url", ["ftp://host/log", "host/log", "http://", "http://h:x", "http://h/?a"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(MalformedError, match=r"^log_url\b"):
        HttpSource(url)


def test_a_server_that_has_gone_is_named(served: Served) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(UnavailableError, match=r"^log_unreachable\b"):
        HttpSource(f"http://127.0.0.1:{port}/log").checkpoint()


def test_a_connection_that_was_closed_meanwhile_is_made_again() -> None:
    """A server may close an idle connection without a word."""
    answers = [b"one", b"two"]

    def answer_once_each(server: socket.socket) -> None:
        for each in answers:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(each)
                connection.sendall(head + each)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer_once_each, args=(server,))
        thread.start()
        with closing(HttpSource(f"http://127.0.0.1:{server.getsockname()[1]}")) as source:
            assert [source.checkpoint(), source.checkpoint()] == answers
        thread.join()


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_a_coding_that_was_not_asked_for_is_refused(coding: str) -> None:
    def answer(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: 1"
            connection.sendall(f"{head}\r\n\r\nx".encode())

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer, args=(server,))
        thread.start()
        with pytest.raises(MalformedError, match=r"^log_coding\b"):
            HttpSource(f"http://127.0.0.1:{server.getsockname()[1]}").checkpoint()
        thread.join()


def test_a_byte_now_and_then_does_not_hold_us() -> None:
    """The limit is for the whole file; a socket's own would start anew with each byte."""
    done = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not done.wait(0.05):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        try:
            with pytest.raises(UnavailableError, match=r"^log_slow\b"):
                HttpSource(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.4).checkpoint()
        finally:
            done.set()
            thread.join()


def test_what_is_asked_for(served: Served) -> None:
    with closing(HttpSource(served.url)) as source:
        source.checkpoint()
        source.tile(TileId(0, 0))
    assert served.headers == [("identity", "no-cache"), ("identity", None)]


def test_after_a_silence_the_next_answer_is_not_the_late_one() -> None:
    """Every first connection is met with silence; the second answers, within one limit or more."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        held: list[socket.socket] = []

        def answer() -> None:
            with suppress(OSError):
                while True:
                    held.append(listener.accept()[0])  # and says nothing
                    connection, _ = listener.accept()
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext")
                    held.append(connection)

        threading.Thread(target=answer, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert any(_after_a_silence(url, seconds) == b"next" for seconds in growing(0.5))
    for connection in held:
        connection.close()


def _after_a_silence(url: str, seconds: float) -> bytes:
    """What the second question brings, or nothing within this limit."""
    with closing(HttpSource(url, timeout=seconds)) as source:
        with pytest.raises(UnavailableError, match=r"^log_slow\b"):
            source.checkpoint()
        with suppress(UnavailableError):
            return source.checkpoint()
    return b""


def test_over_tls_only_who_it_says(books: Books, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serve(books.log_folder, context) as served:
        url = served.url.replace("http://127.0.0.1", "https://localhost")
        trusting = ssl.create_default_context(cafile=str(certificate))
        with closing(HttpSource(url, tls=trusting)) as source:
            assert source.checkpoint() == books.published()
        # The other trusts the machine's authorities only.
        with (
            closing(HttpSource(url)) as source,
            pytest.raises(UnavailableError, match=r"^log_unreachable\b.*certificate"),
        ):
            source.checkpoint()


def self_signed(folder: Path) -> Path:
    """A certificate of localhost that nobody vouches for, with its key in the same file."""
    path, openssl = folder / "both.pem", need("openssl")
    command = [openssl, *CERTIFICATE, "-keyout", str(path), "-out", str(folder / "certificate.pem")]
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + (folder / "certificate.pem").read_bytes())
    return path


def test_one_connection_serves_as_long_as_it_lasts() -> None:
    first = [answer(200, b"one"), answer(404, b""), answer(200, b"two", "Connection: close")]
    with answering(first, [answer(200, b"three")]) as url, closing(HttpSource(url)) as source:
        assert source.checkpoint() == b"one"
        with pytest.raises(NotFoundError):
            source.checkpoint()
        assert [source.checkpoint(), source.checkpoint()] == [b"two", b"three"]


def _ask(url: str) -> None:
    """Ask once."""
    with closing(HttpSource(url)) as source:
        source.checkpoint()


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_or_not_any_more(status: int) -> None:
    with (
        answering([answer(status, b"")]) as url,
        pytest.raises(NotFoundError, match=r"^file_missing\b"),
    ):
        _ask(url)


def test_a_coding_that_changes_nothing_may_be_named() -> None:
    said = "Content-Encoding: identity"
    with answering([answer(200, b"one", said)]) as url, closing(HttpSource(url)) as source:
        assert source.checkpoint() == b"one"


@pytest.mark.parametrize("status", [204, 301, 403, 411, 500])
def test_another_status_is_told(status: int) -> None:
    with (
        answering([answer(status, b"")]) as url,
        pytest.raises(UnavailableError, match=r"^log_status\b") as caught,
    ):
        _ask(url)
    assert caught.value.extra == {"status": status}


@pytest.mark.parametrize(
    ("tile", "longest"),
    [(TileId(None, 0, 2), 2 * (2 + MAX_ENTRY)), (TileId(0, 0, 2), 64), (TileId(1, 0), 8192)],
)
def test_a_file_is_as_long_as_it_can_be(tmp_path: Path, tile: TileId, longest: int) -> None:
    path = tmp_path / tile.path()
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(longest))
    assert FolderSource(tmp_path).tile(tile) == bytes(longest)
    path.write_bytes(bytes(longest + 1))
    with pytest.raises(MalformedError, match=r"^file_too_long\b") as caught:
        FolderSource(tmp_path).tile(tile)
    assert caught.value.extra == {"path": tile.path()}


def test_a_bundle_of_other_entries_is_named(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path)
    folder.write_range(0, 300, leaves(300), entries(300))
    path = tmp_path / "tile/entries/001.p/44"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(VerificationError, match=r"^tile_damaged\b") as caught:
        folder.verify_range(0, 300)
    assert caught.value.extra["path"] == "tile/entries/001.p/44"


def test_a_tile_that_cannot_be_read_has_its_code(tmp_path: Path) -> None:
    (tmp_path / "tile/0/000").mkdir(parents=True)
    with pytest.raises(UnavailableError, match=r"^read_failed\b"):
        TileFolder(tmp_path).read_hashes(0, 0)
