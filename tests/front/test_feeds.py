"""Answers that stay open, over raw sockets: they hold no thread, and nobody can have them all."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from invoice_service.front import door, feeds
from invoice_service.front.feeds import NOTHING, Feed, Said
from invoice_service.front.limits import Limits
from tests.front.stage import Acts, Client, Place, body_of, get, soon, stage, status
from tests.patience import NEVER, PATIENCE, wait_until

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Station:
    """An application that answers ``/feed`` with a feed, and everything else as ``Acts``."""

    def __init__(self) -> None:
        self.acts = Acts()
        self.open: list[Feed] = []
        self.asked: list[int] = []
        self.news: list[bytes] = []
        self.over = False
        self.busy = threading.Event()
        self.busy.set()
        self.fails = False

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Feed | list[bytes]:
        if environ["PATH_INFO"] != "/feed":
            return self.acts(environ, start)
        start("200 OK", [("Content-Type", "text/event-stream")])
        feed = Feed(self, beginning=b"hello\n", pulse=b".", farewell=b"bye\n")
        self.open.append(feed)
        return feed

    def look(self, all_: Sequence[Feed]) -> list[Said]:
        self.busy.wait(PATIENCE)
        self.asked.append(len(all_))
        if self.fails:
            raise OSError("the database is gone")
        news, self.news = b"".join(self.news), []
        return [Said(news, last=self.over) if news else NOTHING for _ in all_]

    def seen(self, passes: int) -> bool:
        """Whether it was asked so often again."""
        end = len(self.asked) + passes
        return soon(lambda: len(self.asked) >= end)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second is a fiftieth of one."""
    monkeypatch.setattr(door, "SWEEP_SECONDS", 0.02)
    monkeypatch.setattr(feeds, "LOOK_SECONDS", 0.02)


@pytest.fixture
def station() -> Station:
    return Station()


@pytest.fixture
def place(station: Station) -> Iterator[Place]:
    with stage(station, threads=2) as place:
        yield place


def until(client: Client, wanted: bytes) -> bytes:
    """All that has come once this has."""
    found = b""
    while wanted not in found:
        data = client.line.recv(65536)
        assert data, found
        found += data
    return found


def test_what_is_new_comes_as_a_chunk_of_its_own(station: Station, place: Place) -> None:
    with Client(place) as client:
        head = until(client.say(get("/feed")), b"hello\n")
        assert status(head) == 200
        assert b"Transfer-Encoding: chunked" in head
        assert b"Connection: close" in head
        station.news.append(b"news\n")
        assert until(client, b"news") == b"5\r\nnews\n\r\n"


def test_http_1_0_gets_the_bytes_as_they_are(station: Station, place: Place) -> None:
    with Client(place) as client:
        head = until(client.say(b"GET /feed HTTP/1.0\r\n\r\n"), b"hello\n")
        assert b"chunked" not in head
        station.over = True
        station.news.append(b"last\n")
        assert client.rest() == b"last\n"


