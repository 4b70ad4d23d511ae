"""The invoice by e-mail: for the browser that has claimed it, and for nobody else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.desk import Desk
from tests.api.orders.test_orders import COMPANY, made, now, path_of
from tests.web.claim.test_pages import ENGLISH, browser, press

BASE = "https://fapiao.test"
GUEST = "guest@gast.example.com"


@pytest.fixture
def sending(tmp_path: Path) -> Iterator[Desk]:
    """A desk whose letters somebody would take."""
    settings = {"HOST": "127.0.0.1", "FROM": "x@y.cn", "SECURITY": "none"}
    with Desk(tmp_path, **{f"FAPIAO_MAIL_{name}": text for name, text in settings.items()}) as desk:
        yield desk


def letters(desk: Desk) -> int:
    """How many were asked for."""
    store = desk.instance.store
    return sum(len(store.letters_of(seq)) for seq in range(1, store.last_seq() + 1))


def test_who_has_claimed_has_it_sent_and_sees_what_became_of_it(sending: Desk) -> None:
    desk = sending
    order, phone, other = made(desk), browser(desk), browser(desk)
    assert 'name="mail"' in press(phone, path_of(order), **COMPANY)
    path = f"{path_of(order)}/mail"
    for who, expected in ((other, 0), (phone, 1), (phone, 1)):
        answer = who.post(path, data={"mail": GUEST}, base_url=BASE)
        assert (answer.status_code, answer.headers["Location"]) == (303, path_of(order))
        assert letters(desk) == expected
    page = phone.get(path_of(order), headers=ENGLISH, base_url=BASE).text
    assert "A letter is on its way" in page
    assert GUEST not in page
    hash_ = now(desk, order)["shares"][0]["hash"]
    assert GUEST not in desk.client.get(f"/v1/invoices/{hash_}", headers=desk.auth()).text


def test_a_wrong_address_is_said_beside_the_invoice(sending: Desk) -> None:
    order, phone = made(sending), browser(sending)
    press(phone, path_of(order), **COMPANY)
    path = f"{path_of(order)}/mail"
    answer = phone.post(path, data={"mail": "a@b, c@d"}, headers=ENGLISH, base_url=BASE)
    assert answer.status_code == 422
    assert "not one plain e-mail address" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert letters(sending) == 0
    assert browser(sending).post("/claim/AAAA/mail", data={"mail": GUEST}).status_code == 404


def test_where_no_letters_are_sent_none_is_offered(desk: Desk) -> None:
    order, phone = made(desk), browser(desk)
    assert 'name="mail"' not in press(phone, path_of(order), **COMPANY)
    answer = phone.post(f"{path_of(order)}/mail", data={"mail": GUEST}, base_url=BASE)
    assert (answer.status_code, "mail_off" in answer.text) == (404, True)
