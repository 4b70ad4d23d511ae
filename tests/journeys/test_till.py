"""A till over the real service: events come by themselves, and kills sell nothing twice."""

import json
import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from invoice_service.domain.acts import By
from invoice_service.services.people.person import Whose
from invoice_service.services.people.sessions import Visit, form_token
from invoice_service.web.people.gate import SESSION, cookie_name
from invoice_service.wiring import open_instance
from tests.journeys.service import Service
from tests.patience import PATIENCE, wait_until

LINE: Final = {"name": "*餐饮服务*面", "tax_rate": "0.06", "unit_price": 2800}


class Page:
    """A page at a till, over HTTP."""

    def __init__(self, url: str, token: str) -> None:
        self.place = urlsplit(url)
        self.token = token
        self.cookie = f"{cookie_name(url, SESSION)}={token}"

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """One call on a connection of its own; OSError where it breaks."""
        assert self.place.hostname
        connection = HTTPConnection(self.place.hostname, self.place.port, timeout=PATIENCE)
        headers = {
            "Cookie": self.cookie,
            "X-Form": form_token(self.token),
            "Content-Type": "application/json",
        }
        with closing(connection):
            data = None if body is None else json.dumps(body)
            connection.request(method, f"/till/{path}", data, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.length:
                raise OSError("the answer ended early")
            return answer.status, json.loads(text) if text else None

    def sell(self, bill: str) -> Any:  # noqa: ANN401 # what was sold
        """Settle a bill, again and again until it is answered."""
        parts = [{"payments": [{"kind": "cash", "amount": 2800}]}]
        asked = {"version": 0, "bill": {"lines": [LINE]}, "parts": parts}
        found: list[Any] = []

        def settled() -> bool:
            try:
                status, answer = self.ask("POST", f"bills/{bill}/settle", asked)
            except (OSError, ValueError):
                return False
            assert status in (200, 500, 503), answer
            found[:] = [answer]
            return status == 200

        wait_until(settled, "the bill is settled")
        return found[0]

    def events(self, after: str) -> "Events":
        """Listen."""
        return Events(self, after)


class Events:
    """A feed, read as it comes."""

    def __init__(self, page: Page, after: str) -> None:
        address = (page.place.hostname or "", page.place.port or 0)
        self.line = socket.create_connection(address, timeout=PATIENCE)
        head = f"GET /till/events?after={after} HTTP/1.0\r\nHost: x\r\n"
        self.line.sendall(f"{head}Cookie: {page.cookie}\r\n\r\n".encode())
        self.file = self.line.makefile("rb")
        assert b" 200 " in self.file.readline()

    def __enter__(self) -> "Events":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.line.close()

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """(kind, data), until it ends."""
        kind = ""
        for raw in self.file:
            name, _, text = raw.decode().rstrip().partition(": ")
            if name == "event":
                kind = text
            elif name == "data":
                yield kind, json.loads(text)

    def until(self, wanted: str, **fields: object) -> list[str]:
        """The kinds of all that comes up to this."""
        seen = []
        for kind, data in self:
            seen.append(kind)
            if kind == wanted and all(data[name] == value for name, value in fields.items()):
                return seen
        raise AssertionError(f"{wanted} did not come after {seen}")


@pytest.fixture
def pages(service: Service) -> tuple[Page, Page]:
    """Two browsers of one restaurant, at a service that runs."""
    number, _ = service.admit()
    with closing(open_instance(service.config)) as instance:
        by = By("machine:root", int(instance.clock().timestamp()))
        tokens = []
        for name in ("zhang", "li"):
            staff = instance.people.staff
            invited = staff.invite(Whose(int(number)), "owner", name.title(), name, by)
            person = staff.accept(invited.token, "seven ducks cross a river", Visit("", ""), by.at)
            tokens.append(instance.people.sessions.open(person, "full", Visit("", ""), "password"))
    service.start()
    return Page(service.url, tokens[0]), Page(service.url, tokens[1])


def sales(service: Service) -> list[tuple[Any, ...]]:
    """(order, invoices, what they come to, what was booked) from the database."""
    query = (
        "SELECT i.order_id, count(*), sum(i.total), (SELECT sum(amount) FROM till_payments"
        " p WHERE p.invoice = i.seq) FROM invoices i GROUP BY i.order_id"
    )
    with (
        closing(open_instance(service.config)) as instance,
        instance.store.connections.reading() as connection,
    ):
        return connection.execute(query).fetchall()


@pytest.mark.slow
def test_a_page_hears_of_another_and_of_the_log_and_is_told_when_all_stops(
    service: Service, pages: tuple[Page, Page]
) -> None:
    mine, other = pages
    _, state = mine.ask("GET", "state")
    with mine.events(state["cursor"]) as events, other.events(state["cursor"]) as others:
        sold = other.sell("bill-00000001")
        hash_ = sold["invoices"][0]["hash"]
        # A machine that is slow enough hears of both at once.
        events.until("invoice", hash=hash_, state="anchored")
        with closing(open_instance(service.config)) as instance:
            by = By("machine:root", int(instance.clock().timestamp()))
            visitor = instance.people.sessions.still(other.token)
            assert visitor is not None
            instance.store.end_sessions(visitor.person.id, by)
        others.until("bye", why="signed_out")
        assert other.ask("GET", "state")[0] == 403
        service.stop()
        events.until("bye", why="stopping")
        assert list(events) == []


@pytest.mark.slow
def test_kills_under_load_sell_and_book_once(service: Service, pages: tuple[Page, Page]) -> None:
    stop = threading.Event()
    answers: list[list[Any]] = [[], []]

    def sell(which: int) -> None:
        for number in range(40):
            bill = f"bill-{which}-{number:08}"
            answers[which].append((bill, pages[which].sell(bill)))
        stop.set()

    sellers = [threading.Thread(target=sell, args=(which,)) for which in (0, 1)]
    for seller in sellers:
        seller.start()
    kills = 0
    while not stop.is_set() and kills < 12:
        program = ("web", "issuer")[kills % 2]
        pids = service.pids(program)
        if len(pids) > (program == "web"):
            os.kill(pids[-1], signal.SIGKILL)
            kills += 1
        stop.wait(0.2)
    for seller in sellers:
        seller.join(10 * PATIENCE)
    assert kills
    sold = [one for mine in answers for one in mine]
    assert len(sold) == 80
    orders = Counter(answer["order_id"] for _, answer in sold)
    assert set(orders.values()) == {1}
    for bill, answer in sold[::8]:
        assert pages[0].sell(bill) == answer
    booked = sales(service)
    assert len(booked) == 80
    assert {row[1:] for row in booked} == {(1, 2800, 2800)}
