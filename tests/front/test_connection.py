"""What a client may do to a connection, and what becomes of it."""

import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest

from invoice_service.front.connection import PIPELINE
from invoice_service.front.incoming import MOST_LINES
from invoice_service.front.limits import Limits
from tests.front.stage import (
    HOLDS,
    Acts,
    Client,
    Place,
    body_of,
    by_address,
    chunked,
    get,
    is_full,
    nobody,
    post,
    soon,
    stage,
    status,
)
from tests.patience import PATIENCE

QUICK = Limits(head_seconds=0.4, body_seconds=0.4, idle_seconds=0.4, answer_seconds=0.4)
BODY = b'{"order_id":"1"}'
PARTS = {
    "by length": post(BODY, length=500),
    "by length, one byte short": post(BODY, length=len(BODY) + 1),
    "in chunks, without the last": chunked(BODY, end=b""),
    "in chunks, within one": chunked(end=b"ff\r\n" + BODY),
    "in chunks, within the trailer": chunked(BODY, end=b"0\r\nX: 1\r\n"),
    "in chunks, before the last line end": chunked(BODY, end=b"0\r\n"),
}
INCOMPLETE = pytest.mark.parametrize("request_", PARTS.values(), ids=PARTS.keys())


@pytest.fixture
def acts() -> Acts:
    return Acts()


@pytest.fixture
def place(acts: Acts) -> Iterator[Place]:
    with stage(acts) as place:
        yield place


@INCOMPLETE
def test_what_ends_early_is_refused_and_not_acted_upon(
    acts: Acts, place: Place, request_: bytes
) -> None:
    with Client(place) as client:
        answer = client.say(request_).half_close().rest()
    assert (status(answer), body_of(answer)) == (400, b"request_incomplete")
    assert acts.seen == []


@INCOMPLETE
@pytest.mark.parametrize("way", ["close", "reset"])
def test_what_is_broken_off_is_not_acted_upon(
    acts: Acts, place: Place, request_: bytes, way: str
) -> None:
    client = Client(place).say(request_)
    if way == "close":
        client.line.close()
    else:
        client.reset()
    with Client(place) as other:
        assert status(other.say(get()).answer()) == 200
    assert acts.seen == ["/"]


def test_a_whole_request_is_answered_after_a_half_close(acts: Acts, place: Place) -> None:
    with Client(place) as client:
        assert body_of(client.say(post(BODY)).half_close().rest()) == b"/ 16"
    with Client(place) as client:
        assert b"/ 16" in client.say(chunked(BODY[:5], BODY[5:])).half_close().rest()


def test_a_request_whose_sender_has_gone_is_acted_upon_when_it_was_whole(
    acts: Acts, place: Place
) -> None:
    Client(place).say(post(BODY, "/whole")).reset()
    assert soon(lambda: acts.seen == ["/whole"])


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n", b"\r\n\r\n"])
def test_who_says_nothing_or_half_a_head_is_closed(acts: Acts, begun: bytes) -> None:
    with stage(acts, QUICK) as place, Client(place) as client:
        answer = client.say(begun).rest()
    assert answer == b"" or body_of(answer) == b"request_timeout"
    assert acts.seen == []


@INCOMPLETE
def test_a_body_that_does_not_come_is_timed_out(acts: Acts, request_: bytes) -> None:
    with stage(acts, QUICK) as place, Client(place) as client:
        assert body_of(client.say(request_).rest()) == b"request_timeout"
    assert acts.seen == []


def test_a_trickle_does_not_extend_the_time(acts: Acts) -> None:
    with stage(acts, QUICK) as place, Client(place) as client:
        client.say(post(b"", length=1000))
        client.line.settimeout(0.05)
        answer = b""
        while not answer:
            client.say(b"x")
            try:
                answer = client.line.recv(4096)
            except TimeoutError:
                continue
    assert body_of(answer) == b"request_timeout"


