"""What our web answers under ``/log/``, byte for byte and header for header, as tlog-tiles asks.

On a raw connection: nothing here follows a redirect, unzips, or tidies up a path.
"""

import gzip
import http.client
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chain.tree.tiles import TILE_WIDTH, TileId, entry_bundle_path, tile_path
from tests.patience import PATIENCE
from tests.strangers.bent import all_files, last_files
from tests.strangers.logs import EVEN, SIZES, Grown, Web, web

pytestmark = pytest.mark.slow

FOREVER = "public, max-age=31536000, immutable"
BIG = SIZES[-1]


@dataclass(frozen=True)
class Answer:
    """As it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Client:
    """A connection to a log's address."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Ask for what stands below the log's address, spelled exactly so."""
        connection = http.client.HTTPConnection(self._parts.netloc, timeout=PATIENCE)
        connection.putrequest(method, f"{self._parts.path}/{path}", skip_accept_encoding=True)
        for name, text in headers.items():
            connection.putheader(name.replace("_", "-"), text)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, body)


@pytest.fixture
def big(served: Web) -> Client:
    """The log of 70,000 entries."""
    return Client(served.url(BIG))


def widths(size: int) -> Iterator[TileId]:
    """The partial tiles and the partial bundle of a tree of that size."""
    level, left = 0, size
    while left:
        left, width = divmod(left, TILE_WIDTH)
        if width:
            yield TileId(level, left, width)
            if level == 0:
                yield TileId(None, left, width)
        level += 1


def test_the_example_of_tlog_tiles(logs: dict[int, Grown], big: Client) -> None:
    """70,000 entries: 273 full tiles and one of 112, one full and one of 17, and one of 1."""
    expected = {tile_path(0, n) for n in range(273)} | {tile_path(1, 0)}
    expected |= {entry_bundle_path(n) for n in range(273)}
    expected |= {tile_path(0, 273, 112), entry_bundle_path(273, 112)}
    expected |= {tile_path(1, 1, 17), tile_path(2, 0, 1)}
    assert all_files(logs[BIG].folder) >= expected
    for path in expected:
        data = (logs[BIG].folder / path).read_bytes()
        assert big.ask(path).body == data
        if "entries" not in path:
            width = int(path.rpartition(".p/")[2]) if ".p/" in path else 256
            assert len(data) == 32 * width


def test_the_example_of_a_full_tile(served: Web) -> None:
    """256 entries: a full tile below, and a partial one of width 1 above; none of width 0."""
    client = Client(served.url(EVEN))
    for path in ("tile/0/000", "tile/entries/000", "tile/1/000.p/1"):
        assert client.ask(path).status == 200, path
    for path in (
        "tile/0/001.p/0",
        "tile/0/001",
        "tile/0/000.p/256",
        "tile/1/000",
        "tile/2/000.p/1",
    ):
        assert client.ask(path).status == 404, path


def test_every_published_size_can_still_be_read(big: Client) -> None:
    """Each partial tile that a checkpoint ever needed is there, or the full one that holds it."""
    blocks = json.loads(big.ask("blocks?limit=1000").body)["blocks"]
    sizes = [block["size"] for block in blocks]
    assert sizes[:3] == [2, 255, 257]
    assert sizes[-1] == BIG
    for size in sizes:
        for tile in widths(size):
            partial = big.ask(tile.path())
            full = big.ask(tile._replace(width=TILE_WIDTH).path())
            assert 200 in {partial.status, full.status}, (size, tile)
            if tile.level is not None:
                data = partial.body if partial.status == 200 else full.body[: 32 * tile.width]
                assert len(data) == 32 * tile.width


def test_other_widths_were_never_there(big: Client) -> None:
    for tile in widths(BIG):
        for width in {1, tile.width - 1, tile.width + 1, 255} - {0, tile.width}:
            assert big.ask(tile._replace(width=width).path()).status == 404
        assert big.ask(tile._replace(width=TILE_WIDTH).path()).status == 404
        assert big.ask(tile._replace(n=tile.n + 1, width=TILE_WIDTH).path()).status == 404


def test_what_is_missing_is_not_remembered(big: Client) -> None:
    """A tile that is not there yet must be there for whoever asks again."""
    missing = big.ask("tile/0/274")
    assert missing.status == 404
    assert missing.headers["cache-control"] == "no-store"
    # A page of another site sees the 404, and may go for the full tile instead.
    assert missing.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("size", [2, EVEN, BIG])
def test_types_and_times(size: int, logs: dict[int, Grown], served: Web) -> None:
    client = Client(served.url(size))
    checkpoint = client.ask("checkpoint")
    assert checkpoint.body == logs[size].note.read_bytes()
    assert checkpoint.headers["content-type"] == "text/plain; charset=utf-8"
    assert checkpoint.headers["cache-control"] == "public, max-age=2"
    for path in last_files(logs[size]):
        answer = client.ask(path)
        assert answer.body == (logs[size].folder / path).read_bytes()
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["cache-control"] == FOREVER
        assert answer.headers["content-length"] == str(len(answer.body))
        assert answer.headers["access-control-allow-origin"] == "*"


def test_the_origin_is_the_address(logs: dict[int, Grown]) -> None:
    """Without the scheme, as tlog-tiles recommends: who knows the one finds the other."""
    assert logs[BIG].checkpoint.origin == "fapiao.test/log"
    assert logs[BIG].key.name == "fapiao.test/log"


@pytest.mark.parametrize("path", ["tile/entries/000", "tile/entries/273.p/112"])
def test_bundles_are_zipped_for_those_who_ask(path: str, big: Client) -> None:
    plain, zipped = big.ask(path), big.ask(path, Accept_Encoding="gzip, identity")
    assert "content-encoding" not in plain.headers
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.body) == plain.body
    assert zipped.headers["content-length"] == str(len(zipped.body))
    assert plain.headers["vary"] == zipped.headers["vary"] == "Accept-Encoding"
    assert plain.headers["etag"] != zipped.headers["etag"]
    for unwilling in ("identity", "br", "gzip;q=0", "gzip;q=0, *;q=0.5"):
        assert big.ask(path, Accept_Encoding=unwilling).body == plain.body


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000", "tile/0/273.p/112", "tile/1/000"])
def test_hashes_and_checkpoints_are_never_zipped(path: str, big: Client) -> None:
    answer = big.ask(path, Accept_Encoding="gzip")
    assert "content-encoding" not in answer.headers
    assert answer.body == big.ask(path).body


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000", "tile/entries/000"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_head_and_etags(path: str, coding: str, big: Client) -> None:
    """HEAD says what GET says; who holds a copy is told that it is still good, and no other."""
    got = big.ask(path, Accept_Encoding=coding)
    head = big.ask(path, "HEAD", Accept_Encoding=coding)
    assert (head.status, head.body) == (200, b"")
    assert _steady(head.headers) == _steady(got.headers)
    tag = got.headers["etag"]
    assert tag[0] == tag[-1] == '"'  # strong: it stands for these very bytes
    same = big.ask(path, Accept_Encoding=coding, If_None_Match=tag)
    assert (same.status, same.body) == (304, b"")
    assert "content-encoding" not in same.headers
    for name in ("etag", "cache-control", "vary"):
        assert same.headers.get(name) == got.headers.get(name)
    assert big.ask(path, Accept_Encoding=coding, If_None_Match='"other"').status == 200
    if path == "tile/entries/000":
        other = "gzip" if coding == "identity" else "identity"
        assert big.ask(path, Accept_Encoding=other, If_None_Match=tag).status == 200


def _steady(headers: Mapping[str, str]) -> dict[str, str]:
    """All but what is another at every call."""
    return {name: text for name, text in headers.items() if name not in {"date", "ratelimit"}}


def test_a_range_gets_the_whole(big: Client) -> None:
    """Allowed by HTTP; who resumes a download starts again, and never gets a torn tile."""
    whole = big.ask("tile/0/000")
    part = big.ask("tile/0/000", Range="bytes=32-63")
    assert (part.status, part.body) == (200, whole.body)
    assert "content-range" not in part.headers


@pytest.mark.parametrize(
    "path",
    [
        *("checkpoint/", "tile/0/000/", "tile/entries/000/", "tile/", "", "/checkpoint"),
        *(
            "tile/0/0",
            "tile/00/000",
            "tile/0/1000",
            "tile/0/x000/000",
            "tile/0/x001",
            "tile/0//000",
        ),
        *(
            "tile/0/../0/000",
            "../log/checkpoint",
            "tile/..%2f..%2f../keys/log.key",
            "tile/0/000%00",
        ),
        *(
            "tile/8/0/000",
            "tile/data/000",
            "tile/-1/000",
            "tile/64/000",
            "tile/0/000.p/",
            "TILE/0/000",
        ),
    ],
)
def test_one_spelling_and_no_redirect(path: str, big: Client) -> None:
    answer = big.ask(path)
    assert answer.status in {400, 404}, answer
    assert "location" not in answer.headers
    assert b"PRIVATE" not in answer.body


def test_nobody_writes(big: Client) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert big.ask("tile/0/000", method, Content_Length="0").status == 405


def test_a_tile_far_out_is_found(logs: dict[int, Grown], tmp_path: Path) -> None:
    """x001/x234/067, which a log has from its 315,921,152nd entry on: put there by hand."""
    data = tmp_path / "far"
    shutil.copytree(logs[2].data, data)
    far = {tile_path(0, 1_234_067): bytes(8192), entry_bundle_path(1_234_067, 9): b"\0\1x" * 9}
    assert set(far) == {"tile/0/x001/x234/067", "tile/entries/x001/x234/067.p/9"}
    for path, content in far.items():
        (data / "log" / path).parent.mkdir(parents=True, exist_ok=True)
        (data / "log" / path).write_bytes(content)
    with web({0: Grown(2, data)}) as serving:
        client = Client(serving.url(0))
        for path, content in far.items():
            assert client.ask(path).body == content
