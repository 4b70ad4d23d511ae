"""The short way of a scan's question and Flask: the same bytes, whatever is asked."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from invoice_service.app import SHORTCUT
from tests.api.desk import UNKNOWN, Desk, slip
from tests.front.stage import Client, Place, get, stage

AT = "/v1/verifications"


class Doors:
    """One instance behind two servers: with the short way, and without."""

    def __init__(self, desk: Desk, places: list[Place]) -> None:
        self.desk = desk
        self._places = places

    def ask(self, request: bytes) -> list[bytes]:
        """Both answers, but for the time and the tokens."""
        return [self._answer(place, request) for place in self._places]

    def taken(self) -> int:
        """How many verdicts have been counted."""
        text = self.desk.client.get("/metrics").text
        found = re.search(r'endpoint="verifications.one",status="2xx"} ([0-9.]+)', text)
        return int(float(found[1])) if found else 0

    def _answer(self, place: Place, request: bytes) -> bytes:
        with Client(place) as client:
            answer = client.say(request).half_close().rest()
        answer = re.sub(rb"Date: [^\r]*", b"Date: now", answer)
        answer = re.sub(rb"RateLimit: [^\r]*", b"RateLimit: some", answer)
        return re.sub(rb'"incident":"[0-9a-f]*"', b'"incident":""', answer)


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    with ExitStack() as opened:
        desk = opened.enter_context(Desk(tmp_path))
        short = desk.app.extensions[SHORTCUT]
        places = [opened.enter_context(stage(desk.app, shortcut=way)) for way in (short, None)]
        yield Doors(desk, places)


def _get(said: dict[str, Any], *more: bytes) -> bytes:
    return get(f"{AT}?{urlencode(said)}", *more)


def test_both_answer_every_question_with_the_same_bytes(doors: Doors) -> None:
    desk = doors.desk
    anchored, reversed_ = desk.issue("A"), desk.issue("B")
    desk.anchor()
    desk.reverse(reversed_)
    desk.anchor()
    pending = desk.issue("C")
    good = slip(anchored)
    questions = [
        _get(good),
        _get(slip(reversed_)),
        _get(slip(pending)),
        _get(slip(anchored, total_amount="1")),
        _get({"hash": UNKNOWN}),
        _get({"hash": str(anchored["hash"]).upper()}),
        _get({"qr": anchored["qr"]}),
        _get(good, b"Accept: text/html", b"X-Forwarded-For: 1.2.3.4"),
        _get(good, f"Authorization: Bearer {desk.key}".encode()),
        _get(good, b"Authorization: Bearer fk_wrong"),
        _get({}),
        _get({"hash": "x"}),
        _get({**good, "qr": reversed_["qr"]}),
        _get({**good, "surprise": "1"}),
        get(f"{AT}?hash={UNKNOWN}&hash={UNKNOWN}"),
        get(f"{AT}?"),
        get(AT),
        get(f"{AT}?%ff=%zz"),
        _get(good).replace(b"GET", b"HEAD"),
        _get(good).replace(b"GET", b"PUT"),
        _get(good).replace(b"HTTP/1.1", b"HTTP/1.0"),
        get(f"{AT}/?hash={UNKNOWN}"),
        _get(good, b"Content-Length: 2") + b"{}",
    ]
    for question in questions:
        here, there = doors.ask(question)
        assert here == there, question
        assert here.startswith(b"HTTP/1.1 "), question


def test_a_verdict_the_short_way_is_counted_and_shows_its_tokens(doors: Doors) -> None:
    good = slip(doors.desk.issue("A"))
    before = doors.taken()
    here, _ = doors.ask(_get(good))
    assert doors.taken() == before + 2
    assert b"\r\nRateLimit: some\r\n" in here


def test_who_has_no_tokens_left_is_refused_at_both_doors(tmp_path: Path) -> None:
    few = {"FAPIAO_RATE_PEER_BURST": "1", "FAPIAO_RATE_PEER_PER_SECOND": "1"}
    with Desk(tmp_path, **few) as desk:
        for way in (desk.app.extensions[SHORTCUT], None):
            with stage(desk.app, shortcut=way) as place, Client(place) as client:
                question = get(f"{AT}?hash={UNKNOWN}")
                answers = client.say(question * 4, get("/v1/openapi", b"Connection: close")).rest()
            assert answers.count(b"HTTP/1.1 429 ") >= 3, answers
            desk.clock.forward(seconds=10)


def test_a_damaged_record_is_an_incident_the_usual_way(
    doors: Doors, capfd: pytest.CaptureFixture[str]
) -> None:
    good = slip(doors.desk.issue("A"))
    with closing(sqlite3.connect(doors.desk.config.invoices_db)) as rows, rows:
        names = rows.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            rows.execute(f"DROP TRIGGER {name}")
        rows.execute("UPDATE invoices SET salts = zeroblob(48)")
    here, there = doors.ask(_get(good))
    assert here == there
    assert b" 503 " in here.split(b"\r\n", 1)[0]
    assert "record_damaged" in capfd.readouterr().err
