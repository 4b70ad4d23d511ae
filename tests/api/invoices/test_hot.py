"""The hot route and Flask: the same requests, the same bytes."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from invoice_service.api.invoices.hot import HotIssues
from invoice_service.api.shortcuts import Shortcuts
from invoice_service.app import SHORTCUT
from invoice_service.domain.invoice import Prepared
from invoice_service.services.issuing.issue import Done
from invoice_service.services.people.admit import suspend
from tests.api.desk import MEAL, Desk
from tests.front.stage import Client, Place, stage

SIDES = ("hot", "usual")


class Numbers:
    """Random bytes that two instances share: the same ones for the same request."""

    def __init__(self) -> None:
        self.begin(0)

    def begin(self, request: int) -> None:
        self._seed, self._drawn = request, 0

    def __call__(self, size: int) -> bytes:
        self._drawn += 1
        return Random(f"{self._seed} {self._drawn}").randbytes(size)


class Straight:
    """Issues where it stands, as the issuing process would in time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.knows = True
        self.callers: list[str] = []

    def ask(self, prepared: Prepared, done: Done, whose: str) -> None:
        self.callers.append(whose)
        answer = self._desk.instance.issuer.issue([prepared])[0]
        done(answer if self.knows else None)


@dataclass
class Side:
    desk: Desk
    numbers: Numbers
    place: Place
    straight: Straight
    replied: list[int]


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[tuple[Side, Side]]:
    with ExitStack() as opened:
        hot, usual = (_side(opened, tmp_path, name) for name in SIDES)
        yield hot, usual


def _side(opened: ExitStack, folder: Path, name: str, **overrides: str) -> Side:
    numbers = Numbers()
    desk = opened.enter_context(Desk(folder / name, numbers, **overrides))
    straight = Straight(desk)
    replied: list[int] = []

    def make(loop: object) -> Shortcuts:
        shortcuts: Shortcuts = desk.app.extensions[SHORTCUT](loop)
        short = shortcuts.routes["POST", b"/v1/invoices"]
        assert isinstance(short, HotIssues)
        observe = short.toll.observe
        short.asking = straight

        def count(endpoint: str, status: int, nanoseconds: int) -> object:
            replied.append(status)
            return observe(endpoint, status, nanoseconds)

        short.toll.observe = count
        return shortcuts

    place = opened.enter_context(stage(desk.app, shortcut=make if name == "hot" else None))
    return Side(desk, numbers, place, straight, replied)


def _ask(side: Side, number: int, request: bytes) -> bytes:
    side.numbers.begin(number)
    with Client(side.place) as client:
        answer = client.say(request).half_close().rest()
    answer = re.sub(rb"Date: [^\r]*", b"Date: now", answer)
    answer = re.sub(rb"RateLimit: [^\r]*", b"RateLimit: some", answer)
    return re.sub(rb'"incident":"[0-9a-f]*"', b'"incident":""', answer)


def _request(
    body: object = None,
    *more: str,
    key: str | None = "KEY",
    kind: str = "application/json",
    line: str = "POST /v1/invoices HTTP/1.1",
) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [line, "Host: fapiao.test", f"Content-Type: {kind}", f"Content-Length: {len(data)}"]
    lines += [f"Authorization: Bearer {key}"] if key else []
    return "\r\n".join([*lines, *more, "", ""]).encode() + data


def order(order_id: str = "T1", **changes: object) -> dict[str, object]:
    return {"order_id": order_id, "lines": [MEAL], **changes}


FRESH = [
    _request(order("a1")),
    _request(order("a2", remark="谢谢", buyer={"kind": "individual", "name": "王芳"})),
    _request(order("a3"), "Idempotency-Key: k1"),
    _request(order("a4"), "Prefer: return=minimal"),
    _request(order("a5"), "prefer: wait=0, return=minimal"),
    _request(order("a6"), kind="application/json; charset=UTF-8"),
    _request(order("a7"), "Accept: text/html", "X-Forwarded-For: 9.9.9.9", "Cookie: a=b"),
    _request(order("a8"), line="POST /v1/invoices HTTP/1.0"),
    _request(order("a9"), "Connection: close"),
    _request(b"\xef\xbb\xbf" + json.dumps(order("a10")).encode()),
    _request(order("a11", remark=None)),
    _request(order("a1")),  # a repeat
    _request(order("a3"), "Idempotency-Key: k1"),
]
"""What the hot route answers itself."""

