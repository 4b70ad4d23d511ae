"""Erasing a person among the buyers on a page: found in every way, with the password, for good."""

import re
from typing import Any

import pytest

from tests.api.desk import UNKNOWN, slip
from tests.web.people.visitors import PASSWORD, code_in
from tests.web.till.counter import COMPANY, NOODLES, Counter

NAME = "欧阳娜娜"
PERSON = {"name": NAME, "address_phone": "13800138000"}


def sold(counter: Counter, **more: Any) -> dict[str, Any]:  # noqa: ANN401 # what is sold beside
    """A sale's invoice."""
    found: dict[str, Any] = counter.zhang.sell(NOODLES, **more)["invoices"][0]
    return found


def look(counter: Counter, text: str, who: str = "zhang") -> str:
    """The page of what is found."""
    browser = getattr(counter, who).browser
    browser.get("/till/buyers")  # the token of its forms
    answer = browser.client.get(
        "/till/buyers", base_url="https://fapiao.test", query_string={"q": text}
    )
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def buyers(page: str) -> list[str]:
    """What each sale on a page says of its buyer."""
    return re.findall(r'data-buyer="([a-z]+)"', page)


def erase(counter: Counter, hash_: str, password: str = PASSWORD, who: str = "zhang") -> Any:  # noqa: ANN401 # an answer
    browser = getattr(counter, who).browser
    browser.get("/till/buyers")
    return browser.send(f"/till/buyers/{hash_}/erasure", password=password)


def test_a_sale_is_found_in_every_way_and_its_person_erased(counter: Counter) -> None:
    sale = counter.zhang.sell(NOODLES, buyer=PERSON)
    invoice = sale["invoices"][0]
    (red,) = counter.zhang.take_back(sale, 100, amount=100)["invoices"]
    link = counter.client.get(f"/v1/invoices/{invoice['hash']}").get_json()["qr"]
    for text in (sale["order_id"], invoice["number"], invoice["hash"], link, red["number"]):
        page = look(counter, text)
        assert (buyers(page), page.count(NAME)) == (["person"], 1), text
    done = erase(counter, invoice["hash"])
    assert done.headers["Location"] == f"/till/buyers?q={invoice['hash']}"
    for text in (sale["order_id"], red["hash"]):
        page = look(counter, text)
        assert (buyers(page), NAME in page) == (["erased"], False)
    seen = counter.client.get(
        "/v1/verifications",
        query_string=slip({**invoice, "total": invoice["total_amount"]}),
    ).get_json()
    assert seen["buyer_erased"]
    (act,) = counter.acts("erasure")
    person = counter.people["zhang"]
    assert (act["actor"], act["outcome"]) == (f"person:{person.id}", "done")
    assert erase(counter, invoice["hash"]).status_code == 303  # again changes nothing
    assert len(counter.acts("erasure")) == 1


def test_without_the_password_nothing_is_erased(counter: Counter) -> None:
    invoice = sold(counter, buyer=PERSON)
    answer = erase(counter, invoice["hash"], "not the password")
    assert code_in(answer) == "sign_in_refused"
    assert "<details open>" in answer.text
    assert buyers(look(counter, invoice["hash"])) == ["person"]
    stranger = counter.zhang.browser.post(f"/till/buyers/{invoice['hash']}/erasure", "cross-site")
    assert code_in(stranger) == "form_stale"
    assert buyers(look(counter, invoice["hash"])) == ["person"]


@pytest.mark.parametrize(("buyer", "kind"), [(COMPANY, "firm"), ({}, "nobody")])
def test_what_is_kept_has_no_form(counter: Counter, buyer: dict[str, str], kind: str) -> None:
    invoice = sold(counter, **({"buyer": buyer} if buyer else {}))
    page = look(counter, invoice["hash"])
    assert buyers(page) == [kind]
    assert "/erasure" not in page
    assert code_in(erase(counter, invoice["hash"])) == "buyer_not_erasable"


def test_anothers_sale_is_like_one_that_is_not_there(counter: Counter) -> None:
    invoice = sold(counter, buyer=PERSON)
    for text in (invoice["hash"], invoice["number"], "P0001"):
        page = look(counter, text, "wang")
        assert not buyers(page)
        assert NAME not in page
    answers = [erase(counter, hash_, who="wang") for hash_ in (invoice["hash"], UNKNOWN)]
    told = {(one.status_code, code_in(one)) for one in answers}
    assert told == {(404, "invoice_unknown")}
    assert buyers(look(counter, invoice["hash"])) == ["person"]


@pytest.mark.parametrize("text", ["nothing", "01" + "0" * 64, "%", "x" * 100])
def test_what_nothing_is_called(counter: Counter, text: str) -> None:
    sold(counter, buyer=PERSON)
    assert not buyers(look(counter, text))


def test_too_much_is_said_so(counter: Counter) -> None:
    answer = counter.zhang.browser.get("/till/buyers?q=" + "x" * 101)
    assert (answer.status_code, code_in(answer)) == (422, "text_too_long")


def test_while_a_cashier_works_at_the_till_nobody_is_erased(counter: Counter) -> None:
    invoice = sold(counter, buyer=PERSON)
    browser, li = counter.zhang.browser, counter.people["li"]
    session = counter.zhang.session_id(counter)
    counter.instance.store.set_cashier(session, li.id, counter.instance.operator())
    assert code_in(browser.get("/till/buyers")) == "role_required"
    assert code_in(browser.send(f"/till/buyers/{invoice['hash']}/erasure")) == "role_required"