def test_head_has_no_feed(station: Station, place: Place) -> None:
    with Client(place) as client:
        client.say(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").half_close()
        assert status(client.rest()) == 200


def test_more_feeds_than_threads_leave_all_threads_free(station: Station, place: Place) -> None:
    with ExitStack() as open_:
        for _ in range(30):
            until(open_.enter_context(Client(place)).say(get("/feed")), b"hello\n")
        assert station.seen(2)
        assert station.asked[-1] == 30
        with Client(place) as other:
            assert body_of(other.say(get("/other")).answer()) == b"/other 0"


def test_one_pass_at_a_time(station: Station, place: Place) -> None:
    """A pass that hangs holds one thread, however long; the others are answered."""
    with Client(place) as client, Client(place) as other:
        until(client.say(get("/feed")), b"hello\n")
        station.busy.clear()
        before = len(station.asked)
        for _ in range(20):
            assert status(other.say(get()).answer()) == 200
            time.sleep(0.02)
        assert len(station.asked) <= before + 1
        station.busy.set()
        assert station.seen(2)


def test_a_pass_that_fails_is_tried_again(
    station: Station, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    with Client(place) as client:
        until(client.say(get("/feed")), b"hello\n")
        station.fails = True
        assert station.seen(2)
        assert [record.message for record in caplog.records] == ["feeds could not be asked"]
        station.fails = False
        station.news.append(b"news\n")
        until(client, b"news\n")


def test_silence_is_broken_by_a_pulse(
    station: Station, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "PULSE_SECONDS", 0.1)
    with Client(place) as client:
        until(client.say(get("/feed")), b"hello\n")
        assert until(client, b".\r\n1\r\n.").startswith(b"1\r\n.\r\n")


@pytest.mark.parametrize("way", ["close", "reset", "half_close"])
def test_who_has_gone_is_asked_for_no_longer(station: Station, place: Place, way: str) -> None:
    client, stays = Client(place), Client(place)
    for one in (client, stays):
        until(one.say(get("/feed")), b"hello\n")
    if way == "close":
        client.line.close()
    elif way == "reset":
        client.reset()
    else:
        client.half_close()
    assert soon(lambda: bool(station.asked) and station.asked[-1] == 1)
    stays.line.close()
    client.line.close()


def test_what_a_request_behind_it_says_waits_and_is_no_feed_s_end(
    station: Station, place: Place
) -> None:
    with Client(place) as client:
        until(client.say(get("/feed"), get("/behind")), b"hello\n")
        assert station.seen(3)
        assert "/behind" not in station.acts.seen


def test_a_slow_reader_is_cut_off_and_stops_nobody(station: Station) -> None:
    with (
        stage(station, Limits(answer_seconds=0.3), threads=2) as place,
        Client(place) as slow,
        Client(place) as quick,
    ):
        slow.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        until(slow.say(get("/feed")), b"hello\n")
        until(quick.say(get("/feed")), b"hello\n")
        quick.line.settimeout(0.05)

        def ended() -> bool:
            station.news.append(b"x" * 500_000)
            with suppress(TimeoutError):
                while quick.line.recv(1 << 20):
                    pass
            return station.asked[-1] == 1

        wait_until(ended, "the slow one is asked for no longer, and the quick one still is")
        slow.line.settimeout(PATIENCE)
        with suppress(ConnectionError):
            while slow.line.recv(1 << 20):
                pass


def test_who_is_behind_is_asked_for_again_once_all_was_taken(station: Station) -> None:
    """So a slow reader never has more than one pass's news waiting for it."""
    patient = Limits(answer_seconds=NEVER)
    with stage(station, patient) as place, Client(place) as slow, Client(place) as quick:
        slow.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        until(slow.say(get("/feed")), b"hello\n")
        until(quick.say(get("/feed")), b"hello\n")
        station.news.append(b"x" * 600_000)
        until(quick, b"x\r\n")
        assert soon(lambda: station.asked[-1] == 1)
        until(slow, b"x\r\n")
        assert soon(lambda: station.asked[-1] == 2)


def test_an_address_has_its_share_and_all_together_have_theirs(station: Station) -> None:
    counted: list[str] = []
    limits = Limits(feeds=4, peer_feeds=3)
    with stage(station, limits, threads=2, count=counted.append) as place, ExitStack() as open_:
        for source in ("127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.2"):
            client = open_.enter_context(Client(place, source))
            until(client.say(get("/feed")), b"hello\n")
        for source in ("127.0.0.1", "127.0.0.3"):
            with Client(place, source) as more:
                assert body_of(more.say(get("/feed")).rest()) == b"too_many_feeds"
        assert counted == ["feeds_full", "feeds_full"]
        with Client(place) as other:
            assert status(other.say(get()).answer()) == 200
    assert len(station.open) == 6


def test_room_comes_back(station: Station) -> None:
    with stage(station, Limits(feeds=1), threads=2) as place:
        for _ in range(3):
            with Client(place) as client:
                until(client.say(get("/feed")), b"hello\n")
            assert soon(lambda: _is_free(place))


def _is_free(place: Place) -> bool:
    with Client(place) as client:
        return status(client.say(get("/feed")).line.recv(64)) == 200


def test_a_server_that_stops_says_farewell_and_waits_for_nobody(station: Station) -> None:
    with ExitStack() as open_:
        with stage(station, threads=2) as place:
            clients = [open_.enter_context(Client(place)) for _ in range(5)]
            for client in clients:
                until(client.say(get("/feed")), b"hello\n")
        for client in clients:
            assert client.rest() == b"4\r\nbye\n\r\n0\r\n\r\n"
