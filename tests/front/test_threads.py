"""Whose request is next: callers take turns, whatever one of them sends."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, cast

import pytest

from invoice_service.front.connection import Connection
from invoice_service.front.door import SHORT_AT_ONCE, Caller
from invoice_service.front.incoming import Incoming
from invoice_service.front.limits import SMALL_BYTES, Limits
from invoice_service.front.rounds import Rounds
from invoice_service.front.threads import HEAVY_BYTES
from tests.front.stage import Client, Place, by_address, get, post, soon, stage, status
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LISTS = Limits(body_bytes=1_000, large={"/list": 100_000}), HEAVY_BYTES + 1, 2
LONG = Limits(body_bytes=100_000), SMALL_BYTES + 1, 2
PLAIN = Limits(), 10, 1
FILES = Limits(long=(b"/list",)), 10, 4
"""Bodies of an address that takes lists, long ones of any other, and ordinary ones, and what takes
long to answer; and in how many threads one of them runs at a time."""


class Lists:
    """An application that takes its time for lists alone, and notes whose come when."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.go_on = threading.Event()

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> list[bytes]:
        cast("IO[bytes]", environ["wsgi.input"]).read()
        if environ["PATH_INFO"] == "/list":
            self.begun.append(environ["HTTP_X_NAME"])
            self.go_on.wait(PATIENCE)
        start("200 OK", [("Content-Length", "0")])
        return []


class AtOnce:
    """Answers on the loop whoever asks for the start page."""

    def take(self, line: Connection, incoming: Incoming, _usual: Callable[[], None]) -> bool:
        if incoming.path() != b"/":
            return False
        line.reply(200, [("Content-Length", "0")], b"", incoming)
        return True


class Counts(AtOnce):
    """Answers everything on the loop, and counts whose it was before all others were looked at."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    def take(self, line: Connection, incoming: Incoming, usual: Callable[[], None]) -> bool:
        if not self._now:
            self._loop.call_soon(self._now.clear)
        self._now[incoming.owner] += 1
        self.most |= self._now
        return super().take(line, incoming, usual)


def _all_have_come(place: Place) -> None:
    """Whatever was sent before has been read once a later connection is answered."""
    with Client(place) as client:
        assert status(client.say(get()).answer()) == 200


def _list(size: int, name: str, forwarded: str) -> bytes:
    headers = [f"X-Name: {name}", f"X-Forwarded-For: {forwarded}"]
    return post(b"x" * size, "/list", *(header.encode() for header in headers))


@pytest.mark.parametrize(
    ("caller", "sources"),
    [
        (lambda address, _: address, ("127.0.0.1", "127.0.0.2")),
        (lambda _, forwarded: forwarded, ("127.0.0.1", "127.0.0.1")),
    ],
    ids=["on their own", "behind a proxy"],
)
@pytest.mark.parametrize(
    ("limits", "size", "threads"),
    [LISTS, LONG, PLAIN, FILES],
    ids=["lists", "long orders", "any", "files"],
)
def test_many_requests_of_one_caller_do_not_hold_up_anothers(
    caller: Caller, sources: tuple[str, str], limits: Limits, size: int, threads: int
) -> None:
    lists = Lists()
    at_once = AtOnce()
    with ExitStack() as stack:
        place = stack.enter_context(
            stage(lists, limits, threads=threads, caller=caller, shortcut=lambda _loop: at_once)
        )
        many = [stack.enter_context(Client(place, source=sources[0])) for _ in range(6)]
        few = [stack.enter_context(Client(place, source=sources[1])) for _ in range(2)]
        for client in many:
            client.say(_list(size, "many", "192.0.2.1"))
        assert soon(lambda: lists.begun == ["many"])
        _all_have_come(place)
        for client in few:
            client.say(_list(size, "few", "192.0.2.2"))
        _all_have_come(place)
        lists.go_on.set()
        assert all(status(client.answer()) == 200 for client in (*few, *many))
    assert lists.begun == ["many", "many", "few", "many", "few", "many", "many", "many"]


def test_nothing_that_takes_long_is_made_for_who_has_given_up() -> None:
    lists = Lists()
    limits, size, threads = FILES
    with (
        stage(lists, limits, threads=threads, shortcut=lambda _loop: AtOnce()) as place,
        Client(place) as first,
        Client(place) as last,
    ):
        first.say(_list(size, "first", ""))
        assert soon(lambda: lists.begun == ["first"])
        for _ in range(3):
            with Client(place) as client:
                client.say(_list(size, "given up", ""))
        last.say(_list(size, "last", ""))
        _all_have_come(place)
        lists.go_on.set()
        assert all(status(client.answer()) == 200 for client in (first, last))
    assert lists.begun == ["first", "last"]


def test_who_sends_very_far_ahead_is_not_answered_at_once_alone() -> None:
    """What is answered on the loop holds up everybody: threads take the rest, in turns."""
    shortcuts: list[Counts] = []

    def make(loop: asyncio.AbstractEventLoop) -> Counts:
        shortcuts.append(Counts(loop))
        return shortcuts[0]

    ahead = get() * (3 * SHORT_AT_ONCE)
    with stage(Lists(), caller=by_address, shortcut=make) as place, ExitStack() as opened:
        lines = [opened.enter_context(Client(place, source="127.0.0.2")) for _ in range(4)]
        for line in lines:
            line.say(ahead)
        assert status(opened.enter_context(Client(place)).say(get()).answer()) == 200
        for line in lines:
            assert b"Connection: close" in line.rest()
    assert shortcuts[0].most["127.0.0.1"] == 1
    assert 1 < shortcuts[0].most["127.0.0.2"] <= SHORT_AT_ONCE


def test_many_wishes_for_another_protocol_at_once_are_not_heard() -> None:
    """Each has its head read twice, and none of them within the reading of the one before."""
    wish = get("/", b"Connection: upgrade", b"Upgrade: x")
    with (
        stage(Lists(), caller=by_address, shortcut=lambda _loop: AtOnce()) as place,
        Client(place) as client,
    ):
        client.say(wish * 20 * SHORT_AT_ONCE)
        answers = client.rest()
    assert answers.count(b"HTTP/1.1 200 ") > SHORT_AT_ONCE
    assert b"Connection: close" in answers


def test_a_callers_own_come_in_order_and_the_longest_wait_comes_first() -> None:
    rounds: Rounds[str] = Rounds()
    for name in ("a0", "a1", "b0", "a2", "c0", "b1"):
        rounds.add(name[0], name)
    came = []
    while rounds:
        came += [rounds.first(), rounds.next()]
    assert came[::2] == came[1::2] == ["a0", "b0", "c0", "a1", "b1", "a2"]
