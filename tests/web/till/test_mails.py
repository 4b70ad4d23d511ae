"""An invoice by e-mail from a till: asked for by who works there, for an invoice of their own."""

from dataclasses import replace

import msgspec
import pytest

from invoice_service.sections import Mail
from tests.web.till.counter import NOODLES, Counter


@pytest.fixture
def sending(counter: Counter) -> Counter:
    """A restaurant whose letters somebody would take."""
    config = msgspec.structs.replace(counter.config, mail=Mail(host="127.0.0.1", from_="x@y.cn"))
    counter.instance = replace(counter.instance, config=config)
    counter._open_doors()
    return counter


def test_a_cashier_has_it_sent_once(sending: Counter) -> None:
    hash_ = sending.zhang.sell(NOODLES)["invoices"][0]["hash"]
    path = f"invoices/{hash_}/mail"
    asked = {"to": "guest@example.com", "language": "en"}
    first = sending.li.send("POST", path, asked)
    assert (first.status_code, [one["state"] for one in first.get_json()["mails"]]) == (
        202,
        ["waiting"],
    )
    assert sending.zhang.send("POST", path, asked).status_code == 200
    assert sending.li.read(f"invoices/{hash_}/mails") == first.get_json()
    assert sending.li.refused("POST", path, {"to": "no"})["code"] == "mail_address_invalid"
    assert sending.wang.refused("POST", path, asked)["code"] == "invoice_unknown"


def test_without_a_mail_server_nothing_is_asked_for(counter: Counter) -> None:
    hash_ = counter.zhang.sell(NOODLES)["invoices"][0]["hash"]
    asked = {"to": "guest@example.com"}
    assert counter.li.refused("POST", f"invoices/{hash_}/mail", asked)["code"] == "mail_off"
    assert counter.li.read(f"invoices/{hash_}/mails") == {"mails": []}
