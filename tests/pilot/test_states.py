"""What the pilot's clients show of an invoice in every state, whichever way they ask."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from invoice_service.pilot.clients import PATH
from invoice_service.services.people import admit
from tests.api.desk import OTHER_TAX_ID, UNKNOWN, Desk

FORM = "application/x-www-form-urlencoded"

Said = dict[str, str]
Ask = Callable[[Desk, Said], TestResponse]


def _body(kind: str, write: Callable[[Said], str]) -> Ask:
    return lambda desk, said: desk.client.post(
        PATH, data=write(said).encode(), headers={"Content-Type": kind}
    )


SHAPES: dict[str, Ask] = {
    "form": _body(FORM, urlencode),
    "form with a charset": _body(f"{FORM}; charset=UTF-8", urlencode),
    "form in parts": lambda desk, said: desk.client.post(
        PATH, data=said, content_type="multipart/form-data"
    ),
    "JSON": _body("application/json", json.dumps),
    "JSON with a charset": _body("application/json;charset=utf-8", json.dumps),
}

NOTHING = (None, None, None)
STATES: dict[str, tuple[int, str, tuple[int | None, int | None, str | None]]] = {
    # (retcode, retmsg, (status, invalid_mark, void_flag))
    "pending": (0, "成功", (0, 0, "N")),
    "anchored": (0, "成功", (1, 0, "N")),
    "taken back in part, a moment ago": (0, "部分红冲", (2, 0, "HP")),
    "taken back in part": (0, "部分红冲", (2, 0, "HP")),
    "taken back, a moment ago": (0, "已红冲", (3, 1, "HF")),
    "taken back": (0, "已红冲", (3, 1, "HF")),
    "taken back part by part": (0, "已红冲", (3, 1, "HF")),
    "red, a moment old": (0, "红字发票", (0, 0, "H")),
    "red": (0, "红字发票", (1, 0, "H")),
    "red over a part": (0, "红字发票", (1, 0, "H")),
    "replaced": (0, "已红冲", (3, 1, "HF")),
    "in its place": (0, "成功", (1, 0, "N")),
    "of a suspended merchant": (0, "成功", (1, 0, "N")),
    "unknown": (2, "查无此票", NOTHING),
    "with another amount": (3, "发票号码或金额与开具时不符", NOTHING),
    "cut short": (1, "请求参数有误：", NOTHING),
}


def _slip(invoice: dict[str, Any], **changes: str) -> Said:
    said = {
        "tx_hash": invoice["hash"],
        "bill_num": invoice["number"],
        "total_amount": str(invoice["total"]),
    }
    return said | changes


def _back(desk: Desk, invoice: dict[str, Any], **asked: object) -> dict[str, Any]:
    path = f"/v1/invoices/{invoice['hash']}/reversals"
    answer = desk.post(path, {"reason": "SALES_RETURN", **asked})
    assert answer.status_code == 201, answer.text
    red: dict[str, Any] = answer.get_json()
    return red


def _suspended(desk: Desk) -> dict[str, Any]:
    """An invoice of a merchant who may issue no more."""
    other = desk.new_merchant(OTHER_TAX_ID, "停业餐厅").merchant.id
    key = desk.new_key(other)
    body = {"order_id": "S1", "lines": [{"name": "饭", "unit_price": 100, "tax_rate": "0.06"}]}
    sold: dict[str, Any] = desk.post("/v1/invoices", body, desk.auth(key)).get_json()
    admit.suspend(desk.instance.store, other, desk.instance.operator())
    refused = desk.post("/v1/invoices", body | {"order_id": "S2"}, desk.auth(key))
    assert refused.get_json()["code"] == "merchant_suspended"
    return sold


def _in_every_state(desk: Desk) -> dict[str, Said]:
    """One slip for each of ``STATES``."""
    part, whole, bits, old = (desk.issue(f"L{n}") for n in range(4))
    plain = desk.issue("L4")
    red_part, red = _back(desk, part, amount=10), _back(desk, whole)
    _back(desk, bits, amount=10)
    _back(desk, bits)
    _back(desk, old)
    new = desk.issue("L3", replaces=old["hash"])
    closed = _suspended(desk)
    desk.anchor()
    part_now, whole_now = desk.issue("N1"), desk.issue("N2")
    desk.anchor()
    _back(desk, part_now, amount=10)
    red_now = _back(desk, whole_now)
    slips = {
        "pending": desk.issue("N3"),
        "anchored": plain,
        "taken back in part, a moment ago": part_now,
        "taken back in part": part,
        "taken back, a moment ago": whole_now,
        "taken back": whole,
        "taken back part by part": bits,
        "red, a moment old": red_now,
        "red": red,
        "red over a part": red_part,
        "replaced": old,
        "in its place": new,
        "of a suspended merchant": closed,
    }
    return {name: _slip(invoice) for name, invoice in slips.items()} | {
        "unknown": _slip(plain, tx_hash=UNKNOWN),
        "with another amount": _slip(plain, total_amount="1"),
        "cut short": _slip(plain, tx_hash="01"),
    }


@pytest.fixture(scope="module")
def house(made: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Any]]:
    """An instance with an invoice in each state."""
    folder: Path = tmp_path_factory.mktemp("states")
    with made.copied(folder) as desk:
        yield desk, _in_every_state(desk)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("shape", SHAPES)
def test_what_a_client_shows_says_so(
    house: tuple[Desk, dict[str, Said]], shape: str, state: str
) -> None:
    desk, slips = house
    answer = SHAPES[shape](desk, slips[state])
    assert answer.status_code == 200
    body = answer.get_json()
    record = body["bill_record"]
    marks = tuple(record.get(name) for name in ("status", "invalid_mark", "void_flag"))
    retcode, said, expected = STATES[state]
    assert (body["retcode"], marks) == (retcode, expected)
    assert body["retmsg"].startswith(said)
    assert body["retmsg"] == said or retcode == 1
    assert not re.search("[A-Za-z]", body["retmsg"]), "one language"
    if retcode == 0:
        assert record["tx_hash"] == slips[state]["tx_hash"]
        assert str(record["total_amount"]) == slips[state]["total_amount"]
    else:
        assert record == {}


def test_every_state_has_a_slip(house: tuple[Desk, dict[str, Said]]) -> None:
    assert set(house[1]) == set(STATES)
