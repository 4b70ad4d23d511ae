"""What watchers are told, pass by pass; over the line it is told in tests/front and in journeys."""

import json
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder

from invoice_service.front.answer import Started
from invoice_service.front.feeds import Feed
from invoice_service.services.till import watch
from tests.web.people.visitors import BASE, SESSION
from tests.web.till.counter import NOODLES, TEA, Counter, Till, new_id


class Watcher:
    """A page that listens."""

    def __init__(self, till: Till, after: str = "", seen: str = "") -> None:
        asked = EnvironBuilder(
            "/till/events",
            base_url=BASE,
            query_string={"after": after} if after else None,
        ).get_environ()
        asked["HTTP_COOKIE"] = f"{SESSION}={till.browser.cookie()}"
        if seen:
            asked["HTTP_LAST_EVENT_ID"] = seen
        started = Started()
        # As the server in front has it: a test client would wrap what it is answered.
        feed = till.client.application.wsgi_app(asked, started)
        assert (started.status, started.value("content-type")) == ("200 OK", "text/event-stream")
        assert isinstance(feed, Feed)
        self.feed = feed
        self.last, self.ended = "", False
        self.read(feed.beginning)

    def read(self, data: bytes) -> list[tuple[str, Any]]:
        """(kind, data) of each event."""
        found = []
        for block in data.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            self.last = fields.get("id", self.last)
            if "event" in fields:
                found.append((fields["event"], json.loads(fields["data"])))
        return found

    def look(self) -> list[tuple[str, Any]]:
        """One pass of the server, for this page."""
        (said,) = self.feed.source.look([self.feed])
        self.ended = said.last
        return self.read(said.data)


def kinds(found: list[tuple[str, Any]]) -> list[str]:
    return [kind for kind, _ in found]


def test_only_its_head_is_no_feed(counter: Counter) -> None:
    answer = counter.zhang.client.head("/till/events", base_url=BASE)
    assert (answer.status_code, answer.content_type) == (200, "text/event-stream")


def test_nothing_happens_and_nothing_is_said(counter: Counter) -> None:
    page = Watcher(counter.zhang)
    assert page.look() == page.look() == []


def test_a_sale_a_return_and_the_log_are_told(counter: Counter) -> None:
    page = Watcher(counter.zhang)
    sold = counter.li.sell()
    found = page.look()
    assert kinds(found) == ["invoice", "quota", "bill", "shift"]
    assert (found[0][1]["state"], found[1][1]["used"]) == ("issued", 1)
    assert found[2][1]["gone"] is True
    counter.anchor()
    assert [(kind, data["state"]) for kind, data in page.look()] == [("invoice", "anchored")]
    counter.li.take_back(sold, 2800)
    rows = [data for kind, data in page.look() if kind == "invoice"]
    assert {row["state"] for row in rows} == {"red", "full"}


def test_bills_menus_and_shifts_are_told(counter: Counter) -> None:
    page, bill = Watcher(counter.zhang), new_id()
    counter.li.do("PUT", f"bills/{bill}", {"version": 0, "table": "5", "lines": [TEA]})
    counter.li.do("PUT", f"bills/{bill}", {"version": 1, "table": "6", "lines": [NOODLES]})
    ((kind, data),) = page.look()
    assert (kind, data["id"], data["version"], data["table"]) == ("bill", bill, 2, "6")
    counter.li.do("DELETE", f"bills/{bill}?version=2")
    assert page.look() == [("bill", {"id": bill, "gone": True})]
    counter.zhang.do("PUT", "tables", {"version": 0, "tables": ["1"]})
    assert page.look() == [("menu", {"menu": 0, "tables": 1, "tills": 0})]
    counter.li.do("POST", "shifts", {"id": new_id(), "till": "1", "float": 5})
    ((kind, data),) = page.look()
    assert (kind, data["float"]) == ("shift", 5)


def test_nobody_is_told_of_another_merchant(counter: Counter) -> None:
    page = Watcher(counter.wang)
    counter.zhang.sell()
    counter.anchor()
    assert page.look() == []


def test_who_comes_back_is_told_what_was_missed(counter: Counter) -> None:
    state = counter.zhang.read("state")
    counter.li.sell()
    assert "invoice" in kinds(Watcher(counter.zhang, after=state["cursor"]).look())
    page = Watcher(counter.zhang)
    counter.li.sell()
    back = Watcher(counter.zhang, after=state["cursor"], seen=page.last)
    assert kinds(back.look()).count("invoice") == 1


@pytest.mark.parametrize("cursor", ["x", "9-9-9", "1-2", "-1-0-0"])
def test_what_cannot_be_gone_on_from_is_stale(counter: Counter, cursor: str) -> None:
    page = Watcher(counter.zhang, after=cursor)
    assert page.look() == [("stale", {})]
    assert page.look() == []


def test_too_much_is_stale(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "MOST_NEWS", 2)
    page = Watcher(counter.zhang)
    for _ in range(3):
        counter.issue(new_id())
    assert page.look() == [("stale", {})]


def test_signing_out_ends_it_at_the_next_pass(counter: Counter) -> None:
    page, other = Watcher(counter.zhang), Watcher(counter.li)
    assert page.look() == other.look() == []
    counter.instance.store.end_sessions(counter.people["zhang"].id, counter.instance.operator())
    counter.li.sell()
    told = page.feed.source.look([page.feed, other.feed])
    assert [one.last for one in told] == [True, False]
    assert page.read(told[0].data)[0] == ("bye", {"why": "signed_out"})


def test_another_role_ends_it(counter: Counter) -> None:
    page = Watcher(counter.li)
    store, li = counter.instance.store, counter.people["li"]
    store.set_role(li.id, "owner", counter.instance.operator())
    assert kinds(page.look()) == ["bye"]
    assert page.ended


def test_a_session_ends_by_time_though_somebody_listens(
    counter: Counter,
) -> None:
    page = Watcher(counter.zhang)
    page.look()
    counter.clock.forward(hours=13)
    counter.instance.till.watch._look_at = 0.0
    assert kinds(page.look()) == ["bye"]


def test_who_takes_the_till_over_is_told_to_that_page_alone(counter: Counter) -> None:
    page, other = Watcher(counter.zhang), Watcher(counter.li)
    session, li = counter.zhang.session_id(counter), counter.people["li"]
    counter.instance.store.set_cashier(session, li.id, counter.instance.operator())
    told = page.feed.source.look([page.feed, other.feed])
    assert page.read(told[0].data) == [("cashier", {"id": li.id, "name": "Li"})]
    assert told[1].data == b""
