"""What goes by time, what is shown of it before, and what never goes."""

import os
from collections.abc import Iterator
from pathlib import Path
from sqlite3 import IntegrityError

import pytest

from chain.errors import UnavailableError
from invoice_service.domain.verdict import Verdict
from invoice_service.retention.rules import DAY, Standing, standing
from invoice_service.services.checking.audit_trail import audit_trail
from invoice_service.services.mailing.ports import Limits, Wanted
from tests.api.desk import Desk
from tests.api.orders.test_orders import claim, made, now, path_of
from tests.web.claim.test_pages import browser, press

NAME = "欧阳娜娜"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Desk]:
    """Where everything that may go does."""
    kept = {"CLAIM_DAYS": "3", "ORDER_DAYS": "2", "PERSON_DAYS": "4", "LOG_DAYS": "1"}
    kept |= {"MAIL_DAYS": "5"}
    with Desk(tmp_path, **{f"FAPIAO_RETENTION_{name}": days for name, days in kept.items()}) as one:
        yield one


def shown(desk: Desk) -> dict[str, Standing]:
    keeping = desk.instance.keeping
    return {one.name: one for one in standing(keeping.rules(), keeping.now())}


def step(desk: Desk) -> dict[str, int]:
    keeping = desk.instance.keeping
    return keeping.step(keeping.rules())


def later(desk: Desk, **units: float) -> None:
    """Time passes, and somebody says that the clock is right."""
    desk.clock.forward(**units)
    desk.instance.store.confirm_clock(desk.instance.operator())


def start(desk: Desk) -> int:
    return int(desk.clock().timestamp())


def test_a_browser_is_forgotten_and_the_invoice_stays(shop: Desk) -> None:
    order, phone = made(shop), browser(shop)
    press(phone, path_of(order), kind="individual")
    assert shown(shop)["claim_days"] == Standing("claim_days", 3, 0, start(shop) + 3 * DAY)
    later(shop, days=3, seconds=1)
    assert shown(shop)["claim_days"].due == 1
    assert step(shop)["claim_days"] == 1
    assert shown(shop)["claim_days"] == Standing("claim_days", 3, 0, None)
    again = phone.get(path_of(order), base_url="https://fapiao.test").text
    assert 'data-claim="done"' not in again
    assert shop.count() == 1
    assert now(shop, order)["state"] == "claimed"


def test_orders_go_that_nobody_claimed_or_paid(shop: Desk) -> None:
    left, paid, taken = (made(shop, f"A{n}", expires_in=60) for n in range(3))
    claim(shop, taken)
    shop.post(f"/v1/orders/{paid['id']}/paid")
    later(shop, days=2)
    assert step(shop) == {}
    later(shop, seconds=61)
    assert shown(shop)["order_days"].due == 1
    assert step(shop) == {"order_days": 1}
    for order, status in ((left, 404), (paid, 200), (taken, 200)):
        answer = shop.client.get(f"/v1/orders/{order['id']}", headers=shop.auth())
        assert answer.status_code == status


def test_letters_that_ended_go_and_those_that_wait_stay(shop: Desk) -> None:
    invoices, store = [shop.issue(f"M{n}") for n in range(3)], shop.instance.store
    limits = Limits(of_invoice=3, of_merchant=100, since=0)
    for seq in range(1, len(invoices) + 1):
        letter = Wanted(seq, 1, "a@b.cn", (b"mark",), "zh", start(shop), start(shop) + 3600)
        assert store.add_letter(letter, limits)
    store.end_letter(1, "sent", "")
    store.end_letter(2, "failed", "smtp_550")
    later(shop, days=5, seconds=1)
    assert (shown(shop)["mail_days"].due, step(shop)["mail_days"]) == (2, 2)
    assert shown(shop)["mail_days"].next is None
    assert [len(store.letters_of(seq)) for seq in (1, 2, 3)] == [0, 0, 1]
    with store.connections.writing() as connection, pytest.raises(IntegrityError, match="waits"):
        connection.execute("DELETE FROM mails")


def test_people_go_where_the_settings_say_so_and_everything_else_holds(shop: Desk) -> None:
    person = shop.issue("P1", buyer={"name": NAME})
    shop.reverse(person)
    firm = shop.issue("F1", buyer={"kind": "organisation", "name": "市政府"})
    shop.anchor()
    later(shop, days=4, seconds=1)
    fresh = shop.issue("P2", buyer={"name": NAME})
    assert shown(shop)["person_days"].due == 1
    assert step(shop)["person_days"] == 1
    assert "person_days" not in step(shop)
    found = {
        one["hash"]: shop.client.get(f"/v1/invoices/{one['hash']}", headers=shop.auth()).get_json()
        for one in (person, firm, fresh)
    }
    assert found[person["hash"]]["buyer_erased"] is True
    assert found[firm["hash"]]["buyer"]["name"] == "市政府"
    assert found[fresh["hash"]]["buyer"]["name"] == NAME
    assert audit_trail(shop.instance.store).erased == 2


def test_by_default_nobody_is_erased_by_time(desk: Desk) -> None:
    invoice = desk.issue(buyer={"name": NAME})
    desk.anchor()
    later(desk, days=40 * 365)
    assert shown(desk)["person_days"] == Standing("person_days", 0, 0, None)
    step(desk)
    answer = desk.client.get(f"/v1/invoices/{invoice['hash']}", headers=desk.auth())
    assert answer.get_json()["buyer"]["name"] == NAME
    assert desk.client.get(
        "/v1/verifications",
        query_string={
            "hash": invoice["hash"],
            "bill_num": invoice["number"],
            "total_amount": invoice["total"],
        },
    ).get_json()["verdict"] == str(Verdict.AUTHENTIC)


def test_nothing_goes_by_a_clock_that_has_leapt(shop: Desk) -> None:
    order, phone = made(shop), browser(shop)
    press(phone, path_of(order), kind="individual")
    shop.clock.forward(days=900)
    assert shown(shop)["claim_days"].due == 1
    with pytest.raises(UnavailableError) as caught:
        step(shop)
    assert caught.value.code == "clock_ahead"
    assert shown(shop)["claim_days"].due == 1


def test_files_go_by_when_they_were_written_last(shop: Desk) -> None:
    output, shelf = shop.config.data_dir / "output", shop.config.files_dir / "1"
    old = [output / "web.log.1", shelf / "a.results.ndjson"]
    kept = [output / "web.log", output / "web.log.2", shelf / "b.results.ndjson"]
    for path in (*old, *kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")
        os.utime(path, (start(shop), start(shop)))
    later(shop, days=91)
    for path in kept[1:]:
        os.utime(path, (start(shop), start(shop)))  # the clock's time now
    gone = step(shop)
    assert (gone["log_days"], gone["result_days"]) == (1, 1)
    assert [path.exists() for path in (*old, *kept)] == [False, False, True, True, True]