HEAD = b"POST /v1/invoices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY\r\n"
OTHERS = [
    _request(order("b1", lines=[MEAL] * 99)),
    _request(order("b2"), "Prefer: wait=1"),
    _request(order("b3"), kind="text/plain"),
    _request(order("b3"), kind="application/json; charset=gbk"),
    _request(order("b3"), "Content-Encoding: gzip"),
    _request(order("b3"), "Idempotency-Key: ä".encode().decode("latin-1")),
    _request(order("b3"), key=None),
    _request(order("b3"), key="fk_wrong"),
    _request(order("b3"), key="OFFICIAL"),
    _request(order("b3"), "Authorization: Basic eDp5", key=None),
    _request(order("b3"), "Authorization: Bearer ", key=None),
    _request(order("b3"), "Authorization: Bearer KEY"),
    _request(order("b3"), "Idempotency-Key: one", "Idempotency-Key: two"),
    _request(order("b3"), "Content-Type: application/json"),
    _request(order("b3"), line="POST /v1/invoices?x=1 HTTP/1.1"),
    _request(order("b3"), line="POST /v1/invoices/ HTTP/1.1"),
    _request(order("b3"), line="PUT /v1/invoices HTTP/1.1"),
    _request(order("b3"), line="GET /v1/invoices HTTP/1.1"),
    _request(order("a1", remark="another")),  # a conflict
    _request(order("a3", remark="another"), "Idempotency-Key: k1"),
    _request(b""),
    _request(b"{"),
    _request(b"\xff\xfe{}"),
    _request(b"[]"),
    _request(order("b4", lines=[])),
    _request(order("b4", surprise=1)),
    _request(order("b4", lines=[{**MEAL, "tax_rate": "0.5"}])),
    _request(order("b4", lines=[{**MEAL, "name": "\u200b"}])),
    _request(order("b4", total=1)),
    _request(b'{"order_id":"b4","order_id":"b5","lines":[]}'),
    HEAD + b"Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{}",
    HEAD + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    HEAD + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
]
"""What it leaves to Flask."""


def _said_to(side: Side, request: bytes) -> bytes:
    keys = {b"KEY": side.desk.key, b"OFFICIAL": side.desk.official_key}
    for name, key in keys.items():
        request = request.replace(b"Bearer " + name + b"\r\n", f"Bearer {key}\r\n".encode())
    return request


def test_both_answer_every_kind_of_request_with_the_same_bytes(sides: tuple[Side, Side]) -> None:
    hot, usual = sides
    for number, request in enumerate([*FRESH, *OTHERS], 1):
        here, there = (_ask(side, number, _said_to(side, request)) for side in sides)
        assert here == there, request
        assert here.startswith(b"HTTP/1.1 "), request
    assert len(hot.replied) == len(FRESH)
    assert usual.replied == []
    assert hot.desk.count() == usual.desk.count()


@pytest.mark.parametrize(
    "reason", ["suspended", "quota", "no tokens", "log behind", "nobody knows"]
)
def test_what_is_refused_after_reading_is_refused_in_the_same_bytes(
    tmp_path: Path, reason: str
) -> None:
    with ExitStack() as opened:
        rates = {"FAPIAO_RATE_KEY_BURST": "1"} if reason == "no tokens" else {}
        pair = []
        for name in SIDES:
            side = _side(opened, tmp_path, name, **rates)
            pair.append(side)
        for number, request in enumerate([_request(order("c1")), _request(order("c2"))], 1):
            answers = [_ask(side, number, _said_to(side, request)) for side in pair]
            if reason == "nobody knows":  # it was promised twice, of which once in vain
                answers = [re.sub(rb'"promise":"[^"]+"', b"", answer) for answer in answers]
            assert answers[0] == answers[1]
            for side in pair:
                _spoil(side, reason)
        assert pair[0].desk.count() == pair[1].desk.count()


def _spoil(side: Side, reason: str) -> None:
    merchant = side.desk.restaurant.merchant.id
    store, by = side.desk.instance.store, side.desk.instance.operator()
    if reason == "suspended":
        suspend(store, merchant, by)
    elif reason == "quota":
        store.set_quota(merchant, 1, by)
    elif reason == "log behind":
        side.desk.clock.forward(seconds=40)
    side.straight.knows = reason != "nobody knows"