def test_a_body_that_comes_at_a_fair_pace_has_its_time(acts: Acts) -> None:
    limits = QUICK._replace(slowest=1000)
    with stage(acts, limits) as place, Client(place) as client:
        client.say(post(b"", length=2000))
        for _ in range(20):
            time.sleep(0.05)
            client.say(b"x" * 100)
        assert body_of(client.answer()) == b"/ 2000"


def test_half_bodies_hold_no_thread(acts: Acts) -> None:
    with stage(acts, threads=1) as place:
        halves = [Client(place).say(post(BODY, length=1000)) for _ in range(24)]
        with Client(place) as client:
            assert status(client.say(get()).answer()) == 200
        for half in halves:
            half.line.close()


def test_a_kept_connection_is_closed_when_idle(acts: Acts) -> None:
    with stage(acts, QUICK) as place, Client(place) as client:
        assert status(client.say(get()).answer()) == 200
        assert client.rest() == b""


def test_by_default_a_kept_connection_outlasts_a_balancers_minute() -> None:
    assert Limits().idle_seconds > 60


def test_requests_are_answered_in_order(acts: Acts, place: Place) -> None:
    with Client(place) as client:
        client.say(*(post(b"x" * n, f"/{n}") for n in range(20)))
        assert [body_of(client.answer()) for _ in range(20)] == [
            b"/%d %d" % (n, n) for n in range(20)
        ]


def test_what_follows_a_close_is_not_read(acts: Acts, place: Place) -> None:
    with Client(place) as client:
        answer = client.say(get("/1", b"Connection: close"), get("/2")).rest()
    assert body_of(answer) == b"/1 0"
    assert acts.seen == ["/1"]


def test_too_many_requests_ahead_are_not_read(acts: Acts, place: Place) -> None:
    acts.hold.clear()
    with Client(place) as client:
        client.say(*(get(f"/{n}") for n in range(500)))
        acts.hold.set()
        client.half_close().rest()
    assert len(acts.seen) < 100


def test_the_last_answer_says_that_it_is_the_last(acts: Acts, place: Place) -> None:
    """RFC 9112 section 9.6: its client sends the rest again, and knows what was not acted upon."""
    acts.hold.clear()
    with Client(place) as client:
        client.say(*(get(f"/{n}") for n in range(60)))
        acts.hold.set()
        answers = client.rest().split(b"HTTP/1.1 ")[1:]
    assert len(answers) == len(acts.seen) < 60
    assert [b"Connection: close\r\n" in answer for answer in answers] == [
        *[False] * (len(answers) - 1),
        True,
    ]


def test_a_client_that_sends_far_ahead_gets_every_answer(acts: Acts, place: Place) -> None:
    """What is not read of it must not break the answers that are on their way."""
    acts.hold.clear()
    with Client(place) as client, Client(place) as other:
        client.say(*(get(f"/{n}") for n in range(60)))
        acts.hold.set()
        assert soon(lambda: len(acts.seen) == PIPELINE + 2)
        assert status(other.say(get("/other")).answer()) == 200
        for _ in range(3):  # a connection that was closed at once would be broken by the first
            client.say(*(get(f"/{n}", b"A: " + b"x" * 20_000) for n in range(20)))
        answers = client.rest()
    assert answers.count(b"HTTP/1.1 200 ") == PIPELINE + 2
    assert len(acts.seen) == PIPELINE + 3


