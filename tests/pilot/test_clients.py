"""The pilot's clients, in every form in which they are known to ask."""

import json
import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from chain.errors import UnavailableError
from invoice_service.pilot.clients import LARGEST, PATH
from tests.api.desk import TAX_ID, UNKNOWN, Desk, refusing

FORM = "application/x-www-form-urlencoded"


def fields(invoice: dict[str, Any], **changes: object) -> dict[str, Any]:
    said = {
        "tx_hash": invoice["hash"],
        "bill_num": invoice["number"],
        "total_amount": str(invoice["total"]),
    }
    return said | changes


def read(answer: TestResponse) -> tuple[int, dict[str, Any]]:
    """(retcode, bill_record) of an answer that is right in every respect."""
    assert answer.status_code == 200
    assert answer.content_type == "application/json; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.get_json()
    assert set(body) == {"retcode", "retmsg", "bill_record"}
    assert isinstance(body["bill_record"], dict)
    assert body["retmsg"]
    return body["retcode"], body["bill_record"]


def ask(desk: Desk, **said: object) -> tuple[int, dict[str, Any]]:
    return read(desk.client.post(PATH, json=said))


def test_the_record_of_an_anchored_invoice(desk: Desk) -> None:
    invoice = desk.issue(buyer={"name": "张三丰"})
    desk.anchor()
    retcode, record = ask(desk, **fields(invoice))
    assert retcode == 0
    assert record == {
        "bill_code": "144032609110",
        "bill_num": "00000001",
        "tx_hash": invoice["hash"],
        "amount": 46991,
        "tax_amount": 2819,
        "total_amount": 49810,
        "time": 1795235400,
        "seller_name": "深圳市旋转餐厅有限公司",
        "seller_taxpayer_id": TAX_ID,
        "buyer_name": "张**",
        "status": 1,
        "invalid_mark": 0,
        "void_flag": "N",
    }


def test_a_pending_invoice_is_valid_with_another_status(desk: Desk) -> None:
    retcode, record = ask(desk, **fields(desk.issue()))
    assert (retcode, record["status"], record["invalid_mark"]) == (0, 0, 0)


def test_a_reversed_invoice_is_marked_invalid(desk: Desk) -> None:
    invoice = desk.issue()
    desk.reverse(invoice)
    retcode, record = ask(desk, **fields(invoice))
    assert (retcode, record["status"], record["invalid_mark"]) == (0, 3, 1)


def as_form(said: dict[str, Any]) -> bytes:
    return "&".join(f"{name}={value}" for name, value in said.items()).encode()


def as_json(said: dict[str, Any]) -> bytes:
    return json.dumps(said).encode()


@pytest.mark.parametrize(
    ("write", "kind"),
    [
        (as_form, FORM),
        (as_form, f"{FORM}; charset=UTF-8"),
        (as_form, f"{FORM};charset=GBK"),
        (as_form, ""),
        (as_form, "text/plain"),
        (as_json, "application/json"),
        (as_json, "application/json;charset=utf-8"),
        (as_json, "application/json; charset=GBK"),
        (as_json, "text/plain;charset=UTF-8"),
        (as_json, ""),
        (as_json, FORM),
        (lambda said: b"\xef\xbb\xbf" + as_json(said) + b"\r\n", "application/json"),
    ],
)
def test_every_form_of_body_is_read(desk: Desk, write: Any, kind: str) -> None:  # noqa: ANN401 # either writer
    invoice = desk.issue()
    headers = {"Content-Type": kind} if kind else {}
    answer = desk.client.post(PATH, data=write(fields(invoice)), headers=headers)
    assert read(answer)[0] == 0


def test_a_multipart_form_is_read(desk: Desk) -> None:
    invoice = desk.issue()
    answer = desk.client.post(PATH, data=fields(invoice), content_type="multipart/form-data")
    assert read(answer)[0] == 0


