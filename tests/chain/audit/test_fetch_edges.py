"""Reading a log from outside: one connection while it lasts, and what is said of each refusal."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from chain.audit.fetch import FolderSource, HttpSource
from chain.errors import MalformedError, NotFoundError, UnavailableError, VerificationError
from chain.tree.tiles import MAX_ENTRY, TileFolder, TileId
from tests.chain.trees import entries, leaves


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
        listener.settimeout(20)
        thread = threading.Thread(target=run)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def test_one_connection_serves_as_long_as_it_lasts() -> None:
    first = [answer(200, b"one"), answer(404, b""), answer(200, b"two", "Connection: close")]
    with answering(first, [answer(200, b"three")]) as url, closing(HttpSource(url)) as source:
        assert source.checkpoint() == b"one"
        with pytest.raises(NotFoundError):
            source.checkpoint()
        assert [source.checkpoint(), source.checkpoint()] == [b"two", b"three"]


def ask(url: str) -> None:
    """Ask once."""
    with closing(HttpSource(url)) as source:
        source.checkpoint()


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_or_not_any_more(status: int) -> None:
    with (
        answering([answer(status, b"")]) as url,
        pytest.raises(NotFoundError, match=r"^file_missing\b"),
    ):
        ask(url)


@pytest.mark.parametrize("status", [204, 301, 403, 411, 500])
def test_another_status_is_told(status: int) -> None:
    with (
        answering([answer(status, b"")]) as url,
        pytest.raises(UnavailableError, match=r"^log_status\b") as caught,
    ):
        ask(url)
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