@pytest.mark.parametrize(
    "request_",
    [
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\nHost: x\n\n",
        b"GET http: HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT /x HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT http://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
        b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(
    acts: Acts, place: Place, request_: bytes
) -> None:
    with Client(place) as client:
        answer = client.say(request_, get("/next")).half_close().rest()
    assert status(answer) == 400
    assert answer.count(b"HTTP/1.1 ") == 1
    assert acts.seen == []


@pytest.mark.parametrize(
    "hosts",
    [[], [b"x", b"x"], [b"x", b"y"], [b"x y"], [b"x/y"], [b"u@x"], [b"x,y"], [b"x:80:80"]],
)
def test_without_one_well_formed_host_nothing_is_done(
    acts: Acts, place: Place, hosts: list[bytes]
) -> None:
    lines = [b"GET / HTTP/1.1", *(b"Host: " + host for host in hosts), b"", b""]
    with Client(place) as client:
        answer = client.say(b"\r\n".join(lines)).rest()
    assert (status(answer), body_of(answer)) == (400, b"host_invalid")


@pytest.mark.parametrize("host", [b"x", b"x:8000", b"[::1]:80", b"127.0.0.1", b"", b"a-b.c_d"])
def test_one_well_formed_host_will_do(acts: Acts, place: Place, host: bytes) -> None:
    with Client(place) as client:
        assert status(client.say(b"GET / HTTP/1.1\r\nHost: ", host, b"\r\n\r\n").answer()) == 200


def test_an_old_client_needs_no_host_and_is_closed(acts: Acts, place: Place) -> None:
    with Client(place) as client:
        assert body_of(client.say(b"GET /old HTTP/1.0\r\n\r\n").rest()) == b"/old 0"


def test_an_address_in_full_counts_for_more_than_the_host(acts: Acts, place: Place) -> None:
    with Client(place) as client:
        client.say(b"GET http://a.b:1/c?d=e HTTP/1.1\r\nHost: x\r\n\r\n").answer()
    environ = acts.environs[0]
    assert (environ["HTTP_HOST"], environ["PATH_INFO"], environ["QUERY_STRING"]) == (
        *("a.b:1", "/c", "d=e"),
    )


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [("http://x", "/", ""), ("http://x?q=1", "/", "q=1"), ("HTTP://[::1]:80?a/b", "/", "a/b")],
)
def test_an_address_in_full_may_lack_its_path(
    acts: Acts, place: Place, target: str, path: str, query: str
) -> None:
    with Client(place) as client:
        answer = client.say(f"GET {target} HTTP/1.1\r\nHost: y\r\n\r\n".encode()).answer()
    assert status(answer) == 200
    assert (acts.environs[0]["PATH_INFO"], acts.environs[0]["QUERY_STRING"]) == (path, query)


@pytest.mark.parametrize("host", ["u@x", "u:p@x", "@x", ":80", "", "x:y", "x y@z", "x,y"])
def test_an_address_in_full_names_a_host_and_no_user(acts: Acts, place: Place, host: str) -> None:
    """RFC 9110 section 4.2.4: what stands before the @ could pass for the host."""
    for path in ("/", "", "?q"):
        with Client(place) as client:
            sent = f"GET http://{host}{path} HTTP/1.1\r\nHost: x\r\n\r\n"
            assert status(client.say(sent.encode()).rest()) == 400
    assert acts.seen == []


@pytest.mark.parametrize("framed", [post(BODY, "/a", b"Upgrade: h2c", b"Connection: Upgrade")])
def test_a_wish_for_another_protocol_is_not_heard(acts: Acts, place: Place, framed: bytes) -> None:
    """Java's own client asks for HTTP/2 with its first request, whatever it sends."""
    with Client(place) as client:
        client.say(framed, get("/b"))
        assert body_of(client.answer()) == b"/a 16"
        assert body_of(client.answer()) == b"/b 0"


def test_trailers_are_no_headers(acts: Acts, place: Place) -> None:
    with Client(place) as client:
        client.say(chunked(BODY, end=b"0\r\nAuthorization: Bearer x\r\n\r\n")).answer()
    assert "HTTP_AUTHORIZATION" not in acts.environs[0]


def test_a_name_with_an_underscore_cannot_pass_for_anothers(acts: Acts, place: Place) -> None:
    with Client(place) as client:
        client.say(get("/", b"X_Forwarded_For: 1.2.3.4", b"Content_Length: 5")).answer()
    assert "HTTP_X_FORWARDED_FOR" not in acts.environs[0]
    assert "CONTENT_LENGTH" not in acts.environs[0]
    assert acts.environs[0]["REMOTE_ADDR"] == "127.0.0.1"


def test_who_waits_before_a_body_is_told_to_go_on(acts: Acts, place: Place) -> None:
    with Client(place) as client:
        client.say(post(b"", "/", b"Expect: 100-continue", length=3))
        assert client.line.recv(100).startswith(b"HTTP/1.1 100 ")
        assert body_of(client.say(b"abc").answer()) == b"/ 3"


def test_who_waits_behind_another_request_is_told_in_its_turn(acts: Acts, place: Place) -> None:
    acts.hold.clear()
    with Client(place) as client:
        client.say(get("/first"), post(b"", "/", b"Expect: 100-continue", length=3))
        assert soon(lambda: acts.seen == ["/first"])
        acts.hold.set()
        assert body_of(client.answer()) == b"/first 0"
        assert client.line.recv(100).startswith(b"HTTP/1.1 100 ")
        assert body_of(client.say(b"abc").answer()) == b"/ 3"


def test_who_waits_before_a_body_too_large_is_refused_at_once(acts: Acts, place: Place) -> None:
    with Client(place) as client:
        answer = client.say(post(b"", "/", b"Expect: 100-continue", length=10**9)).answer()
    assert (status(answer), body_of(answer)) == (400, b"body_too_large")


@pytest.mark.parametrize("size", [70_000, 20_000_000])
@pytest.mark.parametrize("way", ["length", "chunks"])
def test_who_sends_too_much_can_take_the_answer(
    acts: Acts, place: Place, size: int, way: str
) -> None:
    """A client that sends everything before it reads must not see its connection broken."""
    sent = post(b"x" * size) if way == "length" else chunked(*[b"x" * 10_000] * (size // 10_000))
    with Client(place) as client:
        assert body_of(client.say(sent).rest()) == b"body_too_large"
    assert acts.seen == []


@pytest.mark.parametrize(
    "endless",
    [
        [b"GET / HTTP/1.1\r\nHost: x\r\nA: ", b"x" * 65_536],
        [b"GET / HTTP/1.1\r\nHost: x\r\n", b"A: b\r\n" * 10_000],
        [b"GET /", b"x" * 65_536],
        [chunked(end=b"1;"), b"x" * 65_536],
        [chunked(b"x", end=b"0\r\nA: "), b"x" * 65_536],
    ],
)
def test_what_has_no_end_is_refused(acts: Acts, place: Place, endless: list[bytes]) -> None:
    with Client(place) as client:
        client.say(endless[0], endless[1] * 20)
        assert status(client.rest()) in (400, 431)
    assert acts.seen == []


def test_a_head_that_is_too_large_is_refused(acts: Acts, place: Place) -> None:
    with Client(place) as client:
        answer = client.say(get("/", b"A: " + b"x" * 40_000)).answer()
    assert body_of(answer) == b"head_too_large"
    with Client(place) as client:
        assert body_of(client.say(get("/" + "x" * 9000)).answer()) == b"address_too_long"


def test_a_head_of_very_many_lines_is_refused_as_they_come(acts: Acts, place: Place) -> None:
    """Lines of a few bytes take many times as many in memory, and time for each."""
    for more, code in (([b"a:"] * (MOST_LINES - 1), b"/ 0"), ([b"a:"] * 9000, b"head_too_large")):
        with Client(place) as client:
            assert body_of(client.say(get("/", *more)).answer()) == code
    with Client(place) as client:  # the head has not ended
        client.say(get("/", *[b"a:"] * 300).removesuffix(b"\r\n"))
        assert body_of(client.answer()) == b"head_too_large"
    assert acts.seen == ["/"]


def test_one_address_has_so_many_connections(acts: Acts) -> None:
    with stage(acts, Limits(peer_connections=3)) as place:
        first = [Client(place) for _ in range(3)]
        assert all(status(client.say(get()).answer()) == 200 for client in first)
        with Client(place) as more:
            assert body_of(more.rest()) == b"too_many_connections"
        with Client(place, source="127.0.0.2") as other:
            assert status(other.say(get()).answer()) == 200
        first.pop().line.close()
        assert soon(lambda: _answers(place))
        for client in first:
            client.line.close()


def test_a_proxy_has_as_many_connections_as_it_likes(acts: Acts) -> None:
    with stage(acts, Limits(peer_connections=1), caller=nobody) as place:
        clients = [Client(place) for _ in range(5)]
        assert all(status(client.say(get()).answer()) == 200 for client in clients)
        for client in clients:
            client.line.close()


def _answers(place: Place) -> bool:
    with Client(place) as client:
        try:
            return client.say(get("/", b"Connection: close")).rest().startswith(b"HTTP/1.1 200")
        except ConnectionError:
            return False


def test_where_all_places_are_taken_the_one_that_waits_longest_gives_way(acts: Acts) -> None:
    with stage(acts, Limits(connections=5)) as place:
        silent = [Client(place) for _ in range(5)]
        with Client(place) as client:
            assert status(client.say(get()).answer()) == 200
        assert silent[0].rest() == b""
        assert status(silent[4].say(get()).answer()) == 200
        for client in silent:
            client.line.close()


def test_who_is_turned_away_is_counted_and_told(
    acts: Acts, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []
    limits = HOLDS._replace(connections=3, peer_connections=2)
    with stage(acts, limits, caller=by_address, count=seen.append) as place:
        with Client(place) as first:
            first.say(post(b"x" * 45_000, "/list", length=45_001))
            assert soon(lambda: is_full(place, 10_000))
        refused = seen.count("bodies_full")
        assert refused
        held = [Client(place, source="127.0.0.2") for _ in range(2)]
        with Client(place, source="127.0.0.2") as more:
            assert body_of(more.rest()) == b"too_many_connections"
        acts.hold.clear()
        for n in (3, 4, 5):  # one by one: who is not being answered gives way to the next
            held.append(Client(place, source=f"127.0.0.{n}").say(get(f"/{n}")))
            assert soon(partial(acts.seen.__contains__, f"/{n}"))
        with Client(place, source="127.0.0.6") as more:
            assert body_of(more.rest()) == b"too_many_connections"
        acts.hold.set()
        for client in held:
            client.line.close()
    assert set(seen) == {"bodies_full", "address_full", "connections_full"}
    assert seen.count("connections_full") > 1
    told = " ".join(record.getMessage() for record in caplog.records)
    assert all(why in told for why in seen)


def test_who_is_turned_away_with_a_request_on_its_way_can_read_why(acts: Acts) -> None:
    """What nobody reads would break the connection off before its client has the answer."""
    busy, go_on = threading.Event(), threading.Event()

    class Holds:
        """Keeps the loop from everything else for a while."""

        def take(self, *_: object) -> bool:
            busy.set()
            go_on.wait(PATIENCE)
            return False

    limits = Limits(peer_connections=1)
    with (
        stage(acts, limits, caller=by_address, shortcut=lambda _loop: Holds()) as place,
        Client(place, source="127.0.0.2") as first,
        Client(place, source="127.0.0.3") as other,
    ):
        go_on.set()
        assert first.say(get()).answer()
        go_on.clear()
        busy.clear()
        other.say(get())
        assert busy.wait(PATIENCE)
        with Client(place, source="127.0.0.2") as more:
            more.say(post(b"x" * 10_000))
            go_on.set()
            assert body_of(more.rest()) == b"too_many_connections"


def test_what_came_fast_earns_no_silence(acts: Acts) -> None:
    """A body that was nearly whole at once may not be held back for as long as it is large."""
    limits = QUICK._replace(slowest=1, large={"/list": 90_000})
    with stage(acts, limits) as place, Client(place) as client:
        client.say(post(b"x" * 80_000, "/list", length=80_001))
        assert body_of(client.answer()) == b"request_timeout"