@pytest.mark.parametrize("name", ["tx_hash", "bill_num", "total_amount"])
def test_a_field_that_stands_twice_is_no_claim_wherever_it_stands(desk: Desk, name: str) -> None:
    said = fields(desk.issue())
    again = f"{name}={said[name]}"
    form, parts = as_form(said), {**said, name: [said[name], said[name]]}
    whole = as_json(said)
    doubled = whole[:-1] + f', "{name}": "{said[name]}"}}'.encode()
    asked = [
        desk.client.post(PATH, data=form + b"&" + again.encode(), content_type=FORM),
        desk.client.post(f"{PATH}?{again}", data=form, content_type=FORM),
        desk.client.post(f"{PATH}?{again}", data=whole, content_type="application/json"),
        desk.client.post(PATH, data=parts, content_type="multipart/form-data"),
        desk.client.post(PATH, data=doubled, content_type="application/json"),
    ]
    assert [read(answer) for answer in asked] == [(1, {})] * 5


def test_capitals_and_blanks_behind_a_field_change_nothing(desk: Desk) -> None:
    invoice = desk.issue()
    changes = {"tx_hash": invoice["hash"].upper() + " ", "bill_num": invoice["number"] + "\r\n"}
    retcode, record = ask(desk, **fields(invoice, **changes))
    assert (retcode, record["tx_hash"]) == (0, invoice["hash"])


def test_a_number_for_an_amount_is_read(desk: Desk) -> None:
    assert ask(desk, **fields(desk.issue(), total_amount=49810))[0] == 0


@pytest.mark.parametrize(
    ("changes", "retcode"),
    [
        ({"bill_num": "00000002"}, 3),
        ({"total_amount": "49811"}, 3),
        ({"tx_hash": UNKNOWN}, 2),
        ({"tx_hash": "01"}, 1),
        ({"tx_hash": None}, 1),
        ({"bill_num": "1"}, 1),
        ({"total_amount": "1e3"}, 1),
        ({"total_amount": "+5"}, 1),
        ({"total_amount": "４９８１０"}, 1),
        ({"total_amount": True}, 1),
        ({"total_amount": 498.1}, 1),
        ({"total_amount": ["49810"]}, 1),
    ],
)
def test_what_has_no_record_has_an_empty_one(
    desk: Desk, changes: dict[str, object], retcode: int
) -> None:
    assert ask(desk, **fields(desk.issue(), **changes)) == (retcode, {})


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"{}", b"null", b"\xff\xfe", b"tx_hash", b"&" * 100, b"[" * 5000),
        b"tx_hash=" + b"a" * 100,
        b'{"tx_hash":' * 5000,
    ],
)
@pytest.mark.parametrize("kind", ["application/json", FORM, "multipart/form-data", ""])
def test_nonsense_is_answered_with_200_and_a_message(desk: Desk, body: bytes, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}
    assert read(desk.client.post(PATH, data=body, headers=headers)) == (1, {})


@pytest.mark.parametrize("overrides", [{}, {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}])
@pytest.mark.parametrize("kind", ["application/json", FORM])
def test_a_body_that_is_too_large_too(desk: Desk, kind: str, overrides: dict[str, object]) -> None:
    answer = desk.client.post(
        PATH,
        data=b"x" * (LARGEST + 1),
        headers={"Content-Type": kind},
        environ_overrides=overrides,
    )
    assert read(answer) == (1, {})
    assert not re.search("[a-z]", answer.get_json()["retmsg"])  # one language


@pytest.mark.parametrize(
    "error", [UnavailableError("database_busy", "inside"), RuntimeError("inside")]
)
def test_a_failure_of_ours_never_reads_as_no_such_invoice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    invoice = desk.issue()
    monkeypatch.setattr(desk.instance.store, "invoice", refusing(error))
    answer = desk.client.post(PATH, json=fields(invoice))
    assert read(answer) == (9, {})
    assert "inside" not in answer.text
    assert "不代表发票真假" in answer.text


def test_a_get_is_not_a_check(desk: Desk) -> None:
    answer = desk.client.get(PATH)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
